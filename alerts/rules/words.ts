import { undoMsMax } from '../lifecycle.js'
import type { Decision, EpochMs, SilenceKind, WordArrival } from '../model.js'
import { applyMark } from './marks.js'
import { newestInside, see } from './movement.js'
import { hourMs, minuteMs, timeOf } from './say.js'
import type { Context, ResidentState, Said } from './state.js'
import { noteActivity } from './unusual.js'

/** Who says that she is leaving still has a coat to put on, and hands to wash: use in this time is no return. */
const leavingMs = hourMs
/** What is taken back is taken back in time by the clock of whoever did it: the queue may be a little behind. */
const unsaidMsMax = undoMsMax + minuteMs

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
      // Another end of the same absence is no new word to take back.
      if (state.away?.from !== word.from) remember(state, { word: 'away', at: word.from }, at)
      state.away = { from: word.from, until: word.until }
      if (state.routine) state.routine.vague = true
      clearSilences(state, at, context, out)
      return
    case 'back':
      if (state.away) goHome(state, at)
      return
    case 'visit':
      remember(state, { word: 'visit', at: word.at }, at)
      see(state, 'visit', Math.min(word.at, at))
      // Whatever ends this silence, it was not left to itself.
      if (state.routine) state.routine.vague = true
      return
    case 'spoken':
      // She may be spoken with wherever she is: that is nobody at home.
      if (state.away) return
      remember(state, { word: 'spoken', at: word.at }, at)
      noteActivity(state, { at: Math.min(word.at, at), spanMs: 0, by: 'spoken' }, context)
      see(state, 'spoken', Math.min(word.at, at))
      if (state.said) state.said.activeAt = state.routine?.activeAt ?? null
      return
    case 'unsaid':
      unsay(state, word, at)
      return
    case 'mark':
      if (state.routine) applyMark(state.routine, word, context.timeZone)
      return
    case 'mains':
      if (state.routine) state.routine.vague = true
      return
    case 'neighbours':
      if (word.limitMs.length === 24) state.neighbours = word.limitMs
      return
  }
}

/** When away mode ends by itself. */
export const awayDueAt = ({ away }: ResidentState): EpochMs | null => away?.until ?? null

/** Ends away mode whose time has come, or whose home is lived in again. Away mode counts no silence. */
export function judgeAway(state: ResidentState, at: EpochMs, out: Decision[]): void {
  if (state.said && at > state.said.until) delete state.said
  const { away } = state
  if (!away) return
  const isUsed = usedAt(state) > away.from + leavingMs + longestIntervalMs(state)
  if (!isUsed && at < away.until) return
  goHome(state, at)
  out.push({ type: 'back', at, from: away.from, why: isUsed ? 'activity' : 'expired' })
}

/** A reading tells at its end what ran since the one before it: of an hourly meter that may be an hour ago. */
function longestIntervalMs({ meters }: ResidentState): number {
  let longest = 0
  for (const { reach } of meters) if (reach.usualMs > longest) longest = reach.usualMs
  return longest
}

/** Silence is counted from the hour in which she was due home. */
function goHome(state: ResidentState, at: EpochMs): void {
  delete state.away
  see(state, 'due', at)
}

/**
 * When somebody was last up and about at home, told by the home itself. Where a routine is learned it knows a leak and a
 * fridge from a person; where not, a litre and an appliance have to do.
 */
export function usedAt(state: ResidentState): EpochMs {
  const { routine, lastWater, meters } = state
  let newest = Math.max(state.buttonAt ?? 0, newestInside(state)?.at ?? 0)
  if (routine) return Math.max(newest, routine.activeAt ?? 0)
  if (lastWater && lastWater.at > newest) newest = lastWater.at
  for (const meter of meters)
    if (meter.kind === 'electricity' && (meter.activeAt ?? 0) > newest) newest = meter.activeAt!
  return newest
}

/** Keeps how things stood before a word, for the minute in which it can be taken back. */
function remember(state: ResidentState, { word, at }: { word: Said['word']; at: EpochMs }, now: EpochMs): void {
  const { routine, away, seen, said } = state
  const { older: _, ...newest } = said ?? {}
  state.said = {
    word,
    at,
    until: now + unsaidMsMax,
    activeAt: routine?.activeAt ?? null,
    before: {
      seenAt: word === 'away' ? null : (seen?.[word] ?? null),
      away: away ?? null,
      routine: routine ? structuredClone(routine) : null,
    },
    ...(said && now <= said.until ? { older: newest as Said } : {}),
  }
}

/**
 * Takes a word back: the silence goes on as if nobody had said it, and what it closed opens again. Only of the newest word
 * all is known that it changed; an older one is no sighting any more, and that is all.
 */
function unsay(state: ResidentState, { word, at: saidAt }: { word: Said['word']; at: EpochMs }, at: EpochMs): void {
  const { said, routine } = state
  const isKept = said !== undefined && said.word === word && said.at === saidAt && at <= said.until
  if (word === 'away') {
    if (state.away?.from !== saidAt) return
    if (isKept && said.before.away) state.away = said.before.away
    else delete state.away
  } else if (state.seen?.[word] !== undefined && state.seen[word] <= saidAt) {
    if (isKept && said.before.seenAt !== null) state.seen[word] = said.before.seenAt
    else delete state.seen[word]
  }
  if (!isKept) {
    const older = said?.older
    if (older && older.word === word && older.at === saidAt && at <= older.until) {
      // Should the newer one be taken back, too, then all is as before both.
      said.before.routine = older.before.routine
      if (said.word === word) said.before.seenAt = older.before.seenAt
      delete said.older
      return
    }
    // Should the newer one be taken back, too, then this one does not come back for it.
    if (said?.word === word && said.before.seenAt === saidAt) said.before.seenAt = null
    return
  }
  if (said.older) state.said = said.older
  else delete state.said
  // Somebody was up meanwhile: that silence is over, whatever was said of it.
  if (!said.before.routine || !routine || routine.activeAt !== said.activeAt) return
  state.routine = { ...said.before.routine, alert: null }
}

function clearSilences(state: ResidentState, at: EpochMs, { timeZone }: Context, out: Decision[]): void {
  const time = timeOf(state.away!.until, at, timeZone)
  const headline = { en: `Away mode until ${time.en}.`, zh: `已设为外出，至 ${time.zh}。` }
  const clear = (kind: SilenceKind) => out.push({ type: 'clear', kind, at, headline })
  if (state.routine?.alert) {
    state.routine.alert = null
    clear('silence_unusual')
  }
  if (state.silence?.fired12) clear('silent_12h')
  if (state.silence?.fired24) clear('silent_24h')
  state.silence = null
}
