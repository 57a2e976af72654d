import type { EpochMs } from '../model.js'
import { seenMs } from './knowledge.js'
import { newestUp } from './movement.js'
import { coverageOf } from './silence.js'
import { dueAtOf, type ResidentState } from './state.js'

/**
 * Until when what `knowledge` says of this state at `now` is sure to be the same though nothing is folded: until a meter
 * is due, the newest that all of them tell is too old, or what was seen is. null: for ever.
 */
export function holdsUntil(state: ResidentState, now: EpochMs): EpochMs | null {
  // While somebody has been seen lately nothing else matters.
  const seen = newestUp(state)
  if (seen && seen.at + seenMs > now) return seen.at + seenMs
  let until: EpochMs | null = null
  const end = (at: EpochMs) => {
    if (at > now && (until === null || at < until)) until = at
  }
  for (const { reach } of state.meters) end(dueAtOf(reach))
  const covered = coverageOf(state, ({ reach }) => dueAtOf(reach) > now)
  if (covered) end(covered.until + covered.limitMs)
  return until
}
