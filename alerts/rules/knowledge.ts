import type { EpochMs, Knowledge } from '../model.js'
import { hourMs } from './say.js'
import { coverageOf } from './silence.js'
import { dueAtOf, type ResidentState } from './state.js'

/** "Used" and "not used" speak of this long before `knownUntil`, like the rule. */
const windowMs = 12 * hourMs

/**
 * For pages: was water or electricity used in the 12 h up to `knownUntil`? Unknown when no meter reports, when the
 * newest that all of them tell is too old, or when nothing was used in a time that is not covered whole.
 * `lastUseAt`: the newest 1 L of water or appliance; it may lie before a hole. The button is no use: somebody on the floor
 * who presses it must not read as up and about.
 */
export function knowledge(
  state: ResidentState,
  now: EpochMs,
): { knowledge: Knowledge; lastUseAt: EpochMs | null; knownUntil: EpochMs | null } {
  let last = state.lastWater?.at ?? 0
  let knownUntil: EpochMs | null = null
  for (const meter of state.meters) {
    if (meter.kind === 'electricity' && (meter.activeAt ?? 0) > last) last = meter.activeAt!
    if (knownUntil === null || meter.coveredTo > knownUntil) knownUntil = meter.coveredTo
  }
  const lastUseAt = last > 0 ? last : null
  const covered = coverageOf(state, ({ reach }) => dueAtOf(reach) > now)
  if (!covered || now - covered.until > covered.limitMs) return { knowledge: 'unknown', lastUseAt, knownUntil }
  const known = { lastUseAt, knownUntil: covered.until }
  if (lastUseAt !== null && lastUseAt >= covered.until - windowMs) return { knowledge: 'used', ...known }
  return { knowledge: covered.until - covered.from >= windowMs ? 'not used' : 'unknown', ...known }
}
