import type { AlertKind, Decision, EpochMs, Headline } from '../model.js'
import { isAnyOften, tells } from './cadence.js'
import { isLearned } from './line.js'
import { lastSeenWords, newestInside, newestSighting, outcomeOf, type SeenBy, seenHeadline } from './movement.js'
import { amountOf, hourMs, lengthOf, sinceZh, timeOf } from './say.js'
import { beyondLeak, leakOfAll, nothingUsed, sentLate, toldBy, unknownOf } from './silence-words.js'
import { type Context, limitMsOf, type Meter, type ResidentState } from './state.js'
import { judgeUnusual } from './unusual.js'
import { litresSince, waterActiveAt } from './uses.js'

const shortMs = 12 * hourMs
const longMs = 24 * hourMs
/** A drip of just 10 L in 12 h would open and clear at each reading: an episode ends well below the limit. */
const overMs = 10 * hourMs

/** `lifeOf(state).at`, or 0: asked at each reading, and it makes nothing. */
function newestUseAt(state: ResidentState): EpochMs {
  let newest = Math.max(waterActiveAt(state) ?? 0, state.buttonAt ?? 0)
  for (const meter of state.meters)
    if (meter.kind === 'electricity' && meter.activeAt !== null && meter.activeAt > newest) newest = meter.activeAt
  const routineAt = state.routine?.activeAt ?? newest
  if (routineAt < newest) newest = routineAt
  return state.seen ? Math.max(newest, newestSighting(state)?.at ?? 0) : newest
}

type Activity = { at: EpochMs; by: 'water' | 'electricity' | 'button' | SeenBy }

/** The newest thing that proves somebody is up: 10 L, an appliance, the button, a sighting. */
export function activityOf(state: ResidentState, sightingOf = newestSighting): Activity | null {
  let newest: Activity | null = null
  const take = (at: EpochMs | null, by: Activity['by']) => {
    if (at !== null && (newest === null || at > newest.at)) newest = { at, by }
  }
  take(waterActiveAt(state), 'water')
  for (const meter of state.meters) if (meter.kind === 'electricity') take(meter.activeAt, 'electricity')
  take(state.buttonAt, 'button')
  const sighting = sightingOf(state)
  if (sighting) take(sighting.at, sighting.by)
  return newest
}

/**
 * The same, or what the routine knows where that is older: it takes no leak, and no tap or television that somebody who
 * fell had left on, for a person.
 */
function lifeOf(state: ResidentState, sightingOf = newestSighting): Activity | null {
  const activity = activityOf(state, sightingOf)
  const { routine } = state
  if (!activity || routine?.activeAt == null || routine.activeAt >= activity.at) return activity
  const sighting = sightingOf(state)
  return sighting && sighting.at > routine.activeAt ? sighting : { at: routine.activeAt, by: routine.by }
}

/** From when to when every meter that `counts`, and can tell, tells what was used; null without any. */
export function coverageOf(
  state: ResidentState,
  counts: (meter: Meter) => boolean,
): { from: EpochMs; until: EpochMs; limitMs: number } | null {
  let covered: { from: EpochMs; until: EpochMs; limitMs: number } | null = null
  const anyOften = isAnyOften(state.meters, counts)
  for (const meter of state.meters) {
    if (!counts(meter) || !tells(meter, anyOften)) continue
    if (covered === null) covered = { from: meter.coveredFrom, until: meter.coveredTo, limitMs: limitMsOf(meter.reach) }
    else {
      if (meter.coveredFrom > covered.from) covered.from = meter.coveredFrom
      if (meter.coveredTo < covered.until) {
        covered.until = meter.coveredTo
        covered.limitMs = limitMsOf(meter.reach)
      }
    }
  }
  return covered
}

/**
 * Since when and until when nothing has been used, over time that readings cover; null where nothing is covered.
 * `litres`: as the fixed rules count, from the last 10 L; `activity`: from the last activity as the routine knows it.
 */
export function silenceOf(
  state: ResidentState,
  measure: 'litres' | 'activity',
): { since: EpochMs; until: EpochMs } | null {
  const covered = coverageOf(state, isHeard)
  if (!covered) return null
  const active =
    measure === 'litres'
      ? (activityOf(state)?.at ?? null)
      : Math.max(state.routine?.activeAt ?? 0, newestSighting(state)?.at ?? 0)
  return { since: active !== null && active > covered.from ? active : covered.from, until: covered.until }
}

const isHeard = ({ reach }: Meter) => !reach.overdue

/**
 * Silence is counted from the newest activity, over time that the readings of all meters cover that are not offline
 * themselves, and judged at the newest time that all of them reach: never at the present, never over a hole.
 */
export function judgeSilence(state: ResidentState, at: EpochMs, context: Context, out: Decision[]): void {
  if (state.meters.length === 0) return
  if (state.silence) {
    let newest = 0
    for (const meter of state.meters) if (meter.coveredTo > newest) newest = meter.coveredTo
    const proof = state.silence.fired24 ? lifeOf(state, newestInside) : activityOf(state, newestInside)
    if (proof && newest - proof.at < overMs) clear(state, state.silence, proof, at, context, out)
  }
  const covered = coverageOf(state, isHeard)
  if (state.routine) judgeUnusual(state, covered, at, context, out)
  if (state.settleAt !== null || state.away) return
  if (!covered || at - covered.until > covered.limitMs) return
  // Most readings end here, and many are folded.
  if (covered.until - newestUseAt(state) < shortMs) return
  const activity = activityOf(state)
  const since = Math.max(activity?.at ?? 0, covered.from)
  // With a line of the resident's own the rule of 12 h has no say; the one of 24 h always has.
  if (covered.until - since >= shortMs) {
    state.silence ??= { since, fired12: false, fired24: false }
    if (!state.silence.fired12 && !(state.routine && isLearned(state.routine, since))) {
      state.silence.fired12 = true
      open(state, 'silent_12h', { since, until: covered.until, at, activity }, context, out)
    }
  }
  const life = lifeOf(state)
  const lifeSince = Math.max(life?.at ?? 0, covered.from)
  // Told again for each further day: should somebody have closed the alert by mistake, it is not the last one.
  if (covered.until - Math.max(lifeSince, state.silence?.told24Until ?? lifeSince) >= longMs) {
    state.silence ??= { since: lifeSince, fired12: false, fired24: false }
    state.silence.fired24 = true
    state.silence.told24Until = covered.until
    open(state, 'silent_24h', { since: lifeSince, until: covered.until, at, activity: life }, context, out)
  }
}

function open(
  state: ResidentState,
  kind: AlertKind,
  { since, until, at, activity }: { since: EpochMs; until: EpochMs; at: EpochMs; activity: Activity | null },
  context: Context,
  out: Decision[],
): void {
  const told = toldBy(state)
  const hasWater = told.telling.some((meter) => meter.kind === 'water')
  const litresPerHour = leakOfAll(told)
  const litres = hasWater && litresPerHour === 0 ? litresSince(state, since) : null
  const by = activity?.at === since ? activity.by : null
  const headline = silentHeadline(state, { since, by, until, at, litres }, context)
  const reason = {
    since,
    until,
    hours: Math.round(((until - since) / hourMs) * 100) / 100,
    litres,
    ...(litresPerHour > 0 ? { litresPerHour } : {}),
    water: hasWater,
    electricity: told.telling.some((meter) => meter.kind === 'electricity'),
    metersOffline: told.others.filter((meter) => meter.reach.overdue).length,
  }
  out.push({ type: 'open', kind, openedAt: at, observedAt: until, headline, reason })
}

function clear(
  state: ResidentState,
  silence: NonNullable<ResidentState['silence']>,
  activity: Activity,
  at: EpochMs,
  context: Context,
  out: Decision[],
): void {
  const why = usedHeadline(state, silence.since, activity, at, context)
  const openedAt = silence.since + (silence.fired12 ? shortMs : longMs)
  const headline = sentLate(why, { usedAt: activity.at, openedAt, at }, context.timeZone)
  const cleared = { type: 'clear' as const, at, headline, ...outcomeOf(activity.by) }
  if (silence.fired12) out.push({ ...cleared, kind: 'silent_12h' })
  if (silence.fired24) out.push({ ...cleared, kind: 'silent_24h' })
  state.silence = null
}

function silentHeadline(
  state: ResidentState,
  {
    since,
    by,
    until,
    at,
    litres,
  }: { since: EpochMs; by: Activity['by'] | null; until: EpochMs; at: EpochMs; litres: number | null },
  { timeZone }: Context,
): Headline {
  const told = toldBy(state)
  const nothing = nothingUsed(told)
  const beyond = beyondLeak(told)
  const time = timeOf(since, at, timeZone)
  const length = lengthOf(until - since)
  const seen = isSighting(by) ? lastSeenWords[by] : { en: '', zh: '' }
  const amount = litres === null ? null : amountOf(litres)
  const hasPower = told.telling.some((meter) => meter.kind === 'electricity')
  const en = [amount !== null && `${amount} L of water`, hasPower && 'no appliance switched on'].filter(Boolean)
  const zh = [
    amount !== null && (amount === '0' ? '水表没有走字' : `用水仅 ${amount} 升`),
    hasPower && '无电器启动',
  ].filter(Boolean)
  const unknown = unknownOf(told, { since, until, at, lastWater: state.lastWater }, timeZone)
  return {
    en: `No ${nothing.en} used since ${time.en} (${length.en})${seen.en}${beyond.en}${en.length > 0 ? `: ${en.join(', ')}` : ''}.${unknown.en}`,
    zh: `${sinceZh(time.zh, seen.zh)} ${length.zh}内${nothing.zh}${beyond.zh}${zh.length > 0 ? `：${zh.join('，')}` : ''}。${unknown.zh}`,
  }
}

const isSighting = (by: Activity['by'] | null): by is SeenBy => by !== null && by in lastSeenWords

function usedHeadline(
  state: ResidentState,
  since: EpochMs,
  activity: Activity,
  at: EpochMs,
  context: Context,
): Headline {
  if (activity.by === 'button') {
    const time = timeOf(activity.at, at, context.timeZone)
    return { en: `Call button used at ${time.en}.`, zh: `${time.zh} 按过呼叫按钮。` }
  }
  if (activity.by === 'electricity') {
    const time = timeOf(activity.at, at, context.timeZone)
    return { en: `An appliance was switched on by ${time.en}.`, zh: `${time.zh} 前有电器启动。` }
  }
  if (isSighting(activity.by)) return seenHeadline({ at: activity.at, by: activity.by }, at, context.timeZone)
  const used = state.lastWater ?? { from: activity.at, at: activity.at }
  const time = timeOf(used.at, at, context.timeZone)
  // Of what runs all the time nobody knows which litres were hers.
  if (leakOfAll(toldBy(state)) > 0) return { en: `Water used again by ${time.en}.`, zh: `${time.zh} 前再次用水。` }
  const amount = amountOf(litresSince(state, since))
  // An interval that long tells that water was used, not when.
  if (used.at - used.from > hourMs / 2) {
    const from = timeOf(used.from, at, context.timeZone)
    return {
      en: `Water used again between ${from.en} and ${time.en} (${amount} L).`,
      zh: `${from.zh} 至 ${time.zh} 之间再次用水（${amount} 升）。`,
    }
  }
  return { en: `Water used again at ${time.en} (${amount} L).`, zh: `${time.zh} 再次用水（${amount} 升）。` }
}
