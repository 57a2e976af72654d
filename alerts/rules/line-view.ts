import type { EpochMs } from '../model.js'
import { coldDays, isLearned, lineOf, warmDays } from './line.js'
import { newestSighting } from './movement.js'
import {
  type Calm,
  calms,
  dayMs,
  dayQuarters,
  gapQuarters,
  gapStart,
  quarterMs,
  type Routine,
  slotOf,
} from './routine.js'
import { hourMs } from './say.js'
import { activityOf, coverageOf } from './silence.js'
import { type Context, dueAtOf, type ResidentState } from './state.js'
import { asksFrom } from './unusual.js'
import { offsetMsAt, wallClock } from './zone.js'

/** What pages show of the learned line. Pure; nothing here decides anything. */

const fixedMs = 12 * hourMs

/** How far learning is. Days count from the first activity, the first being 1. */
export type Learning =
  | { kind: 'off' }
  /** Nothing was heard yet, or there is no meter that could teach. */
  | { kind: 'not begun' }
  /** The fixed rule of 12 h stands alone. */
  | { kind: 'young'; day: number; of: number }
  /** The line comes down from 12 h, or from what the neighbours' homes say, to its own. */
  | { kind: 'blending'; day: number; of: number }
  | { kind: 'learned'; silences: number }

/** One hour of the day: silence that begins in it normally lasts `usualMs` at most; at `limitMs` an alert would come. */
export type LineHour = { hour: number; usualMs: number; limitMs: number }

/** The silence that goes on, as far as readings prove it. */
export type Present =
  | { kind: 'away'; until: EpochMs }
  | { kind: 'no meter' }
  /** The readings do not reach this far: nobody can say. `knownUntil`: null where none came at all. */
  | { kind: 'unknown'; knownUntil: EpochMs | null }
  | {
      kind: 'silent'
      since: EpochMs
      until: EpochMs
      /** Longer than known: use is known only from `since` on. */
      atLeast: boolean
      /** By this resident's own line; else by the fixed rule, which knows no usual. */
      own: boolean
      usualMs: number | null
      limitMs: number
      alertAt: EpochMs
      /** The home is asked before anybody is paged. */
      asks: boolean
      /** An alert about this silence has been opened. */
      alerted: boolean
    }

/** A silence of at least 2 h that ended, in quarters of an hour. */
export type Finished = { since: EpochMs; lengthMs: number }

export type LineView = {
  learning: Learning
  /** The hours of the day of `now`; empty while nothing is learned. */
  hours: LineHour[]
  weekend: boolean
  present: Present
  /** Those that ended or began on the day of `now`. */
  today: Finished[]
}

/**
 * The learned line of a resident at `now`, against the silence that goes on and those of today. `context` as the rules
 * have it.
 */
export function lineView(state: ResidentState, now: EpochMs, context: Context): LineView {
  const { weekend } = wallClock(now, context.timeZone)
  return {
    learning: learningOf(state, now, context),
    hours: lineHours(state, now, context),
    weekend,
    present: presentOf(state, now, context),
    today: finishedOn(state, now, context),
  }
}

export function learningOf({ routine }: ResidentState, now: EpochMs, { alarmsPerMonth }: Context): Learning {
  if (alarmsPerMonth === null) return { kind: 'off' }
  if (!routine || routine.firstAt === null) return { kind: 'not begun' }
  const day = Math.floor((now - routine.firstAt) / dayMs) + 1
  if (!isLearned(routine, now)) return { kind: 'young', day: Math.min(day, coldDays), of: coldDays }
  if (day <= warmDays) return { kind: 'blending', day, of: warmDays }
  return { kind: 'learned', silences: routine.gaps.length }
}

/**
 * The line of each hour of the day of `at`, for a silence that begins in its middle, with the home before it as it mostly
 * is at that hour. Hours before the line was learned are left out.
 */
export function lineHours({ routine, neighbours }: ResidentState, at: EpochMs, context: Context): LineHour[] {
  const { alarmsPerMonth: budget, timeZone } = context
  if (!routine || budget === null) return []
  const { day, weekend } = wallClock(at, timeZone)
  const hours: LineHour[] = []
  for (let hour = 0; hour < 24; hour += 1) {
    const since = atWall(day, hour + 0.5, timeZone)
    const line = lineOf({ ...routine, calm: calmOf(routine, weekend, hour) }, since, { budget, timeZone, neighbours })
    if (line) hours.push({ hour, usualMs: line.usualMs, limitMs: line.limitMs })
  }
  return hours
}

/** How this home mostly was before what it did at that hour: the silences that begin then are of this kind. */
function calmOf({ active }: Routine, weekend: boolean, hour: number): Calm {
  let most: Calm = 0
  let hours = 0
  for (let calm = 0; calm < calms; calm += 1) {
    const counted = [hour + 23, hour, hour + 1].reduce(
      (sum, h) => sum + active[slotOf(calm as Calm, weekend, h % 24)]!,
      0,
    )
    if (counted <= hours) continue
    hours = counted
    most = calm as Calm
  }
  return most
}

function presentOf(state: ResidentState, now: EpochMs, context: Context): Present {
  const { routine, away, neighbours } = state
  const { alarmsPerMonth: budget, timeZone } = context
  if (away && away.until > now) return { kind: 'away', until: away.until }
  if (state.meters.length === 0) return { kind: 'no meter' }
  const covered = coverageOf(state, ({ reach }) => dueAtOf(reach) > now)
  if (!covered || now - covered.until > covered.limitMs) {
    const newest = Math.max(...state.meters.map(({ coveredTo }) => coveredTo))
    return { kind: 'unknown', knownUntil: covered?.until ?? newest }
  }
  const { from, until } = covered
  if (routine && budget !== null) {
    const active = Math.max(routine.activeAt ?? 0, newestSighting(state)?.at ?? 0)
    const since = Math.max(active, from)
    const line = routine.line?.since === since ? routine.line : lineOf(routine, since, { budget, timeZone, neighbours })
    if (line) {
      const alertAt = since + line.limitMs
      const alerted = routine.alert !== null && routine.alert.since <= until
      const asks = budget >= asksFrom
      const { usualMs, limitMs } = line
      return {
        kind: 'silent',
        since,
        until,
        atLeast: active < from,
        own: true,
        usualMs,
        limitMs,
        alertAt,
        asks,
        alerted,
      }
    }
  }
  // The fixed rule counts from the last 10 L.
  const active = activityOf(state)?.at ?? 0
  const since = Math.max(active, from)
  const alertAt = since + fixedMs
  const alerted = state.silence?.fired12 ?? false
  const fixed = { own: false, usualMs: null, limitMs: fixedMs, alertAt, asks: false, alerted }
  return { kind: 'silent', since, until, atLeast: active < from, ...fixed }
}

function finishedOn({ routine }: ResidentState, now: EpochMs, { alarmsPerMonth, timeZone }: Context): Finished[] {
  if (!routine || alarmsPerMonth === null) return []
  const { day } = wallClock(now, timeZone)
  const today: Finished[] = []
  let before = 0
  for (const gap of routine.gaps) {
    const start = gapStart(gap)
    const quarters = gapQuarters(gap)
    const gapDay = Math.floor(start / dayQuarters)
    // One that was marked as a false alarm counts twice, and is shown once.
    if (start !== before && (gapDay === day || start + quarters > day * dayQuarters))
      today.push({ since: atWall(gapDay, (start % dayQuarters) / 4, timeZone), lengthMs: quarters * quarterMs })
    before = start
  }
  return today
}

/** The moment at which the clock on the wall shows so many hours of that day. */
function atWall(day: number, hour: number, timeZone: string): EpochMs {
  const local = day * dayMs + hour * hourMs
  return local - offsetMsAt(local - offsetMsAt(local, timeZone), timeZone)
}

/** With a line of the resident's own, alerts no longer wait for 12 h. */
export const hasOwnLine = ({ routine }: ResidentState, now: EpochMs): boolean =>
  routine !== undefined && isLearned(routine, now)
