import { readFileSync } from 'node:fs'
import { z } from 'zod'
import { StartError } from '../../kit/lifecycle.js'
import { signSchema } from './provider-sign.js'

/**
 * How a provider of text messages or calls is asked over HTTP, as an operator writes it down once; examples/ has one each
 * for the two usual shapes. Values are texts with gaps in braces; `{xml:speech}` is escaped for XML.
 */
export const gapNames = [
  'to',
  'id',
  // All of it with its link; what is said on the telephone; the one line without a link.
  'text',
  'speech',
  'line',
  'what',
  'who',
  'where',
  'time',
  'url',
  // The end of the link, whole and in two parts: some providers' gaps take no more than 35 characters.
  'token',
  'tokenHead',
  'tokenTail',
  'locale',
] as const
export type GapName = (typeof gapNames)[number]
/** What only a page of an alert fills. */
const pageGaps = new Set<string>(['what', 'who', 'where', 'time', 'token', 'tokenHead', 'tokenTail'])

const gapPattern = /\{(xml:)?([A-Za-z]+)\}/g
export type Value = string | number | boolean | { [name: string]: Value }
const value: z.ZodType<Value> = z.lazy(() =>
  z.union([z.string(), z.number(), z.boolean(), z.record(z.string(), value)]),
)
const values = z.record(z.string(), value)

const gapsIn = (text: string) => [...text.matchAll(gapPattern)].map(([, , name]) => name!)
const textsIn = (part: Value): string[] =>
  typeof part === 'object' ? Object.values(part).flatMap(textsIn) : [String(part)]

/** `2xx` and the like, or one status. */
const status = z.union([z.number().int().min(100).max(599), z.string().regex(/^[1-5]xx$/)])
export const meanings = ['sent', 'delivered', 'limited', 'retry', 'refused', 'broken'] as const
const rule = z
  .strictObject({
    status: z.array(status).min(1).optional(),
    /** A field of the JSON answer, such as `Code` or `error.code`, and the values it may have; `isv.*` is all that begin so. */
    field: z.string().min(1).optional(),
    is: z.array(z.union([z.string(), z.number(), z.boolean()])).optional(),
    means: z.enum(meanings),
  })
  .refine(({ status, field }) => status || field, 'needs "status" or "field"')
  .refine(({ field, is }) => Boolean(field) === Boolean(is), '"field" and "is" go together')

const providerSchema = z
  .strictObject({
    /** For the operator. */
    name: z.string().min(1).max(100),
    about: z.string().optional(),
    method: z.enum(['POST', 'GET']).default('POST'),
    url: z.url({ protocol: /^https?$/ }),
    /** Where the values go. */
    send: z.enum(['form', 'json', 'query']).default('form'),
    headers: z.record(z.string().regex(/^[A-Za-z0-9-]+$/), z.string().regex(/^[\x20-\x7E]*$/)).default({}),
    /** For a page of an alert. */
    values,
    /** For what is not a page: a test, a digest. Left out, `values` serves where it has only gaps that these fill. */
    messageValues: values.optional(),
    sign: signSchema.default({ way: 'none' }),
    /** The first that fits decides; an answer that fits none goes by its status. */
    answers: z.array(rule).min(1),
    /** Of a text message: how many parts it may take, and characters that the provider adds to it, such as 【name】. */
    partsMax: z.number().int().min(1).max(10).default(2),
    reservedChars: z.number().int().min(0).max(70).default(0),
    /** What one gap takes, where the provider bounds it. */
    gapCharsMax: z.number().int().min(5).max(1_000).default(1_000),
    /** How the provider wants numbers: +8613800000000, or 13800000000 within the country. */
    numbers: z.enum(['international', 'national']).default('international'),
    countryCode: z
      .string()
      .regex(/^\d{1,3}$/)
      .default('86'),
  })
  .superRefine((provider, issue) => {
    for (const part of ['values', 'messageValues'] as const)
      for (const gap of textsIn(provider[part] ?? {}).flatMap(gapsIn)) {
        const known = (gapNames as readonly string[]).includes(gap)
        if (!known || (part === 'messageValues' && pageGaps.has(gap)))
          issue.addIssue({ code: 'custom', path: [part], message: `there is nothing to put into {${gap}}` })
      }
    if (!textsIn(provider.values).flatMap(gapsIn).includes('to') && !/\{to\}/.test(provider.url))
      issue.addIssue({ code: 'custom', path: ['values'], message: 'nothing says whom to reach: {to} is missing' })
    if (!provider.answers.some(({ means }) => means === 'sent' || means === 'delivered'))
      issue.addIssue({ code: 'custom', path: ['answers'], message: 'none of them means "sent"' })
    if (provider.sign.way === 'aliyun rpc' && provider.send === 'json')
      issue.addIssue({ code: 'custom', path: ['send'], message: 'way "aliyun rpc" signs a form or a query' })
  })

export type Provider = z.infer<typeof providerSchema>

/** Fills the gaps of one text. */
export const fillText = (text: string, gaps: Record<GapName, string>): string =>
  text.replace(gapPattern, (_, xml: string | undefined, name: GapName) => {
    const filled = gaps[name]
    return xml ? filled.replace(/[&<>"']/g, (char) => `&#${char.charCodeAt(0)};`) : filled
  })

export const fillValue = (part: Value, gaps: Record<GapName, string>): Value =>
  typeof part === 'object'
    ? Object.fromEntries(Object.entries(part).map(([name, inner]) => [name, fillValue(inner, gaps)]))
    : typeof part === 'string'
      ? fillText(part, gaps)
      : part

/** The values for what is not a page; undefined where the provider has none for it. */
export function messageValuesOf(provider: Provider): Provider['values'] | undefined {
  if (provider.messageValues) return provider.messageValues
  return textsIn(provider.values)
    .flatMap(gapsIn)
    .some((gap) => pageGaps.has(gap))
    ? undefined
    : provider.values
}

/** @throws Error with one line that says what is wrong with it, and repeats none of its values. */
export function parseProvider(json: unknown): Provider {
  const parsed = providerSchema.safeParse(json)
  if (parsed.success) return parsed.data
  const issue = parsed.error.issues[0]!
  throw new Error(`${issue.path.join('.') || 'the document'}: ${issue.message}`)
}

/**
 * Reads the provider's file that `setting` names.
 * @throws StartError saying in one line what is wrong with it
 */
export function readProvider({ setting, path }: { setting: string; path: string }): Provider {
  let json: unknown
  try {
    json = JSON.parse(readFileSync(path, 'utf8'))
  } catch (error) {
    const why = error instanceof SyntaxError ? 'is no JSON' : (error as Error).message
    throw new StartError(`setting ${setting} = "${path}": ${why}`)
  }
  try {
    return parseProvider(json)
  } catch (error) {
    throw new StartError(`setting ${setting} = "${path}": ${(error as Error).message}`)
  }
}
