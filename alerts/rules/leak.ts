import { hourMs, minuteMs } from './say.js'
import { hoursOf, round3, type WaterMeter } from './state.js'

/** The lowest hourly rate is looked for in the last 48 h, kept as one lowest rate for each 6 h. */
const blockMs = 6 * hourMs
const lookBackMs = 48 * hourMs
/** Nobody uses water as evenly as this for 4 h: a leak that has just begun need not wait for two days. */
const evenHours = 4
const evenShare = 0.25
/** Before a night has been seen nothing is known to run always. */
const knownMsMin = 24 * hourMs
/** Hourly meters come some seconds early, too. */
const hourMsMin = 55 * minuteMs
/** In a longer interval somebody is at a tap every day: its mean is no rate that runs with nobody there. */
const intervalMsMax = 130 * minuteMs

/** Closes the hour that ends with the newest reading, if it is one. `known`: what was used since the last reading is. */
export function followLeak(meter: WaterMeter, { increment, known }: { increment: number; known: boolean }): void {
  const { at, total } = meter
  meter.leak ??= { mark: [at, total], lowest: [], newest: [], stillAt: at }
  const { leak } = meter
  if (increment === 0) leak.stillAt = at
  const spanMs = at - leak.mark[0]
  if (known && spanMs < hourMsMin) return
  const tells = known && spanMs <= intervalMsMax
  if (tells) {
    const rate = round3((total - leak.mark[1]) / hoursOf(spanMs))
    leak.newest.push(rate)
    if (leak.newest.length > evenHours) leak.newest.shift()
    const block = Math.floor(at / blockMs) * blockMs
    const newest = leak.lowest.at(-1)
    if (newest?.[0] === block) newest[1] = Math.min(newest[1], rate)
    else leak.lowest.push([block, rate])
    while (leak.lowest[0]![0] < at - lookBackMs) leak.lowest.shift()
  }
  if (!tells) leak.newest = []
  leak.mark = [at, total]
}

/**
 * What runs with nobody at a tap, in L/h: the lowest hourly rate of the last 48 h, once a whole day is known, or what
 * has run evenly for 4 h.
 */
export function leakOf(meter: WaterMeter): number {
  return Math.max(standing(meter), even(meter))
}

function even({ leak, step, at }: WaterMeter): number {
  if (!leak || leak.newest.length < evenHours || leak.stillAt > at - evenHours * hourMs) return 0
  const lowest = Math.min(...leak.newest)
  const highest = Math.max(...leak.newest)
  return lowest >= 2 * step && highest - lowest <= evenShare * highest ? lowest : 0
}

function standing({ leak }: WaterMeter): number {
  if (!leak || leak.lowest.length === 0) return 0
  if (leak.lowest.length < knownMsMin / blockMs) return 0
  let lowest = Number.POSITIVE_INFINITY
  for (let index = 0; index < leak.lowest.length; index += 1) lowest = Math.min(lowest, leak.lowest[index]![1])
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
