import { isObject, type Json, numberOf } from './json.js'

/**
 * What the codec of a device leaves open, its owner can write down in ChirpStack, as tags of the device or of its
 * profile:
 * - `shouwang_kind` (smoke, gas, co, leak, motion, door, bed, button, voice): what `status`, `state`, `alarm` or `value`
 *   are the state of, for codecs that say no more than `status: 1`;
 * - `shouwang_unit` (m3, L, kWh, Wh …): the unit of a register whose name has none;
 * - `shouwang_litres_per_pulse`, `shouwang_wh_per_pulse`: of a counter of pulses.
 */
export function withTags(object: Json, tags: unknown): Json {
  if (!isObject(tags)) return object
  const tag = (name: string) => (Object.hasOwn(tags, `shouwang_${name}`) ? tags[`shouwang_${name}`] : undefined)
  const kind = tag('kind')
  const named = typeof kind === 'string' && Object.hasOwn(nameOf, kind) ? nameOf[kind] : undefined
  const unit = tag('unit')
  const perPulse = [
    { field: 'litres', size: numberOf(tag('litres_per_pulse')) },
    { field: 'wh', size: numberOf(tag('wh_per_pulse')) },
  ].find(({ size }) => size !== undefined && size > 0)
  const entries = Object.entries(object).map(([name, value]): [string, unknown] => {
    if (named && states.includes(name.toLowerCase())) return [named, value]
    const pulses = perPulse && counters.includes(name.toLowerCase()) ? numberOf(value) : undefined
    return perPulse && pulses !== undefined ? [perPulse.field, pulses * (perPulse.size ?? 1)] : [name, value]
  })
  if (typeof unit === 'string' && !Object.hasOwn(object, 'unit')) entries.push(['unit', unit])
  return Object.fromEntries(entries)
}

/** Each of them a name of the table. */
const nameOf: Record<string, string> = {
  smoke: 'smoke',
  gas: 'gas',
  co: 'co_alarm',
  leak: 'leak',
  motion: 'motion',
  door: 'door',
  bed: 'in_bed',
  button: 'button',
  voice: 'voice',
}
const states = ['status', 'state', 'alarm', 'value', 'event', 'alarm_status', 'alarm_state']
const counters = ['pulse', 'pulses', 'pulse_count', 'total_pulse', 'counter', 'count', 'total_pulses']
