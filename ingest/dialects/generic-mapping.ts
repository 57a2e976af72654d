import { z } from 'zod'
import { type ReadingKind, readingSchemas } from '../contract.js'
import { unitScale } from './field-units.js'
import { commandNames, type GenericCommands, isCommandTopic } from './generic-commands.js'
import { coreField, fieldType, quantityOf, wordsOf } from './generic-fields.js'
import { isFilter } from './generic-filter.js'
import { parsePath, pathCharsMax } from './generic-path.js'

const rulesMax = 50
const fieldsMax = 12
const conditionsMax = 5
const choicesMax = 20
const valuesMax = 50
const wordCharsMax = 100
const nameCharsMax = 60
const filterCharsMax = 200
const topicLevelsMax = 20
const commandTopicCharsMax = 200
const commandPayloadCharsMax = 1_000

const kinds = Object.keys(readingSchemas) as [ReadingKind, ...ReadingKind[]]

/** Own findings in both languages; zod's come in its own translations. */
const texts = {
  'not understood': { zh: '无法理解这份映射', en: 'this mapping cannot be understood' },
  'not a path': {
    zh: '不是有效的路径，例如 data.items[0].value',
    en: 'not a path such as data.items[0].value',
  },
  'not a filter': {
    zh: '不是有效的主题过滤器，例如 home/+/smoke 或 home/#',
    en: 'not a topic filter such as home/+/smoke or home/#',
  },
  'one of these': {
    zh: 'segment、path、fixed 三者必须且只能填一个',
    en: 'exactly one of segment, path and fixed is needed',
  },
  'path or fixed': { zh: 'path 和 fixed 必须且只能填一个', en: 'exactly one of path and fixed is needed' },
  'unit or scale': { zh: 'unit 和 scale 只能填一个', en: 'either unit or scale, not both' },
  'no such field': { zh: '这种设备没有该字段', en: 'this kind has no such field' },
  'core missing': { zh: '缺少这种设备必需的字段', en: 'the field that makes a reading of this kind is missing' },
  'no such unit': { zh: '该字段不支持这个单位', en: 'not a unit of this field' },
  'only for numbers': { zh: 'unit、scale、offset 只用于数值字段', en: 'unit, scale and offset are for numbers only' },
  'not for numbers': { zh: 'values 不能用于该字段', en: 'this field has no words' },
  'no such word': { zh: '该字段没有这个取值', en: 'not a word of this field' },
  'not needed': {
    zh: 'ignore 规则只能有 topic、when 和 name',
    en: 'a rule that ignores has a topic, when and a name only',
  },
  'kind missing': { zh: '缺少 kind、device 或 fields', en: 'kind, device and fields are needed' },
  'not a topic': { zh: '不是有效的主题；占位符只能是 {device}', en: 'not a topic; the only placeholder is {device}' },
} as const
type Text = keyof typeof texts
const isText = (text: string): text is Text => Object.hasOwn(texts, text)

const path = z
  .string()
  .max(pathCharsMax)
  .refine((text) => parsePath(text) !== undefined, 'not a path' satisfies Text)
const scalar = z.union([z.string().max(wordCharsMax), z.number(), z.boolean(), z.null()])
const exactly = (count: number, values: unknown[]) => values.filter((value) => value !== undefined).length === count

const device = z
  .strictObject({
    /** Of the topic, the first one being 1. */
    segment: z.number().int().min(1).max(topicLevelsMax).optional(),
    path: path.optional(),
    fixed: z
      .string()
      .min(1)
      .max(nameCharsMax)
      .regex(/^[^\p{Cc}\p{Cs}]+$/u)
      .optional(),
  })
  .refine((one) => exactly(1, [one.segment, one.path, one.fixed]), 'one of these' satisfies Text)

const field = z.preprocess(
  (given) => (typeof given === 'string' ? { path: given } : given),
  z
    .strictObject({
      path: path.optional(),
      fixed: z.union([z.string().max(wordCharsMax), z.number(), z.boolean()]).optional(),
      unit: z.string().max(20).optional(),
      scale: z.number().optional(),
      offset: z.number().optional(),
      /** What the device says → what it means; null: nothing happens. */
      values: z
        .record(z.string().max(wordCharsMax), z.union([z.string().max(wordCharsMax), z.boolean(), z.null()]))
        .refine((all) => Object.keys(all).length <= valuesMax)
        .optional(),
    })
    .refine((one) => exactly(1, [one.path, one.fixed]), 'path or fixed' satisfies Text)
    .refine((one) => one.unit === undefined || one.scale === undefined, 'unit or scale' satisfies Text),
)

const condition = z.strictObject({
  path,
  equals: z.union([scalar, z.array(scalar).min(1).max(choicesMax)]),
})

const rule = z
  .strictObject({
    /** For people. */
    name: z.string().max(nameCharsMax).optional(),
    topic: z
      .string()
      .max(filterCharsMax)
      .refine(isFilter, 'not a filter' satisfies Text),
    when: z.union([condition.transform((one) => [one]), z.array(condition).max(conditionsMax)]).optional(),
    /** Known, and nothing for us: where no other rule reads such a message. */
    ignore: z.literal(true).optional(),
    kind: z.enum(kinds).optional(),
    device: device.optional(),
    /** An array: one reading for each of it; the other paths begin at its items. */
    items: path.optional(),
    fields: z.record(z.string().max(nameCharsMax), field).optional(),
    /** Missing: the arrival. `format` missing: told apart by itself; a time without a zone is local. */
    time: z.strictObject({ path, format: z.enum(['iso', 's', 'ms']).optional() }).optional(),
  })
  .superRefine((one, context) => {
    const say = (message: Text, ...path: string[]) => context.addIssue({ code: 'custom', message, path })
    if (one.ignore) {
      if (!exactly(0, [one.kind, one.device, one.items, one.fields, one.time])) say('not needed')
      return
    }
    const { kind, fields } = one
    if (kind === undefined || fields === undefined || one.device === undefined) {
      say('kind missing')
      return
    }
    if (Object.keys(fields).length > fieldsMax) say('no such field', 'fields')
    if (!Object.hasOwn(fields, coreField(kind))) say('core missing', 'fields', coreField(kind))
    for (const [name, { unit, scale, offset, values, fixed }] of Object.entries(fields)) {
      const type = fieldType(kind, name)
      if (type === undefined) {
        say('no such field', 'fields', name)
        continue
      }
      const quantity = quantityOf[name]
      if (unit !== undefined && (quantity === undefined || unitScale(quantity, unit) === undefined))
        say('no such unit', 'fields', name, 'unit')
      if (type !== 'number' && !exactly(0, [unit, scale, offset])) say('only for numbers', 'fields', name)
      const words = wordsOf[type]
      if (values && !words) say('not for numbers', 'fields', name, 'values')
      for (const [said, word] of Object.entries(words && values ? values : {}))
        if (word !== null && !words?.includes(word)) say('no such word', 'fields', name, 'values', said)
      if (
        fixed !== undefined &&
        (words
          ? typeof fixed === 'number' || !words.includes(fixed)
          : typeof fixed !== (type === 'text' ? 'string' : 'number'))
      )
        say('no such word', 'fields', name, 'fixed')
    }
  })

const commands = z
  .partialRecord(
    z.enum(commandNames),
    z.strictObject({
      topic: z
        .string()
        .max(commandTopicCharsMax)
        .refine(isCommandTopic, 'not a topic' satisfies Text),
      payload: z.string().max(commandPayloadCharsMax),
    }),
  )
  .optional()

/** What an operator writes for a gateway of the generic dialect: how its messages are to be read. See `tryMapping`. */
export const genericMapping = z.strictObject({ rules: z.array(rule).min(1).max(rulesMax), commands })
export type GenericRule = z.output<typeof rule>
export type GenericMapping = { rules: GenericRule[]; commands?: GenericCommands | undefined }

/** One thing that is wrong with a mapping: `at` is where (`rules.0.fields.litres.unit`, '' for all of it). */
export type MappingProblem = { at: string; message: string }

/** A mapping as it was written, checked: itself, or everything that is wrong with it, in the reader's language. */
export function checkMapping(
  given: unknown,
  language: 'zh' | 'en' = 'en',
): { mapping: GenericMapping } | { problems: MappingProblem[] } {
  const { localeError: error } = language === 'zh' ? z.locales.zhCN() : z.locales.en()
  const checked = safely(given, error)
  if (!checked) return { problems: [{ at: '', message: texts['not understood'][language] }] }
  if (checked.success) return { mapping: checked.data }
  return {
    problems: checked.error.issues.map(({ path, message }) => ({
      at: path.map(String).join('.'),
      message: isText(message) ? texts[message][language] : message,
    })),
  }
}

function safely(given: unknown, error: z.core.$ZodErrorMap) {
  try {
    return genericMapping.safeParse(given, { error })
  } catch {
    // zod compares a `length` with a number, and JSON can bring one that refuses: {"length": {"valueOf": 1, "toString": 1}}.
    return undefined
  }
}
