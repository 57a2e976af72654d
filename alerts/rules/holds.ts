import type { EpochMs } from '../model.js'
import { coverageOf } from './silence.js'
import { dueAtOf, type ResidentState } from './state.js'

/**
 * Until when what `knowledge` says of this state at `now` is sure to be the same though nothing is folded: until a meter
 * is due, or the newest that all of them tell is too old. null: for ever.
 */
export function holdsUntil(state: ResidentState, now: EpochMs): EpochMs | null {
  let until: EpochMs | null = null
  const end = (at: EpochMs) => {
    if (at > now && (until === null || at < until)) until = at
  }
  for (const { reach } of state.meters) end(dueAtOf(reach))
  const covered = coverageOf(state, ({ reach }) => dueAtOf(reach) > now)
  if (covered) end(covered.until + covered.limitMs)
  return until
}
