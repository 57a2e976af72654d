import { isObject } from './json.js'
import { plainText } from './plain-text.js'
import { callActions } from './zigbee2mqtt-actions.js'
import { alarmSpecs, yesNo } from './zigbee2mqtt-alarms.js'
import { settablesOf } from './zigbee2mqtt-commands.js'
import { type Leaf, readLeaves } from './zigbee2mqtt-leaves.js'
import type { Model, Spec } from './zigbee2mqtt-memory.js'
import { endpointOf, energySpecs, waterSpecs } from './zigbee2mqtt-meters.js'

const specsMax = 200
const textCharsMax = 200
/** Worn on a key ring: it says that it is at home, not that somebody moves. */
const isTag = (description: string) => /arrival|\b(tag|fob|tracker)\b/i.test(description)
const isBed = (description: string) => /\bbed\b/i.test(description)
/** They are switched: their actions are of light switches, and would call for help with every lamp. */
const operated = ['light', 'switch', 'cover', 'lock', 'climate', 'fan']
const fallen = /^(fall|falling|fall_alarm)$/

const channel = (leaf: Leaf): Pick<Spec, 'c'> => {
  const c = endpointOf(leaf)
  return c === undefined ? {} : { c }
}

/**
 * What the messages of a device mean, from its definition in `bridge/devices`; undefined where it has none.
 */
export function describeModel(definition: unknown): Model | undefined {
  if (!isObject(definition)) return undefined
  const description = plainText(definition.description, textCharsMax)
  const leaves = readLeaves(definition.exposes)
  const isOperated = (Array.isArray(definition.exposes) ? definition.exposes : []).some(
    (expose) => isObject(expose) && operated.includes(String(expose.type)),
  )
  const own = [
    ...alarmSpecs(leaves, description, channel),
    ...callSpecs(leaves, description, isOperated),
    ...energySpecs(leaves),
    ...waterSpecs(leaves),
    ...stateSpecs(leaves, description),
  ]
  const w = settablesOf(definition.exposes, leaves, description)
  const s = own.length > 0 ? [...own, ...commonSpecs(leaves)].slice(0, specsMax) : []
  return { s, ...(s.length > 0 && w ? { w } : {}) }
}

/** Calls for help: as an action, as a state, and by a sensor that has seen a fall. */
function callSpecs(leaves: readonly Leaf[], description: string, isOperated: boolean): Spec[] {
  return leaves.flatMap((leaf): Spec[] => {
    const { name, property, type, isSaid, isSet, values } = leaf
    if (!isSaid || isSet) return []
    if (name === 'action') {
      const calls = callActions(values.map(String), { description, isOperated })
      return calls === 'none'
        ? []
        : [{ p: property, as: 'press', k: 'button', ...(calls === 'presses' ? { any: true } : {}) }]
    }
    if (type === 'binary' && /^(sos|panic|emergency)(_alarm)?$/.test(name))
      return [{ p: property, as: 'latch', k: 'button', ...yesNo(leaf) }]
    const on = type === 'enum' ? values.filter((value) => fallen.test(String(value))) : []
    return on.length > 0 && /status|state/.test(name)
      ? [{ p: property, as: 'latch', k: 'button', on, off: values.filter((value) => !on.includes(value)) }]
      : []
  })
}

/** Somebody moves, a door is open, somebody lies in bed. */
function stateSpecs(leaves: readonly Leaf[], description: string): Spec[] {
  const said = leaves.filter(({ isSaid, isSet, name }) => isSaid && (!isSet || name === 'contact'))
  const specs: Spec[] = []
  const add = (leaf: Leaf, k: 'motion' | 'door' | 'bed', says: Pick<Spec, 'on' | 'off' | 'mute'>) =>
    specs.push({ p: leaf.property, as: 'state', k, ...says, ...channel(leaf) })
  for (const leaf of said) {
    const { name, type, values } = leaf
    if (type === 'binary' && /^(occupancy|presence|motion)(_alarm_\d|_status)?$/.test(name)) {
      if (isBed(description)) add(leaf, 'bed', yesNo(leaf))
      else if (!isTag(description)) add(leaf, 'motion', yesNo(leaf))
    } else if (type === 'binary' && name === 'contact') add(leaf, 'door', isOpen(leaf))
    else if (type === 'binary' && /^contact_alarm_\d$/.test(name)) add(leaf, 'door', yesNo(leaf))
    else if (type === 'enum' && values.includes('on_the_bed'))
      add(leaf, 'bed', { on: ['on_the_bed'], off: values.filter((value) => value !== 'on_the_bed') })
    else if (
      type === 'numeric' &&
      name === 'breathing_rate' &&
      said.some(({ values }) => values.includes('on_the_bed'))
    )
      specs.push({ p: leaf.property, as: 'breaths', k: 'bed', x: 1 })
  }
  if (!specs.some(({ k }) => k === 'motion'))
    for (const leaf of said.filter(
      ({ type, name }) => type === 'enum' && /^((human_)?motion|presence)_state$/.test(name),
    )) {
      const off = leaf.values.filter((value) => /^none$/i.test(String(value)))
      add(leaf, 'motion', { on: leaf.values.filter((value) => !off.includes(value)), off })
    }
  return specs
}

/** `contact` is true, or "ON", while the door is shut; whichever of the two the definition calls "on". */
const isOpen = ({ on, off }: Leaf): Pick<Spec, 'on' | 'off'> =>
  typeof on === 'string' && typeof off === 'string' ? { on: [off], off: [on] } : { on: [false], off: [true] }

/** Said of the device as a whole. */
function commonSpecs(leaves: readonly Leaf[]): Spec[] {
  const said = leaves.filter(({ isSaid }) => isSaid)
  const find = (type: string, names: RegExp) => said.find((leaf) => leaf.type === type && names.test(leaf.name))
  const percent = said.find(({ type, name, unit }) => type === 'numeric' && name === 'battery' && (unit ?? '%') === '%')
  const low = find('binary', /^battery_low$/)
  const word = find('enum', /^battery_(state|level)$/)
  const tamper = said.filter(({ type, name }) => type === 'binary' && /^tamper(_alarm)?$/.test(name)).slice(0, 1)
  const fault = said.filter(({ type, name }) => type === 'binary' && /^(device_)?fault(_alarm)?$/.test(name))
  const test = said.filter(({ type, name, isSet }) => type === 'binary' && name === 'test' && !isSet)
  return [
    ...(percent ? [{ p: percent.property, as: 'battery' as const }] : []),
    ...(low ? [{ p: low.property, as: 'batteryLow' as const, ...yesNo(low) }] : []),
    ...(word && !percent ? [{ p: word.property, as: 'batteryWord' as const }] : []),
    ...tamper.map((leaf) => ({ p: leaf.property, as: 'tamper' as const, ...yesNo(leaf) })),
    ...fault.slice(0, 2).map((leaf) => ({ p: leaf.property, as: 'fault' as const, ...yesNo(leaf) })),
    ...test.slice(0, 1).map((leaf) => ({ p: leaf.property, as: 'test' as const, ...yesNo(leaf) })),
  ]
}
