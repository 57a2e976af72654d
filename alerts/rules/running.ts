import type { Decision, EpochMs } from '../model.js'
import { amountOf, hourMs, lengthOf, minuteMs, secondMs, sinceZh, timeOf } from './say.js'
import { type Context, hoursOf, limitMsOf, type Point, type ResidentState, round3, type WaterMeter } from './state.js'

/** A bath runs at 900 L/h for 15 min, a leaking cistern at 20 L/h for days; 200 L/h for 2 h is a tap left on. */
const litresPerHourMin = 200
const runMsMin = 2 * hourMs
/**
 * The longest interval that can show that water never paused: hourly meters with some jitter. In a longer one a bath
 * and a washing machine make 200 L/h as well, so that its mean proves nothing, and the run starts anew at its end.
 */
const intervalMsMax = 65 * minuteMs

/** Even a fine register is rounded somewhere on its way. */
const roundingLitres = 0.01

type Interval = { from: EpochMs; increment: number; known: boolean }

/** Follows one water meter's flow over the interval that ended with its newest reading. */
export function followFlow(
  meter: WaterMeter,
  { from, increment, known }: Interval,
  arrivedAt: EpochMs,
  context: Context,
  out: Decision[],
): void {
  if (known && meter.at - from <= intervalMsMax) {
    // The newest reading may just have shown in which steps the register counts: then the time before it is clear now.
    judgeWindow(meter, [from, round3(meter.total - increment)], arrivedAt, context, out)
    judgeWindow(meter, [meter.at, meter.total], arrivedAt, context, out)
    return
  }
  const [markAt, markTotal] = meter.mark
  const paused = known && meter.total - markTotal < litresPerHourMin * hoursOf(meter.at - markAt)
  if (paused) stop(meter, arrivedAt, context, out)
  // An alert that is open stays open until a pause is seen: nothing here says that the water was turned off.
  if (meter.run && !meter.run.alerted) meter.run = null
  meter.mark = [meter.at, meter.total]
}

function judgeWindow(meter: WaterMeter, end: Point, arrivedAt: EpochMs, context: Context, out: Decision[]): void {
  const [markAt, markTotal] = meter.mark
  const spanMs = end[0] - markAt
  const needed = litresPerHourMin * hoursOf(spanMs)
  // A register that counts in steps is one step off at most; wait until a step is no more than half of what must flow.
  if (spanMs < 30 * secondMs || needed < 2 * meter.step) return
  if (end[1] - markTotal + Math.max(meter.step, roundingLitres) >= needed)
    meter.run ??= { since: markAt, fromTotal: markTotal, alerted: false }
  else stop(meter, arrivedAt, context, out)
  meter.mark = end
}

function stop(meter: WaterMeter, at: EpochMs, context: Context, out: Decision[]): void {
  const { run } = meter
  meter.run = null
  if (!run?.alerted) return
  const litres = amountOf(meter.mark[1] - run.fromTotal)
  const time = timeOf(meter.mark[0], at, context.timeZone)
  const headline = {
    en: `Water stopped at ${time.en} after ${litres} L.`,
    zh: `${time.zh} 停止用水，共 ${litres} 升。`,
  }
  out.push({ type: 'clear', kind: 'water_running', deviceNo: meter.deviceNo, at, headline })
}

/** Opens the alert for each run of 2 h that still goes on at its meter's newest reading, and that is news. */
export function judgeRunning(state: ResidentState, at: EpochMs, context: Context, out: Decision[]): void {
  for (const meter of state.meters) {
    if (meter.kind !== 'water' || !meter.run || meter.run.alerted || state.settleAt !== null) continue
    const { since, fromTotal } = meter.run
    const [until, total] = meter.mark
    const litres = round3(total - fromTotal)
    const ranMs = until - since
    if (
      ranMs < runMsMin ||
      litres + roundingLitres < litresPerHourMin * hoursOf(ranMs) ||
      at - until > limitMsOf(meter.reach)
    )
      continue
    meter.run.alerted = true
    const litresPerHour = Math.round(litres / hoursOf(ranMs))
    const time = timeOf(since, at, context.timeZone)
    const length = lengthOf(ranMs)
    out.push({
      type: 'open',
      kind: 'water_running',
      deviceNo: meter.deviceNo,
      openedAt: at,
      observedAt: until,
      headline: {
        en: `Water has been running since ${time.en} (${length.en}) without a pause: ${amountOf(litres)} L, ${litresPerHour} L/h.`,
        zh: `${sinceZh(time.zh)}持续用水 ${length.zh}未停：共 ${amountOf(litres)} 升，平均每小时 ${litresPerHour} 升。`,
      },
      reason: { since, until, litres, litresPerHour },
    })
  }
}
