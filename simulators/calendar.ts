/** Local days in a time zone. A day is its number of civil days since 1970-01-01; instants are epoch seconds. */

const formats = new Map<string, Intl.DateTimeFormat>()
const midnights = new Map<string, Map<number, number>>()

function formatOf(timeZone: string): Intl.DateTimeFormat {
  let format = formats.get(timeZone)
  if (!format) {
    format = new Intl.DateTimeFormat('en-US', {
      timeZone,
      hourCycle: 'h23',
      year: 'numeric',
      month: 'numeric',
      day: 'numeric',
      hour: 'numeric',
      minute: 'numeric',
      second: 'numeric',
    })
    formats.set(timeZone, format)
  }
  return format
}

/** What the wall clock shows at an instant, read as if it were UTC: epoch seconds. */
export function wallSeconds(instantS: number, timeZone: string): number {
  const field: Record<string, number> = {}
  for (const { type, value } of formatOf(timeZone).formatToParts(instantS * 1_000)) field[type] = Number(value)
  const { year = 0, month = 1, day = 1, hour = 0, minute = 0, second = 0 } = field
  return Date.UTC(year, month - 1, day, hour, minute, second) / 1_000
}

/** The civil day in which an instant lies. */
export const dayOf = (instantS: number, timeZone: string) => Math.floor(wallSeconds(instantS, timeZone) / 86_400)

/**
 * The instant at which a civil day begins, in epoch seconds. Where the clocks skip midnight it is an instant within the
 * skipped hour's reach; it is always the same one, which is all that a chain of days needs.
 */
export function midnight(day: number, timeZone: string): number {
  let known = midnights.get(timeZone)
  if (!known) {
    known = new Map()
    midnights.set(timeZone, known)
  }
  let instant = known.get(day)
  if (instant === undefined) {
    const wanted = day * 86_400
    instant = wanted - (wallSeconds(wanted, timeZone) - wanted)
    instant += wanted - wallSeconds(instant, timeZone)
    known.set(day, instant)
  }
  return instant
}

/** Seconds since local midnight on the wall clock. */
export const secondOfDay = (instantS: number, timeZone: string) => wallSeconds(instantS, timeZone) % 86_400

/** Saturday or Sunday. Day 0 was a Thursday. */
export const isWeekend = (day: number) => (day + 4) % 7 === 0 || (day + 4) % 7 === 6
