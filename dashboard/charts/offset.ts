/** Clocks change on a quarter of an hour of UTC, in every zone since 1972. */
const quarterMs = 15 * 60_000
/** Of one zone: more than the 14 days of a page have. */
const quartersMax = 5_000
const zonesMax = 500

type Zone = { format: Intl.DateTimeFormat; offsets: Map<number, number> }
const zones = new Map<string, Zone>()

/**
 * How far a clock in `timeZone` is ahead of UTC at `at` (epoch ms), in ms. Remembered for each quarter of an hour: to
 * ask Intl costs 3 µs, and the page of a resident needs the local hour of some thousand instants.
 */
export function offsetOf(at: number, timeZone: string): number {
  const quarter = Math.floor(at / quarterMs)
  const zone = zones.get(timeZone) ?? openZone(timeZone)
  let offset = zone.offsets.get(quarter)
  if (offset === undefined) {
    if (zone.offsets.size >= quartersMax) zone.offsets.clear()
    offset = askOffset(quarter * quarterMs, zone.format)
    zone.offsets.set(quarter, offset)
  }
  return offset
}

function openZone(timeZone: string): Zone {
  if (zones.size >= zonesMax) zones.clear()
  const digits = '2-digit' as const
  const format = new Intl.DateTimeFormat('en-CA', {
    timeZone,
    year: 'numeric',
    month: digits,
    day: digits,
    hour: digits,
    minute: digits,
    second: digits,
    hourCycle: 'h23',
  })
  const zone = { format, offsets: new Map<number, number>() }
  zones.set(timeZone, zone)
  return zone
}

function askOffset(at: number, format: Intl.DateTimeFormat): number {
  const found: Record<string, number> = {}
  for (const { type, value } of format.formatToParts(at)) found[type] = Number(value)
  const local = Date.UTC(found.year!, found.month! - 1, found.day, found.hour, found.minute, found.second)
  return local - at
}
