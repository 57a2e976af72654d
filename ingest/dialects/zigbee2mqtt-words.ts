import type { Scalar, Spec } from './zigbee2mqtt-memory.js'

/** `odd`: none of the values that the device is known to say. */
export type YesNo = boolean | undefined | 'odd'

const yes = /^(true|on|yes)$/i
const no = /^(false|off|no)$/i

/** Values that say nothing: what a bridge has not heard yet is null. */
export const isNothing = (value: unknown) => value === undefined || value === null || value === ''

const isOne = (values: readonly Scalar[], value: unknown) =>
  values.includes(value as Scalar) || values.some((each) => String(each).toLowerCase() === String(value).toLowerCase())

/** Whether a value says yes or no by the values of its property; also as text, as attributes are published. */
export function readYesNo({ on = [true], off = [false], mute = [] }: Spec, value: unknown): YesNo {
  if (isNothing(value)) return undefined
  if (typeof value === 'object') return 'odd'
  if (isOne(on, value)) return true
  if (isOne(off, value)) return false
  if (isOne(mute, value)) return undefined
  // ON instead of true: seen where a converter and its definition differ.
  if (on[0] === true || on[0] === 'ON') return yes.test(String(value)) ? true : no.test(String(value)) ? false : 'odd'
  return 'odd'
}

/** A battery at its end by its own word: below the 20 % at which it is reported, above the 5 % at which it is suspect. */
const lowBattery = 0.05
const batteryWords: Record<string, number> = { low: lowBattery, middle: 0.5, medium: 0.5, high: 1, full: 1 }

/** 0..1; undefined where the device did not say. */
export function readBattery(specs: readonly Spec[], payload: Record<string, unknown>): number | undefined {
  let percent: number | undefined
  let word: number | undefined
  for (const spec of specs) {
    const value = payload[spec.p]
    if (spec.as === 'battery' && typeof value === 'number' && value >= 0 && value <= 100) percent = value / 100
    if (spec.as === 'batteryWord' && typeof value === 'string' && Object.hasOwn(batteryWords, value.toLowerCase()))
      word = batteryWords[value.toLowerCase()]
    if (spec.as === 'batteryLow') {
      const low = readYesNo(spec, value)
      if (low === true) return lowBattery
      // All that it says is that it is not low.
      if (low === false) word ??= 1
    }
  }
  return percent ?? word
}
