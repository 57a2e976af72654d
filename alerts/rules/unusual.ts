import type { Decision, EpochMs, Headline } from '../model.js'
import { correct, lineOf, scoreOf } from './line.js'
import { lastSeenWords, newestInside, newestSighting, type SeenBy, seenHeadline } from './movement.js'
import { emptyRoutine, gapMsMin, jitterMs, learn, passed, type Routine } from './routine.js'
import { lengthOf, minuteMs, sinceZh, timeOf } from './say.js'
import { type Context, limitMsOf, type Meter, type ResidentState } from './state.js'
import { wallClock } from './zone.js'

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
  // A confirmed emergency, marked while it lasted, is no false alarm.
  const alarms = alerted && ended.teaches ? 1 : 0
  if (alarms > 0 || ended.at - ended.since > gapMsMin) correct(routine, { at, alarms }, alarmsPerMonth)
}

/**
 * The state after staff found that a silence was no routine: an emergency, or a carer's visit that ended it. It teaches
 * nothing, and what it has taught already is taken back. A silence that is not known changes nothing.
 */
export function unlearn(state: ResidentState, since: EpochMs, context: Context): ResidentState {
  const next = structuredClone(state)
  const { routine } = next
  if (!routine) return next
  if (routine.activeAt === since || routine.alert?.since === since) {
    routine.vague = true
    return next
  }
  const clock = wallClock(since, context.timeZone)
  const startQuarter = Math.floor(clock.hour * 4)
  const index = routine.gaps.findIndex(([day, quarter]) => day === clock.day && quarter === startQuarter)
  if (index < 0) return next
  const score = routine.gaps[index]![4]
  routine.gaps.splice(index, 1)
  const top = routine.tops.findIndex((one) => one[0] === clock.day && one[1] === score)
  if (top >= 0) routine.tops.splice(top, 1)
  return next
}

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
  if (!covered) return
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
  if (routine.line?.since !== since) routine.line = lineOf(routine, since, alarmsPerMonth!, timeZone)
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
  if (by === 'electricity')
    return { en: `An appliance was switched on by ${time.en}.`, zh: `${time.zh} 前有电器启动。` }
  return { en: `Water used again by ${time.en}.`, zh: `${time.zh} 前再次用水。` }
}
