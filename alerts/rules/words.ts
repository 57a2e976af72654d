import type { Decision, EpochMs, WordArrival } from '../model.js'
import { newestInside, see } from './movement.js'
import { hourMs, timeOf } from './say.js'
import type { Context, ResidentState } from './state.js'
import { applyMark, noteActivity } from './unusual.js'
import { lastTapAt } from './uses.js'

/** Who says that she is leaving still has a coat to put on, and hands to wash: use in this time is no return. */
const leavingMs = hourMs

/** Takes what somebody said of the resident. */
export function takeWord(
  state: ResidentState,
  word: WordArrival,
  at: EpochMs,
  context: Context,
  out: Decision[],
): void {
  switch (word.type) {
    case 'away':
      if (word.until <= at) return
      state.away = { from: word.from, until: word.until }
      if (state.routine) state.routine.vague = true
      clearSilences(state, at, context, out)
      return
    case 'back':
      if (state.away) goHome(state, at)
      return
    case 'visit':
      see(state, 'visit', Math.min(word.at, at))
      // Whatever ends this silence, it was not left to itself.
      if (state.routine) state.routine.vague = true
      return
    case 'spoken':
      noteActivity(state, { at: Math.min(word.at, at), spanMs: 0, by: 'spoken' }, context)
      see(state, 'spoken', Math.min(word.at, at))
      return
    case 'mark':
      applyMark(state, word, at, context)
      return
    case 'neighbours':
      if (word.usualMs.length === 24) state.neighbours = word.usualMs
      return
  }
}

/** When away mode ends by itself. */
export const awayDueAt = ({ away }: ResidentState): EpochMs | null => away?.until ?? null

/** Ends away mode whose time has come, or whose home is lived in again. Away mode counts no silence. */
export function judgeAway(state: ResidentState, at: EpochMs, out: Decision[]): void {
  const { away } = state
  if (!away) return
  const isUsed = usedAt(state) > away.from + leavingMs
  if (!isUsed && at < away.until) return
  goHome(state, at)
  out.push({ type: 'back', at, why: isUsed ? 'activity' : 'expired' })
}

/** Silence is counted from the hour in which she was due home. */
function goHome(state: ResidentState, at: EpochMs): void {
  delete state.away
  see(state, 'due', at)
}

function usedAt(state: ResidentState): EpochMs {
  let newest = Math.max(
    state.routine?.activeAt ?? 0,
    state.buttonAt ?? 0,
    newestInside(state)?.at ?? 0,
    lastTapAt(state),
  )
  for (const meter of state.meters)
    if (meter.kind === 'electricity' && (meter.activeAt ?? 0) > newest) newest = meter.activeAt!
  return newest
}

function clearSilences(state: ResidentState, at: EpochMs, { timeZone }: Context, out: Decision[]): void {
  const time = timeOf(state.away!.until, at, timeZone)
  const headline = { en: `Away mode until ${time.en}.`, zh: `已设为外出，至 ${time.zh}。` }
  const clear = (kind: 'silence_unusual' | 'silent_12h' | 'silent_24h') =>
    out.push({ type: 'clear', kind, at, headline })
  if (state.routine?.alert) {
    state.routine.alert = null
    clear('silence_unusual')
  }
  if (state.silence?.fired12) clear('silent_12h')
  if (state.silence?.fired24) clear('silent_24h')
  state.silence = null
}
