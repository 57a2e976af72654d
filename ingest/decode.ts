import type { z } from 'zod'
import {
  type AlarmReading,
  type ButtonReading,
  batchReadingsMax,
  type ElectricityReading,
  type ReadingKind,
  readingSchemas,
  type WaterReading,
} from './contract.js'
import { readObservedAt } from './time.js'

/** A reading as it goes to the store. Times in epoch ms. */
export type DecodedReading = {
  observedAt: number
  /** '' for a meter; pressed, cancelled, test, alarm, clear. */
  event: string
  value?: number | undefined
  rate?: number | undefined
  unit?: string | undefined
  battery?: number | undefined
  tamper?: boolean | undefined
  fault?: boolean | undefined
  seq?: number | undefined
  clockWrong: boolean
}
export type Rejection = { reason: string; detail: string; part?: string }
export type Decoded = { readings: DecodedReading[]; rejections: Rejection[] }

const utf8 = new TextDecoder('utf-8', { fatal: true })

/**
 * Turns one payload of the v1 contract into readings and the reasons for what could not be understood; of a batch the
 * good readings are kept. Never throws. An emergency kind with an unusable `ts` is kept at arrival time, marked
 * clockWrong; a meter reading is rejected.
 */
export function decodePayload({
  kind,
  payload,
  receivedAt,
}: {
  kind: ReadingKind
  payload: Uint8Array
  receivedAt: number
}): Decoded {
  const parsed = parse(payload)
  if ('reason' in parsed) return { readings: [], rejections: [parsed] }
  const items = Array.isArray(parsed.json) ? parsed.json : [parsed.json]
  if (items.length === 0) return { readings: [], rejections: [{ reason: 'wrong shape', detail: 'an empty array' }] }
  if (items.length > batchReadingsMax)
    return {
      readings: [],
      rejections: [{ reason: 'batch too large', detail: `${items.length} readings, at most ${batchReadingsMax}` }],
    }
  const decoded: Decoded = { readings: [], rejections: [] }
  items.forEach((item: unknown, index) => {
    const result = decodeOne(kind, item, receivedAt)
    if ('observedAt' in result) decoded.readings.push(result)
    else
      decoded.rejections.push(
        items.length === 1
          ? result
          : {
              ...result,
              detail: `reading ${index + 1} of ${items.length}: ${result.detail}`,
              part: JSON.stringify(item),
            },
      )
  })
  return decoded
}

function parse(payload: Uint8Array): { json: unknown } | Rejection {
  let text: string
  try {
    text = utf8.decode(payload)
  } catch {
    return { reason: 'not UTF-8', detail: `${payload.length} bytes` }
  }
  try {
    return { json: JSON.parse(text) }
  } catch (error) {
    return { reason: 'malformed JSON', detail: error instanceof Error ? error.message.slice(0, 200) : 'unreadable' }
  }
}

function decodeOne(kind: ReadingKind, item: unknown, receivedAt: number): DecodedReading | Rejection {
  const parsed = readingSchemas[kind].safeParse(item)
  if (!parsed.success) return { reason: 'wrong shape', detail: describeIssue(parsed.error.issues[0]) }
  const reading = parsed.data
  const isMeter = kind === 'water' || kind === 'electricity'
  const time = readObservedAt(reading.ts, receivedAt)
  if (time.kind === 'unusable' && isMeter) return { reason: time.reason, detail: time.detail }
  return {
    observedAt: time.kind === 'known' ? time.at : receivedAt,
    clockWrong: time.kind === 'unusable',
    battery: reading.battery,
    tamper: reading.tamper,
    fault: reading.fault,
    seq: reading.seq,
    ...measured(kind, reading),
  }
}

function measured(kind: ReadingKind, reading: WaterReading | ElectricityReading | ButtonReading | AlarmReading) {
  switch (kind) {
    case 'water': {
      const { litres, flowLpm } = reading as WaterReading
      return { event: '', value: litres, rate: flowLpm }
    }
    case 'electricity': {
      const { wh, w } = reading as ElectricityReading
      return { event: '', value: wh, rate: w }
    }
    case 'button':
      return { event: (reading as ButtonReading).event }
    case 'smoke':
    case 'gas': {
      const { alarm, test, level, unit } = reading as AlarmReading
      return { event: test ? 'test' : alarm ? 'alarm' : 'clear', value: level, unit }
    }
  }
}

function describeIssue(issue: z.core.$ZodIssue | undefined): string {
  if (!issue) return 'not understood'
  const path = issue.path.join('.')
  return (path ? `${path}: ${issue.message}` : issue.message).slice(0, 200)
}
