import type { ReadingKind } from '../contract.js'
import type { Rejection } from '../decode.js'
import type { Saying } from './dialect.js'
import { leavesOf } from './field-leaves.js'
import { meaningOf, nameKey, rateQuantity, registerQuantity, type Vocabulary } from './field-names.js'
import { scaled, unitScale } from './field-units.js'
import { batteryOf, batteryOfLow, pressOf, truthOf, voiceOf } from './field-words.js'
import { isObject, type Json, numberOf } from './json.js'
import { plainText } from './plain-text.js'

const namesMax = 10
const nameCharsMax = 40
const detailCharsMax = 200

export type ValuesRead = {
  /** Without the device, which the values do not name. */
  sayings: Omit<Saying, 'nativeId'>[]
  /** Of the device, also where there is no reading that it could come with: 0 to 1. */
  battery: number | undefined
  unknown: string[]
  odd: string[]
}

/**
 * The values of one device at one time as readings: `{battery: 92, leakage_status: 'leak'}`. `ts` is taken over as it is;
 * `cached` marks alarms as said again from memory. Never throws. What is null or '' is not there.
 */
export function readValues(
  values: Json,
  { vocabulary, ts, cached = false }: { vocabulary: Vocabulary; ts: string | number | undefined; cached?: boolean },
): ValuesRead {
  const read: ValuesRead = { sayings: [], battery: undefined, unknown: [], odd: [] }
  const kinds = new Map<ReadingKind, Json>()
  const common: Json = {}
  let isTest = false
  /** Whose own state said so; true: and nothing else of that kind was an alarm. */
  const tested = new Map<ReadingKind, boolean>()
  const leaves = leavesOf(values, vocabulary)
  const units = new Map(leaves.filter(({ name }) => isUnitName(name)).map(({ name, value }) => [nameKey(name), value]))

  const put = (kind: ReadingKind, name: string, value: unknown) => {
    const fields = kinds.get(kind) ?? {}
    kinds.set(kind, fields)
    // The first one counts, but of two alarms the one that is there, and a press before the trial of another button.
    const isMore = (value === true && fields[name] === false) || (value === 'pressed' && fields[name] === 'test')
    if (!Object.hasOwn(fields, name) || isMore) fields[name] = value
  }
  const say = (name: string, value: unknown) => read.odd.push(`${named(name)}: ${describe(value)}`)

  for (const { name, value, unit } of leaves) {
    if (value === null || value === '') continue
    const meaning = meaningOf(vocabulary, name)
    if (!meaning) {
      if (!isUnitName(name)) read.unknown.push(named(name))
      continue
    }
    switch (meaning.is) {
      case 'register':
      case 'rate': {
        const measured = measure(meaning, value, meaning.unit ?? unit ?? unitBeside(units, name, meaning.kind))
        if (measured === 'no unit') read.unknown.push(`${named(name)} (in which unit?)`)
        else if (measured === undefined) say(name, value)
        else put(meaning.kind, fieldOf(meaning), measured)
        break
      }
      case 'state': {
        const truth = meaning.textOnly && typeof value !== 'string' ? undefined : truthOf(value)
        if (truth === undefined) say(name, value)
        else {
          if (truth !== false) tested.set(meaning.kind, truth === 'test' && tested.get(meaning.kind) !== false)
          put(meaning.kind, stateFields[meaning.kind], truth !== false)
        }
        break
      }
      case 'heat':
        if (truthOf(value) !== true) break
        tested.set('smoke', false)
        put('smoke', 'alarm', true)
        break
      case 'press': {
        const press = pressOf(value)
        if (press === undefined) say(name, value)
        else if (press) put('button', 'event', press)
        break
      }
      case 'voice': {
        const event = voiceOf(value)
        if (event === undefined) say(name, value)
        else if (event) put('voice', 'event', event)
        break
      }
      case 'level': {
        const level = numberOf(value)
        if (level === undefined) say(name, value)
        else {
          put(meaning.kind, 'level', level)
          put(meaning.kind, 'unit', meaning.unit)
        }
        break
      }
      case 'breaths':
      case 'heartBeats': {
        const perMin = numberOf(value)
        if (perMin === undefined) say(name, value)
        else put('bed', meaning.is === 'breaths' ? 'breathsPerMin' : 'heartBeatsPerMin', perMin)
        break
      }
      case 'battery':
        read.battery = batteryOf(value, meaning.percent ?? false) ?? read.battery
        break
      case 'batteryLow':
        read.battery ??= batteryOfLow(value)
        break
      case 'tamper':
      case 'fault': {
        const truth = truthOf(value)
        if (typeof truth === 'boolean') common[meaning.is] = truth || common[meaning.is] === true
        else say(name, value)
        break
      }
      case 'test':
        isTest ||= truthOf(value) === true
        break
      case 'valve':
        // Nothing that it measures: what a command can close.
        break
    }
  }
  if (read.battery !== undefined) common.battery = read.battery
  // A test field says nothing of which alarm it is: beside a second one or a call, it may be that one which is real.
  const alarms = [...kinds].filter(([kind, fields]) => coreOf[kind] === 'alarm' && Object.hasOwn(fields, 'alarm'))
  const isOneAlarm = alarms.length === 1 && !kinds.has('button') && !kinds.has('voice')
  for (const [kind, fields] of kinds) {
    const core = coreOf[kind]
    if (!Object.hasOwn(fields, core)) {
      // A concentration without an alarm is a number like the temperature; a heart beat wants to be in a bed.
      if (kind !== 'smoke' && kind !== 'gas' && kind !== 'co') read.odd.push(`${kind}: no ${core}`)
      continue
    }
    if (core === 'alarm' && (tested.get(kind) === true || (isTest && isOneAlarm))) fields.test = true
    const isAlarm = kind === 'button' || kind === 'voice' || core === 'alarm'
    read.sayings.push({
      kind,
      fields: { ...(ts === undefined ? {} : { ts }), ...fields, ...common, ...(cached && isAlarm ? { cached } : {}) },
    })
  }
  if (read.sayings.length === 0)
    for (const flag of ['tamper', 'fault'])
      if (common[flag] === true) read.odd.push(`${flag}, and nothing that it could come with`)
  return read
}

/** What was not understood, as at most two rejections: one for the names, one for the values. */
export function rejectionsOf({ unknown, odd }: { unknown: readonly string[]; odd: readonly string[] }): Rejection[] {
  const listed = (all: readonly string[]) => {
    const each = [...new Set(all)]
    const more = each.length > namesMax ? ` and ${each.length - namesMax} more` : ''
    return `${each.slice(0, namesMax).join(', ').slice(0, detailCharsMax)}${more}`
  }
  return [
    ...(unknown.length > 0 ? [{ reason: 'unknown field', detail: listed(unknown) }] : []),
    ...(odd.length > 0 ? [{ reason: 'wrong shape', detail: listed(odd) }] : []),
  ]
}

const stateFields = {
  smoke: 'alarm',
  gas: 'alarm',
  co: 'alarm',
  leak: 'alarm',
  motion: 'motion',
  door: 'open',
  bed: 'inBed',
} as const
const coreOf: Record<ReadingKind, string> = {
  ...stateFields,
  water: 'litres',
  electricity: 'wh',
  button: 'event',
  voice: 'event',
}
const fieldOf = ({ is, kind }: { is: 'register' | 'rate'; kind: 'water' | 'electricity' }) =>
  kind === 'water' ? (is === 'register' ? 'litres' : 'flowLpm') : is === 'register' ? 'wh' : 'w'

function measure(
  { is, kind }: { is: 'register' | 'rate'; kind: 'water' | 'electricity' },
  value: unknown,
  unit: string | undefined,
): number | 'no unit' | undefined {
  const number = numberOf(value)
  if (number === undefined) return undefined
  if (unit === undefined) return 'no unit'
  const scale = unitScale((is === 'register' ? registerQuantity : rateQuantity)[kind], unit)
  if (scale === undefined) return undefined
  const measured = scaled(number, scale)
  return Number.isFinite(measured) ? measured : undefined
}

const isUnitName = (name: string) => /units?$/.test(nameKey(name))
function unitBeside(units: ReadonlyMap<string, unknown>, name: string, kind: 'water' | 'electricity') {
  const general = kind === 'water' ? ['waterunit', 'volumeunit', 'unit'] : ['energyunit', 'unit']
  for (const key of [`${nameKey(name)}unit`, ...general]) {
    const unit = units.get(key)
    if (typeof unit === 'string' && unit !== '') return unit
  }
  return undefined
}

const named = (name: string) => plainText(name, nameCharsMax) || '?'
const describe = (value: unknown) =>
  typeof value === 'string'
    ? `"${plainText(value, nameCharsMax)}"`
    : Array.isArray(value)
      ? 'a list'
      : isObject(value)
        ? 'an object'
        : String(value)
