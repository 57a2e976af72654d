import type { EpochMs } from '../model.js'
import { minuteMs } from './say.js'
import { coverageOf } from './silence.js'
import { dueAtOf, type ResidentState } from './state.js'
import { usedAt } from './words.js'

/** Readings must show nothing for so long after the door: whoever comes in takes off a coat before a tap is opened. */
const quietMsMin = 30 * minuteMs

/**
 * When the door was opened after which nothing more happened at home, as far as readings cover it: she may have gone out.
 * A suggestion for a person, never more: whoever falls behind a closed door leaves the same trace. Null where something
 * was seen later, where nothing tells of the time since, and where she is known to be away.
 */
export function departureOf(state: ResidentState, now: EpochMs): EpochMs | null {
  const door = state.seen?.door
  if (door === undefined || state.away) return null
  const { door: _, ...others } = state.seen!
  if (Math.max(usedAt(state), ...Object.values(others)) >= door) return null
  const covered = coverageOf(state, ({ reach }) => dueAtOf(reach) > now)
  if (!covered || now - covered.until > covered.limitMs) return null
  return covered.from <= door && covered.until - door >= quietMsMin ? door : null
}
