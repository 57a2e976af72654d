import { parsePayload } from '../decode.js'
import type { DialectOutput } from './dialect.js'

export type Json = Record<string, unknown>

export const isObject = (value: unknown): value is Json =>
  typeof value === 'object' && value !== null && !Array.isArray(value)

/** A finite number, also where it is written as text ("21.5"); undefined for anything else. */
export function numberOf(value: unknown): number | undefined {
  const number = typeof value === 'string' && value.trim() !== '' ? Number(value) : value
  return typeof number === 'number' && Number.isFinite(number) ? number : undefined
}

/** The payload as JSON, or the output that says why it is none. */
export function readJson(payload: Uint8Array): { json: unknown } | { output: DialectOutput } {
  const parsed = parsePayload(payload)
  return 'reason' in parsed ? { output: { readings: [], rejections: [parsed] } } : parsed
}

/** For what is known to carry nothing for us. */
export const nothing: DialectOutput = { readings: [], rejections: [] }

/** For what is not understood as a whole. */
export const notUnderstood = (reason: 'wrong shape' | 'topic not in dialect', detail: string): DialectOutput => ({
  readings: [],
  rejections: [{ reason, detail: detail.slice(0, 200) }],
})
