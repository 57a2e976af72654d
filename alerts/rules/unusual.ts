import type { Decision, EpochMs, Headline, Verdict } from '../model.js'
import { correct, lineOf, recount, scoreOf } from './line.js'
import { lastSeenWords, newestInside, newestSighting, type SeenBy, seenHeadline } from './movement.js'
import { emptyRoutine, gapMsMin, jitterMs, learn, passed, type Routine } from './routine.js'
import { hourMs, lengthOf, minuteMs, sinceZh, timeOf } from './say.js'
import { type Context, limitMsOf, type Meter, type ResidentState } from './state.js'
import { wallClock } from './zone.js'

/** With a budget of so many a month or more the home is asked first, and has this long to answer. */
const asksFrom = 2
const askMs = 30 * minuteMs

export type Covered = { from: EpochMs; until: EpochMs; limitMs: number }

/**
 * Gives a state what the learned line needs, or takes it away: a routine begins empty wherever there is none. An alert
 * that is open when the line is taken away stays for a person to close, because its silence may still go on.
 */
export function switchLearning(state: ResidentState, { alarmsPerMonth }: Context): void {
  if (alarmsPerMonth !== null) {
    state.routine ??= emptyRoutine()
    return
  }
  if (!state.routine) return
  delete state.routine
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
  const ended = passed(routine, { at, spanMs, by }, timeZone)
  if (!ended) return
  // Silence over a hole, or over a time that another meter does not tell yet, may have been none. A meter that reports
  // seldom lags behind the others by up to its interval; more than that it does not know.
  const known = state.meters.every(
    (meter) => meter.coveredFrom <= ended.since && (meter.coveredTo >= at - limitMsOf(meter.reach) || meter.at === at),
  )
  if (ended.teaches && known) {
    const score = scoreOf(routine, ended, timeZone)
    learn(routine, ended, score, timeZone)
  }
  if (isVisited(state, at)) routine.vague = true
  // A confirmed emergency, marked while it lasted, is no false alarm.
  const alarms = alerted && ended.teaches ? 1 : 0
  if (alarms > 0 || ended.at - ended.since > gapMsMin) correct(routine, { at, alarms }, alarmsPerMonth)
}

/** The stay of a carer: what runs meanwhile is hers or his. */
const visitMs = hourMs

const isVisited = ({ seen }: ResidentState, at: EpochMs) =>
  seen?.visit !== undefined && Math.abs(at - seen.visit) <= visitMs

/**
 * What staff found an alert about a silence to be. One that was right (she had fallen, or was ill) is no routine: its
 * silence teaches nothing, what it has taught is taken back, and it is no false alarm. One that was false counts twice from
 * now on, because somebody had to say so. Of a silence that still goes on, "false" says that she is fine. A silence that is
 * not known changes nothing.
 */
export function applyMark(
  state: ResidentState,
  { since, verdict }: { since: EpochMs; verdict: Verdict },
  at: EpochMs,
  context: Context,
): void {
  const { routine } = state
  if (!routine) return
  if (routine.activeAt === since || routine.alert?.since === since) {
    if (verdict === 'true') routine.vague = true
    else noteActivity(state, { at, spanMs: 0, by: 'spoken' }, context)
    return
  }
  const clock = wallClock(since, context.timeZone)
  const startQuarter = Math.floor(clock.hour * 4)
  const index = routine.gaps.findIndex(([day, quarter]) => day === clock.day && quarter === startQuarter)
  if (index < 0) return
  const gap = routine.gaps[index]!
  const top = routine.tops.findIndex((one) => one[0] === clock.day && one[1] === gap[4])
  if (verdict === 'true') {
    routine.gaps.splice(index, 1)
    if (top >= 0) routine.tops.splice(top, 1)
    recount(routine, -1)
  } else {
    routine.gaps.splice(index, 0, [...gap])
    if (top >= 0) routine.tops.splice(top, 0, [...routine.tops[top]!])
    recount(routine, 1)
  }
}

/** From when on this silence is longer than 98 in 100 that begin like it; null while it is short, or nothing is learned. */
export const unusualFrom = ({ routine, away }: ResidentState): EpochMs | null =>
  routine?.line && !away ? routine.line.since + routine.line.usualMs : null

/**
 * Opens the alert when silence has lasted longer than the resident's own line; clears it at the first activity. The line is
 * learned from meters and the button alone: a motion sensor whose battery dies would make every silence look unusual. What
 * such a sensor sees ends a silence all the same.
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
  judgeLine(state, { since: isSeen ? sighting.at : since, by: isSeen ? sighting.by : null, covered, at }, context, out)
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
  const headline = unusualHeadline(state.meters, { ...line, by, until: covered.until, at }, timeZone)
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
  const { since } = routine.alert!
  const isActive = routine.activeAt! > since
  const inside = newestInside(state)
  const isSeen = inside !== null && inside.at > since
  if (!isActive && !isSeen) return
  routine.alert = null
  // A false alarm like any other, though the routine does not hear of what ended it.
  if (!isActive && !routine.vague) correct(routine, { at: inside!.at, alarms: 1 }, context.alarmsPerMonth!)
  const headline = isActive ? activeHeadline(routine, at, context) : seenHeadline(inside!, at, context.timeZone)
  out.push({ type: 'clear', kind: 'silence_unusual', at, headline })
}

function unusualHeadline(
  meters: Meter[],
  {
    since,
    by,
    until,
    usualMs,
    at,
  }: { since: EpochMs; by: SeenBy | null; until: EpochMs; usualMs: number; at: EpochMs },
  timeZone: string,
): Headline {
  const heard = (kind: Meter['kind']) => meters.some((meter) => meter.kind === kind && !meter.reach.overdue)
  const en = [heard('water') && 'water', heard('electricity') && 'electricity'].filter(Boolean).join(' or ')
  const zh = [heard('water') && '未用水', heard('electricity') && '未用电'].filter(Boolean).join('、')
  const time = timeOf(since, at, timeZone)
  const seen = by === null ? { en: '', zh: '' } : lastSeenWords[by]
  const length = lengthOf(until - since)
  const usual = lengthOf(usualMs)
  const unknown = meters
    .filter(({ reach }) => reach.overdue)
    .map((meter) => {
      const lost = timeOf(meter.coveredTo, at, timeZone)
      const name = meter.kind === 'water' ? { en: 'Water', zh: '水' } : { en: 'Electricity', zh: '电' }
      return {
        en: ` ${name.en} is unknown since ${lost.en}: its meter is silent.`,
        zh: `${name.zh}表${sinceZh(lost.zh)}无数据，是否用${name.zh}未知。`,
      }
    })
  return {
    en:
      `No ${en} used since ${time.en} (${length.en})${seen.en}; at this hour silence normally lasts at most ${usual.en}.` +
      unknown.map((part) => part.en).join(''),
    zh:
      `${sinceZh(time.zh, seen.zh)} ${length.zh}${zh}；这个时段平时最多安静 ${usual.zh}。` +
      unknown.map((part) => part.zh).join(''),
  }
}

function activeHeadline({ activeAt, by }: Routine, at: EpochMs, { timeZone }: Context): Headline {
  const time = timeOf(activeAt!, at, timeZone)
  if (by === 'button') return { en: `Call button used at ${time.en}.`, zh: `${time.zh} 按过呼叫按钮。` }
  if (by === 'spoken') return { en: `Somebody spoke with her at ${time.en}.`, zh: `${time.zh} 已与本人通话确认。` }
  if (by === 'electricity')
    return { en: `An appliance was switched on by ${time.en}.`, zh: `${time.zh} 前有电器启动。` }
  return { en: `Water used again by ${time.en}.`, zh: `${time.zh} 前再次用水。` }
}
