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
/** The store keeps it in four bytes, which refuse what is smaller than 10^-45. */
const roundBattery = (part: number) => Math.round(part * 10_000) / 10_000

const common = {
  ts: z.union([z.string(), z.number()]).optional(),
  battery: z.number().min(0).max(1).transform(roundBattery).optional(),
  tamper: z.boolean().optional(),
  fault: z.boolean().optional(),
  seq: z.number().int().min(0).max(Number.MAX_SAFE_INTEGER).optional(),
}

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
  button: z.object({ ...common, event: z.enum(['pressed', 'cancelled', 'test']) }),
  smoke: alarm,
  gas: alarm,
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
}

export type ReadingKind = keyof typeof readingSchemas
export type WaterReading = z.infer<typeof readingSchemas.water>
export type ElectricityReading = z.infer<typeof readingSchemas.electricity>
export type ButtonReading = z.infer<typeof readingSchemas.button>
export type AlarmReading = z.infer<typeof alarm>

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
/** `v1/{gatewayId}/+/command`: the only thing a gateway may subscribe to. */
export const commandFilter = (gatewayId: string) => `${contractVersion}/${gatewayId}/+/command`
