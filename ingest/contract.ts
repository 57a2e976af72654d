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

const common = {
  ts: z.union([z.string(), z.number()]).optional(),
  // The store keeps it in four bytes, which refuse what is smaller than 10^-45.
  battery: z
    .number()
    .min(0)
    .max(1)
    .transform((part) => Math.round(part * 10_000) / 10_000)
    .optional(),
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
    flowLpm: z.number().min(0).max(100_000).optional(),
  }),
  electricity: z.object({
    ...common,
    wh: z.number().min(0).max(registerMax),
    w: z.number().min(-1e9).max(1e9).optional(),
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

export const presenceSchema = z.enum(['online', 'offline'])

/** `v1/{gatewayId}/{deviceId}/{kind}` */
export const readingTopic = (gatewayId: string, deviceId: string, kind: ReadingKind) =>
  `${contractVersion}/${gatewayId}/${deviceId}/${kind}`
/** `v1/{gatewayId}/status`, retained, `online` or `offline` (the last will). */
export const statusTopic = (gatewayId: string) => `${contractVersion}/${gatewayId}/status`
/** `v1/{gatewayId}/+/command`: the only thing a gateway may subscribe to. */
export const commandFilter = (gatewayId: string) => `${contractVersion}/${gatewayId}/+/command`
