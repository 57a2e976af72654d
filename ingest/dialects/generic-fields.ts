import type { ReadingKind } from '../contract.js'
import type { Quantity } from './field-units.js'

/** What a rule can fill in, kind by kind: the fields of the v1 contract, and what goes into each. */
export type FieldType = 'number' | 'flag' | 'press' | 'voice' | 'text'

const alarm = { alarm: 'flag', level: 'number', unit: 'text', test: 'flag' } as const
const fieldsOf: Record<ReadingKind, Record<string, FieldType>> = {
  water: { litres: 'number', flowLpm: 'number' },
  electricity: { wh: 'number', w: 'number' },
  button: { event: 'press' },
  smoke: alarm,
  gas: alarm,
  co: alarm,
  leak: alarm,
  motion: { motion: 'flag' },
  door: { open: 'flag' },
  bed: { inBed: 'flag', breathsPerMin: 'number', heartBeatsPerMin: 'number' },
  voice: { event: 'voice' },
}
const commonFields: Record<string, FieldType> = {
  battery: 'number',
  tamper: 'flag',
  fault: 'flag',
  seq: 'number',
}

/** Without it there is no reading: the first field of each kind. */
export const coreField = (kind: ReadingKind): string => Object.keys(fieldsOf[kind])[0] ?? ''

export const fieldType = (kind: ReadingKind, field: string): FieldType | undefined =>
  Object.hasOwn(fieldsOf[kind], field)
    ? fieldsOf[kind][field]
    : Object.hasOwn(commonFields, field)
      ? commonFields[field]
      : undefined

/** Which units a field can come in; undefined: it has none. */
export const quantityOf: Partial<Record<string, Quantity>> = {
  litres: 'volume',
  flowLpm: 'flow',
  wh: 'energy',
  w: 'power',
  battery: 'part',
}

/** The words that `values` may lead to. */
export const wordsOf: Partial<Record<FieldType, readonly (string | boolean)[]>> = {
  flag: [true, false],
  press: ['pressed', 'cancelled', 'test'],
  voice: ['help', 'fine'],
}
