import { type Definition, type Said, saidBy } from './zigbee2mqtt-definitions.test-support.js'

/**
 * What a definition promises, read off by other rules than the adapter's: broad ones, and a list of what they hit by
 * mistake.
 */
export type Form = {
  kind: 'smoke' | 'gas' | 'co' | 'button' | 'leak' | 'motion' | 'door'
  property: string
  /** Of several of the same kind. */
  endpoint?: string | undefined
  isBinary: boolean
  /** What the property is when it says yes, no, and nothing. */
  yes: unknown[]
  no: unknown[]
  nothing: unknown[]
}

const patterns: [RegExp, Form['kind']][] = [
  [/smoke/, 'smoke'],
  [/(^|_)gas(_|$)/, 'gas'],
  [/carbon_monoxide|(^|_)co(_|$)/, 'co'],
  [/(^|_)(sos|panic|emergency)(_|$)/, 'button'],
]
/** Hit by the patterns, and no alarm for people. */
const mistaken: Record<string, string> = {
  smoke_alarm_silenced: 'somebody has silenced it',
  smoke_unit: 'a unit',
  emergency_overvoltage: 'of a socket or thermostat',
  emergency_undervoltage: 'of a socket or thermostat',
  emergency_overcurrent: 'of a socket or thermostat',
  emergency_overheat: 'of a socket or thermostat',
  emergency_no_load: 'of a socket or thermostat',
}
const calling = /(^|_)(sos|panic|emergency)(_|$)/

export function alarmForms(definition: Definition): Form[] {
  return saidBy(definition).flatMap((expose): Form[] => {
    const { name, property, type, access = 1, values = [], value_on, value_off } = expose
    if (name === 'action') {
      const calls = values.filter((value) => calling.test(String(value)))
      // The other keys of a keypad call nobody; those of a call button do, as long as they are pressed.
      const isButton = /sos|panic|emergency/i.test(definition.description)
      const others = values.filter((value) => !calls.includes(value) && (!isButton || /release/.test(String(value))))
      return calls.length > 0
        ? [{ kind: 'button', property, isBinary: false, yes: calls, no: [], nothing: ['', null, ...others] }]
        : []
    }
    const kind = patterns.find(([pattern]) => pattern.test(name))?.[1]
    if (!kind || Object.hasOwn(mistaken, name) || (access & 2) > 0) return []
    if (type === 'binary')
      return [{ kind, property, isBinary: true, yes: [value_on], no: [value_off], nothing: [null] }]
    if (type !== 'enum') return []
    const yes = values.filter((value) => /alarm/i.test(String(value)))
    const no = values.filter((value) => /^(normal|none|ok)$/i.test(String(value)))
    const nothing = values.filter((value) => !yes.includes(value) && !no.includes(value))
    return yes.length > 0 ? [{ kind, property, isBinary: false, yes, no, nothing: [null, ...nothing] }] : []
  })
}

/** What of a device says that there is water, that somebody moves, that a door is open. */
export function otherForms(definition: Definition): Form[] {
  // A tag on a key ring is at home or not, and a bed is a kind of its own.
  const isOther = /arrival|fob|\bbed\b/i.test(definition.description)
  return saidBy(definition).flatMap((expose): Form[] => {
    const { name, property, type, access = 1, value_on, value_off, endpoint } = expose
    if (type !== 'binary' || ((access & 2) > 0 && name !== 'contact')) return []
    const form = { property, isBinary: true, endpoint, nothing: [null] }
    if (/^water_leak(_alarm_\d)?$/.test(name)) return [{ ...form, kind: 'leak', yes: [value_on], no: [value_off] }]
    if (/^(occupancy|presence)(_alarm_\d)?$/.test(name) && !isOther)
      return [{ ...form, kind: 'motion', yes: [value_on], no: [value_off] }]
    // True, or ON, is shut, whichever of the two the definition calls on.
    if (name === 'contact')
      return [
        { ...form, kind: 'door', yes: [value_on === 'ON' ? 'OFF' : false], no: [value_on === 'ON' ? 'ON' : true] },
      ]
    return []
  })
}

export type Total = { property: string; kind: 'water' | 'electricity'; unit: string | undefined }

const factors: Record<string, number> = { Wh: 1, kWh: 1_000, L: 1, 'm³': 1_000, m3: 1_000, gal: 3.785411784 }
/** To Wh or L. */
export const factorOf = ({ unit }: Total): number | undefined => (unit === undefined ? undefined : factors[unit])

/** Begins anew, goes the other way, is no quantity of its own, or is a limit: not a total of what was used. */
const noTotal =
  /produced|reverse|output|received|_out_|reactive|today|yesterday|daily|month|week|hour|last|session|once|single|surplus|irrigation|balance|start|now|heat|limit|threshold|rating|preset|quantitative|statistics|tier\d+_summ|tariff/
const isTotal = ({ name, type, unit, access = 1, isPart }: Said) =>
  type === 'numeric' &&
  !isPart &&
  !noTotal.test(name) &&
  ((['Wh', 'kWh', 'L', 'm³', 'm3', 'gal'].includes(unit ?? '') && (name.includes('_meter') || (access & 2) === 0)) ||
    /^(energy|summation_delivered|water_consumed)$/.test(name)) &&
  // Gas of a meter is neither.
  name !== 'gas'

export const totals = (definition: Definition): Total[] =>
  saidBy(definition)
    .filter(isTotal)
    .map(({ property, unit }) => ({ property, unit, kind: /Wh$/.test(unit ?? 'Wh') ? 'electricity' : 'water' }))
