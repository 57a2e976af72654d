import type { EpochMs } from '../../alerts/model.js'
import { dateOfDay, dayOfDate, instantOf, wallOf } from '../../alerts/roster-time.js'
import { awayDaysMax } from '../../db/absences.js'
import { fieldOf, instantOfField } from '../shell/roster-words.js'

const dayMs = 86_400_000
/** Supper is cooked at home again. */
const homeMinute = 20 * 60
/** Whoever goes out later than this is not back for supper. */
const tonightUntilMinute = 18 * 60
/** So long before the new year people leave for their children's, and so long after it they still do. */
const festivalDaysBefore = 21
const festivalDaysAfter = 4
/** The eighth day of the year: everybody goes back to work. */
const festivalLastDay = 7

export const endKinds = ['tonight', 'tomorrow', 'threeDays', 'week', 'festival'] as const
export type EndKind = (typeof endKinds)[number]
/** `field`: as a form has it, by the wall clock of the home. */
export type SuggestedEnd = { kind: EndKind; field: string; until: EpochMs }

/** The ends that most people mean, by the clock of the home; all lie ahead of `now`, in order. */
export function suggestedEnds(now: EpochMs, timeZone: string): SuggestedEnd[] {
  const { day, minute } = wallOf(now, timeZone)
  const newYear = newYearNear(day)
  const days: [EndKind, number | null][] = [
    ['tonight', minute < tonightUntilMinute ? day : null],
    ['tomorrow', day + 1],
    ['threeDays', day + 3],
    ['week', day + 7],
    ['festival', newYear === null ? null : newYear + festivalLastDay],
  ]
  return days
    .flatMap(([kind, on]) => {
      if (on === null) return []
      const until = instantOf(on, homeMinute, timeZone)
      return [{ kind, field: fieldOf(until, timeZone), until }]
    })
    .sort((a, b) => a.until - b.until)
}

/**
 * First days of the Chinese year, as the calendar is published. Not from Intl: in 2027 and 2030, when the new moon comes
 * within minutes of midnight, it is a day off.
 */
const newYears =
  '2026-02-17 2027-02-06 2028-01-26 2029-02-13 2030-02-03 2031-01-23 2032-02-11 2033-01-31 2034-02-19 2035-02-08 2036-01-28 2037-02-15 2038-02-04 2039-01-24 2040-02-12 2041-02-01 2042-01-22 2043-02-10 2044-01-30 2045-02-17'
    .split(' ')
    .map((date) => dayOfDate(date)!)

/** The first day of the Chinese year, where that is near. */
const newYearNear = (day: number): number | null =>
  newYears.find((first) => first >= day - festivalDaysAfter && first <= day + festivalDaysBefore) ?? null

export type EndProblem = 'none' | 'two' | 'unclear' | 'past' | 'far'

/** The end that a form names: one of those suggested, or a time of its own; and what is wrong with it. */
export function readEnd(
  { end, other }: { end: string; other: string },
  now: EpochMs,
  timeZone: string,
): { until: EpochMs } | { problem: EndProblem } {
  const isOwn = end === 'other' || end === ''
  if (isOwn && other === '') return { problem: 'none' }
  const until = instantOfField(isOwn ? other : end, timeZone)
  if (until === undefined) return { problem: 'unclear' }
  // Chosen and typed: nobody knows which of the two was meant.
  if (!isOwn && other !== '' && instantOfField(other, timeZone) !== until) return { problem: 'two' }
  if (until <= now) return { problem: 'past' }
  return until - now > awayDaysMax * dayMs ? { problem: 'far' } : { until }
}

/** The days that a date field offers: today to the last one possible. */
export const endFieldBounds = (now: EpochMs, timeZone: string): { min: string; max: string } => ({
  min: `${dateOfDay(wallOf(now, timeZone).day)}T00:00`,
  max: fieldOf(now + awayDaysMax * dayMs, timeZone),
})
