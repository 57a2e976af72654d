import type { Decision, EpochMs, Headline } from '../model.js'
import { hourMs, lengthOf, minuteMs, secondMs, sinceZh, timeOf } from './say.js'
import { type Context, dueAtOf, limitMsOf, type Meter, type Reach, type ResidentState } from './state.js'

const gapsMax = 32
const gapsNeeded = 8
const usualMsMin = 5 * minuteMs
const usualMsMax = 26 * hourMs
const usualMsUntilKnown = hourMs
/** Uploads once a day differ by an hour or two. */
const alikeShare = 0.1
/** For homes without meters nothing but the connection tells that the gateway is there. */
const presenceMs = 15 * minuteMs
/** So long the notice about one meter waits to see whether the others fall silent too: then it is the gateway. */
const togetherMs = 15 * minuteMs

export function newReach(heardAt: EpochMs): Reach {
  return {
    heardAt,
    beforeAt: null,
    graceFrom: heardAt,
    gapsS: [],
    usualMs: usualMsUntilKnown,
    overdue: false,
    alerted: false,
  }
}

/**
 * Learns the usual interval from gaps between arrivals: about the 95th percentile of the last 32, that is the second
 * longest (of fewer than 20, the longest). A gap for which the meter was overdue is an outage and teaches nothing, unless the
 * gap before was one as well: then the meter reports less often than it did.
 */
function learn(reach: Reach, gapMs: number, wasOverdue: boolean): void {
  if (gapMs < secondMs) return
  const isOutage = wasOverdue && !reach.outage
  if (wasOverdue) reach.outage = true
  else if (reach.outage) delete reach.outage
  if (isOutage) return
  const gapS = Math.round(gapMs / secondMs)
  reach.gapsS.push(gapS)
  // As regular as most meters are, the two longest stay what they were.
  if (reach.gapsS.length > gapsMax && reach.gapsS.shift() === gapS) return
  if (reach.gapsS.length < gapsNeeded) return
  let longest = 0
  let second = 0
  for (const gap of reach.gapsS) {
    if (gap > longest) {
      second = longest
      longest = gap
    } else if (gap > second) second = gap
  }
  const usual = (reach.gapsS.length >= 20 ? second : longest) * secondMs
  reach.usualMs = Math.min(usualMsMax, Math.max(usualMsMin, usual))
}

/**
 * Of an upload that was late to its last reading: an outage, or the way of a meter that uploads by night what the day was.
 * Outages differ in length; what comes again after as long, with nothing in time between, is its way.
 */
function learnLate(reach: Reach, gapMs: number): void {
  if (gapMs <= limitMsOf(reach)) return
  const gapS = Math.round(gapMs / secondMs)
  const before = reach.lateGapS
  reach.lateGapS = gapS
  if (before === undefined || Math.abs(gapS - before) > alikeShare * gapS) return
  // Told as an outage until now: it is none, and the next one is none either.
  reach.outage = true
  learn(reach, gapMs, true)
}

/** A meter was heard at `at`: its notice clears, and the gateway's, which is back for the other meters too. */
export function hear(
  state: ResidentState,
  meter: Meter,
  { at, late }: { at: EpochMs; late: boolean },
  context: Context,
  out: Decision[],
): void {
  const { reach } = meter
  if (reach.alerted) {
    const headline = backHeadline(names[meter.kind], reach.heardAt, at, context)
    out.push({ type: 'clear', kind: 'device_offline', deviceNo: meter.deviceNo, at, headline })
    reach.alerted = false
  }
  const wasOverdue = reach.overdue
  reach.overdue = false
  if (state.gatewayOffline) {
    clearGateway(state, at, context, out)
    for (const other of state.meters)
      if (other !== meter && !other.reach.alerted) {
        other.reach.graceFrom = at
        other.reach.overdue = false
      }
  }
  if (at > reach.heardAt) {
    if (reach.beforeAt !== null) learnLate(reach, reach.heardAt - reach.beforeAt)
    reach.beforeAt = reach.heardAt
    reach.heardAt = at
  }
  // A backlog says nothing about how often the meter reports: only a reading that came in time closes a gap. It may be
  // the last of an array, whose other readings are late and came at the same moment.
  if (!late && reach.beforeAt !== null) {
    learn(reach, reach.heardAt - reach.beforeAt, wasOverdue)
    reach.beforeAt = null
    if (reach.lateGapS !== undefined) delete reach.lateGapS
  }
}

/** The edge saw the gateway connect, or go. It decides only in homes without meters. */
export function takePresence(
  state: ResidentState,
  { gatewayId, online }: { gatewayId: string; online: boolean },
  at: EpochMs,
  context: Context,
  out: Decision[],
): void {
  const known = state.presence[gatewayId]
  if (known?.online === online) return
  state.presence[gatewayId] = { online, since: at }
  const allOnline = Object.values(state.presence).every((presence) => presence.online)
  if (state.meters.length === 0 && state.gatewayOffline && allOnline) clearGateway(state, at, context, out)
}

/** When presence alone makes a gateway count as offline. */
export function presenceDueAt(state: ResidentState): EpochMs | null {
  if (state.meters.length > 0 || state.gatewayOffline) return null
  let due: EpochMs | null = null
  for (const { online, since } of Object.values(state.presence))
    if (!online && (due === null || since + presenceMs < due)) due = since + presenceMs
  return due
}

/** Marks what is overdue at `at`, a due time. */
export function expire(state: ResidentState, at: EpochMs, context: Context, out: Decision[]): void {
  for (const { reach } of state.meters) if (!reach.overdue && dueAtOf(reach) <= at) reach.overdue = true
  const presenceDue = presenceDueAt(state)
  if (presenceDue === null || presenceDue > at) return
  const since = presenceDue - presenceMs
  state.gatewayOffline = { since }
  const time = timeOf(since, at, context.timeZone)
  const headline = {
    en: `Gateway offline since ${time.en}. A call button or an alarm in this home would not be heard.`,
    zh: `网关${sinceZh(time.zh)}离线，此时呼叫按钮或报警器的信号无法送达。`,
  }
  out.push({ type: 'open', kind: 'gateway_offline', openedAt: at, observedAt: since, headline, reason: { since } })
}

/** Opens the notices about meters that are overdue: one for the gateway when all are, else one for each. */
export function judgeOffline(state: ResidentState, at: EpochMs, context: Context, out: Decision[]): void {
  if (state.gatewayOffline || !isAnyToTell(state.meters)) return
  if (state.meters.every(({ reach }) => reach.overdue)) {
    openGateway(state, at, context, out)
    return
  }
  for (const meter of state.meters) {
    const { reach } = meter
    if (!reach.overdue || reach.alerted) continue
    if (mayBeGateway(meter, state.meters)) continue
    reach.alerted = true
    const since = reach.heardAt
    out.push({
      type: 'open',
      kind: 'device_offline',
      deviceNo: meter.deviceNo,
      openedAt: at,
      observedAt: since,
      headline: silentHeadline(names[meter.kind], unknown[meter.kind], { reach, since, at, connected: false }, context),
      reason: { since, usualMs: reach.usualMs, limitMs: limitMsOf(reach) },
    })
  }
}

/** In a loop: it is asked at each reading. */
function isAnyToTell(meters: Meter[]): boolean {
  for (const { reach } of meters) if (reach.overdue && !reach.alerted) return true
  return false
}

/** The others are overdue, or have not been heard since this one should have been, and will be overdue soon. */
function mayBeGateway({ reach }: Meter, meters: Meter[]): boolean {
  const expectedAt = reach.heardAt + reach.usualMs
  const waitUntil = dueAtOf(reach) + reach.usualMs + togetherMs
  return meters.every(
    ({ reach: other }) => other.overdue || (other.heardAt <= expectedAt && dueAtOf(other) <= waitUntil),
  )
}

function openGateway(state: ResidentState, at: EpochMs, context: Context, out: Decision[]): void {
  const newest = state.meters.reduce((a, b) => (b.reach.heardAt > a.reach.heardAt ? b : a))
  const quickest = state.meters.reduce((a, b) => (b.reach.usualMs < a.reach.usualMs ? b : a))
  const since = newest.reach.heardAt
  state.gatewayOffline = { since }
  const kinds = new Set(state.meters.map(({ kind }) => kind))
  const presence = Object.values(state.presence)
  const connected = presence.length > 0 && presence.every(({ online }) => online)
  const what = kinds.size > 1 ? unknown.both : unknown[newest.kind]
  out.push({
    type: 'open',
    kind: 'gateway_offline',
    openedAt: at,
    observedAt: since,
    headline: silentHeadline(names.gateway, what, { reach: quickest.reach, since, at, connected }, context),
    reason: { since, usualMs: quickest.reach.usualMs, limitMs: limitMsOf(quickest.reach), connected },
  })
}

function clearGateway(state: ResidentState, at: EpochMs, context: Context, out: Decision[]): void {
  const headline = backHeadline(names.gateway, state.gatewayOffline!.since, at, context)
  out.push({ type: 'clear', kind: 'gateway_offline', at, headline })
  state.gatewayOffline = null
}

const names = {
  water: { en: 'Water meter', zh: '水表' },
  electricity: { en: 'Electricity meter', zh: '电表' },
  gateway: { en: 'Gateway', zh: '网关' },
}
const unknown = {
  water: { en: 'Whether water is used is unknown since then', zh: '此后是否用水未知' },
  electricity: { en: 'Whether electricity is used is unknown since then', zh: '此后是否用电未知' },
  both: { en: 'Whether water or electricity is used is unknown since then', zh: '此后是否用水、用电未知' },
}

const medianMs = (gapsS: number[]) => [...gapsS].sort((a, b) => a - b)[gapsS.length >> 1]! * secondMs

function silentHeadline(
  who: Headline,
  what: Headline,
  { reach, since, at, connected }: { reach: Reach; since: EpochMs; at: EpochMs; connected: boolean },
  context: Context,
): Headline {
  const time = timeOf(since, at, context.timeZone)
  const usual = lengthOf(Math.round(reach.usualMs / minuteMs) * minuteMs)
  const exact = reach.gapsS.length >= gapsNeeded && medianMs(reach.gapsS) > 0.8 * reach.usualMs
  if (connected)
    return {
      en: `Gateway connected, but no meter has reported since ${time.en}. ${what.en}.`,
      zh: `网关在线，但${sinceZh(time.zh)}没有任何表计上报，${what.zh}。`,
    }
  return {
    en: `${who.en} silent since ${time.en}; it normally reports ${exact ? '' : 'at least '}every ${usual.en}. ${what.en}.`,
    zh: `${who.zh}${sinceZh(time.zh)}无数据（通常${exact ? '每' : '至少每'} ${usual.zh}上报一次），${what.zh}。`,
  }
}

function backHeadline(who: Headline, since: EpochMs, at: EpochMs, context: Context): Headline {
  const time = timeOf(at, at, context.timeZone)
  const length = lengthOf(at - since)
  return {
    en: `${who.en} heard again at ${time.en}, after ${length.en}.`,
    zh: `${who.zh}于 ${time.zh} 恢复上报，中断 ${length.zh}。`,
  }
}
