import type { Decision, EpochMs } from '../model.js'
import { amountOf } from './say.js'
import { type Meter, round3 } from './state.js'

const steps = [1_000, 100, 10, 1, 0.1]
const isMultiple = (value: number, step: number) => Math.abs(value / step - Math.round(value / step)) < 1e-6
/** The coarsest step that all readings so far are multiples of: starts too coarse, and is right after a few increments. */
export const stepOf = (value: number, atMost: number): number =>
  atMost === 0 ? 0 : (steps.find((step) => step <= atMost && isMultiple(value, step)) ?? 0)

/** Below this a backward step is jitter of the pulse counter: the higher value stands, or each jitter would count as use. */
const jitterMax = { water: 1, electricity: 5 }
/**
 * Up to this a backward step is backflow (real hourly registers run back by 1 to 8 L): use goes on being known. Above
 * it the register was changed or restarted, and what was used in that interval is unknown.
 */
const backflowMax = { water: 10, electricity: 100 }
export const unitOf = { water: 'L', electricity: 'Wh' }

/**
 * Takes the next value of a cumulative register. Returns what was used since the last one (L or Wh, never negative),
 * and whether that is known. A register that restarts from near 0 goes on from its new value: what it counted between
 * its restart and the reading is left out, because nobody knows when it restarted.
 */
export function takeRegister(
  meter: Meter,
  value: number,
  at: EpochMs,
  out: Decision[],
): { increment: number; known: boolean } {
  const before = meter.raw
  meter.raw = value
  meter.step = stepOf(value, meter.step)
  if (value < before) out.push(backwards(meter, before, value, at))
  const drop = meter.high - value
  if (drop <= 0) {
    meter.high = value
    const increment = round3(-drop)
    meter.total = round3(meter.total + increment)
    return { increment, known: true }
  }
  if (drop > jitterMax[meter.kind]) meter.high = value
  return { increment: 0, known: drop <= backflowMax[meter.kind] }
}

function backwards(meter: Meter, before: number, value: number, at: EpochMs): Decision {
  const unit = unitOf[meter.kind]
  const detail = `from ${round3(before)} ${unit} to ${round3(value)} ${unit} (${amountOf(round3(before - value))} ${unit} back)`
  return { type: 'finding', deviceNo: meter.deviceNo, reason: 'register ran backwards', detail, at }
}
