import type { EpochMs } from '../model.js'
import { hourMs, minuteMs } from './say.js'
import { wallClock } from './zone.js'

/**
 * One finished silence: the day on which it began, its start in quarter hours of that day, its length in quarter hours,
 * how the home was before it began, and how unusual the line found it (0 while there was none).
 */
export type Gap = [day: number, startQuarter: number, quarters: number, calm: Calm, score: number]

/** Before the hour of the newest activity: an hour with activity (0), none for up to 4 h (1), none for longer (2). */
export type Calm = 0 | 1 | 2
export const calms = 3

/** What is learned of one resident's silences: plain JSON, at most 6 KB. */
export type Routine = {
  /** Newest activity, and how long the interval was that told it. */
  activeAt: EpochMs | null
  by: 'water' | 'electricity' | 'button' | 'spoken'
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
  /** The highest scores of finished silences, each with its day. */
  tops: [day: number, score: number][]
  /** Correction of the margin by the false alarms that came: keeps the budget whatever the tail is like. */
  bias: number
  biasAt: EpochMs
}

/** `since` on: an alert after `limitMs`; silence that begins like this one normally lasts `usualMs` at most. */
export type Line = { since: EpochMs; limitMs: number; usualMs: number }

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
const gapsMax = 200
/** Enough for a quarter of a year at 5 a month and what came before it: with fewer, old high ones crowd out the new. */
const topsMax = 110
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
  while (routine.gaps.length > 0 && routine.gaps[0]![0] < day - 4 * forgetDays) routine.gaps.shift()
  if (routine.tops.some(([at]) => at < day - 4 * tailDays))
    routine.tops = routine.tops.filter(([at]) => at >= day - 4 * tailDays)
}

const round2 = (value: number): number => Math.round(value * 100) / 100

/** Keeps a finished silence; `score` is how unusual the line found it, null while there was none. */
export function learn(routine: Routine, ended: Ended, score: number | null, timeZone: string): void {
  const clock = wallClock(ended.since, timeZone)
  const lengthMs = ended.at - ended.since
  if (lengthMs + jitterMs >= gapMsMin) {
    const quarters = Math.floor((lengthMs + jitterMs) / quarterMs)
    routine.gaps.push([clock.day, Math.floor(clock.hour * 4), quarters, ended.calm, round2(score ?? 0)])
    if (routine.gaps.length > gapsMax) routine.gaps.shift()
  }
  if (score === null) return
  const index = routine.tops.findIndex((top) => top[1] < score)
  routine.tops.splice(index < 0 ? routine.tops.length : index, 0, [clock.day, round2(score)])
  if (routine.tops.length > topsMax) routine.tops.pop()
}
