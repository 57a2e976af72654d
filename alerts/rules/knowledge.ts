import type { EpochMs, Knowledge } from '../model.js'
import { newestUp, type UpBy } from './movement.js'
import { hourMs } from './say.js'
import { coverageOf } from './silence.js'
import { dueAtOf, type ResidentState } from './state.js'

/** "Used" and "not used" speak of this long before `knownUntil`, like the rule. */
const windowMs = 12 * hourMs
/** So long what was seen speaks for itself, where no meter covers the time: a sensor that is silent tells nothing. */
export const seenMs = 2 * hourMs

export type Known = {
  knowledge: Knowledge
  lastUseAt: EpochMs | null
  knownUntil: EpochMs | null
  /** Who saw it, where it was no meter. */
  lastUseBy?: UpBy
}

/**
 * For pages: was water or electricity used, or anybody seen, in the 12 h up to `knownUntil`? Unknown when no meter reports,
 * when the newest that all of them tell is too old, or when nothing was used in a time that is not covered whole; but for
 * 2 h after somebody was seen that is known, meters or none. `lastUseAt`: the newest 1 L of water, appliance, movement or
 * way into or out of bed; it may lie before a hole. The button is no use: somebody on the floor who presses it must not
 * read as up and about.
 */
export function knowledge(state: ResidentState, now: EpochMs): Known {
  const seen = newestUp(state)
  let last = state.lastWater?.at ?? 0
  let knownUntil: EpochMs | null = null
  for (const meter of state.meters) {
    if (meter.kind === 'electricity' && (meter.activeAt ?? 0) > last) last = meter.activeAt!
    if (knownUntil === null || meter.coveredTo > knownUntil) knownUntil = meter.coveredTo
  }
  const bySight = seen !== null && seen.at > last
  if (bySight) last = seen.at
  const lastUseAt = last > 0 ? last : null
  const lastUse = bySight ? { lastUseAt, lastUseBy: seen.by } : { lastUseAt }
  const covered = coverageOf(state, ({ reach }) => dueAtOf(reach) > now)
  if (!covered || now - covered.until > covered.limitMs)
    return { knowledge: seen !== null && now - seen.at <= seenMs ? 'used' : 'unknown', ...lastUse, knownUntil }
  const known = { ...lastUse, knownUntil: covered.until }
  if (lastUseAt !== null && lastUseAt >= covered.until - windowMs) return { knowledge: 'used', ...known }
  return { knowledge: covered.until - covered.from >= windowMs ? 'not used' : 'unknown', ...known }
}
