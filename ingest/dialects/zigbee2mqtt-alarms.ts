import type { AlarmKind } from '../contract.js'
import type { Leaf } from './zigbee2mqtt-leaves.js'
import type { Scalar, Spec } from './zigbee2mqtt-memory.js'

/** What a property is called that says yes or no to an alarm. */
const alarmNames: [RegExp, AlarmKind][] = [
  [/^smoke(_alarm(_\d)?|_state)?$/, 'smoke'],
  [/^gas(_alarm(_\d)?|_state|_sensor_state)?$/, 'gas'],
  [/^(carbon_monoxide|co)(_alarm(_\d)?|_state)?$/, 'co'],
  [/^(active_)?water_leak(age)?(_alarm(_\d)?|_state)?$/, 'leak'],
  [/^(water_sensor|valve_abnormal_state)$/, 'leak'],
]
/** Where a device has no property of its own for its alarm, its description says what it watches for. */
const describedAlarms: [RegExp, AlarmKind][] = [
  [/smoke|fire (alarm|detector)|heat (alarm|detector)/i, 'smoke'],
  [/carbon monoxide|\bco (alarm|detector|sensor)\b/i, 'co'],
  [/\bgas\b|methane|combustible/i, 'gas'],
  [/water leak|leakage|flood (sensor|detector|alarm)/i, 'leak'],
]
const plainAlarmNames = /^alarm(_[12]|_status|_state)?$/

const yes = /^(alarm(ed)?|warning_alarm|critical_alarm|yes|detected|leak|water_leakage_yes)$|(^|,)water_leakage($|,)/i
const no = /^(normal|none|ok|clear|no|not_detected|water_leakage_no|idle)$/i

/** The values of an enumeration that say yes and no; the others, such as `unknown`, say nothing. */
function words({ values, name }: Leaf): Pick<Spec, 'on' | 'off' | 'mute'> | undefined {
  const on = values.filter((value) => yes.test(String(value)))
  if (on.length === 0) return undefined
  // Of a valve any other state says that it does not leak.
  const isNo = (value: Scalar) =>
    name === 'valve_abnormal_state' ? !on.includes(value) : no.test(String(value)) && !on.includes(value)
  const off = values.filter(isNo)
  return { on, off, mute: values.filter((value) => !on.includes(value) && !off.includes(value)) }
}

/** The values of a yes or no; missing where they are true and false. */
export const yesNo = ({ on, off }: Leaf): Pick<Spec, 'on' | 'off'> =>
  on === undefined || off === undefined || (on === true && off === false) ? {} : { on: [on], off: [off] }

function alarmOf(leaf: Leaf, kind: AlarmKind, c: Pick<Spec, 'c'>): Spec[] {
  const says = leaf.type === 'binary' ? yesNo(leaf) : leaf.type === 'enum' ? words(leaf) : undefined
  return says ? [{ p: leaf.property, as: 'alarm', k: kind, ...says, ...c }] : []
}

/** What of a device says that there is smoke, gas, carbon monoxide or water. */
export function alarmSpecs(
  leaves: readonly Leaf[],
  description: string,
  channel: (leaf: Leaf) => Pick<Spec, 'c'>,
): Spec[] {
  const said = leaves.filter(({ isSaid, isSet }) => isSaid && !isSet)
  const named = said.flatMap((leaf) => {
    const kind = alarmNames.find(([names]) => names.test(leaf.name))?.[1]
    return kind ? alarmOf(leaf, kind, channel(leaf)) : []
  })
  const specs =
    named.length > 0
      ? named
      : said
          .filter(({ name }) => plainAlarmNames.test(name))
          .flatMap((leaf) => {
            const kind = describedAlarms.find(([words]) => words.test(description))?.[1]
            return kind ? alarmOf(leaf, kind, channel(leaf)) : []
          })
  return [...specs, ...levelSpecs(said, new Set(specs.map(({ k }) => k)))]
}

const levelNames: [RegExp, AlarmKind][] = [
  [/^smoke_(density|concentration|value|level)(_dbm)?$/, 'smoke'],
  [/^gas(_density|_value|_concentration)?$/, 'gas'],
  [/^(co(_ppm)?|carbon_monoxide_value)$/, 'co'],
]

/** How much of it, where the device says so beside its alarm: the first of several. */
function levelSpecs(said: readonly Leaf[], kinds: ReadonlySet<Spec['k']>): Spec[] {
  const seen = new Set<AlarmKind>()
  return said.flatMap(({ type, name, property, unit }) => {
    const kind = levelNames.find(([names]) => names.test(name))?.[1]
    // A gas meter calls its m³ `gas`, too.
    if (type !== 'numeric' || !kind || !kinds.has(kind) || seen.has(kind) || unit === 'm³') return []
    seen.add(kind)
    return [{ p: property, as: 'level' as const, k: kind, ...(unit ? { u: unit.slice(0, 32) } : {}) }]
  })
}
