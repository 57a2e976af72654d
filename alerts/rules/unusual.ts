import type { Decision, EpochMs, Headline } from '../model.js'
import { isAnyOften, tells } from './cadence.js'
import { correct, lineOf, scoreOf } from './line.js'
import { isEmergency, settleMark } from './marks.js'
import { isUp, lastSeenWords, newestInside, newestSighting, outcomeOf, type SeenBy, seenHeadline } from './movement.js'
import { rezone } from './rezone.js'
import { begunAnew, emptyRoutine, gapMsMin, isOfBefore, jitterMs, learn, passed, type Routine } from './routine.js'
import { hourMs, lengthOf, minuteMs, sinceZh, timeOf } from './say.js'
import { followSensors } from './sensors.js'
import { beyondLeak, nothingUsed, sentLate, toldBy, unknownOf } from './silence-words.js'
import { type Context, limitMsOf, type ResidentState } from './state.js'

/** With a budget of so many a month or more the home is asked first, and has this long to answer. */
export const asksFrom = 2
const askMs = 30 * minuteMs

export type Covered = { from: EpochMs; until: EpochMs; limitMs: number }

/**
 * Gives a state what the learned line needs, or takes it away: a routine begins empty wherever there is none. An alert
 * that is open when the line is taken away stays for a person to close, because its silence may still go on.
 */
export function switchLearning(state: ResidentState, { alarmsPerMonth, timeZone }: Context): void {
  if (alarmsPerMonth !== null) {
    state.routine ??= emptyRoutine()
    if (isOfBefore(state.routine)) state.routine = begunAnew(state.routine)
    rezone(state.routine, timeZone, state.newestAt)
    return
  }
  if (!state.routine) return
  delete state.routine
  delete state.nights
  delete state.weeks
  for (const meter of state.meters)
    if (meter.kind === 'water') delete meter.leak
    else delete meter.cycles
}

/** Somebody was up in the interval of `spanMs` that ended at `at`: ends the silence before, and learns from it. */
export function noteActivity(
  state: ResidentState,
  { at, spanMs, by }: { at: EpochMs; spanMs: number; by: Routine['by'] },
  context: Context,
): void {
  const { routine } = state
  const { alarmsPerMonth, timeZone } = context
  if (!routine || alarmsPerMonth === null) return
  const alerted = routine.alert !== null
  if (routine.activeAt !== null && at <= routine.activeAt) return
  const score = scoreOf(routine, timeZone)
  const ended = passed(routine, { at, spanMs, by }, timeZone)
  if (!ended) return
  // Silence over a hole, or over a time that another meter does not tell yet, may have been none. A meter that reports
  // seldom lags behind the others by up to its interval; more than that it does not know.
  const anyOften = isAnyOften(state.meters, () => true)
  const known = state.meters.every(
    (meter) =>
      !tells(meter, anyOften) ||
      (meter.coveredFrom <= ended.since && (meter.coveredTo >= at - limitMsOf(meter.reach) || meter.at === at)),
  )
  if (ended.teaches && known) learn(routine, ended, score, timeZone)
  if (isVisited(state, at)) routine.vague = true
  const alarms = alerted && ended.teaches ? 1 : 0
  if (alarms > 0 || ended.at - ended.since > gapMsMin) correct(routine, { at, alarms }, alarmsPerMonth)
  settleMark(routine, ended, alarms > 0, timeZone)
  followSensors(state, routine, by)
}

/** The stay of a carer: what runs meanwhile is hers or his. */
const visitMs = hourMs

const isVisited = ({ seen }: ResidentState, at: EpochMs) =>
  seen?.visit !== undefined && Math.abs(at - seen.visit) <= visitMs

/** From when on this silence is longer than four in five that begin like it; null while it is short, or nothing is learned. */
export const longFrom = ({ routine, away }: ResidentState): EpochMs | null =>
  routine?.line && !away ? routine.line.since + (routine.line.longMs ?? routine.line.usualMs) : null

/**
 * Opens the alert when silence has lasted longer than the resident's own line; clears it at the first activity.
 */
export function judgeUnusual(
  state: ResidentState,
  covered: Covered | null,
  at: EpochMs,
  context: Context,
  out: Decision[],
): void {
  const { routine } = state
  if (!routine || context.alarmsPerMonth === null || routine.activeAt === null) return
  if (routine.alert) endAlert(state, routine, at, context, out)
  if (!covered || state.away) return
  const since = Math.max(routine.activeAt, covered.from)
  const lengthMs = covered.until - since
  if (since === routine.activeAt && lengthMs > routine.provenMs) routine.provenMs = lengthMs
  const sighting = newestSighting(state)
  const isSeen = sighting !== null && sighting.at > since
  const by = isSeen ? sighting.by : since === routine.activeAt && isUp(routine.by) ? routine.by : null
  judgeLine(state, { since: isSeen ? sighting.at : since, by, covered, at }, context, out)
}

function judgeLine(
  state: ResidentState,
  { since, by, covered, at }: { since: EpochMs; by: SeenBy | null; covered: Covered; at: EpochMs },
  { alarmsPerMonth, timeZone }: Context,
  out: Decision[],
): void {
  const routine = state.routine!
  const lengthMs = covered.until - since
  if (routine.alert || lengthMs + jitterMs < gapMsMin) return
  if (state.settleAt !== null || at - covered.until > covered.limitMs) return
  if (routine.line?.since !== since)
    routine.line = lineOf(routine, since, { budget: alarmsPerMonth!, timeZone, neighbours: state.neighbours })
  const { line } = routine
  if (!line || lengthMs + jitterMs < line.limitMs) return
  routine.alert = { since, openedAt: at }
  const headline = unusualHeadline(state, { ...line, by, until: covered.until, at }, timeZone)
  const minutes = (ms: number) => Math.round(ms / minuteMs)
  out.push({
    type: 'open',
    kind: 'silence_unusual',
    openedAt: at,
    observedAt: covered.until,
    headline,
    reason: {
      since,
      until: covered.until,
      minutes: minutes(lengthMs),
      usualMinutes: minutes(line.usualMs),
      limitMinutes: minutes(line.limitMs),
    },
    ...(alarmsPerMonth! >= asksFrom ? { askUntil: at + askMs } : {}),
  })
}

/** Ends the alert at the first activity after its silence began; a door that somebody opened is not enough. */
function endAlert(state: ResidentState, routine: Routine, at: EpochMs, context: Context, out: Decision[]): void {
  const { since, openedAt } = routine.alert!
  const isActive = routine.activeAt! > since
  const inside = newestInside(state)
  const isSeen = inside !== null && inside.at > since
  if (!isActive && !isSeen) return
  routine.alert = null
  // A false alarm like any other, though the routine does not hear of what ended it.
  if (!isActive && !routine.vague && !isEmergency(routine))
    correct(routine, { at: inside!.at, alarms: 1 }, context.alarmsPerMonth!)
  const why = isActive ? activeHeadline(state, routine, at, context) : seenHeadline(inside!, at, context.timeZone)
  const usedAt = isActive ? routine.activeAt! : inside!.at
  const headline = sentLate(why, { usedAt, openedAt, at }, context.timeZone)
  out.push({ type: 'clear', kind: 'silence_unusual', at, headline, ...outcomeOf(isActive ? null : inside!.by) })
}

function unusualHeadline(
  state: ResidentState,
  {
    since,
    by,
    until,
    usualMs,
    at,
  }: { since: EpochMs; by: SeenBy | null; until: EpochMs; usualMs: number; at: EpochMs },
  timeZone: string,
): Headline {
  const told = toldBy(state)
  const nothing = nothingUsed(told)
  const beyond = beyondLeak(told)
  const time = timeOf(since, at, timeZone)
  const seen = by === null ? { en: '', zh: '' } : lastSeenWords[by]
  const length = lengthOf(until - since)
  const usual = lengthOf(usualMs)
  const unknown = unknownOf(told, { since, until, at, lastWater: state.lastWater }, timeZone)
  return {
    en: `No ${nothing.en} used since ${time.en} (${length.en})${seen.en}${beyond.en}; at this hour silence normally lasts at most ${usual.en}.${unknown.en}`,
    zh: `${sinceZh(time.zh, seen.zh)} ${length.zh}${nothing.zh}${beyond.zh}；这个时段平时最多安静 ${usual.zh}。${unknown.zh}`,
  }
}

function activeHeadline(
  { lastWater }: ResidentState,
  { activeAt, by }: Routine,
  at: EpochMs,
  { timeZone }: Context,
): Headline {
  const time = timeOf(activeAt!, at, timeZone)
  if (by === 'button') return { en: `Call button used at ${time.en}.`, zh: `${time.zh} 按过呼叫按钮。` }
  if (isUp(by)) return seenHeadline({ at: activeAt!, by }, at, timeZone)
  if (by === 'spoken') return { en: `Somebody spoke with them at ${time.en}.`, zh: `${time.zh} 已与本人通话确认。` }
  if (by === 'electricity')
    return { en: `An appliance was switched on by ${time.en}.`, zh: `${time.zh} 前有电器启动。` }
  // A meter that reports once a day tells that water was used, and not when.
  if (lastWater && lastWater.from === activeAt) {
    const until = timeOf(lastWater.at, at, timeZone)
    return {
      en: `Water used again between ${time.en} and ${until.en}.`,
      zh: `${time.zh} 至 ${until.zh} 之间再次用水。`,
    }
  }
  return { en: `Water used again by ${time.en}.`, zh: `${time.zh} 前再次用水。` }
}
