import type { Spec } from './zigbee2mqtt-memory.js'

/**
 * What properties mean where a device has no definition, or was heard before the bridge told of it: the names that all
 * of Zigbee2MQTT shares. Energy is in kWh in it; water is in L or in m³, which only a definition tells.
 */
export const guessed: readonly Spec[] = [
  { p: 'smoke', as: 'alarm', k: 'smoke' },
  { p: 'gas', as: 'alarm', k: 'gas' },
  { p: 'carbon_monoxide', as: 'alarm', k: 'co' },
  { p: 'water_leak', as: 'alarm', k: 'leak' },
  { p: 'sos', as: 'latch', k: 'button' },
  { p: 'action', as: 'press', k: 'button', any: true },
  { p: 'energy', as: 'register', k: 'electricity', x: 1_000 },
  { p: 'power', as: 'rate', k: 'electricity', x: 1 },
  { p: 'water_consumed', as: 'register', k: 'water' },
  { p: 'occupancy', as: 'state', k: 'motion' },
  { p: 'contact', as: 'state', k: 'door', on: [false], off: [true] },
  { p: 'battery', as: 'battery' },
  { p: 'battery_low', as: 'batteryLow' },
  { p: 'tamper', as: 'tamper' },
  { p: 'test', as: 'test' },
]
const alarms = guessed.filter(({ as }) => as === 'alarm' || as === 'latch')

/**
 * The specs of a message: those of its device, and any alarm that its definition does not tell of and that it says all the
 * same in so many words. Without a definition, actions beside a `state` are those of a light switch.
 */
export function specsFor(known: readonly Spec[] | undefined, payload: Record<string, unknown>): readonly Spec[] {
  if (!known) return 'state' in payload ? guessed.filter(({ as }) => as !== 'press') : guessed
  const more = alarms.filter(({ p }) => typeof payload[p] === 'boolean' && !known.some((spec) => spec.p === p))
  return more.length > 0 ? [...known, ...more] : known
}
