import type { Leaf } from './zigbee2mqtt-leaves.js'
import type { Spec } from './zigbee2mqtt-memory.js'
import { energyFactor, flowFactor, powerFactor, volumeFactor } from './zigbee2mqtt-units.js'

/** What a total is called, the best first; of a device that has several, they say the same or parts of it. */
const energyTotals = [
  ...['energy', 'total_energy', 'energy_all', 'total_active_energy', 'active_energy', 'total_energy_consumption'],
  ...['energy_consumed', 'consumed_energy', 'energy_wh', 'current_summ_delivered'],
]
const waterTotals = [...['water_consumed', 'water_consumed_total', 'water_total', 'summation_delivered', 'volume']]
const waterInputs = /^input_\d+_water_meter$/
const phases = /^energy_(?:phase_)?([abc]|l\d|p\d|\d)$/
const tariffs = /^energy_(?:t|tier_)\d$/
const flows = ['flow', 'flow_rate', 'instantaneous_flow_rate', 'water_current']

const only = (c: string | undefined): Pick<Spec, 'c'> => (c === undefined ? {} : { c })
const times = (x: number | undefined): Pick<Spec, 'x'> => (x === undefined ? {} : { x })

/** The endpoint of a property that is one of several, such as `l2` of `energy_l2`. */
export const endpointOf = ({ endpoint, property }: Leaf): string | undefined =>
  endpoint !== undefined && property.endsWith(`_${endpoint}`) ? endpoint : undefined

const numbers = (leaves: readonly Leaf[]) => leaves.filter(({ type, isSaid }) => type === 'numeric' && isSaid)

/**
 * The electricity that went through a device: one total, or one for each endpoint or phase where there is no total of all,
 * or the tariffs, which make up the total. What was fed in, and what begins anew each day, is no such total.
 */
export function energySpecs(leaves: readonly Leaf[]): Spec[] {
  const said = numbers(leaves)
  const totals = energyTotals.flatMap((total) =>
    said.filter(({ name, property }) => name === total || property === total),
  )
  const whole = totals.find((leaf) => endpointOf(leaf) === undefined)
  if (whole) return [energy(whole), ...power(said, undefined)]
  const endpoints = new Map(totals.map((leaf) => [endpointOf(leaf)!, leaf]))
  for (const leaf of said) {
    const phase = phases.exec(leaf.name)?.[1]
    if (phase !== undefined && endpointOf(leaf) === undefined) endpoints.set(phase, leaf)
  }
  if (endpoints.size > 0) return [...endpoints].flatMap(([c, leaf]) => [energy(leaf, c), ...power(said, c)])
  const parts = said.filter(({ name }) => tariffs.test(name))
  return parts.length > 0 ? [...parts.map((leaf) => energy(leaf)), ...power(said, undefined)] : []
}

const energy = ({ property, unit }: Leaf, c?: string): Spec => ({
  p: property,
  as: 'register',
  k: 'electricity',
  ...times(energyFactor(unit)),
  ...only(c),
})

/** `power` beside the power of a second phase and none of a first is the first phase alone. */
function power(said: readonly Leaf[], c: string | undefined): Spec[] {
  const has = (wanted: string) => said.find(({ property }) => property === wanted)
  if (c === undefined && has('power_phase_b') && !has('power_phase_a')) return []
  const names = c === undefined ? ['power', 'active_power'] : [`power_${c}`, `power_phase_${c}`]
  const leaf = names.map(has).find((found) => found !== undefined)
  const x = powerFactor(leaf?.unit)
  return leaf && x !== undefined ? [{ p: leaf.property, as: 'rate', k: 'electricity', ...times(x), ...only(c) }] : []
}

/** The water that went through a device, and how fast. */
export function waterSpecs(leaves: readonly Leaf[]): Spec[] {
  const said = numbers(leaves)
  const inputs = said.filter(({ name }) => waterInputs.test(name))
  const totals = waterTotals
    .flatMap((total) => said.filter(({ name, isSet }) => name === total && !isSet))
    .filter(({ name, unit }) => name !== 'volume' || volumeFactor(unit) !== undefined)
  const specs = new Map<string, Spec>()
  for (const leaf of [...totals, ...inputs]) {
    const c = endpointOf(leaf)
    if (specs.has(c ?? '')) continue
    specs.set(c ?? '', { p: leaf.property, as: 'register', k: 'water', ...times(volumeFactor(leaf.unit)), ...only(c) })
  }
  const whole = specs.get('')
  const flow = whole && said.find(({ name }) => flows.includes(name))
  const x = flowFactor(flow?.unit)
  return [
    ...specs.values(),
    ...(flow && x !== undefined ? [{ p: flow.property, as: 'rate', k: 'water', x } as const] : []),
  ]
}
