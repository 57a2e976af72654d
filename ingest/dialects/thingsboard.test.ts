import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { anyMessages, jsonWith, topicsOf } from './any-message.test-support.js'
import type { DeviceCommand } from './dialect.js'
import { hear } from './said.test-support.js'
import { thingsboard } from './thingsboard.js'

/** Thousands of messages, on a machine that has other things to do. */
const propertyMsMax = 180_000

const base = 'v1/gateway'
const ms = Date.parse('2026-06-01T03:59:00Z')
const telemetry = (payload: unknown) => hear(thingsboard, { base, topic: 'v1/gateway/telemetry', payload })

describe('what a gateway says of its devices', () => {
  test.each<[name: string, payload: unknown, readings: string[], rejections?: string[]]>([
    [
      'one device',
      { '水表 101': [{ ts: ms, values: { total_m3: 12.345, temperature: 21 } }] },
      ['水表 101 water 2026-06-01T03:59:00Z 12345'],
    ],
    [
      'two devices, two times',
      {
        'Smoke 1': [{ ts: ms, values: { smoke: true, battery: 40 } }],
        'Meter 2': [
          { ts: ms - 60_000, values: { energy_kwh: 1.5 } },
          { ts: ms, values: { energy_kwh: 1.6, power: 90 } },
        ],
      },
      [
        'Smoke 1 smoke 2026-06-01T03:59:00Z alarm battery=0.4',
        'Meter 2 electricity 2026-06-01T03:58:00Z 1500',
        'Meter 2 electricity 2026-06-01T03:59:00Z 1600 rate=90',
      ],
    ],
    ['no time: it is now', { A: [{ values: { smoke: false } }] }, ['A smoke 2026-06-01T04:00:00Z clear']],
    ['values alone', { A: [{ water_leak: 1 }] }, ['A leak 2026-06-01T04:00:00Z alarm']],
    ['no list', { A: { ts: ms, values: { door: 'open' } } }, ['A door 2026-06-01T03:59:00Z open']],
    ['seconds', { A: [{ ts: ms / 1000, values: { total_litres: 7 } }] }, ['A water 2026-06-01T03:59:00Z 7']],
    [
      'time and numbers as text',
      { A: [{ ts: String(ms), values: { total_litres: '7.5', battery: '80%' } }] },
      ['A water 2026-06-01T03:59:00Z 7.5 battery=0.8'],
    ],
    ['a button', { SOS: [{ ts: ms, values: { sos: 1 } }] }, ['SOS button 2026-06-01T03:59:00Z pressed']],
    ['a button let go', { SOS: [{ ts: ms, values: { sos: 0, battery: 50 } }] }, []],
    ['an empty action', { SOS: [{ ts: ms, values: { button: '' } }] }, []],
    [
      'a bed',
      { Bed: [{ ts: ms, values: { in_bed: true, breath_rate: 13.5, heart_rate: 58 } }] },
      ['Bed bed 2026-06-01T03:59:00Z in 13.5 rate=58'],
    ],
    [
      'carbon monoxide',
      { CO: [{ ts: ms, values: { co_alarm: 'alarm', co_ppm: 120 } }] },
      ['CO co 2026-06-01T03:59:00Z alarm 120 unit=ppm'],
    ],
    [
      'consumption in which unit?',
      { A: [{ ts: ms, values: { power_consumption: 7 } }] },
      [],
      ['unknown field: power_consumption (in which unit?)'],
    ],
    [
      'a unit beside it',
      { A: [{ ts: ms, values: { power_consumption: 7, energy_unit: 'kWh' } }] },
      ['A electricity 2026-06-01T03:59:00Z 7000'],
    ],
    [
      'names that nobody knows',
      { A: [{ ts: ms, values: { mystery: 1 } }], B: [{ ts: ms, values: { mystery: 2, riddle: 3 } }] },
      [],
      ['unknown field: mystery, riddle'],
    ],
    ['nothing for us', { A: [{ ts: ms, values: { temperature: 3, humidity: 4, rssi: -70 } }] }, []],
    ['half filled', { A: [{ ts: ms, values: { smoke: null, total_m3: null } }], B: [] }, []],
    [
      'a register that runs below zero',
      { A: [{ ts: ms, values: { total_m3: -2 } }] },
      [],
      ['wrong shape: water: litres: Too small: expected number to be >=0'],
    ],
    [
      'a clock that was never set',
      { A: [{ ts: 1_700_000, values: { total_m3: 2, smoke: 1 } }] },
      ['A smoke 2026-06-01T04:00:00Z alarm clockWrong=true'],
      ['time absurd: water: ts 1970-01-20T16:13:20.000Z is before 2020'],
    ],
    ['a time of another kind', { A: [{ ts: {}, values: { total_m3: 2 } }] }, [], ['time missing: water: no ts']],
    ['no values', { A: [3] }, [], ['wrong shape: A: no values']],
    [
      'a device without a name',
      { '': [{ values: { smoke: 1 } }] },
      [],
      ['wrong shape: a device without a name that can be kept'],
    ],
    ['a list', [{ ts: ms, values: { smoke: 1 } }], [], ['wrong shape: no object with a device for each name']],
  ])('%s', (_, payload, readings, rejections = []) => {
    const heard = telemetry(payload)
    expect({ readings: heard.readings, rejections: heard.rejections }).toEqual({ readings, rejections })
  })
  test('a thousand values are read, and no more', () => {
    const said = Array.from({ length: 1_200 }, (_, index) => ({ ts: ms + index, values: { total_litres: index } }))
    const { readings, rejections } = telemetry({ A: said })
    expect(readings).toHaveLength(1_000)
    expect(rejections).toEqual(['wrong shape: more than 1000 values'])
  })
  test('a thousand readings as well, where a value has two', () => {
    const said = Array.from({ length: 700 }, (_, index) => ({ ts: ms + index, values: { total_litres: 1, smoke: 0 } }))
    const { readings, rejections } = telemetry({ A: said })
    expect(readings).toHaveLength(1_000)
    expect(rejections).toEqual(['wrong shape: more than 1000 values'])
  })
  test.each(['a\u0000b', 'a\ud800', 'a'.repeat(201), 'line\nbreak'])('a device cannot be called %j', (name) => {
    expect(telemetry({ [name]: [{ smoke: 1 }] })).toMatchObject({
      readings: [],
      rejections: ['wrong shape: a device without a name that can be kept'],
    })
  })
  test('a battery that comes alone goes with the next reading of that device', () => {
    const { memory } = telemetry({ A: [{ ts: ms, values: { battery: 15 } }] })
    const next = { A: [{ ts: ms, values: { smoke: 0 } }], B: [{ ts: ms, values: { smoke: 0 } }] }
    expect(hear(thingsboard, { base, topic: 'v1/gateway/telemetry', payload: next, memory }).readings).toEqual([
      'A smoke 2026-06-01T03:59:00Z clear battery=0.15',
      'B smoke 2026-06-01T03:59:00Z clear',
    ])
  })
})

describe('other topics', () => {
  test('a device that is its own gateway: values, with a time, many', () => {
    const topic = 'v1/devices/me/telemetry'
    const of = (payload: unknown) => hear(thingsboard, { base: 'v1/devices/me', topic, payload }).readings
    expect(of({ smoke: 1 })).toEqual(['me smoke 2026-06-01T04:00:00Z alarm'])
    expect(of({ ts: ms, values: { total_m3: 1 } })).toEqual(['me water 2026-06-01T03:59:00Z 1000'])
    expect(of([{ ts: ms, values: { total_m3: 1 } }, { total_m3: 2 }])).toHaveLength(2)
  })
  test('of attributes only alarms are read, as said again; what a device is besides is nothing', () => {
    const payload = { A: { firmwareVersion: '2.3', mystery: 1, smoke: true, total_m3: 5 } }
    expect(hear(thingsboard, { base, topic: 'v1/gateway/attributes', payload })).toMatchObject({
      readings: ['A smoke 2026-06-01T04:00:00Z alarm cached=true'],
      rejections: [],
    })
  })
  test.each([
    'v1/gateway/connect',
    'v1/gateway/disconnect',
    'v1/gateway/rpc',
    'v1/gateway/attributes/request',
    'v1/devices/me/rpc/response/1',
    'v1/devices/me/attributes/request/1',
  ])('%s is known, and nothing', (topic) => {
    const payload = { device: 'A' }
    expect(hear(thingsboard, { topic, payload })).toMatchObject({ readings: [], rejections: [] })
  })
  test.each(['v1/gateway/firmware', 'v2/fw/request', 'telemetry', 'v1/gateway/telemetry/more'])(
    '%s is not',
    (topic) => {
      expect(hear(thingsboard, { topic, payload: {} }).rejections).toEqual([`topic not in dialect: ${topic}`])
    },
  )
  test('below v1/{gatewayId}/ as well', () => {
    expect(hear(thingsboard, { topic: 'gateway/telemetry', payload: { A: [{ smoke: 1 }] } }).readings).toHaveLength(1)
  })
})

describe('commands are calls of methods', () => {
  const close: DeviceCommand = { name: 'close valve' }
  const said = (base: string, nativeId: string, command: DeviceCommand = close) => {
    const written = thingsboard.write?.({ command, nativeId, base, memory: {} })
    return written && [written.topic, JSON.parse(written.payload)]
  }
  test('of a device behind a gateway', () => {
    expect(said(base, '阀门 1')).toEqual([
      'v1/gateway/rpc',
      { device: '阀门 1', data: { id: 1, method: 'closeValve', params: {} } },
    ])
    expect(said(base, 'A', { name: 'prompt', text: '吃药了', language: 'zh-CN' })?.[1]).toMatchObject({
      data: { method: 'prompt', params: { text: '吃药了', language: 'zh-CN' } },
    })
  })
  test('of the device itself', () => {
    expect(said('v1/devices/me', 'me', { name: 'led', on: true })).toEqual([
      'v1/devices/me/rpc/request/1',
      { method: 'setLed', params: { on: true } },
    ])
  })
  test('not under topics of something else', () => {
    expect(said('homes/12', 'A')).toBeUndefined()
    expect(said('v1/devices/me', 'other')).toBeUndefined()
  })
})

test(
  'any message is readings or a reason',
  () => {
    const words = [
      'ts',
      'values',
      'A',
      'smoke',
      'alarm',
      'total_m3',
      'volume',
      'unit',
      'm3',
      'battery',
      'button',
      'short',
    ]
    const json = jsonWith(words)
    const item = fc.oneof(fc.record({ ts: json, values: json }), json)
    anyMessages(thingsboard, {
      topics: fc.oneof(
        fc.constantFrom('telemetry', 'attributes', 'connect').map((what) => `v1/gateway/${what}`),
        fc.constant('v1/devices/me/telemetry'),
        topicsOf(['v1', 'gateway', 'devices', 'me', 'telemetry', 'attributes', 'rpc']),
      ),
      payloads: fc.oneof(
        fc.dictionary(fc.constantFrom('A', '表', '__proto__', ''), fc.array(item, { maxLength: 4 })),
        json,
      ),
      bases: ['', 'v1/gateway', 'v1/devices/me', 'x'],
    })
  },
  propertyMsMax,
)
