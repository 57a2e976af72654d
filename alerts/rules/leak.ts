import { hourMs, minuteMs } from './say.js'
import { hoursOf, round3, type WaterMeter } from './state.js'

/** The lowest hourly rate is looked for in the last 48 h, kept as one lowest rate for each 6 h. */
const blockMs = 6 * hourMs
const lookBackMs = 48 * hourMs
/** Before a night has been seen nothing is known to run always. */
const knownMsMin = 24 * hourMs
/** Hourly meters come some seconds early, too. */
const hourMsMin = 55 * minuteMs

/** Closes the hour that ends with the newest reading, if it is one. `known`: what was used since the last reading is. */
export function followLeak(meter: WaterMeter, known: boolean): void {
  const { at, total } = meter
  meter.leak ??= { mark: [at, total], lowest: [] }
  const { leak } = meter
  const spanMs = at - leak.mark[0]
  if (known && spanMs < hourMsMin) return
  if (known) {
    const rate = round3((total - leak.mark[1]) / hoursOf(spanMs))
    const block = Math.floor(at / blockMs) * blockMs
    const newest = leak.lowest.at(-1)
    if (newest?.[0] === block) newest[1] = Math.min(newest[1], rate)
    else leak.lowest.push([block, rate])
    while (leak.lowest[0]![0] < at - lookBackMs) leak.lowest.shift()
  }
  leak.mark = [at, total]
}

/** What runs with nobody at a tap, in L/h: the lowest hourly rate of the last 48 h; 0 until a whole day is known. */
export function leakOf({ leak }: WaterMeter): number {
  if (!leak || leak.lowest.length === 0) return 0
  if (leak.lowest.at(-1)![0] - leak.lowest[0]![0] < knownMsMin - blockMs) return 0
  let lowest = Number.POSITIVE_INFINITY
  for (const [, rate] of leak.lowest) if (rate < lowest) lowest = rate
  return lowest
}

/**
 * Does an increment (L, over an interval in ms) prove somebody at a tap? Without a leak each count of the register
 * does; with one it must exceed what leaks in that time by more than the step in which the register counts.
 */
export function isTap(meter: WaterMeter, increment: number, spanMs: number): boolean {
  const leak = leakOf(meter)
  if (leak === 0) return increment > 0
  return increment > leak * hoursOf(spanMs) + Math.max(meter.step, 0.1)
}
