import type { EpochMs } from '../../alerts/model.js'
import type { ReadingKind } from '../contract.js'
import { scaled, unitScale } from './field-units.js'
import { pressOf, truthOf, voiceOf } from './field-words.js'
import { coreField, type FieldType, fieldType, quantityOf } from './generic-fields.js'
import type { GenericRule } from './generic-mapping.js'
import { valueAt } from './generic-path.js'
import { isObject, type Json, numberOf } from './json.js'
import { plainText } from './plain-text.js'
import { localToEpoch } from './tasmota-time.js'

const shownCharsMax = 60

/** Why an item gave no reading, or one without this field. `found`: what stood there, shortened. */
export type TrialProblem = {
  is: 'no device' | 'no value' | 'no number' | 'no such word' | 'no object'
  /** Of `items`, the first being 0; undefined: the rule has none. */
  item?: number | undefined
  field?: string
  path?: string
  found?: string
}

/** `item`: where paths begin; `root`: where those with `$` begin. */
export type Place = { item: unknown; root: unknown }
export type Say = (problem: Omit<TrialProblem, 'item'>) => void

/** The device of a rule, by its topic, in the item or always the same. */
export function deviceOf(
  { segment, path, fixed }: NonNullable<GenericRule['device']>,
  { item, root, topic }: Place & { topic: string },
): unknown {
  if (segment !== undefined) return topic.split('/')[segment - 1]
  if (path === undefined) return fixed
  const found = valueAt(path, { item, root })
  return typeof found === 'number' ? String(found) : found
}

/** The fields of one item; undefined: there is no reading in it. */
export function readFields(
  { kind, fields }: { kind: ReadingKind; fields: NonNullable<GenericRule['fields']> },
  { item, root, say }: Place & { say: Say },
): Json | undefined {
  const core = coreField(kind)
  const read: Json = {}
  for (const [field, spec] of Object.entries(fields)) {
    const type = fieldType(kind, field)
    if (!type) continue
    const { path } = spec
    const found = path === undefined ? spec.fixed : valueAt(path, { item, root })
    const at = path === undefined ? { field } : { field, path }
    const isFilled = found !== undefined && found !== null && found !== ''
    const word = spec.values && wordIn(spec.values, found)
    if (!isFilled && word === undefined) {
      if (field === core) {
        say({ is: 'no value', ...at })
        return undefined
      }
      continue
    }
    const value = word !== undefined ? word : spec.values ? undefined : convert(type, found, spec, field)
    // Nothing was pressed, nothing happened: understood, and no reading.
    if (value === null && field === core) return undefined
    if (value === undefined) {
      say({ is: type === 'number' ? 'no number' : 'no such word', ...at, found: shown(found) })
      if (field === core) return undefined
    } else if (value === 'test' && type === 'flag') {
      read[field] = true
      if (field === 'alarm') read.test = true
    } else if (value !== null) read[field] = value
  }
  return Object.hasOwn(read, core) ? read : undefined
}

function wordIn(values: Record<string, string | boolean | null>, found: unknown) {
  // An object may have a toString that is none.
  if (typeof found === 'object' && found !== null) return undefined
  const key = found === undefined || found === null ? '' : String(found)
  return Object.hasOwn(values, key) ? values[key] : undefined
}

function convert(
  type: FieldType,
  found: unknown,
  { unit, scale, offset = 0 }: { unit?: string | undefined; scale?: number | undefined; offset?: number | undefined },
  field: string,
): unknown {
  if (type === 'flag') return truthOf(found)
  if (type === 'press') return pressOf(found)
  if (type === 'voice') return voiceOf(found)
  if (type === 'text') return plainText(found, 32) || undefined
  const number = numberOf(found)
  if (number === undefined) return undefined
  const quantity = quantityOf[field]
  const factor = scale ?? (unit !== undefined && quantity ? unitScale(quantity, unit) : 1) ?? 1
  const value = scaled(scaled(number, factor) + offset, 1)
  return Number.isFinite(value) ? value : undefined
}

/** The `ts` of a reading, as the v1 contract takes it; undefined: there is none where one should be. */
export function timeOf(
  { time }: GenericRule,
  { item, root, receivedAt, timeZone }: Place & { receivedAt: EpochMs; timeZone: string },
): string | number | undefined {
  if (!time) return new Date(receivedAt).toISOString()
  const found = valueAt(time.path, { item, root })
  const number = numberOf(found)
  if (time.format === 's' || time.format === 'ms') {
    const at = number === undefined ? Number.NaN : number * (time.format === 's' ? 1_000 : 1)
    // As text: what is 1970 in milliseconds is a date of today in seconds.
    return Math.abs(at) <= 8.64e15 ? new Date(at).toISOString() : undefined
  }
  if (number !== undefined && time.format !== 'iso') return number
  if (typeof found !== 'string') return undefined
  return localToEpoch(found, timeZone, receivedAt) ?? plainText(found, 40)
}

/** What was found, shortened, for people. */
export const shown = (value: unknown): string =>
  typeof value === 'string'
    ? `"${plainText(value, shownCharsMax)}"`
    : Array.isArray(value)
      ? 'a list'
      : isObject(value)
        ? 'an object'
        : String(value)
