import { decodeOne } from '../decode.js'
import type { Dialect, DialectMemory, DialectOutput } from './dialect.js'

export const receivedAt = Date.parse('2026-06-01T04:00:00Z')

/**
 * What a dialect makes of one message, in lines: readings as they come out of the v1 contract
 * (`device kind time event value …`), and rejections, also of the contract. `payload` that is no text is sent as JSON.
 */
export function hear(
  dialect: Dialect,
  {
    topic,
    payload,
    base = '',
    memory = {},
    settings = null,
    timeZone = 'Asia/Shanghai',
  }: {
    topic: string
    payload: unknown
    base?: string
    memory?: DialectMemory
    settings?: unknown
    timeZone?: string
  },
) {
  const text = typeof payload === 'string' ? payload : JSON.stringify(payload)
  const output: DialectOutput = dialect.read({
    topic,
    base,
    payload: new TextEncoder().encode(text),
    retain: false,
    receivedAt,
    timeZone,
    memory,
    settings,
  })
  const rejections = output.rejections.map(({ reason, detail }) => `${reason}: ${detail}`)
  const readings = output.readings.flatMap(({ nativeId, kind, fields }) => {
    const { reading, rejection } = decodeOne(kind, fields, receivedAt)
    if (rejection) rejections.push(`${rejection.reason}: ${kind}: ${rejection.detail}`)
    if (!reading) return []
    const { observedAt, event, value, rate, unit, battery, tamper, fault, clockWrong, cached } = reading
    const extras = { rate, unit, battery, tamper, fault, cached, clockWrong: clockWrong || undefined }
    return [
      [
        nativeId,
        kind,
        new Date(observedAt).toISOString().replace('.000Z', 'Z'),
        event || undefined,
        value,
        ...Object.entries(extras).map(([name, extra]) => (extra === undefined ? undefined : `${name}=${extra}`)),
      ]
        .filter((part) => part !== undefined)
        .join(' '),
    ]
  })
  return { readings, rejections, output, memory: output.memory ?? memory }
}
