import type { EpochMs } from './model.js'
import { offsetMsAt } from './rules/zone.js'

/** "22:00" to "07:00" by the wall clock of a zone; over midnight where the end is before the beginning. */
export type QuietHours = { from: string; until: string; timeZone: string }

const minuteMs = 60_000
const dayMs = 86_400_000
const timePattern = /^([01]\d|2[0-3]):[0-5]\d$/

/** True for "00:00" to "23:59". */
export const isTimeOfDay = (text: string): boolean => timePattern.test(text)

/** Milliseconds since midnight of "HH:MM". */
function timeOfDayMs(text: string): number {
  if (!isTimeOfDay(text)) throw new RangeError(`not a time of day: ${text}`)
  const [hours, minutes] = text.split(':').map(Number) as [number, number]
  return (hours * 60 + minutes) * minuteMs
}

/**
 * The end of the quiet hours that `at` lies in, or null when a person may be told. The wall clock decides: an hour that
 * is skipped or comes twice makes the night shorter or longer, and where the end itself is skipped, quiet ends with the jump.
 */
export function quietUntil({ from, until, timeZone }: QuietHours, at: EpochMs): EpochMs | null {
  const fromMs = timeOfDayMs(from)
  const untilMs = timeOfDayMs(until)
  const leftMs = (instant: EpochMs): number | null => {
    const localMs = modulo(instant + offsetMsAt(instant, timeZone), dayMs)
    const sinceMs = modulo(localMs - fromMs, dayMs)
    const longMs = modulo(untilMs - fromMs, dayMs)
    return sinceMs < longMs ? longMs - sinceMs : null
  }
  let end: EpochMs = at
  for (let left = leftMs(end); left !== null; left = leftMs(end)) {
    const change = offsetChange(end, end + left, timeZone)
    end = change ?? end + left
  }
  return end === at ? null : end
}

/** The first instant in (from, to] with another offset than `from`, to the minute; null when there is none. A zone changes at most once a day. */
function offsetChange(from: EpochMs, to: EpochMs, timeZone: string): EpochMs | null {
  const before = offsetMsAt(from, timeZone)
  if (offsetMsAt(to, timeZone) === before) return null
  let low = Math.floor(from / minuteMs)
  let high = Math.ceil(to / minuteMs)
  while (high - low > 1) {
    const middle = Math.floor((low + high) / 2)
    if (offsetMsAt(middle * minuteMs, timeZone) === before) low = middle
    else high = middle
  }
  return high * minuteMs
}

const modulo = (value: number, by: number) => ((value % by) + by) % by
