import type { EpochMs, Verdict } from '../model.js'
import { fold } from './fold.js'
import { lineOf } from './line.js'
import { lineHours } from './line-view.js'
import { gapAt } from './marks.js'
import { gapCalm } from './routine.js'
import type { Context, ResidentState } from './state.js'

/**
 * What a mark changes: the limit of a silence that begins like the marked one, before and after, and in how many hours of
 * the day the limit becomes longer or shorter.
 */
export type MarkEffect = { beforeMs: number; afterMs: number; longer: number; shorter: number }

/**
 * What marking the silence that began at `since` will change in what is learned, by the rules themselves; null where it
 * changes nothing, or nothing yet: no line of its own then, the silence still goes on, or it taught nothing.
 */
export function effectOfMark(
  state: ResidentState,
  { since, verdict }: { since: EpochMs; verdict: Verdict | 'none' },
  now: EpochMs,
  context: Context,
): MarkEffect | null {
  const { alarmsPerMonth: budget, timeZone } = context
  if (!state.routine || budget === null) return null
  const word = { type: 'mark' as const, since, verdict, receivedAt: now }
  const { state: after } = fold(state, [word], now, context)
  const gap = gapAt(state.routine, since, timeZone) ?? (after.routine && gapAt(after.routine, since, timeZone))
  if (!gap) return null
  const limitOf = ({ routine, neighbours }: ResidentState) =>
    lineOf({ ...routine!, calm: gapCalm(gap) }, since, { budget, timeZone, neighbours })?.limitMs
  const [beforeMs, afterMs] = [limitOf(state), limitOf(after)]
  if (beforeMs === undefined || afterMs === undefined) return null
  const hours = lineHours(state, now, context)
  const changed = lineHours(after, now, context)
  const count = (is: (change: number) => boolean) =>
    changed.filter(({ limitMs }, index) => is(limitMs - (hours[index]?.limitMs ?? limitMs))).length
  return { beforeMs, afterMs, longer: count((by) => by > 0), shorter: count((by) => by < 0) }
}
