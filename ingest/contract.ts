import { z } from 'zod'

/**
 * The contract with gateways, version 1: what a gateway may say, as schemas. Parsed once, here; inside, types are trusted.
 */
export const contractVersion = 'v1'
export const batchReadingsMax = 1_000
export const topicLevelsMax = 4
export const idPattern = /^[A-Za-z0-9._:-]{1,64}$/

/** Registers above this are noise: 10^12 L or Wh. */
const registerMax = 1e12
/** L/min. */
const flowMax = 100_000
/** W, drawn or fed in. */
const powerMax = 1e9
/** Breaths and heart beats. */
const perMinMax = 1_000
/** The store keeps it in four bytes, which refuse what is smaller than 10^-45. */
const roundBattery = (part: number) => Math.round(part * 10_000) / 10_000

const common = {
  ts: z.union([z.string(), z.number()]).optional(),
  battery: z.number().min(0).max(1).transform(roundBattery).optional(),
  tamper: z.boolean().optional(),
  fault: z.boolean().optional(),
  seq: z.number().int().min(0).max(Number.MAX_SAFE_INTEGER).optional(),
}

/**
 * Of a bridge or broker that says again what it had kept: not measured just now. To be verified where the alarm is known,
 * and an alarm like any other where it is news.
 */
const kept = { cached: z.boolean().optional() }

const alarm = z.object({
  ...common,
  alarm: z.boolean(),
  level: z.number().min(-registerMax).max(registerMax).optional(),
  unit: z
    .string()
    .max(32)
    .regex(/^\P{Cc}*$/u)
    .optional(),
  test: z.boolean().optional(),
  ...kept,
})

export const readingSchemas = {
  water: z.object({
    ...common,
    litres: z.number().min(0).max(registerMax),
    flowLpm: z.number().min(0).max(flowMax).optional(),
  }),
  electricity: z.object({
    ...common,
    wh: z.number().min(0).max(registerMax),
    w: z.number().min(-powerMax).max(powerMax).optional(),
  }),
  button: z.object({ ...common, ...kept, event: z.enum(['pressed', 'cancelled', 'test']) }),
  smoke: alarm,
  gas: alarm,
  co: alarm,
  leak: alarm,
  motion: z.object({ ...common, motion: z.boolean() }),
  door: z.object({ ...common, open: z.boolean() }),
  bed: z.object({
    ...common,
    inBed: z.boolean(),
    breathsPerMin: z.number().min(0).max(perMinMax).optional(),
    heartBeatsPerMin: z.number().min(0).max(perMinMax).optional(),
  }),
  voice: z.object({ ...common, ...kept, event: z.enum(['help', 'fine']) }),
} as const

/**
 * What a reading is nothing without. Every other field is a side field: one that cannot be used is dropped and noted,
 * and the reading is kept. `ts` is one for an alarm, which is paged at its arrival then, and so is `test`: in doubt an
 * alarm is real.
 */
export const coreFields: Record<ReadingKind, readonly string[]> = {
  water: ['litres', 'ts'],
  electricity: ['wh', 'ts'],
  button: ['event'],
  smoke: ['alarm'],
  gas: ['alarm'],
  co: ['alarm'],
  leak: ['alarm'],
  motion: ['motion', 'ts'],
  door: ['open', 'ts'],
  bed: ['inBed', 'ts'],
  voice: ['event'],
}

export type ReadingKind = keyof typeof readingSchemas

/** Kinds that may open an alert by themselves, in the transaction of the reading; the others are for the rules. */
export const alarmKinds = ['button', 'smoke', 'gas', 'co', 'leak', 'voice'] as const satisfies ReadingKind[]
export type AlarmKind = (typeof alarmKinds)[number]
const alarmKindSet: ReadonlySet<string> = new Set(alarmKinds)
export const isAlarmKind = (kind: ReadingKind): kind is AlarmKind => alarmKindSet.has(kind)
export type WaterReading = z.infer<typeof readingSchemas.water>
export type ElectricityReading = z.infer<typeof readingSchemas.electricity>
export type ButtonReading = z.infer<typeof readingSchemas.button>
export type AlarmReading = z.infer<typeof alarm>
export type MotionReading = z.infer<typeof readingSchemas.motion>
export type DoorReading = z.infer<typeof readingSchemas.door>
export type BedReading = z.infer<typeof readingSchemas.bed>
export type VoiceReading = z.infer<typeof readingSchemas.voice>

type None = null | undefined
const isNone = (value: unknown): value is None => value === undefined || value === null
const isBetween = (value: unknown, min: number, max: number): value is number =>
  typeof value === 'number' && value >= min && value <= max
const isFlag = (value: unknown): value is boolean | None => typeof value === 'boolean' || isNone(value)

/** The fields of a meter reading, whatever they are called for its kind. */
export type PlainMeter = {
  ts: string | number | undefined
  register: number
  rate: number | undefined
  battery: number | undefined
  tamper: boolean | undefined
  fault: boolean | undefined
  seq: number | undefined
}

/**
 * The meter reading that needs no schema: every field that the contract knows is right, or not there. Undefined for
 * anything else, about which the schema decides. It says what the schema would say (a test with random input holds it to
 * that) without its 0.8 µs and its garbage, and most of what arrives is of this kind.
 */
export function readPlainMeter(kind: ReadingKind, item: unknown): PlainMeter | undefined {
  if ((kind !== 'water' && kind !== 'electricity') || typeof item !== 'object' || item === null || Array.isArray(item))
    return undefined
  const { ts, battery, tamper, fault, seq, litres, flowLpm, wh, w } = item as Record<string, unknown>
  const isWater = kind === 'water'
  const register = isWater ? litres : wh
  const rate = isWater ? flowLpm : w
  const isTime = typeof ts === 'string' || isBetween(ts, -Number.MAX_VALUE, Number.MAX_VALUE)
  if (
    !isBetween(register, 0, registerMax) ||
    !(isNone(rate) || isBetween(rate, isWater ? 0 : -powerMax, isWater ? flowMax : powerMax)) ||
    !(isNone(ts) || isTime) ||
    !(isNone(battery) || isBetween(battery, 0, 1)) ||
    !isFlag(tamper) ||
    !isFlag(fault) ||
    !(isNone(seq) || (isBetween(seq, 0, Number.MAX_SAFE_INTEGER) && Number.isInteger(seq)))
  )
    return undefined
  return {
    ts: ts ?? undefined,
    register,
    rate: rate ?? undefined,
    battery: isNone(battery) ? undefined : roundBattery(battery),
    tamper: tamper ?? undefined,
    fault: fault ?? undefined,
    seq: seq ?? undefined,
  }
}

export const presenceSchema = z.enum(['online', 'offline'])

/** `v1/{gatewayId}/{deviceId}/{kind}` */
export const readingTopic = (gatewayId: string, deviceId: string, kind: ReadingKind) =>
  `${contractVersion}/${gatewayId}/${deviceId}/${kind}`
/** `v1/{gatewayId}/status`, retained, `online` or `offline` (the last will). */
export const statusTopic = (gatewayId: string) => `${contractVersion}/${gatewayId}/status`
/** `v1/{gatewayId}/+/command`: the only thing a gateway of v1 may subscribe to. */
export const commandFilter = (gatewayId: string) => `${contractVersion}/${gatewayId}/+/command`

/** Characters of what a device is asked to say. */
export const promptCharsMax = 200
const detailCharsMax = 200
/** BCP 47: `zh-CN`, `yue`, `nan`. */
export const languagePattern = /^[A-Za-z]{2,8}(-[A-Za-z0-9]{1,8}){0,3}$/

const command = {
  /** One that was seen before is to be ignored: after a crash here the same command may come once more. */
  id: z.uuid(),
  /** When it is too late: what arrives after it is to be ignored. */
  expiresAt: z.iso.datetime(),
}

/** What a home can be asked to do, under `v1/{gatewayId}/{deviceId}/command`. */
export const commandSchemas = {
  prompt: z.object({
    ...command,
    command: z.literal('prompt'),
    text: z
      .string()
      .min(1)
      .max(promptCharsMax)
      .regex(/^\P{Cc}+$/u),
    language: z.string().regex(languagePattern),
  }),
  chime: z.object({ ...command, command: z.literal('chime') }),
  led: z.object({ ...command, command: z.literal('led'), on: z.boolean() }),
  'close valve': z.object({ ...command, command: z.literal('close valve') }),
  'self-test': z.object({ ...command, command: z.literal('self-test') }),
} as const

/**
 * What came of it, under `v1/{gatewayId}/{deviceId}/command-result`: `done` once it is done, not when it was heard;
 * `unsupported` from a device that can do no such thing, and is then not asked again.
 */
export const commandResultSchema = z.object({
  id: z.uuid(),
  result: z.enum(['done', 'failed', 'unsupported']),
  detail: z.string().max(detailCharsMax).optional(),
})
export type CommandResult = z.infer<typeof commandResultSchema>

/** `v1/{gatewayId}/{deviceId}/command`: at QoS 1, not retained. */
export const commandTopic = (gatewayId: string, deviceId: string) =>
  `${contractVersion}/${gatewayId}/${deviceId}/command`
/** `v1/{gatewayId}/{deviceId}/command-result` */
export const commandResultTopic = (gatewayId: string, deviceId: string) =>
  `${contractVersion}/${gatewayId}/${deviceId}/command-result`
