import type { Decision, EpochMs, Headline } from '../model.js'
import { amountOf, hourMs, lengthOf, minuteMs, sinceZh, timeOf } from './say.js'
import { type Context, hoursOf, limitMsOf, type Point, type ResidentState, round3, type WaterMeter } from './state.js'

/** A cistern that leaks runs at 3 to 30 L/h; two counts of a register in litres are the least that is no drip. */
const litresPerHourMin = 2.5
/** Two nights: nobody uses water in each hour of both. In 26 homes 24 h tell five times as often; what 48 h told was a leak each time. */
const runMsMin = 48 * hourMs
/** Meters of 5 min are looked at by the hour; hourly ones come some seconds early. */
const hourMsMin = 55 * minuteMs
/** The longest interval that shows an hour standing still: by one reading in 4 h nearly every second home would leak. */
const intervalMsMax = 130 * minuteMs
/** A hole up to this long in which enough has run proves nothing and ends nothing. */
const holeMsMax = 6 * hourMs
/** The rate is the lowest over so long: one hour of a register in litres is off by a third. */
const rateMs = 4 * hourMs
/** A cistern that pauses for an hour or two leaks all the same: over when still for longer. */
const stillMsMin = 3 * hourMs
/** Even a fine register is rounded somewhere on its way. */
const roundingLitres = 0.01

/** The hour being counted, and since when the register has not stood still for one. */
export type Standing = {
  mark: Point
  run: {
    since: EpochMs
    /** The part of the time since then that readings show hour by hour. */
    provenMs: number
    /** Begin of the 4 h being counted, and the lowest rate (L/h) of those before. */
    rateFrom: Point
    litresPerHour: number | null
    /** It stands still for so long now; one that has been told may pause. */
    stillMs: number
    told: boolean
  } | null
}
type Run = NonNullable<Standing['run']>

/** Closes the hour that ends with the meter's newest reading, if it is one. `known`: what was used since the last reading is. */
export function followStanding(
  meter: WaterMeter,
  { from, increment, known }: { from: EpochMs; increment: number; known: boolean },
  arrivedAt: EpochMs,
  context: Context,
  out: Decision[],
): void {
  meter.standing ??= { mark: [from, round3(meter.total - increment)], run: null }
  const { standing } = meter
  const { mark } = standing
  const spanMs = meter.at - mark[0]
  if (known && spanMs < hourMsMin) return
  const litres = round3(meter.total - mark[1])
  const flows = litres > 0 && litres + Math.max(meter.step, roundingLitres) >= litresPerHourMin * hoursOf(spanMs)
  if (!known) interrupt(standing, meter)
  else if (!flows) stand(standing, meter, arrivedAt, context, out)
  else if (spanMs <= intervalMsMax) run(standing, meter, spanMs)
  else if (spanMs > holeMsMax) interrupt(standing, meter)
  mark[0] = meter.at
  mark[1] = meter.total
}

function run(standing: Standing, { at, total }: WaterMeter, spanMs: number): void {
  const [from, fromTotal] = standing.mark
  standing.run ??= {
    since: from,
    provenMs: 0,
    rateFrom: [from, fromTotal],
    litresPerHour: null,
    stillMs: 0,
    told: false,
  }
  const { run } = standing
  run.provenMs += spanMs
  run.stillMs = 0
  if (at - run.rateFrom[0] < rateMs) return
  const rate = round3((total - run.rateFrom[1]) / hoursOf(at - run.rateFrom[0]))
  run.litresPerHour = run.litresPerHour === null ? rate : Math.min(run.litresPerHour, rate)
  run.rateFrom = [at, total]
}

/** Nothing is known of this time. What has been told stays, until the register is seen to stand still. */
function interrupt(standing: Standing, { at, total }: WaterMeter): void {
  if (standing.run?.told) standing.run.rateFrom = [at, total]
  else standing.run = null
}

function stand(standing: Standing, meter: WaterMeter, arrivedAt: EpochMs, context: Context, out: Decision[]): void {
  const { run } = standing
  if (!run?.told) {
    standing.run = null
    return
  }
  run.stillMs += meter.at - standing.mark[0]
  if (run.stillMs < stillMsMin) return
  standing.run = null
  const time = timeOf(meter.at - run.stillMs, arrivedAt, context.timeZone)
  const length = lengthOf(run.stillMs)
  const headline = {
    en: `Hardly any water has run since ${time.en} (${length.en}): what ran all the time has stopped.`,
    zh: `${sinceZh(time.zh)} ${length.zh}几乎没有水流，一直在漏的水已经停了。`,
  }
  out.push({ type: 'clear', kind: 'leak_standing', deviceNo: meter.deviceNo, at: arrivedAt, headline })
}

/**
 * Opens the alert for each register that has not stood still for an hour in 48 h. A home whose register is too coarse, or
 * whose meter reports too seldom to show that, is told nothing; neither is one that has been told that water keeps running.
 */
export function judgeStanding(state: ResidentState, at: EpochMs, context: Context, out: Decision[]): void {
  if (state.settleAt !== null) return
  for (const meter of state.meters) {
    if (meter.kind !== 'water' || !meter.standing?.run) continue
    const { mark, run } = meter.standing
    if (run.told || run.provenMs < runMsMin || run.litresPerHour === null) continue
    if (meter.run?.alerted || at - mark[0] > limitMsOf(meter.reach)) continue
    run.told = true
    const litresPerHour = Math.round(run.litresPerHour * 10) / 10
    const litresPerDay = Math.round(litresPerHour * 24)
    out.push({
      type: 'open',
      kind: 'leak_standing',
      deviceNo: meter.deviceNo,
      openedAt: at,
      observedAt: mark[0],
      headline: standingHeadline(run, { until: mark[0], at, litresPerHour, litresPerDay }, context.timeZone),
      reason: { since: run.since, until: mark[0], litresPerHour, litresPerDay },
    })
  }
}

function standingHeadline(
  { since }: Run,
  p: { until: EpochMs; at: EpochMs; litresPerHour: number; litresPerDay: number },
  timeZone: string,
): Headline {
  const time = timeOf(since, p.at, timeZone)
  const length = lengthOf(p.until - since)
  const rate = amountOf(p.litresPerHour)
  return {
    en: `The water meter has not stood still for an hour since ${time.en} (${length.en}): at least ${rate} L/h runs all the time, ${p.litresPerDay} L a day.`,
    zh: `${sinceZh(time.zh)} ${length.zh}里，水表没有停过一小时：每小时至少流走 ${rate} 升，一天约 ${p.litresPerDay} 升，可能在漏水。`,
  }
}
