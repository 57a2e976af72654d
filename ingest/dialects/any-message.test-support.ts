import { deepEqual } from 'node:assert'
import fc from 'fast-check'
import { expect } from 'vitest'
import { readingSchemas } from '../contract.js'
import { decodeOne } from '../decode.js'
import { aheadMsMax } from '../time.js'
import {
  type DeviceCommand,
  type Dialect,
  type DialectMemory,
  type DialectMessage,
  type DialectOutput,
  memoryBytesMax,
  sayingsMax,
} from './dialect.js'

const utf8 = new TextEncoder()
const now = Date.UTC(2026, 5, 1, 4)
const earliest = Date.UTC(2020, 0, 1)
const messagesMax = 50
const nativeIdCharsMax = 200
const reasons = [
  'wrong shape',
  'time missing',
  'time absurd',
  'malformed JSON',
  'not UTF-8',
  'topic not in dialect',
  'unknown field',
  'unclaimed device',
  'batch too large',
]

const oddWords = [
  '__proto__',
  'constructor',
  'toString',
  'length',
  '',
  ' ',
  '0',
  '-1',
  'null',
  '状态',
  'a\u0000b',
  '\ud800',
]
const oddNumbers = [0, -0, -1, 1e-320, 1.7e308, 2 ** 53, 0.1, 1_780_000_000, 1_780_000_000_000, 4e9, -4e9, 3e15]
const oddTimes = ['2026-06-01T11:59:00Z', '2026-03-29T02:30:00', '1970-01-01T00:00:11', '2026-13-45T99:99:99', '12:00']
const plainSegments = [
  'v1',
  'tele',
  'stat',
  'device',
  'status',
  'event',
  'bridge',
  'up',
  'sys',
  'thing',
  '0',
  '',
  'état',
]

/** Written into the payload in place of a text: JSON.parse makes Infinity of it. */
const beyondDouble = '1e999'
/** Likewise: JSON.parse reads it, JSON.stringify and whatever calls itself for each level has no stack for it. */
const deepList = '@deep'
const deep = 20_000
const deepText = `${'['.repeat(deep)}${']'.repeat(deep)}`

/**
 * Any JSON whose keys and texts are, more often than not, `words`: what a dialect looks for, in places where it does not
 * expect it. Numbers, times and keys that trip programs up are among it.
 */
export function jsonWith(words: readonly string[]): fc.Arbitrary<unknown> {
  const word = fc.oneof(
    { weight: 6, arbitrary: fc.constantFrom(...words) },
    { weight: 1, arbitrary: fc.constantFrom(...oddWords) },
    { weight: 1, arbitrary: fc.string({ unit: 'binary', maxLength: 300 }) },
  )
  const leaf = fc.oneof(
    word,
    fc.constantFrom(...oddTimes, ...oddNumbers, beyondDouble, deepList),
    fc.double({ noNaN: true, noDefaultInfinity: true }),
    fc.integer(),
    fc.boolean(),
    fc.constant(null),
  )
  return fc.letrec((tie) => ({
    node: fc.oneof(
      { depthSize: 'small', withCrossShrink: true },
      leaf,
      fc.dictionary(word, tie('node'), { maxKeys: 8 }),
      fc.array(tie('node'), { maxLength: 6 }),
    ),
  })).node
}

/** Topics of `segments` and now and then anything else. */
export function topicsOf(segments: readonly string[]): fc.Arbitrary<string> {
  const segment = fc.oneof(
    { weight: 8, arbitrary: fc.constantFrom(...segments) },
    { weight: 1, arbitrary: fc.constantFrom(...plainSegments) },
    { weight: 1, arbitrary: fc.string({ unit: 'binary', maxLength: 250 }) },
  )
  return fc.array(segment, { minLength: 1, maxLength: 9 }).map((all) => all.join('/'))
}

const oddPayloads = [
  '',
  'null',
  '[]',
  '{}',
  '""',
  'online',
  'Offline',
  'true',
  'NaN',
  '-1',
  '1e999',
  '\ufeff{}',
  '{"a":1',
  `"${deepList}"`,
  `${'{"status":'.repeat(deep / 10)}1${'}'.repeat(deep / 10)}`,
  `[${'{},'.repeat(sayingsMax + 5)}{}]`,
]

/** What is no bytes is shown as its JSON where a run fails. */
const textOf = (payload: unknown): string | Uint8Array =>
  payload instanceof Uint8Array ? payload : (JSON.stringify(payload) ?? 'undefined')

const bytesOf = (payload: string | Uint8Array): Uint8Array =>
  typeof payload === 'string'
    ? // Deep once: more would be more than a message can hold.
      utf8.encode(payload.replaceAll(`"${beyondDouble}"`, beyondDouble).replace(`"${deepList}"`, deepText))
    : payload

function freeze<T>(value: T): T {
  if (typeof value === 'object' && value !== null && !Object.isFrozen(value)) {
    Object.freeze(value)
    Object.values(value).forEach(freeze)
  }
  return value
}

/**
 * Holds an adapter to its promises with whatever messages: `topics` and `payloads` are drawn beside what no dialect
 * expects; a payload that is no Uint8Array is sent as its JSON (see `jsonWith`). Fails with the seed of the run: SEED=…
 * in the environment repeats it.
 */
export function anyMessages(
  dialect: Dialect,
  {
    topics = topicsOf(plainSegments),
    payloads = jsonWith(['value', 'status', 'ts', 'time']),
    bases = ['', 'base', 'two/levels'],
    settings = [null],
    runs = 80,
  }: {
    topics?: fc.Arbitrary<string>
    payloads?: fc.Arbitrary<unknown>
    /** Where the gateway may have its topics; they are put before the topic. */
    bases?: readonly string[]
    settings?: readonly unknown[]
    runs?: number
  } = {},
): void {
  const seed = process.env.SEED ? Number(process.env.SEED) | 0 : Math.trunc(Math.random() * 2 ** 31)
  const payload = fc.oneof(
    { weight: 12, arbitrary: payloads.map(textOf) },
    { weight: 1, arbitrary: fc.constantFrom(...oddPayloads) },
    { weight: 1, arbitrary: fc.jsonValue().map(textOf) },
    { weight: 1, arbitrary: fc.uint8Array({ maxLength: 60 }) },
  )
  const message = fc.record({
    topic: fc.oneof({ weight: 9, arbitrary: topics }, { weight: 1, arbitrary: topicsOf(plainSegments) }),
    payload,
    retain: fc.boolean(),
    laterMs: fc.integer({ min: 0, max: 7_200_000 }),
  })
  const gateway = fc.record({
    base: fc.constantFrom(...bases),
    timeZone: fc.constantFrom('Asia/Shanghai', 'Europe/Berlin', 'America/St_Johns', 'Australia/Lord_Howe', 'UTC'),
    settings: fc.constantFrom(...settings),
  })
  const sequence = fc.array(message, { minLength: 1, maxLength: messagesMax, size: 'max' })
  fc.assert(
    fc.property(gateway, sequence, ({ base, ...said }, messages) => {
      let memory: DialectMemory = {}
      let receivedAt = now
      for (const { topic, payload, retain, laterMs } of messages) {
        receivedAt += laterMs
        const whole = base === '' ? topic : `${base}/${topic}`
        memory = check(dialect, { ...said, base, topic: whole, payload: bytesOf(payload), retain, receivedAt, memory })
      }
    }),
    // On a busy machine fewer runs rather than none in time.
    { numRuns: runs, seed, interruptAfterTimeLimit: 5_000 },
  )
}

/** What the adapter keeps after this message. */
function check(dialect: Dialect, message: DialectMessage): DialectMemory {
  freeze(message.memory)
  const output = dialect.read(message)
  expect(dialect.read({ ...message, payload: message.payload.slice() }), 'said twice').toEqual(output)
  checkReadings(output, message.receivedAt)
  for (const { nativeId, kind, name, model } of output.announcements ?? []) {
    expect(Object.hasOwn(readingSchemas, kind)).toBe(true)
    checkNativeId(nativeId)
    for (const text of [name, model]) {
      expect(typeof text).toBe('string')
      expect(text, 'cannot be stored').not.toContain('\0')
    }
  }
  expect((output.announcements ?? []).length).toBeLessThanOrEqual(sayingsMax)
  expect(output.rejections.length).toBeLessThanOrEqual(sayingsMax)
  for (const { reason, detail } of output.rejections) {
    expect(reasons).toContain(reason)
    expect(typeof detail).toBe('string')
    expect(detail.length).toBeLessThanOrEqual(300)
  }
  if (output.presence !== undefined) expect(['online', 'offline']).toContain(output.presence)
  for (const { topic, payload } of output.replies ?? []) checkPublish(topic, payload)
  const memory = output.memory ?? message.memory
  if (output.memory) {
    const text = JSON.stringify(memory)
    // Loosely: -0 comes back as 0.
    deepEqual(JSON.parse(text), memory, 'memory is plain JSON')
    expect(Buffer.byteLength(text)).toBeLessThanOrEqual(memoryBytesMax)
    // PostgreSQL takes neither NUL nor half a character into jsonb.
    expect(text, 'cannot be stored').not.toMatch(/(?<!\\)(\\\\)*\\u(0000|d[89a-f])/)
  }
  for (const nativeId of [
    ...output.readings.map((one) => one.nativeId).slice(0, 3),
    message.topic.replaceAll('\0', ''),
  ])
    for (const command of commands) {
      const written = dialect.write?.({ command, nativeId, base: message.base, memory })
      if (written) checkPublish(written.topic, written.payload)
    }
  return memory
}

function checkReadings({ readings }: DialectOutput, receivedAt: number): void {
  expect(readings.length).toBeLessThanOrEqual(sayingsMax)
  for (const { nativeId, kind, fields } of readings) {
    expect(Object.hasOwn(readingSchemas, kind)).toBe(true)
    checkNativeId(nativeId)
    for (const value of Object.values(fields)) if (typeof value === 'number') expect(value).not.toBeNaN()
    expect(() => JSON.stringify(fields), 'fields that cannot be written down').not.toThrow()
    const { reading, rejection } = decodeOne(kind, fields, receivedAt)
    if (!reading) {
      expect(rejection?.reason, 'a reading or a reason').toBeTruthy()
      continue
    }
    for (const value of Object.values(reading))
      if (typeof value === 'number') expect(Number.isFinite(value), JSON.stringify(fields)).toBe(true)
    expect(reading.observedAt).toBeGreaterThanOrEqual(earliest)
    expect(reading.observedAt).toBeLessThanOrEqual(receivedAt + aheadMsMax)
    if (reading.clockWrong) expect(reading.observedAt).toBe(receivedAt)
  }
}

function checkNativeId(nativeId: string): void {
  expect(typeof nativeId).toBe('string')
  expect(nativeId.length).toBeGreaterThanOrEqual(1)
  expect(nativeId.length).toBeLessThanOrEqual(nativeIdCharsMax)
  expect(nativeId, 'cannot be stored').not.toContain('\0')
}

/** A topic that can be published to, and text. */
function checkPublish(topic: string, payload: string): void {
  expect(topic).toMatch(/^[^+#\0]+$/)
  expect(Buffer.byteLength(topic)).toBeLessThanOrEqual(65_535)
  expect(typeof payload).toBe('string')
}

const commands: DeviceCommand[] = [
  { name: 'prompt', text: '吃药了', language: 'zh' },
  { name: 'chime' },
  { name: 'led', on: true },
  { name: 'close valve' },
  { name: 'self-test' },
]
