import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { anyMessages, jsonWith, topicsOf } from './any-message.test-support.js'
import { chirpstack } from './chirpstack.js'
import type { DialectMemory } from './dialect.js'
import { hear } from './said.test-support.js'

/** Thousands of messages, on a machine that has other things to do. */
const propertyMsMax = 180_000

const eui = '24e124538b223344'
const base = 'application/9f3c6f5e-0000-4000-8000-000000000001'
const topic = (event: string) => `${base}/device/${eui}/event/${event}`
const time = '2026-06-01T03:59:58.250301482+00:00'
const at = '2026-06-01T03:59:58.250Z'
const frame = (object: unknown, more: object = {}) => ({
  deduplicationId: '3ac7e3c4-4401-4b8d-9386-a5c902f9202d',
  time,
  deviceInfo: {
    tenantName: 'ChirpStack',
    applicationId: '9f3c6f5e-0000-4000-8000-000000000001',
    deviceProfileName: 'Axioma W1',
    deviceName: '水表 A-101',
    devEui: eui,
    tags: {},
  },
  devAddr: '00189440',
  adr: true,
  dr: 3,
  fCnt: 812,
  fPort: 85,
  confirmed: false,
  data: 'AXVcA2c0AQ==',
  object,
  rxInfo: [{ gatewayId: '0016c001f153a14c', uplinkId: 4217106255, rssi: -57, snr: 10 }],
  txInfo: { frequency: 868500000 },
  ...more,
})
const up = (object: unknown, more: object = {}) =>
  hear(chirpstack, { base, topic: topic('up'), payload: frame(object, more) })
/** Without what is the same in each. */
const short = (lines: string[]) => lines.map((line) => line.replace(`${eui} `, '').replace(` ${at}`, ''))

describe('frames of codecs in use', () => {
  test.each<[name: string, object: unknown, readings: string[], rejections?: string[]]>([
    ['Milesight WS101', { battery: 16, button_event: { status: 'short press' } }, ['button pressed battery=0.16']],
    ['Milesight WS101, newer', { button_event: { msgid: 7, status: 'long press' } }, ['button pressed']],
    ['Milesight WS101, as of 2021', { battery: 100, press: 'double' }, ['button pressed battery=1']],
    ['Milesight WS101, numbers', { button: 1 }, ['button pressed']],
    ['a button that tells its battery', { battery: 88 }, []],
    ['an empty action', { button_event: { status: '' }, battery: 88, sos: false }, []],
    ['a press that nobody knows', { press: 'unknown' }, [], ['wrong shape: press: "unknown"']],
    [
      'Milesight EM300-ZLD',
      { battery: 92, temperature: 30.8, humidity: 50.5, leakage_status: 'leak' },
      ['leak alarm battery=0.92'],
    ],
    ['Milesight EM300-ZLD, dry', { leakage_status: 'normal' }, ['leak clear']],
    [
      'Milesight WS301',
      { battery: 100, magnet_status: 'open', tamper_status: 'uninstalled' },
      ['door open battery=1 tamper=true'],
    ],
    ['Milesight WS202', { battery: 16, pir: 'trigger', daylight: 'dark' }, ['motion motion battery=0.16']],
    ['Milesight GS101', { gas_status: 'alarm', valve_status: 'off', life_remain: 157680000 }, ['gas alarm']],
    [
      'Milesight GS524N',
      {
        version: 2,
        protocol: 2,
        type: 'smoke sensor',
        battery: 100,
        concentration: 31,
        temperature: 28,
        event: 'alarm',
      },
      ['smoke alarm 31 unit=% battery=1'],
    ],
    [
      'Milesight GS524N, tried out',
      { type: 'smoke sensor', battery: 100, concentration: 0, event: 'testing alarm with normal battery' },
      ['smoke test 0 unit=% battery=1'],
    ],
    ['Milesight GS524N, taken down', { type: 'smoke sensor', event: 'removed' }, ['smoke clear tamper=true']],
    [
      'Milesight WS523: consumption in Wh',
      { active_power: 7, current: 74, power_consumption: 26121, power_factor: 44, socket_status: 'on', voltage: 235.2 },
      ['electricity 26121 rate=7'],
    ],
    [
      'Dragino LDS02: volts are no battery level',
      { BAT_V: 3.1, MOD: 1, DOOR_OPEN_STATUS: 1, DOOR_OPEN_TIMES: 14, LAST_DOOR_OPEN_DURATION: 0, ALARM: 0 },
      ['door open'],
      ['unknown field: ALARM'],
    ],
    [
      'Dragino LWL02',
      { BAT_V: 3.0, MOD: 2, WATER_LEAK_STATUS: 1, WATER_LEAK_TIMES: 3, LAST_WATER_LEAK_DURATION: 0 },
      ['leak alarm'],
    ],
    ['a battery in volts', { battery: 3.6, smoke: 0 }, ['smoke clear']],
    ['a battery as a part of one', { battery: 0.87, smoke: false }, ['smoke clear battery=0.87']],
    ['wrapped once more', { data: { smoke_status: 'alarm' } }, ['smoke alarm']],
    ['litres', { total_volume_l: 6054, flow_l_h: 360 }, ['water 6054 rate=6']],
    ['cubic metres', { total_m3: 6.054 }, ['water 6054']],
    ['a unit beside it', { volume: 6.054, volume_unit: 'm³' }, ['water 6054']],
    ['a value with its unit', { CurrentVolume: { data: 6.054, unit: 'm3' } }, ['water 6054']],
    ['no unit', { volume: 6.054 }, [], ['unknown field: volume (in which unit?)']],
    ['pulses of nobody knows what', { battery: 90, pulse: 256 }, [], ['unknown field: pulse']],
    ['a unit of something else', { volume: 3, unit: 'kWh' }, [], ['wrong shape: volume: 3']],
    [
      'a register below zero',
      { total_m3: -1 },
      [],
      ['wrong shape: water: litres: Too small: expected number to be >=0'],
    ],
    ['more than a number can hold', { total_m3: 1.7e308 }, [], ['wrong shape: total_m3: 1.7e+308']],
    ['ppm are no alarm', { co: 1 }, [], ['wrong shape: co: 1']],
    ['a smoke level is no alarm', { smoke: 350 }, [], ['wrong shape: smoke: 350']],
    [
      'contact: 1 is open to some and closed to others',
      { contact: true, contact_state: 1 },
      [],
      ['wrong shape: contact: true, contact_state: 1'],
    ],
    ['half a frame', { battery: null, leakage_status: null, magnet_status: '' }, []],
    ['tamper, and nothing else', { tamper: true }, [], ['wrong shape: tamper, and nothing that it could come with']],
    ['the weather', { temperature: 21.5, humidity: 40, TempC_SHT: 21.4, temperature_2: 3, BatV: 3.3 }, []],
    [
      'names that nobody knows, told once',
      { foo: 1, bar: { baz: 2 }, smoke: 'normal' },
      ['smoke clear'],
      ['unknown field: foo, bar.baz'],
    ],
    [
      'Axioma, frame 103',
      { Timestamp: 1780286398, StatusCode: 36, Alarms: ['Low Battery', 'Leakage'] },
      ['leak alarm battery=0.05 fault=false'],
    ],
    ['a bed', { in_bed: true, breath_rate: 14, heart_rate: 61 }, ['bed in 14 rate=61']],
    ['a heart beat without a bed', { heart_rate: 61 }, [], ['wrong shape: bed: no inBed']],
    [
      'the names of Object',
      JSON.parse('{"__proto__":{"smoke":"alarm"},"constructor":1}'),
      [],
      ['unknown field: __proto__.smoke, constructor'],
    ],
  ])('%s', (_, object, readings, rejections = []) => {
    const heard = up(object)
    expect({ readings: short(heard.readings), rejections: heard.rejections }).toEqual({ readings, rejections })
  })
})

describe('what a codec leaves open, tags say', () => {
  const tagged = (object: object, tags: object) => {
    const heard = up(object, { deviceInfo: { ...frame({}).deviceInfo, tags } })
    return [...short(heard.readings), ...heard.rejections]
  }
  test.each<[object, object, string[]]>([
    [{ status: 1, battery: 3.6, temperatureBoard: 22 }, { shouwang_kind: 'leak' }, ['leak alarm']],
    [{ status: 0, count: 7, temperatureBoard: 20 }, { shouwang_kind: 'button' }, []],
    [{ status: 0, count: 7 }, { shouwang_kind: 'button' }, ['unknown field: count']],
    [{ status: 1 }, { shouwang_kind: 'co' }, ['co alarm']],
    [{ status: 1 }, { shouwang_kind: 'constructor' }, ['unknown field: status']],
    [{ volume: 6.054 }, { shouwang_unit: 'm3' }, ['water 6054']],
    [{ volume: 6.054, unit: 'L' }, { shouwang_unit: 'm3' }, ['water 6.054']],
    [{ pulse: 256, battery: 90 }, { shouwang_litres_per_pulse: '10' }, ['water 2560 battery=0.9']],
    [{ total_pulse: 3 }, { shouwang_wh_per_pulse: '0.5' }, ['electricity 1.5']],
    [{ pulse: 256 }, { shouwang_litres_per_pulse: '0' }, ['unknown field: pulse']],
  ])('%j with %j', (object, tags, expected) => expect(tagged(object, tags)).toEqual(expected))
})

describe('a day in one frame', () => {
  const deltas = [0, 0, 0, 0, 0, 14, 8, 21, 14, 21, 1, 18, 2, 9, 0, 8, 0, 0, 0, 0, 0, 0, 0]
  const enhanced = {
    payload_format: 'AXIOMA_W1_ENHANCED_24H',
    frame_version: 1,
    payload_bytes: 51,
    timestamp_unix: 1780286374,
    timestamp_utc: '2026-06-01T03:59:34.000Z',
    status: 0,
    low_battery: false,
    permanent_error: false,
    temporary_error: false,
    pipe_empty: false,
    log_volume_m3: 5.938,
    ...Object.fromEntries(deltas.map((litres, index) => [`delta_${index + 1}_m3`, litres / 1000])),
    history_count: 23,
    history_total_m3: 0.116,
    current_volume_m3: 6.054,
    history_multiplier: 0,
  }
  const registers = [6054]
  for (const delta of deltas.toReversed()) registers.push((registers.at(-1) ?? 0) - delta)
  const hours = (count: number, first = '2026-06-01T03:59:34Z', faulty = ' fault=false') =>
    registers.slice(0, count).map((litres, ago) => {
      const time = new Date(Date.parse(first) - ago * 3_600_000).toISOString().replace('.000Z', 'Z')
      return `water ${time} ${litres}${ago === 0 ? faulty : ''}`
    })
  const strip = (lines: string[]) => lines.map((line) => line.replace(`${eui} `, ''))

  test('is 23 readings at their own hours, and the newest', () => {
    const { readings, rejections } = up(enhanced)
    expect(readings).toHaveLength(24)
    expect(strip(readings)).toEqual(hours(24))
    expect(readings.at(-1)).toBe(`${eui} water 2026-05-31T04:59:34Z 5938`)
    expect(rejections).toEqual([])
  })
  test('ends where an hour is missing', () => {
    const { readings, rejections } = up({ ...enhanced, delta_21_m3: null })
    expect(strip(readings)).toEqual(hours(3))
    expect(rejections).toEqual(['wrong shape: hourly delta 21 of 23 is missing, negative or too big'])
  })
  test('ends where water ran backwards', () => {
    const { readings, rejections } = up({ ...enhanced, delta_22_m3: -0.002 })
    expect(strip(readings)).toEqual(hours(2))
    expect(rejections).toHaveLength(1)
  })
  test('of a clock that is set to local time is of the time of the network', () => {
    const { readings } = up({ ...enhanced, timestamp_utc: '2026-06-01T11:59:34.000Z' })
    expect(strip(readings)).toEqual(hours(24, '2026-06-01T03:59:58.250Z'))
  })
  test('without a register counts from where the log began', () => {
    const { current_volume_m3: _, low_battery: __, permanent_error: ___, ...rest } = enhanced
    expect(strip(up(rest).readings)).toEqual(hours(24, undefined, ''))
  })
  test('without a register at all is none', () => {
    expect(up({ hourly_deltas_l: [1, 2, 3] })).toMatchObject({
      readings: [],
      rejections: ['wrong shape: hourly deltas, and no register that they lead to'],
    })
  })
  test('as one list, in kWh', () => {
    const { readings, rejections } = up({ energy_kwh: 12.5, hourly_deltas_kwh: [0.5, 0.25] })
    expect(rejections).toEqual([])
    expect(strip(readings)).toEqual([
      `electricity ${at} 12500`,
      'electricity 2026-06-01T02:59:58.250Z 12250',
      'electricity 2026-06-01T01:59:58.250Z 11750',
    ])
  })
  test('with a start of its log (Axioma, extended)', () => {
    const { readings, rejections } = up({
      timestamp: 1780286374,
      status_code: 0,
      current_volume: 6.054,
      log_timestamp: 1780275600,
      log_volume: 6.03,
      delta_volumes: [
        { interval: 1, volume_liters: 10 },
        { interval: 2, volume_liters: 9 },
        { interval: 3, volume_liters: 9 },
      ],
    })
    expect(rejections).toEqual([])
    expect(strip(readings)).toEqual([
      'water 2026-06-01T03:59:34Z 6054',
      'water 2026-06-01T01:00:00Z 6030',
      'water 2026-06-01T02:00:00Z 6040',
      'water 2026-06-01T03:00:00Z 6049',
    ])
  })
  test('as points (Axioma’s own codec), of a clock eight hours ahead', () => {
    const { readings, rejections } = up({
      CurrentTimestamp: 1780286398 + 28_800,
      StatusCode: 0,
      CurrentVolume: 6.054,
      LogTimestamp: 1780275600 + 28_800,
      LogVolume: 6.03,
      ListOfMeasurements: [
        { DataloggerTimestamp: 1780286398 + 28_800, Volume: 6.054 },
        { DataloggerTimestamp: 1780275600 + 28_800, Volume: 6.03 },
        { DataloggerTimestamp: 1780276800 + 28_800, deltaVolume: 0.01, Volume: 6.04 },
      ],
    })
    expect(rejections).toEqual([])
    expect(strip(readings)).toEqual([
      `water ${at} 6054`,
      'water 2026-06-01T01:00:00.250Z 6030',
      'water 2026-06-01T01:20:00.250Z 6040',
    ])
  })
  test('as history (Milesight): what is late is of its own time, and not said again', () => {
    const { readings, rejections } = up({
      history: [{ temperature: 27.2, humidity: 46.5, leakage_status: 'leak', timestamp: 1780275600 }],
    })
    expect(rejections).toEqual([])
    expect(strip(readings)).toEqual(['leak 2026-06-01T01:00:00Z alarm'])
  })
})

describe('events and times', () => {
  test('a frame without a codec is not understood, one without data is nothing', () => {
    const { object: _, ...bare } = frame(undefined)
    expect(hear(chirpstack, { base, topic: topic('up'), payload: bare }).rejections).toEqual([
      'wrong shape: no decoded object: its device profile needs a codec (fPort 85)',
    ])
    expect(up({}).rejections).toHaveLength(1)
    expect(up({}, { data: '' })).toMatchObject({ readings: [], rejections: [] })
  })
  test('the same frame twice is the same reading', () => {
    expect(up({ total_m3: 1 }).output.readings).toEqual(up({ total_m3: 1 }).output.readings)
  })
  test('time comes from a gateway where the event has none', () => {
    const rxInfo = [{ gwTime: '2026-06-01T03:59:59Z' }, { nsTime: '2026-06-01T03:59:57.5+00:00' }]
    expect(up({ smoke: 1 }, { time: null, rxInfo }).readings).toEqual([`${eui} smoke 2026-06-01T03:59:57.500Z alarm`])
  })
  test('without any time a meter is not read, and an alarm pages', () => {
    const { readings, rejections } = up({ smoke: 1, total_m3: 2 }, { time: 'yesterday', rxInfo: [] })
    expect(readings).toEqual([`${eui} smoke 2026-06-01T04:00:00Z alarm clockWrong=true`])
    expect(rejections).toEqual(['time missing: water: no ts'])
  })
  test('1970 in milliseconds is not a date of today in seconds', () => {
    expect(up({ total_m3: 2 }, { time: '1970-01-20T16:00:00Z' }).rejections[0]).toMatch('time absurd')
  })
  test('the battery of a status event goes with the next reading, also after others', () => {
    const payload = { ...frame(undefined), margin: 10, externalPowerSource: false, batteryLevel: 95.67 }
    const { memory } = hear(chirpstack, { base, topic: topic('status'), payload })
    expect(memory).toEqual({ battery: [[eui, 0.9567]] })
    const next = hear(chirpstack, { base, topic: topic('up'), payload: frame({ smoke: 0 }), memory })
    expect(short(next.readings)).toEqual(['smoke clear battery=0.9567'])
    const own = hear(chirpstack, { base, topic: topic('up'), payload: frame({ smoke: 0, battery: 20 }), memory })
    expect(own.memory).toMatchObject({ battery: [[eui, 0.2]] })
  })
  test('an external power source and an unknown level are no battery', () => {
    for (const more of [{ externalPowerSource: true, batteryLevel: 0 }, { batteryLevelUnavailable: true }, {}])
      expect(
        hear(chirpstack, { base, topic: topic('status'), payload: { ...frame(undefined), ...more } }).memory,
      ).toEqual({})
  })
  test('a device is told of once, and again under a new name', () => {
    const first = up({ total_m3: 1 })
    expect(first.output.announcements).toEqual([
      { nativeId: eui, kind: 'water', name: '水表 A-101', model: 'Axioma W1' },
    ])
    const again = (object: object, info: object, memory: DialectMemory) =>
      hear(chirpstack, { base, topic: topic('up'), payload: frame(object, { deviceInfo: info }), memory })
    const info = frame({}).deviceInfo
    expect(again({ total_m3: 2 }, info, first.memory).output).not.toHaveProperty('announcements')
    expect(again({ total_m3: 2 }, info, first.memory).output).not.toHaveProperty('memory')
    expect(again({ leakage: 1 }, info, first.memory).output.announcements).toMatchObject([{ kind: 'leak' }])
    expect(again({ total_m3: 2 }, { ...info, deviceName: '厨房' }, first.memory).output.announcements).toMatchObject([
      { name: '厨房' },
    ])
  })
  test('an EUI in capitals is the same device; without one nothing can be said', () => {
    const payload = frame({ smoke: 1 }, { deviceInfo: { devEui: eui.toUpperCase() } })
    expect(hear(chirpstack, { base, topic: topic('up'), payload }).readings[0]).toMatch(`${eui} smoke`)
    const none = hear(chirpstack, {
      topic: 'application/x/device/y/event/up',
      payload: frame({ smoke: 1 }, { deviceInfo: {} }),
    })
    expect(none.rejections).toEqual(['wrong shape: no devEui of 16 hexadecimal digits'])
  })
  test('the topic may be without "event"', () => {
    expect(hear(chirpstack, { topic: `${base}/device/${eui}/up`, payload: frame({ smoke: 1 }) }).readings).toHaveLength(
      1,
    )
  })
  test.each(['join', 'ack', 'txack', 'location'])('%s is known, and nothing', (event) => {
    expect(hear(chirpstack, { base, topic: topic(event), payload: frame(undefined) })).toMatchObject({
      readings: [],
      rejections: [],
    })
  })
  test('a codec that failed is told to the operator', () => {
    const said = (code: string) => ({ ...frame(undefined), level: 'ERROR', code, description: 'Exception: x is null' })
    const heard = (code: string) => hear(chirpstack, { base, topic: topic('log'), payload: said(code) }).rejections
    expect(heard('UPLINK_CODEC')).toEqual(['wrong shape: the codec of the device profile: Exception: x is null'])
    expect(heard('UPLINK_F_CNT_RESET')).toEqual([])
  })
  test.each([
    [`${base}/device/${eui}/event/other`, '{}', 'topic not in dialect'],
    ['gateway/0016c001f153a14c/event/stats', '{}', 'topic not in dialect'],
    [topic('up'), '{"object":', 'malformed JSON'],
    [topic('up'), '[]', 'wrong shape'],
  ])('%s %s: %s', (said, payload, reason) => {
    expect(hear(chirpstack, { base, topic: said, payload }).rejections[0]).toMatch(reason)
  })
})

test(
  'any message is readings or a reason',
  () => {
    const words = [
    'smoke', 'smoke_status', 'alarm', 'button_event', 'status', 'press', 'short press', 'total_m3', 'volume', 'unit', 'm3',
    'battery', 'tamper', 'delta_1_m3', 'delta_2_m3', 'hourly_deltas_l', 'log_volume_m3', 'history', 'timestamp',
    'ListOfMeasurements', 'DataloggerTimestamp', 'Volume', 'delta_volumes', 'volume_liters', 'log_volume',
    'log_timestamp', 'current_volume', 'data', 'type', 'smoke sensor', 'event', 'Alarms', 'Leakage', 'value',
  ] // biome-ignore format: a list of words
    const json = jsonWith([
      ...words,
      'object',
      'deviceInfo',
      'devEui',
      eui,
      'time',
      'rxInfo',
      'batteryLevel',
      'deviceName',
    ])
    const framed = fc.record({
      time: fc.oneof(fc.constant(time), json),
      deviceInfo: fc.oneof(fc.constant({ devEui: eui, deviceName: '表\u0000\ud800' }), json),
      object: jsonWith(words),
      data: fc.constantFrom('', 'AQ=='),
      batteryLevel: json,
    })
    anyMessages(chirpstack, {
      topics: fc.oneof(
        fc.constantFrom('up', 'status', 'log').map((event) => `application/1/device/${eui}/event/${event}`),
        topicsOf(['application', '1', 'device', eui, 'event', 'up', 'status', 'log']),
      ),
      payloads: fc.oneof(framed, json),
    })
  },
  propertyMsMax,
)
