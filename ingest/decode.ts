import type { z } from 'zod'
import {
  type AlarmReading,
  type BedReading,
  type ButtonReading,
  batchReadingsMax,
  coreFields,
  type DoorReading,
  type ElectricityReading,
  isAlarmKind,
  type MotionReading,
  type PlainMeter,
  type ReadingKind,
  readingSchemas,
  readPlainMeter,
  type VoiceReading,
  type WaterReading,
} from './contract.js'
import { emergencyAgeMsMax, readObservedAt } from './time.js'

/** A reading as it goes to the store. Times in epoch ms. */
export type DecodedReading = {
  observedAt: number
  /** '' for a meter; pressed, cancelled, test; alarm, clear; motion, still; open, closed; in, out; help, fine. */
  event: string
  /** A cumulative register (L, Wh), the level of an alarm in `unit`, or breaths/min in bed. */
  value?: number | undefined
  /** L/min, W, or heart beats/min in bed. */
  rate?: number | undefined
  unit?: string | undefined
  battery?: number | undefined
  tamper?: boolean | undefined
  fault?: boolean | undefined
  seq?: number | undefined
  clockWrong: boolean
  /** Said again from memory: to be verified where the alarm is known already. */
  cached?: boolean | undefined
}
/** `kept`: the reading itself is among the readings, without what is rejected here. */
export type Rejection = { reason: string; detail: string; part?: string; kept?: boolean }
export type Decoded = { readings: DecodedReading[]; rejections: Rejection[] }

const utf8 = new TextDecoder('utf-8', { fatal: true })

/**
 * Turns one payload of the v1 contract into readings and the reasons for what could not be understood; of a batch the
 * good readings are kept, and of a reading with an odd side field the rest. Never throws. An emergency kind whose `ts`
 * is unusable or over 7 days old is kept at arrival time, marked clockWrong; a meter reading without one is rejected.
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
  const parsed = parsePayload(payload)
  if ('reason' in parsed) return { readings: [], rejections: [parsed] }
  const items = Array.isArray(parsed.json) ? parsed.json : [parsed.json]
  if (items.length === 0) return { readings: [], rejections: [{ reason: 'wrong shape', detail: 'an empty array' }] }
  if (items.length > batchReadingsMax)
    return {
      readings: [],
      rejections: [{ reason: 'batch too large', detail: `${items.length} readings, at most ${batchReadingsMax}` }],
    }
  const readings: DecodedReading[] = []
  const rejections: Rejection[] = []
  // A device whose battery is odd is odd in each reading of its backlog: noted once, not a thousand times.
  const noted = new Set<string>()
  items.forEach((item: unknown, index) => {
    const plain = readPlainMeter(kind, item)
    const known = plain && readPlain(plain, receivedAt)
    if (known) {
      readings.push(known)
      return
    }
    const { reading, rejection } = decodeOne(kind, item, receivedAt)
    if (reading) readings.push(reading)
    if (!rejection) return
    if (rejection.kept) {
      if (noted.has(rejection.detail)) return
      noted.add(rejection.detail)
    }
    rejections.push(
      items.length === 1
        ? rejection
        : {
            ...rejection,
            detail: `reading ${index + 1} of ${items.length}: ${rejection.detail}`,
            part: textOf(item),
          },
    )
  })
  return { readings, rejections }
}

/** The reading as text for the operator; JSON.stringify overflows the stack where JSON.parse does not. */
function textOf(item: unknown): string {
  try {
    return JSON.stringify(item)
  } catch {
    return '[too deeply nested to show]'
  }
}

/** A payload as JSON, or why it is none. */
export function parsePayload(payload: Uint8Array): { json: unknown } | Rejection {
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

/** What most readings are: right in every field. Undefined where its time is not, which decodeOne says why. */
function readPlain(plain: PlainMeter, receivedAt: number): DecodedReading | undefined {
  const time = readObservedAt(plain.ts, receivedAt)
  if (time.kind === 'unusable') return undefined
  const { battery, tamper, fault, seq, register, rate } = plain
  return {
    observedAt: time.at,
    clockWrong: false,
    battery,
    tamper,
    fault,
    seq,
    event: '',
    value: register,
    rate,
  }
}

/** One object of the v1 contract. Never throws. */
export function decodeOne(
  kind: ReadingKind,
  item: unknown,
  receivedAt: number,
): { reading?: DecodedReading; rejection?: Rejection } {
  const { fields, issue } = readFields(kind, item)
  if (!fields) return { rejection: { reason: 'wrong shape', detail: describeIssue(issue) } }
  const isAlarm = isAlarmKind(kind)
  const time = readObservedAt(fields.ts, receivedAt, isAlarm ? emergencyAgeMsMax : undefined)
  if (time.kind === 'unusable' && !isAlarm) return { rejection: { reason: time.reason, detail: time.detail } }
  const reading: DecodedReading = {
    observedAt: time.kind === 'known' ? time.at : receivedAt,
    clockWrong: time.kind === 'unusable',
    battery: fields.battery,
    tamper: fields.tamper,
    fault: fields.fault,
    seq: fields.seq,
    ...measured(kind, fields),
  }
  if ('cached' in fields && fields.cached) reading.cached = true
  return issue
    ? { reading, rejection: { reason: 'wrong shape', detail: describeIssue(issue), kept: true } }
    : { reading }
}

type Fields =
  | WaterReading
  | ElectricityReading
  | ButtonReading
  | AlarmReading
  | MotionReading
  | DoorReading
  | BedReading
  | VoiceReading

/** The fields that can be used, null being none, and the `issue` with the others; no fields where the core is unusable. */
function readFields(kind: ReadingKind, item: unknown): { fields?: Fields; issue?: z.core.$ZodIssue | undefined } {
  const given = isObject(item) ? without(item, (_, value) => value === null) : item
  const whole = readingSchemas[kind].safeParse(given)
  if (whole.success) return { fields: whole.data }
  const { issues } = whole.error
  const odd = new Set(issues.map(({ path }) => path[0]))
  const core = issues.find(({ path }) => path.length === 0 || coreFields[kind].includes(String(path[0])))
  if (isObject(given) && !core) {
    const rest = readingSchemas[kind].safeParse(without(given, (name) => odd.has(name)))
    if (rest.success) return { fields: rest.data, issue: issues[0] }
  }
  return { issue: core ?? issues[0] }
}

const isObject = (item: unknown): item is Record<string, unknown> =>
  typeof item === 'object' && item !== null && !Array.isArray(item)
const without = (item: Record<string, unknown>, drops: (name: string, value: unknown) => boolean) =>
  Object.fromEntries(Object.entries(item).filter(([name, value]) => !drops(name, value)))

function measured(kind: ReadingKind, reading: Fields) {
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
    case 'voice':
      return { event: (reading as VoiceReading).event }
    case 'motion':
      return { event: (reading as MotionReading).motion ? 'motion' : 'still' }
    case 'door':
      return { event: (reading as DoorReading).open ? 'open' : 'closed' }
    case 'bed': {
      const { inBed, breathsPerMin, heartBeatsPerMin } = reading as BedReading
      return { event: inBed ? 'in' : 'out', value: breathsPerMin, rate: heartBeatsPerMin }
    }
    case 'smoke':
    case 'gas':
    case 'co':
    case 'leak': {
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
