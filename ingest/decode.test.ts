import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { type PlainMeter, type ReadingKind, readingSchemas, readPlainMeter } from './contract.js'
import { decodePayload } from './decode.js'

const receivedAt = Date.UTC(2026, 5, 1, 12)
const decode = (kind: ReadingKind, body: unknown) =>
  decodePayload({ kind, receivedAt, payload: Buffer.from(typeof body === 'string' ? body : JSON.stringify(body)) })
const at = (iso: string) => Date.parse(iso)

describe('understood', () => {
  test.each<[string, ReadingKind, unknown, object]>([
    [
      'water in epoch seconds',
      'water',
      { ts: 1_780_000_000, litres: 12.5, flowLpm: 3 },
      { observedAt: 1_780_000_000_000, value: 12.5, rate: 3, event: '' },
    ],
    ['epoch milliseconds', 'water', { ts: 1_780_000_000_123, litres: 1 }, { observedAt: 1_780_000_000_123 }],
    ['fractional seconds', 'water', { ts: 1_780_000_000.5, litres: 1 }, { observedAt: 1_780_000_000_500 }],
    [
      'ISO with Z',
      'electricity',
      { ts: '2026-06-01T11:59:00Z', wh: 7, w: -3 },
      { observedAt: at('2026-06-01T11:59Z'), value: 7, rate: -3 },
    ],
    [
      'ISO with an offset',
      'electricity',
      { ts: '2026-06-01T19:59:00.250+08:00', wh: 7 },
      { observedAt: at('2026-06-01T11:59:00.250Z') },
    ],
    [
      '23 h ahead',
      'water',
      { ts: '2026-06-02T11:00:00Z', litres: 1 },
      { observedAt: at('2026-06-02T11:00Z'), clockWrong: false },
    ],
    [
      'a button',
      'button',
      { ts: 1_780_000_000, event: 'pressed', battery: 0.5, seq: 7 },
      { event: 'pressed', battery: 0.5, seq: 7 },
    ],
    [
      'a button without a time is kept at arrival',
      'button',
      { event: 'pressed' },
      { observedAt: receivedAt, clockWrong: true },
    ],
    ['a button in 1970', 'button', { ts: 12, event: 'pressed' }, { observedAt: receivedAt, clockWrong: true }],
    [
      'smoke in 2099',
      'smoke',
      { ts: '2099-01-01T00:00:00Z', alarm: true },
      { observedAt: receivedAt, clockWrong: true, event: 'alarm' },
    ],
    [
      'gas with a level',
      'gas',
      { ts: 1_780_000_000, alarm: true, level: 12, unit: '%LEL' },
      { event: 'alarm', value: 12, unit: '%LEL' },
    ],
    ['smoke cleared', 'smoke', { ts: 1_780_000_000, alarm: false }, { event: 'clear' }],
    ['a test alarm is no alarm', 'smoke', { ts: 1_780_000_000, alarm: true, test: true }, { event: 'test' }],
    [
      'null is absent',
      'gas',
      { ts: 1_780_000_000, alarm: true, unit: null, level: null, test: null, battery: null, seq: null },
      { event: 'alarm', value: undefined, unit: undefined, clockWrong: false },
    ],
    ['a button with ts null', 'button', { ts: null, event: 'pressed' }, { observedAt: receivedAt, clockWrong: true }],
    [
      'a button of 7 days ago',
      'button',
      { ts: '2026-05-25T12:00:00Z', event: 'pressed' },
      { observedAt: at('2026-05-25T12:00Z'), clockWrong: false },
    ],
    [
      'a button of over 7 days ago: a clock that fell back',
      'button',
      { ts: '2026-05-25T11:59:59Z', event: 'pressed' },
      { observedAt: receivedAt, clockWrong: true },
    ],
    ['gas in 2023', 'gas', { ts: '2023-01-01T00:00:00Z', alarm: true }, { observedAt: receivedAt, clockWrong: true }],
    [
      'a meter reading of a month ago',
      'water',
      { ts: '2026-05-01T00:00:00Z', litres: 1 },
      { observedAt: at('2026-05-01T00:00Z') },
    ],
    [
      'carbon monoxide',
      'co',
      { ts: 1_780_000_000, alarm: true, level: 90, unit: 'ppm' },
      { event: 'alarm', value: 90 },
    ],
    ['a leak without a time', 'leak', { alarm: true }, { event: 'alarm', observedAt: receivedAt, clockWrong: true }],
    ['movement', 'motion', { ts: 1_780_000_000, motion: true, battery: 0.9 }, { event: 'motion', battery: 0.9 }],
    ['no movement', 'motion', { ts: 1_780_000_000, motion: false }, { event: 'still' }],
    ['a door', 'door', { ts: 1_780_000_000, open: true }, { event: 'open' }],
    ['a door that is closed', 'door', { ts: 1_780_000_000, open: false }, { event: 'closed' }],
    [
      'somebody in bed',
      'bed',
      { ts: 1_780_000_000, inBed: true, breathsPerMin: 14, heartBeatsPerMin: 61.5 },
      { event: 'in', value: 14, rate: 61.5 },
    ],
    [
      'nobody in bed',
      'bed',
      { ts: 1_780_000_000, inBed: false, breathsPerMin: null },
      { event: 'out', value: undefined },
    ],
    ['help called', 'voice', { event: 'help' }, { event: 'help', observedAt: receivedAt, clockWrong: true }],
    ['“I’m fine”', 'voice', { ts: 1_780_000_000, event: 'fine' }, { event: 'fine', clockWrong: false }],
    [
      'an alarm from memory',
      'smoke',
      { ts: 1_780_000_000, alarm: true, cached: true },
      { event: 'alarm', cached: true },
    ],
    ['a press from memory', 'button', { ts: 1_780_000_000, event: 'pressed', cached: true }, { cached: true }],
    ['help from memory', 'voice', { ts: 1_780_000_000, event: 'help', cached: true }, { cached: true }],
    ['unknown fields are ignored', 'water', { ts: 1_780_000_000, litres: 1, colour: 'blue' }, { value: 1 }],
  ])('%s', (_, kind, body, expected) => {
    const { readings, rejections } = decode(kind, body)
    expect(rejections).toEqual([])
    expect(readings).toEqual([expect.objectContaining(expected)])
  })
})

describe('kept without an odd side field, which is noted', () => {
  test.each<[ReadingKind, object, string, object]>([
    [
      'button',
      { ts: 1_780_000_000, event: 'pressed', battery: 85 },
      'battery',
      { event: 'pressed', clockWrong: false },
    ],
    ['button', { ts: true, event: 'pressed' }, 'ts', { event: 'pressed', observedAt: receivedAt, clockWrong: true }],
    ['smoke', { ts: 1_780_000_000, alarm: true, level: 'high' }, 'level', { event: 'alarm', value: undefined }],
    [
      'gas',
      { ts: 1_780_000_000, alarm: true, level: 12, unit: 7, battery: 0.5 },
      'unit',
      { value: 12, unit: undefined, battery: 0.5 },
    ],
    ['gas', { ts: 1_780_000_000, alarm: true, seq: -1, tamper: true }, 'seq', { event: 'alarm', tamper: true }],
    ['smoke', { ts: 1_780_000_000, alarm: true, test: 'no' }, 'test', { event: 'alarm' }],
    ['smoke', { ts: 1_780_000_000, alarm: false, fault: 1, battery: '3 V' }, 'battery', { event: 'clear' }],
    ['water', { ts: 1_780_000_000, litres: 7, battery: 85, flowLpm: 2 }, 'battery', { value: 7, rate: 2 }],
    ['electricity', { ts: 1_780_000_000, wh: 7, w: '40' }, 'w', { value: 7, rate: undefined }],
    ['co', { ts: 1_780_000_000, alarm: true, cached: 'yes' }, 'cached', { event: 'alarm' }],
    ['bed', { ts: 1_780_000_000, inBed: true, breathsPerMin: -1, heartBeatsPerMin: 60 }, 'breathsPerMin', { rate: 60 }],
    ['motion', { ts: 1_780_000_000, motion: true, battery: 85 }, 'battery', { event: 'motion' }],
  ])('%s %j: %s', (kind, body, named, expected) => {
    const { readings, rejections } = decode(kind, body)
    expect(readings).toEqual([expect.objectContaining(expected)])
    expect(rejections).toEqual([
      { reason: 'wrong shape', detail: expect.stringMatching(new RegExp(`^${named}: `)), kept: true },
    ])
  })

  test('in a backlog it is noted once; a reading that is lost is noted each time', () => {
    const batch = Array.from({ length: 100 }, (_, i) => ({ ts: 1_780_000_000 + i, litres: i, battery: 85 }))
    const { readings, rejections } = decode('water', [...batch, { battery: 85 }, { battery: 85 }])
    expect(readings).toHaveLength(100)
    expect(rejections.map(({ kept = false, detail }) => [kept, detail])).toEqual([
      [true, expect.stringMatching(/^reading 1 of 102: battery: /)],
      [false, expect.stringMatching(/^reading 101 of 102: litres: /)],
      [false, expect.stringMatching(/^reading 102 of 102: litres: /)],
    ])
  })
})

describe('quarantined', () => {
  test.each<[string, ReadingKind, unknown, string]>([
    ['malformed JSON', 'water', '{"ts":', 'malformed JSON'],
    ['nothing', 'water', '', 'malformed JSON'],
    ['a wrong type', 'water', { ts: 1_780_000_000, litres: '12' }, 'wrong shape'],
    ['a missing register', 'electricity', { ts: 1_780_000_000 }, 'wrong shape'],
    ['a huge number', 'water', { ts: 1_780_000_000, litres: 1e300 }, 'wrong shape'],
    ['infinity', 'water', '{"ts":1780000000,"litres":1e999}', 'wrong shape'],
    ['a negative register', 'water', { ts: 1_780_000_000, litres: -1 }, 'wrong shape'],
    ['null', 'water', 'null', 'wrong shape'],
    ['a string', 'button', '"pressed"', 'wrong shape'],
    ['an unknown event', 'button', { ts: 1_780_000_000, event: 'help' }, 'wrong shape'],
    ['an unknown word at a panel', 'voice', { ts: 1_780_000_000, event: 'pressed' }, 'wrong shape'],
    ['an alarm that is no boolean', 'leak', { ts: 1_780_000_000, alarm: 1 }, 'wrong shape'],
    ['movement without a time', 'motion', { motion: true }, 'time missing'],
    ['a door in words', 'door', { ts: 1_780_000_000, open: 'open' }, 'wrong shape'],
    ['a bed without an answer', 'bed', { ts: 1_780_000_000, breathsPerMin: 14 }, 'wrong shape'],
    ['a bed in 2099', 'bed', { ts: '2099-01-01T00:00:00Z', inBed: true }, 'time absurd'],
    ['an empty batch', 'water', [], 'wrong shape'],
    [
      '1,001 readings',
      'water',
      Array.from({ length: 1_001 }, (_, i) => ({ ts: 1_780_000_000 + i, litres: i })),
      'batch too large',
    ],
    ['no time', 'water', { litres: 1 }, 'time missing'],
    ['a null time', 'water', { ts: null, litres: 1 }, 'time missing'],
    ['a register of null', 'water', { ts: 1_780_000_000, litres: null }, 'wrong shape'],
    ['a time without zone', 'water', { ts: '2026-06-01T11:59:00', litres: 1 }, 'time missing'],
    ['1970', 'water', { ts: 0, litres: 1 }, 'time absurd'],
    ['2099', 'water', { ts: '2099-01-01T00:00:00Z', litres: 1 }, 'time absurd'],
    ['25 h ahead', 'water', { ts: '2026-06-02T13:00:01Z', litres: 1 }, 'time absurd'],
    ['a time beyond all calendars', 'water', { ts: 1e300, litres: 1 }, 'time absurd'],
    ['deep nesting', 'water', '['.repeat(30_000), 'malformed JSON'],
  ])('%s', (_, kind, body, reason) => {
    const { readings, rejections } = decode(kind, body)
    expect(readings).toEqual([])
    expect(rejections.map((rejection) => rejection.reason)).toEqual([reason])
    expect(rejections[0]!.detail).not.toBe('')
  })
  test('bytes that are not UTF-8', () => {
    const { rejections } = decodePayload({ kind: 'water', receivedAt, payload: Buffer.from([0xff, 0xfe, 0x00]) })
    expect(rejections[0]!.reason).toBe('not UTF-8')
  })
})

test('of a batch of 1,000 with one bad reading the other 999 are kept, and the bad one is named', () => {
  const batch = Array.from({ length: 1_000 }, (_, i) => ({ ts: 1_780_000_000 + i, litres: i === 417 ? 'x' : i }))
  const { readings, rejections } = decode('water', batch)
  expect(readings).toHaveLength(999)
  expect(rejections).toEqual([expect.objectContaining({ reason: 'wrong shape', part: JSON.stringify(batch[417]) })])
  expect(rejections[0]!.detail).toContain('reading 418 of 1000')
})

test('whatever JSON arrives gives readings in bounds or a reason, never an exception', () => {
  const field = fc.constantFrom('ts', 'litres', 'wh', 'event', 'alarm', 'battery', 'seq', 'level', 'unit')
  const value = fc.oneof(fc.jsonValue(), fc.double(), fc.constantFrom('pressed', true, 1_780_000_000))
  const anything = fc.oneof(fc.jsonValue(), fc.dictionary(field, value), fc.array(fc.dictionary(field, value)))
  fc.assert(
    fc.property(fc.constantFrom(...(Object.keys(readingSchemas) as ReadingKind[])), anything, (kind, json) => {
      const { readings, rejections } = decode(kind, JSON.stringify(json) ?? 'null')
      expect(readings.length + rejections.length).toBeGreaterThan(0)
      for (const reading of readings) {
        expect(reading.observedAt).toBeGreaterThanOrEqual(Date.UTC(2020, 0, 1))
        expect(reading.observedAt).toBeLessThanOrEqual(receivedAt + 24 * 3_600_000)
        if (reading.value !== undefined) expect(Number.isFinite(reading.value)).toBe(true)
      }
    }),
    { numRuns: 2_000 },
  )
})

test('a deeply nested reading in a batch is named, and its neighbours are kept', () => {
  const deep = `${'['.repeat(20_000)}${']'.repeat(20_000)}`
  const { readings, rejections } = decode('water', `[{"ts":1780000000,"litres":1},{"x":${deep}}]`)
  expect(readings).toHaveLength(1)
  expect(rejections).toEqual([expect.objectContaining({ reason: 'wrong shape', part: '[too deeply nested to show]' })])
})

test('a battery too small for the store is still a battery', () => {
  expect(decode('button', { ts: 1_780_000_000, event: 'pressed', battery: 1e-46 }).readings).toEqual([
    expect.objectContaining({ battery: 0 }),
  ])
})

describe('a meter reading that needs no schema', () => {
  const bound = [
    0,
    -0,
    1,
    -1,
    0.12345,
    1e-46,
    1e9,
    -1e9,
    1e9 + 1,
    1e12,
    1e12 + 1,
    100_000,
    100_000.5,
    2 ** 53,
    2 ** 53 - 1,
  ]
  const numbers = fc.oneof(fc.constantFrom(...bound), fc.double(), fc.integer())
  const odd = fc.oneof(numbers, fc.boolean(), fc.string(), fc.jsonValue(), fc.constant(null))
  const orOdd = (usual: fc.Arbitrary<unknown>) =>
    fc.oneof(
      { weight: 8, arbitrary: usual },
      { weight: 1, arbitrary: odd },
      { weight: 1, arbitrary: fc.constant(null) },
    )
  const item = fc.record(
    {
      ts: orOdd(fc.constantFrom(1_780_000_000, '2026-06-01T11:59:00Z', '2026-06-01T19:59:00+08:00')),
      litres: orOdd(fc.double({ min: 0, max: 1e12 })),
      flowLpm: orOdd(fc.double({ min: 0, max: 100_000 })),
      wh: orOdd(fc.double({ min: 0, max: 1e12 })),
      w: orOdd(fc.double({ min: -1e9, max: 1e9 })),
      battery: orOdd(fc.double({ min: 0, max: 1 })),
      tamper: orOdd(fc.boolean()),
      fault: orOdd(fc.boolean()),
      seq: orOdd(fc.nat()),
      unknown: odd,
    },
    { requiredKeys: [] },
  )
  const anything = fc.oneof({ weight: 9, arbitrary: item }, { weight: 1, arbitrary: fc.jsonValue() })
  const schemaSays = (kind: 'water' | 'electricity', json: unknown): PlainMeter | undefined => {
    const isObject = typeof json === 'object' && json !== null && !Array.isArray(json)
    const given = isObject ? Object.fromEntries(Object.entries(json).filter(([, value]) => value !== null)) : json
    const parsed = readingSchemas[kind].safeParse(given)
    if (!parsed.success) return undefined
    const { ts, battery, tamper, fault, seq } = parsed.data
    const { litres, flowLpm, wh, w } = parsed.data as unknown as Record<string, number>
    const [register, rate] = kind === 'water' ? [litres!, flowLpm] : [wh!, w]
    return { ts, register, rate, battery, tamper, fault, seq }
  }

  test('says what the schema says, and leaves to the schema what it refuses', () => {
    let plain = 0
    fc.assert(
      fc.property(fc.constantFrom('water' as const, 'electricity' as const), anything, (kind, given) => {
        const json: unknown = JSON.parse(JSON.stringify(given) ?? 'null')
        const read = readPlainMeter(kind, json)
        expect(read).toEqual(schemaSays(kind, json))
        if (read) plain++
      }),
      { numRuns: 5_000 },
    )
    expect(plain).toBeGreaterThan(500)
  })

  test.each(['button', 'smoke', 'gas'] as const)('is none of a %s', (kind) => {
    expect(readPlainMeter(kind, { ts: 1_780_000_000, event: 'pressed', alarm: true, litres: 1 })).toBeUndefined()
  })
  test.each(['{"ts":1e999,"litres":1}', '{"litres":1e999}', '{"litres":1,"seq":1e999}', '{"litres":1,"seq":1.5}'])(
    '%s is left to the schema',
    (text) => {
      expect(readPlainMeter('water', JSON.parse(text))).toBeUndefined()
    },
  )
  test('"__proto__" in it is a field that nobody knows', () => {
    expect(readPlainMeter('water', JSON.parse('{"__proto__":{"litres":1},"ts":1780000000}'))).toBeUndefined()
  })
})
