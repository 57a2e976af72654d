import type { EpochMs, Verdict } from '../model.js'
import type { UpBy } from './movement.js'
import { hourMs, minuteMs } from './say.js'
import { wallClock } from './zone.js'

/**
 * One finished silence: the quarter hour of the clock on the wall in which it began (counted from 1970), its length in quarter
 * hours, and how the home was before it began. In one number, because 200 of them are most of what is known of a resident.
 */
export type Gap = number
const startUnit = 512
const quartersUnit = 4
export const dayQuarters = 96

export const packGap = ({ start, quarters, calm }: { start: number; quarters: number; calm: Calm }): Gap =>
  start * startUnit + quarters * quartersUnit + calm
export const gapStart = (gap: Gap): number => Math.floor(gap / startUnit)
export const gapQuarters = (gap: Gap): number => (gap % startUnit) >> 2
export const gapCalm = (gap: Gap): Calm => (gap % quartersUnit) as Calm

/** Before the hour of the newest activity: an hour with activity (0), none for up to 4 h (1), none for longer (2). */
export type Calm = 0 | 1 | 2
export const calms = 3

/** What is learned of one resident's silences: plain JSON, at most 6 KB. */
export type Routine = {
  /** Newest activity, and how long the interval was that told it. */
  activeAt: EpochMs | null
  by: 'water' | 'electricity' | 'button' | 'spoken' | UpBy
  /** UTC hour number of the newest activity, and what went before it. */
  activeHour: number
  calm: Calm
  /** Silence since `activeAt` that readings have proved so far. */
  provenMs: number
  /** This silence teaches nothing: its start is not known well enough. */
  vague: boolean
  /** The line for this silence, once it has lasted 2 h. */
  line: Line | null
  alert: { since: EpochMs; openedAt: EpochMs } | null
  firstAt: EpochMs | null
  /** Day of the newest forgetting. */
  day: number
  /** Hours with activity, with exponential forgetting: [calm][weekend][hour of the day]. */
  active: number[]
  gaps: Gap[]
  /** The highest scores of finished silences, each with the quarter hour in which it began. */
  tops: [start: number, score: number][]
  /** Correction of the margin by the false alarms that came: keeps the budget whatever the tail is like. */
  bias: number
  biasAt: EpochMs
  /** Hours in which meters have shown use since a sensor was heard, and the newest; missing where no sensor taught anything. */
  unsensed?: [hours: number, newestHour: number]
  /** The zone of the clock that all this is kept by. */
  timeZone?: string
  /** What staff said of alerts lately, so that they can say otherwise. */
  marked?: Marked[]
}

/** The silence that began at `since` was marked; the gap is missing while that silence goes on, or where none is known. */
export type Marked = [since: EpochMs, verdict: Verdict, gap?: Gap, score?: number]

/**
 * `since` on: an alert after `limitMs`; silence that begins like this one normally lasts `usualMs` at most, and no longer
 * than `longMs` four times in five.
 */
export type Line = { since: EpochMs; limitMs: number; usualMs: number; longMs: number }

export const dayMs = 24 * hourMs
/** Longer silences are absences, and shorter ones are nothing to think about. */
export const gapMsMax = 24 * hourMs
export const gapMsMin = 2 * hourMs
/** Hourly meters come some seconds early. */
export const jitterMs = minuteMs
export const quarterMs = 15 * minuteMs
/** Days after which a silence counts a third (1/e). Two months see a season, a quarter of a year smears it. */
export const forgetDays = 45
export const tailDays = 90
export const gapsMax = 200
/** Enough for a quarter of a year at 5 a month and what came before it: with fewer, old high ones crowd out the new. */
export const topsMax = 90
/** Nothing is known of use within an interval that long. */
const vagueMsMin = 3 * hourMs

export function emptyRoutine(): Routine {
  return {
    activeAt: null,
    by: 'water',
    activeHour: 0,
    calm: 0,
    provenMs: 0,
    vague: true,
    line: null,
    alert: null,
    firstAt: null,
    day: 0,
    active: Array.from({ length: calms * 48 }, () => 0),
    gaps: [],
    tops: [],
    bias: 0,
    biasAt: 0,
  }
}

/** Silences were once kept as lists, and tops by their day: a quarter hour from 1970 is a higher number than any day. */
const dayMax = 100_000

/** Learned before silences were kept as they are now; read as such it would say that none has ever lasted. */
export const isOfBefore = ({ gaps, tops }: Routine): boolean =>
  typeof gaps[0] === 'object' || (tops.length > 0 && tops[0]![0] < dayMax)

/** Learning begins anew; the silence that goes on, and its alert, are what they were. */
export function begunAnew({ activeAt, by, activeHour, calm, provenMs, alert }: Routine): Routine {
  return { ...emptyRoutine(), activeAt, by, activeHour, calm, provenMs, alert }
}

export const slotOf = (calm: Calm, weekend: boolean, hour: number): number =>
  (calm * 2 + (weekend ? 1 : 0)) * 24 + Math.floor(hour)

/** What `passed` says of the silence that an activity ended. */
export type Ended = { since: EpochMs; at: EpochMs; provenMs: number; calm: Calm; teaches: boolean }

/**
 * Moves on to a newer activity, known to lie within `spanMs` before `at`; returns the silence that it ended, or null
 * when it is not newer.
 */
export function passed(
  routine: Routine,
  { at, spanMs, by }: { at: EpochMs; spanMs: number; by: Routine['by'] },
  timeZone: string,
): Ended | null {
  const before = routine.activeAt
  if (before !== null && at <= before) return null
  const vague = spanMs > vagueMsMin
  const ended =
    before === null
      ? null
      : {
          since: before,
          at,
          provenMs: routine.provenMs,
          calm: routine.calm,
          teaches: !vague && !routine.vague && at - before < gapMsMax,
        }
  routine.activeAt = at
  routine.by = by
  routine.provenMs = 0
  routine.vague = vague
  routine.line = null
  routine.firstAt ??= at
  const hour = Math.floor(at / hourMs)
  if (hour !== routine.activeHour) {
    const hours = hour - routine.activeHour
    routine.calm = hours <= 1 ? 0 : hours <= 5 ? 1 : 2
    routine.activeHour = hour
    const clock = wallClock(at, timeZone)
    forget(routine, clock.day)
    if (!vague) routine.active[slotOf(routine.calm, clock.weekend, clock.hour)]! += 1
  }
  return ended
}

function forget(routine: Routine, day: number): void {
  if (day <= routine.day) return
  const factor = Math.exp(-Math.min(day - routine.day, 365) / forgetDays)
  routine.day = day
  for (let index = 0; index < routine.active.length; index += 1)
    routine.active[index] = Math.round(routine.active[index]! * factor * 1e3) / 1e3
  const gapFrom = (day - 4 * forgetDays) * dayQuarters
  while (routine.gaps.length > 0 && gapStart(routine.gaps[0]!) < gapFrom) routine.gaps.shift()
  const topFrom = (day - 4 * tailDays) * dayQuarters
  if (routine.tops.some(([start]) => start < topFrom)) routine.tops = routine.tops.filter(([start]) => start >= topFrom)
}

const round2 = (value: number): number => Math.round(value * 100) / 100

/** Keeps a finished silence; `score` is how unusual the line found it, null while there was none. */
export function learn(routine: Routine, ended: Ended, score: number | null, timeZone: string): void {
  const clock = wallClock(ended.since, timeZone)
  const start = clock.day * dayQuarters + Math.floor(clock.hour * 4)
  const lengthMs = ended.at - ended.since
  if (lengthMs + jitterMs >= gapMsMin) {
    const quarters = Math.floor((lengthMs + jitterMs) / quarterMs)
    routine.gaps.push(packGap({ start, quarters, calm: ended.calm }))
    if (routine.gaps.length > gapsMax) routine.gaps.shift()
  }
  if (score !== null) insertTop(routine, start, round2(score))
}

/** Keeps the list of the highest in order, the highest first. */
export function insertTop({ tops }: Routine, start: number, score: number): void {
  const index = tops.findIndex((top) => top[1] < score)
  tops.splice(index < 0 ? tops.length : index, 0, [start, score])
  if (tops.length > topsMax) tops.pop()
}
