import type { EpochMs } from '../model.js'

const hourMs = 3_600_000
const dayMs = 24 * hourMs
const slotMs = hourMs / 2
const daysMax = 2_000

type Zone = { formatter: Intl.DateTimeFormat; offsets: Map<number, number>; slot: number; slotOffset: number }
// Asking Intl costs some 5 µs; there are about 400 zones, so that the map is bounded.
const zones = new Map<string, Zone>()

function zoneOf(timeZone: string): Zone {
  const known = zones.get(timeZone)
  if (known) return known
  const formatter = new Intl.DateTimeFormat('en-US', {
    timeZone,
    hourCycle: 'h23',
    year: 'numeric',
    month: 'numeric',
    day: 'numeric',
    hour: 'numeric',
    minute: 'numeric',
  })
  const zone = { formatter, offsets: new Map<number, number>(), slot: Number.NaN, slotOffset: 0 }
  zones.set(timeZone, zone)
  return zone
}

function askOffsetMs({ formatter }: Zone, at: EpochMs): number {
  const parts: Record<string, number> = {}
  for (const { type, value } of formatter.formatToParts(at)) parts[type] = Number(value)
  return Date.UTC(parts.year!, parts.month! - 1, parts.day!, parts.hour!, parts.minute!) - at
}

function offsetAtDay(zone: Zone, day: number): number {
  let offset = zone.offsets.get(day)
  if (offset === undefined) {
    offset = askOffsetMs(zone, day * dayMs)
    if (zone.offsets.size >= daysMax) zone.offsets.clear()
    zone.offsets.set(day, offset)
  }
  return offset
}

/**
 * How far a zone's wall clock is ahead of UTC, in ms. Throws on a zone that is none. A day that begins and ends with the
 * same offset has no change in it; on the others each half hour is asked for.
 */
export function offsetMsAt(at: EpochMs, timeZone: string): number {
  const zone = zoneOf(timeZone)
  const day = Math.floor(at / dayMs)
  const offset = offsetAtDay(zone, day)
  if (offset === offsetAtDay(zone, day + 1)) return offset
  const slot = Math.floor(at / slotMs)
  if (slot !== zone.slot) {
    zone.slotOffset = askOffsetMs(zone, slot * slotMs)
    zone.slot = slot
  }
  return zone.slotOffset
}

/** Wall-clock time in a zone: day number since 1970-01-01, hours into it (0 ≤ hour < 24), Saturday or Sunday. */
export function wallClock(at: EpochMs, timeZone: string): { day: number; hour: number; weekend: boolean } {
  const local = at + offsetMsAt(at, timeZone)
  const day = Math.floor(local / dayMs)
  // 1970-01-01 was a Thursday.
  const weekday = (day + 4) % 7
  return { day, hour: (local - day * dayMs) / hourMs, weekend: weekday === 0 || weekday === 6 }
}
