import type { Decision, EpochMs, Headline, ReadingArrival } from '../model.js'
import { deviceNames } from './device-names.js'
import { lengthOf, minuteMs, secondMs, sinceZh, timeOf } from './say.js'
import { type Context, type Health, lateMs, type ResidentState } from './state.js'

const batteryLowMax = 0.2
/** Well above the limit, or a battery at its end would come and go with the temperature of the room. */
const batteryRestoredMin = 0.3
const aheadMsMin = 5 * minuteMs
const aheadNeeded = 3
/** A clock that is behind looks like a backlog; but a backlog catches up, and this one stays as late as it was. */
const behindMsMin = 5 * minuteMs
const behindJitterMs = minuteMs
const behindGapMsMin = 30 * secondMs
const behindNeeded = 6

type Notice = keyof Health['open']

/** What a device says about itself. `at` is the reading's time, `arrivedAt` when it came. */
export function judgeHealth(
  state: ResidentState,
  reading: ReadingArrival,
  { at, arrivedAt }: { at: EpochMs; arrivedAt: EpochMs },
  context: Context,
  out: Decision[],
): void {
  const health = state.health[reading.deviceNo] ?? newHealth(reading)
  state.health[reading.deviceNo] = health
  judgeClock(health, reading, { at, arrivedAt }, context, out)
  if (arrivedAt > health.heardAt) health.heardAt = arrivedAt
  if (at < health.at) return
  health.at = at
  const { battery, tamper, fault } = reading
  // Most readings say nothing of the kind, and many are folded: those cost no closures.
  if (battery !== undefined || tamper !== undefined || fault !== undefined)
    judgeNotices(health, reading, { at, arrivedAt }, context, out)
}

function judgeNotices(
  health: Health,
  reading: ReadingArrival,
  { at, arrivedAt }: { at: EpochMs; arrivedAt: EpochMs },
  context: Context,
  out: Decision[],
): void {
  const { battery, tamper, fault } = reading
  const name = deviceNames[reading.kind]
  const open = (kind: Notice, headline: Headline, value: number | boolean) => {
    if (health.open[kind]) return
    health.open[kind] = true
    const { deviceNo } = reading
    out.push({ type: 'open', kind, deviceNo, openedAt: arrivedAt, observedAt: at, headline, reason: { [kind]: value } })
  }
  const clear = (kind: Notice, headline: Headline) => {
    if (!health.open[kind]) return
    delete health.open[kind]
    out.push({ type: 'clear', kind, deviceNo: reading.deviceNo, at: arrivedAt, headline })
  }
  if (battery !== undefined && (battery < batteryLowMax || health.open.battery_low)) {
    const percent = `${Math.round(battery * 100)} %`
    if (battery < batteryLowMax)
      open('battery_low', { en: `${name.en}: battery at ${percent}.`, zh: `${name.zh}电量剩余 ${percent}。` }, battery)
    else if (battery > batteryRestoredMin)
      clear('battery_low', { en: `${name.en}: battery at ${percent} again.`, zh: `${name.zh}电量恢复至 ${percent}。` })
  }
  // Only an explicit false clears: a device that stops saying that it was opened may simply have been torn off.
  if (tamper === true && !health.open.tamper) {
    const time = timeOf(at, arrivedAt, context.timeZone)
    open('tamper', { en: `${name.en} opened or moved at ${time.en}.`, zh: `${name.zh}于 ${time.zh} 被拆动。` }, true)
  } else if (tamper === false) clear('tamper', { en: `${name.en} is closed again.`, zh: `${name.zh}已复位。` })
  if (fault === true && !health.open.device_fault) {
    const time = timeOf(at, arrivedAt, context.timeZone)
    open(
      'device_fault',
      { en: `${name.en} reports a fault since ${time.en}.`, zh: `${name.zh}${sinceZh(time.zh)}报告故障。` },
      true,
    )
  } else if (fault === false) clear('device_fault', { en: `${name.en} works again.`, zh: `${name.zh}故障已解除。` })
}

function newHealth({ kind, observedAt, receivedAt }: ReadingArrival): Health {
  return { kind, at: 0, heardAt: 0, lagMs: receivedAt - observedAt, aheadCount: 0, behindCount: 0, open: {} }
}

/** Counts arrivals, not readings: an array of a thousand from a gateway that has just started is one sign, not many. */
function judgeClock(
  health: Health,
  reading: ReadingArrival,
  { at, arrivedAt }: { at: EpochMs; arrivedAt: EpochMs },
  context: Context,
  out: Decision[],
): void {
  const lagMs = reading.receivedAt - reading.observedAt
  const marked = reading.clockWrong === true
  const sinceMs = arrivedAt - health.heardAt
  const steady = Math.abs(lagMs - health.lagMs) < behindJitterMs
  health.lagMs = lagMs
  const ahead = marked || -lagMs > aheadMsMin
  if (!ahead && lagMs <= lateMs) {
    health.aheadCount = 0
    health.behindCount = 0
    if (!health.open.clock_wrong) return
    delete health.open.clock_wrong
    const name = deviceNames[reading.kind]
    const headline = { en: `${name.en}: its clock is right again.`, zh: `${name.zh}的时钟已恢复正常。` }
    out.push({ type: 'clear', kind: 'clock_wrong', deviceNo: reading.deviceNo, at: arrivedAt, headline })
    return
  }
  if (ahead && sinceMs > 0) health.aheadCount = Math.min(aheadNeeded, health.aheadCount + 1)
  if (!ahead && lagMs > behindMsMin) {
    if (!steady) health.behindCount = 0
    else if (sinceMs >= behindGapMsMin) health.behindCount = Math.min(behindNeeded, health.behindCount + 1)
  }
  const wrong = marked || health.aheadCount >= aheadNeeded || health.behindCount >= behindNeeded
  if (!wrong || health.open.clock_wrong) return
  health.open.clock_wrong = true
  const { deviceNo } = reading
  const headline = clockHeadline(reading, { marked, at, arrivedAt }, context)
  const reason = { aheadMs: -lagMs, marked }
  out.push({ type: 'open', kind: 'clock_wrong', deviceNo, openedAt: arrivedAt, observedAt: at, headline, reason })
}

function clockHeadline(
  { kind, observedAt, receivedAt }: ReadingArrival,
  { marked, at, arrivedAt }: { marked: boolean; at: EpochMs; arrivedAt: EpochMs },
  context: Context,
): Headline {
  const name = deviceNames[kind]
  const apart = lengthOf(Math.abs(receivedAt - observedAt))
  if (marked && Math.abs(receivedAt - observedAt) <= aheadMsMin) {
    const time = timeOf(at, arrivedAt, context.timeZone)
    return {
      en: `${name.en} sent no usable time at ${time.en}; the time of arrival stands for it.`,
      zh: `${name.zh}于 ${time.zh} 上报的时间不可用，以到达时间为准。`,
    }
  }
  if (observedAt > receivedAt)
    return {
      en: `${name.en}: its clock is ${apart.en} ahead; the time of arrival stands for it.`,
      zh: `${name.zh}的时钟快了 ${apart.zh}，以到达时间为准。`,
    }
  return {
    en: `${name.en}: its clock is ${apart.en} behind, or its readings are held back that long; use is not known in time.`,
    zh: `${name.zh}的时钟慢了 ${apart.zh}，或读数被延迟同样长的时间，无法及时了解用水用电情况。`,
  }
}
