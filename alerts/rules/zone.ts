import type { EpochMs } from '../model.js'
import { hourMs, minuteMs } from './say.js'

/** Zones change their clocks on half hours of UTC at the finest. */
const slotMs = 30 * minuteMs
const dayMs = 24 * hourMs

// Asking Intl costs some 5 µs; there are about 400 zones, so that the map is bounded.
const zones = new Map<string, { formatter: Intl.DateTimeFormat; slot: number; offsetMs: number }>()

function offsetMsAt(at: EpochMs, timeZone: string): number {
  let zone = zones.get(timeZone)
  if (!zone) {
    const formatter = new Intl.DateTimeFormat('en-US', {
      timeZone,
      hourCycle: 'h23',
      year: 'numeric',
      month: 'numeric',
      day: 'numeric',
      hour: 'numeric',
      minute: 'numeric',
    })
    zone = { formatter, slot: Number.NaN, offsetMs: 0 }
    zones.set(timeZone, zone)
  }
  const slot = Math.floor(at / slotMs)
  if (slot !== zone.slot) {
    const parts: Record<string, number> = {}
    for (const { type, value } of zone.formatter.formatToParts(slot * slotMs)) parts[type] = Number(value)
    const local = Date.UTC(parts.year!, parts.month! - 1, parts.day!, parts.hour!, parts.minute!)
    zone.offsetMs = local - slot * slotMs
    zone.slot = slot
  }
  return zone.offsetMs
}

/** Wall-clock time in a zone: day number since 1970-01-01, hours into it (0 ≤ hour < 24), Saturday or Sunday. */
export function wallClock(at: EpochMs, timeZone: string): { day: number; hour: number; weekend: boolean } {
  const local = at + offsetMsAt(at, timeZone)
  const day = Math.floor(local / dayMs)
  // 1970-01-01 was a Thursday.
  const weekday = (day + 4) % 7
  return { day, hour: (local - day * dayMs) / hourMs, weekend: weekday === 0 || weekday === 6 }
}
