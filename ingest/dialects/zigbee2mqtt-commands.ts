import type { DeviceCommand } from './dialect.js'
import { isObject } from './json.js'
import type { Leaf } from './zigbee2mqtt-leaves.js'
import type { Scalar, Settable, Settables, Z2mMemory } from './zigbee2mqtt-memory.js'

/** s: long enough to be heard, short enough not to be an alarm. */
const chimeS = 2
const testNames = /^(self_?test|trigger_selftest|test_alarm|test_cycle|self_checking|test)$/
const ledNames = /^(led|led_enable|led_indication|led_state|enable_indicator|indicator|light_indicator)$/
const valveNames = /^(valve|valve_state|gas_valve_state|electric_valve)$/

/** What devices of a definition can be told to do; undefined: nothing that we would. */
export function settablesOf(exposes: unknown, leaves: readonly Leaf[], description: string): Settables | undefined {
  const set = leaves.filter(({ isSet }) => isSet)
  const chime = chimeOf(exposes)
  const valve = set.find(
    ({ name, parent }) =>
      valveNames.test(name) || (name === 'state' && /valve|shut-?off/i.test(description) && parent !== 'light'),
  )
  const shut = valve && closing(valve)
  const test = set.find(({ name, type }) => testNames.test(name) && type !== 'numeric')
  const led = set.find(({ name, type }) => type === 'binary' && ledNames.test(name))
  const settables: Settables = {
    ...(chime ? { chime } : {}),
    ...(valve && shut !== undefined ? { valve: [valve.property, shut] as Settable } : {}),
    ...(test ? { test: [test.property, starting(test)] as Settable } : {}),
    ...(led?.on !== undefined && led.off !== undefined
      ? { ledOn: [led.property, led.on] as Settable, ledOff: [led.property, led.off] as Settable }
      : {}),
  }
  return Object.keys(settables).length > 0 ? settables : undefined
}

/** The value that shuts a valve: what says close, or else off. */
function closing({ type, on, off, values }: Leaf): Scalar | undefined {
  const choices = type === 'binary' ? [on, off] : values
  const find = (pattern: RegExp) => choices.find((value) => pattern.test(String(value)))
  return find(/^clos/i) ?? find(/^off$/i)
}

const starting = ({ type, on, values }: Leaf): Scalar =>
  type === 'binary' ? (on ?? true) : (values.find((value) => /test|start/i.test(String(value))) ?? values[0] ?? '')

/** A short and quiet warning of a siren; one whose definition has no modes has none that is short. */
function chimeOf(exposes: unknown): Settable | undefined {
  const warning = Array.isArray(exposes)
    ? exposes.find((expose) => isObject(expose) && expose.name === 'warning' && Array.isArray(expose.features))
    : undefined
  const features: unknown[] = warning?.features ?? []
  const valuesOf = (name: string): unknown[] => {
    const feature = features.find((each) => isObject(each) && each.name === name)
    return isObject(feature) && Array.isArray(feature.values) ? feature.values : []
  }
  const mode = ['emergency', 'burglar'].find((each) => valuesOf('mode').includes(each))
  if (mode === undefined) return undefined
  const level = valuesOf('level').includes('low') ? { level: 'low' } : {}
  return ['warning', { mode, ...level, strobe: false, duration: chimeS }]
}

/** What to publish so that a device does it; undefined where it cannot. */
export function writeZ2m({
  command,
  nativeId,
  base,
  memory,
}: {
  command: DeviceCommand
  nativeId: string
  base: string
  memory: Z2mMemory
}): { topic: string; payload: string } | undefined {
  const [name, , model] =
    memory.devices.find(([, id]) => id === nativeId) ??
    memory.devices.find(([, id]) => nativeId.startsWith(`${id}/`)) ??
    []
  const can = model === undefined ? undefined : memory.models[model]?.w
  const settable = can && settableFor(command, can)
  if (name === undefined || !settable) return undefined
  const [property, value] = settable
  return {
    topic: `${base === '' ? '' : `${base}/`}${name}/set`,
    payload: JSON.stringify(Object.fromEntries([[property, value]])),
  }
}

function settableFor(command: DeviceCommand, can: Settables): Settable | undefined {
  switch (command.name) {
    case 'chime':
      return can.chime
    case 'close valve':
      return can.valve
    case 'self-test':
      return can.test
    case 'led':
      return command.on ? can.ledOn : can.ledOff
    case 'prompt':
      return undefined
  }
}
