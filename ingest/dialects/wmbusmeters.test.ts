import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { decodeOne } from '../decode.js'
import { anyMessages, jsonWith, topicsOf } from './any-message.test-support.js'
import { type DialectMessage, memoryBytesMax, type Saying } from './dialect.js'
import { wmbusmeters } from './wmbusmeters.js'
import { readMeterStatus } from './wmbusmeters-status.js'

const receivedAt = Date.parse('2026-06-01T04:00:02Z')
const timestamp = '2026-06-01T04:00:00Z'
const message = (payload: unknown, over: Partial<DialectMessage> = {}): DialectMessage => ({
  topic: 'wmbusmeters/33225544',
  base: '',
  payload: Buffer.from(typeof payload === 'string' ? payload : JSON.stringify(payload)),
  retain: false,
  receivedAt,
  timeZone: 'Europe/Berlin',
  memory: {},
  settings: null,
  ...over,
})
const read = (...args: Parameters<typeof message>) => wmbusmeters.read(message(...args))
const telegram = (over: Record<string, unknown>) => ({
  _: 'telegram',
  media: 'water',
  meter: 'iperl',
  name: 'Flat 31',
  id: '33225544',
  timestamp,
  ...over,
})
const says = (kind: Saying['kind'], fields: Record<string, unknown>, nativeId = '33225544'): Saying => ({
  nativeId,
  kind,
  fields: { ts: timestamp, ...fields },
})
const well = { tamper: false, fault: false }
const smoke = { media: 'smoke detector', meter: 'lansensm' }
const door = { media: 'reserved', meter: 'lansendw' }
const power = { media: 'electricity', meter: 'amiplus' }

describe('what is said, with the exact readings', () => {
  test.each<[string, Record<string, unknown>, Saying[]]>([
    ['cubic metres to litres', { total_m3: 123.529, max_flow_m3h: 0 }, [says('water', { litres: 123_529 })]],
    [
      'that all is well: the register, and no leak',
      { media: 'cold water', meter: 'multical21', status: 'OK', total_m3: 20.015, target_m3: 19.9, time_leaking: '' },
      [says('water', { ...well, litres: 20_015 }), says('leak', { ...well, alarm: false })],
    ],
    [
      'a dry pipe is a fault',
      { status: 'DRY', total_m3: 6.408, current_status: 'DRY', time_dry: '22-31 days' },
      [
        says('water', { tamper: false, fault: true, litres: 6_408 }),
        says('leak', { tamper: false, fault: true, alarm: false }),
      ],
    ],
    [
      'a set of words, in any order',
      { status: 'POWER_LOW LEAKING TAMPER', total_m3: 1 },
      [
        says('water', { battery: 0.05, tamper: true, fault: false, litres: 1_000 }),
        says('leak', { battery: 0.05, tamper: true, fault: false, alarm: true }),
      ],
    ],
    [
      'the alarms of an IZAR, with commas; the previous ones are over',
      {
        meter: 'izar',
        total_m3: 3.488,
        last_month_total_m3: 3.486,
        current_alarms: 'meter_blocked,leakage',
        previous_alarms: 'mechanical_fraud',
        remaining_battery_life_y: 14.5,
      },
      [
        says('water', { tamper: false, fault: true, litres: 3_488 }),
        says('leak', { tamper: false, fault: true, alarm: true }),
      ],
    ],
    [
      'no alarm of an IZAR',
      { meter: 'izar', total_m3: 451.397, current_alarms: 'no_alarm' },
      [says('water', { ...well, litres: 451_397 }), says('leak', { ...well, alarm: false })],
    ],
    ['hot water is water', { media: 'hot water', total_m3: 7 }, [says('water', { litres: 7_000 })]],
    [
      'flow in cubic metres an hour',
      { total_m3: 1, volume_flow_m3h: 0.36 },
      [says('water', { litres: 1_000, flowLpm: 6 })],
    ],
    ['flow backwards is none', { total_m3: 1, volume_flow_m3h: -0.1 }, [says('water', { litres: 1_000 })]],
    ['a total as text', { total_m3: '12.5' }, [says('water', { litres: 12_500 })]],
    [
      'a water meter behind a converter, by its driver',
      { media: 'unknown', meter: 'minomess', total_m3: 2 },
      [says('water', { litres: 2_000 })],
    ],
    [
      'electricity, bought and sold, with the date of the device',
      {
        ...power,
        total_energy_consumption_kwh: 15_694.05,
        current_power_consumption_kw: 0.33,
        total_energy_production_kwh: 7.48,
        current_power_production_kw: 0,
        total_energy_consumption_tariff_1_kwh: null,
        device_date_time: '2019-03-20 12:57',
      },
      [says('electricity', { wh: 15_694_050, w: 330 })],
    ],
    [
      'electricity with faults of its own',
      { ...power, meter: 'em24', status: 'I_3_OVERFLOW V_2_OVERFLOW', total_energy_consumption_kwh: 229 },
      [says('electricity', { tamper: false, fault: true, wh: 229_000 })],
    ],
    [
      'a pulse counter whose kWh are calculated',
      { media: 'other', meter: 'lansenpu', status: 'POWER_LOW', a_counter: 4_711, total_kwh: 1_471.1 },
      [says('electricity', { battery: 0.05, ...well, wh: 1_471_100 })],
    ],
    [
      'heat is not electricity, and its water stays in the pipe',
      { media: 'heat', meter: 'kamheat', status: 'OK', total_energy_consumption_kwh: 3_781, total_volume_m3: 344.27 },
      [],
    ],
    ['nor is heat whose kWh are calculated', { media: 'heat', meter: 'elf', total_kwh: 9 }, []],
    ['gas is not water', { media: 'gas', meter: 'unismart', total_m3: 900.5 }, []],
    ['a thermometer', { media: 'room sensor', meter: 'piigth', temperature_c: 21.5 }, []],
    ['a smoke alarm at rest', { ...smoke, status: 'OK' }, [says('smoke', { ...well, alarm: false })]],
    ['smoke', { ...smoke, status: 'SMOKE' }, [says('smoke', { ...well, alarm: true })]],
    [
      'smoke, at the end of its battery',
      { ...smoke, status: 'SMOKE POWER_LOW' },
      [says('smoke', { battery: 0.05, ...well, alarm: true })],
    ],
    [
      'the alarm of its transport layer',
      { ...smoke, status: 'ALARM' },
      [says('smoke', { tamper: false, fault: true, alarm: true })],
    ],
    [
      'no smoke: a detector that is covered, or was taken down',
      {
        ...smoke,
        meter: 'ei6500',
        status: 'SMOKE_DETECTOR_FULLY_COVERED TAMPER_WHILE_REMOVED',
        last_alarm_date: '2022-05-24',
        alarm_counter: 1,
      },
      [says('smoke', { tamper: true, fault: true, alarm: false })],
    ],
    [
      'a gas detector',
      { media: 'gas detector', meter: 'auto', status: 'GAS_ALARM' },
      [says('gas', { ...well, alarm: true })],
    ],
    [
      'a door',
      { ...door, status: 'OPEN', a_counter: 23, error_flags: 'PERMANENT_ERROR' },
      [says('door', { ...well, open: true })],
    ],
    ['a door that is shut', { ...door, status: 'CLOSED' }, [says('door', { ...well, open: false })]],
    [
      'without a time: its arrival',
      { total_m3: 1, timestamp: null },
      [says('water', { ts: receivedAt, litres: 1_000 })],
    ],
    ['the id from its topic', { total_m3: 1, id: undefined }, [says('water', { litres: 1_000 })]],
    ['of something else', { _: 'statistics', total_m3: 1 }, []],
  ])('%s', (_what, over, readings) => {
    expect(read(telegram(over))).toMatchObject({ readings, rejections: [] })
    for (const { kind, fields } of readings) expect(decodeOne(kind, fields, receivedAt).rejection).toBeUndefined()
  })

  test('the alarm of the receiver itself', () => {
    const topic = 'wmbusmeters_alarm'
    expect(read('inactivity No telegram within 1h', { topic })).toEqual({ readings: [], rejections: [] })
  })
})

describe('what is not understood, with the reason', () => {
  test.each<[string, unknown, string, string]>([
    ['a half-filled frame', telegram({ total_m3: null }), 'wrong shape', 'no total_m3'],
    [
      'only what was on the target date',
      telegram({ target_m3: 5, total_at_month_start_m3: 5 }),
      'wrong shape',
      'no total_m3',
    ],
    ['water that ran backwards', telegram({ total_m3: -0.02 }), 'wrong shape', 'total_m3: -0.02'],
    [
      'power alone',
      telegram({ ...power, current_power_consumption_kw: 0.3 }),
      'wrong shape',
      'no total_energy_consumption_kwh',
    ],
    [
      'negative energy',
      telegram({ ...power, total_energy_consumption_kwh: -7 }),
      'wrong shape',
      'total_energy_consumption_kwh: -7',
    ],
    ['a register that is an object', telegram({ total_m3: { toString: 1 } }), 'wrong shape', 'total_m3: object'],
    ['a detector that says nothing', telegram(smoke), 'wrong shape', 'a detector without status'],
    ['a door that is both', telegram({ ...door, status: 'OPEN CLOSED' }), 'wrong shape', 'a door is OPEN or CLOSED'],
    [
      'a medium of tomorrow',
      telegram({ media: 'wine', meter: 'cellar', total_m3: 1 }),
      'unknown field',
      'media "wine" of driver "cellar"',
    ],
    [
      'kWh of nobody knows what',
      telegram({ media: 'other', meter: 'auto', total_energy_consumption_kwh: 1 }),
      'unknown field',
      'media "other"',
    ],
    ['a list', [telegram({ total_m3: 1 })], 'wrong shape', 'a telegram is an object'],
    ['no JSON', '{"media":"water"', 'malformed JSON', ''],
  ])('%s', (_what, payload, reason, detail) => {
    expect(read(payload)).toEqual({ readings: [], rejections: [{ reason, detail: expect.stringContaining(detail) }] })
  })

  test('a telegram of no meter', () => {
    expect(read(telegram({ total_m3: 1, id: '' }), { topic: 'x/' }).rejections).toEqual([
      { reason: 'wrong shape', detail: 'a telegram without the id of its meter' },
    ])
  })

  test('a leak is told though the register is missing', () => {
    const { readings, rejections } = read(telegram({ status: 'BURST' }))
    expect(readings).toEqual([says('leak', { ...well, alarm: true })])
    expect(rejections).toEqual([{ reason: 'wrong shape', detail: 'no total_m3' }])
  })

  test.each([
    ['a time without a zone', '2026-06-01 06:00:00', 'time missing'],
    ['a time of nowhere', '1111-11-11T11:11:11Z', 'time absurd'],
  ])('%s is refused by the contract for a meter, and not for smoke', (_what, time, reason) => {
    const [water] = read(telegram({ total_m3: 1, timestamp: time })).readings
    expect(decodeOne('water', water!.fields, receivedAt).rejection).toMatchObject({ reason })
    const [fire] = read(telegram({ ...smoke, status: 'SMOKE', timestamp: time })).readings
    expect(decodeOne('smoke', fire!.fields, receivedAt).reading).toMatchObject({ event: 'alarm', clockWrong: true })
  })
})

test('a meter is told of once, and again by its new name', () => {
  const first = read(telegram({ total_m3: 1, status: 'OK' }))
  const told = { nativeId: '33225544', name: 'Flat 31', model: 'iperl' }
  expect(first.announcements).toEqual([
    { ...told, kind: 'water' },
    { ...told, kind: 'leak' },
  ])
  const second = read(telegram({ total_m3: 2, status: 'OK' }), { memory: first.memory! })
  expect(second.announcements).toBeUndefined()
  expect(second.memory).toBeUndefined()
  const third = read(telegram({ total_m3: 2, status: 'OK', name: 'Kitchen' }), { memory: first.memory! })
  expect(third.announcements![0]).toEqual({ ...told, name: 'Kitchen', kind: 'water' })
  expect((third.memory!.told as string[]).length).toBe(1)
})

test('of more meters than can be kept the first are told of again', () => {
  let memory: DialectMessage['memory'] = {}
  const hear = (i: number) => {
    const id = `${i}`.padStart(40, '0')
    const output = read(telegram({ total_m3: 1, status: 'OK', id, name: '厨'.repeat(90), meter: '表'.repeat(90) }), {
      memory,
    })
    memory = output.memory ?? memory
    return output
  }
  for (let i = 0; i < 300; i++) hear(i)
  expect(Buffer.byteLength(JSON.stringify(memory))).toBeLessThan(memoryBytesMax)
  expect(hear(299).announcements).toBeUndefined()
  expect(hear(0).announcements).toHaveLength(2)
})

test.each([
  ['', {}],
  ['OK', { leak: false, tamper: false, fault: false }],
  ['BUSY', { leak: false, tamper: false, fault: false }],
  ['LOW_BATTERY_FAULT', { leak: false, tamper: false, fault: false, battery: 0.05 }],
  ['LEAKAGE_PREVIOUSLY', { leak: false, tamper: false, fault: false }],
  ['PERMANENT_ERROR POWER_LOW SABOTAGE_ENCLOSURE', { leak: false, tamper: true, fault: true, battery: 0.05 }],
  ['ok', { leak: false, tamper: false, fault: false }],
  ['NO_LEAKAGE', { leak: false, tamper: false, fault: false }],
])('status "%s"', (text, flags) => {
  const { words: _, ...status } = readMeterStatus(text, undefined)
  expect(status).toEqual(flags)
})

test('whatever comes', () => {
  const words = ['media', 'meter', 'name', 'id', 'status', 'timestamp', 'total_m3', 'total_kwh', 'current_alarms', '_']
  const values = ['water', 'electricity', 'smoke detector', 'lansendw', 'izar', 'OK', 'OPEN', 'SMOKE LEAK', 'telegram']
  const any = jsonWith([...words, ...values])
  const number = fc.oneof(fc.double({ min: -10, max: 1e6, noNaN: true }), fc.double(), any)
  const frame = fc.record(
    {
      media: fc.constantFrom(
        'water',
        'hot water',
        'electricity',
        'smoke detector',
        'gas detector',
        'other',
        'heat',
        '',
      ),
      meter: fc.constantFrom('izar', 'lansendw', 'auto', 'iperl'),
      name: any,
      id: fc.oneof(fc.constantFrom('1', '22', '333'), any),
      status: fc.oneof(fc.constantFrom('OK', 'SMOKE', 'OPEN', 'POWER_LOW LEAK'), any),
      timestamp: fc.oneof(fc.constant('2026-06-01T04:00:00Z'), any),
      total_m3: number,
      total_kwh: number,
      total_energy_consumption_kwh: number,
      current_power_consumption_kw: number,
      volume_flow_m3h: number,
    },
    { requiredKeys: ['media', 'id'] },
  )
  const payloads = fc.oneof({ weight: 4, arbitrary: frame }, { weight: 1, arbitrary: any })
  anyMessages(wmbusmeters, { topics: topicsOf(['wmbusmeters', '12345678', 'meter', 'alarm', '']), payloads })
})
