import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { decodeOne } from '../decode.js'
import { anyMessages, jsonWith, topicsOf } from './any-message.test-support.js'
import { type DeviceCommand, type DialectMessage, memoryBytesMax, type Saying } from './dialect.js'
import { tasmota } from './tasmota.js'

const receivedAt = Date.parse('2026-06-01T04:00:02Z')
const ts = Date.parse('2026-06-01T04:00:00Z')
const message = (topic: string, payload: unknown, over: Partial<DialectMessage> = {}): DialectMessage => ({
  topic,
  base: '',
  payload: Buffer.from(typeof payload === 'string' ? payload : JSON.stringify(payload)),
  retain: false,
  receivedAt,
  timeZone: 'Asia/Shanghai',
  memory: {},
  settings: null,
  ...over,
})
const read = (...args: Parameters<typeof message>) => tasmota.read(message(...args))
const energy = (over: Record<string, unknown>) => ({
  Time: '2026-06-01T12:00:00',
  ENERGY: {
    TotalStartTime: '2026-01-01T00:00:00',
    Yesterday: 1.495,
    Today: 0.537,
    Voltage: 234,
    Current: 0.392,
    ...over,
  },
})
const meter = (fields: Record<string, unknown>, nativeId = 'plug_31'): Saying[] => [
  { nativeId, kind: 'electricity', fields: { ts, ...fields } },
]
const zigbee = (over: Record<string, unknown>) => ({
  ZbReceived: { '0x662E': { Device: '0x662E', Name: 'hall', ...over, Endpoint: 1, LinkQuality: 157 } },
})

describe('what is said, with the exact readings', () => {
  test.each<[string, string, unknown, Saying[]]>([
    ['a socket', 'tele/plug_31/SENSOR', energy({ Total: 514.153, Power: 56 }), meter({ wh: 514_153, w: 56 })],
    [
      'kWh to Wh without the noise of binary fractions',
      'tele/plug_31/SENSOR',
      energy({ Total: 1.005 }),
      meter({ wh: 1_005 }),
    ],
    [
      'two channels as lists (SetOption129): one register, their sum',
      'tele/plug_31/SENSOR',
      energy({ Total: [2.813, 0.254], Power: [52, 5] }),
      meter({ wh: 3_067, w: 57 }),
    ],
    [
      'three phases: power as a list, the total as their sum',
      'tele/plug_31/SENSOR',
      energy({ Total: 7970.903, Power: [120, -30, 4] }),
      meter({ wh: 7_970_903, w: 94 }),
    ],
    [
      'an object by phase',
      'tele/plug_31/SENSOR',
      energy({ Total: { L1: 1.5, L2: 2, L3: 0.25 }, Power: { L1: 10, L2: 0, L3: 5 } }),
      meter({ wh: 3_750, w: 15 }),
    ],
    ['a total as text', 'tele/plug_31/SENSOR', energy({ Total: '12.5' }), meter({ wh: 12_500 })],
    [
      'power that is missing in a phase: the register without it',
      'tele/plug_31/SENSOR',
      energy({ Total: 1, Power: [52, null] }),
      meter({ wh: 1_000 }),
    ],
    [
      'the answer to Status 8',
      'stat/plug_31/STATUS8',
      { StatusSNS: energy({ Total: 41.573, Power: 2 }) },
      meter({ wh: 41_573, w: 2 }),
    ],
    ['the answer to Status 10', 'stat/plug_31/STATUS10', { StatusSNS: energy({ Total: 1 }) }, meter({ wh: 1_000 })],
    [
      'FullTopic %topic%/%prefix%/',
      'home/plug_31/tele/SENSOR',
      energy({ Total: 1 }),
      meter({ wh: 1_000 }, 'home/plug_31'),
    ],
    ['FullTopic %prefix%/ alone', 'tele/SENSOR', energy({ Total: 1 }), meter({ wh: 1_000 }, 'self')],
    [
      'Time with a zone (SetOption52)',
      'tele/plug_31/SENSOR',
      { ...energy({ Total: 1 }), Time: '2026-06-01T06:00:00+02:00' },
      meter({ ts: '2026-06-01T06:00:00+02:00', wh: 1_000 }),
    ],
    [
      'Time and Epoch (Time 2)',
      'tele/plug_31/SENSOR',
      { ...energy({ Total: 1 }), Epoch: 1_780_286_400 },
      meter({ ts: 1_780_286_400, wh: 1_000 }),
    ],
    [
      'no Time at all: its arrival',
      'tele/plug_31/SENSOR',
      { ENERGY: { Total: 1 } },
      meter({ ts: receivedAt, wh: 1_000 }),
    ],
    [
      'a switch beside the meter',
      'tele/plug_31/SENSOR',
      { ...energy({ Total: 1 }), Switch1: 'ON' },
      [...meter({ wh: 1_000 }), { nativeId: 'plug_31#Switch1', kind: 'door', fields: { ts, open: true } }],
    ],
    [
      'a switch with a name (SwitchText)',
      'tele/hall/SENSOR',
      { Time: '2026-06-01T12:00:00', Garage_Door_State: 'OFF', Hall_Motion: 'ON', Boiler: 'ON' },
      [
        { nativeId: 'hall#Garage_Door_State', kind: 'door', fields: { ts, open: false } },
        { nativeId: 'hall#Hall_Motion', kind: 'motion', fields: { ts, motion: true } },
      ],
    ],
    [
      'a switch that acts (SetOption114)',
      'stat/hall/RESULT',
      { Switch1: { Action: 'ON' } },
      [{ nativeId: 'hall#Switch1', kind: 'door', fields: { ts: receivedAt, open: true } }],
    ],
    [
      'a press (SetOption73)',
      'stat/hall/RESULT',
      { Button1: { Action: 'SINGLE' } },
      [{ nativeId: 'hall#Button1', kind: 'button', fields: { ts: receivedAt, event: 'pressed' } }],
    ],
    [
      'a long press on a topic of its own is the same button',
      'stat/hall/BUTTON1',
      { ACTION: 'HOLD' },
      [{ nativeId: 'hall#Button1', kind: 'button', fields: { ts: receivedAt, event: 'pressed' } }],
    ],
    [
      'a push-button wired as a switch and named so',
      'stat/hall/RESULT',
      { SOS: { Action: 'TOGGLE' } },
      [{ nativeId: 'hall#SOS', kind: 'button', fields: { ts: receivedAt, event: 'pressed' } }],
    ],
    ['a press with an empty action is none', 'stat/hall/RESULT', { Button1: { Action: '' } }, []],
    ['nor is a release', 'stat/hall/RESULT', { Button1: { Action: 'CLEAR' } }, []],
    [
      'a motion sensor by rule, as documented',
      'stat/hall/PIR1',
      'ON',
      [{ nativeId: 'hall#PIR1', kind: 'motion', fields: { ts: receivedAt, motion: true } }],
    ],
    [
      'with %value%',
      'stat/hall/MOTION',
      '0',
      [{ nativeId: 'hall#MOTION', kind: 'motion', fields: { ts: receivedAt, motion: false } }],
    ],
    [
      'a contact at the Zigbee bridge',
      'tele/zb/SENSOR',
      zigbee({ '0500<00': '210000010000', ZoneStatusChange: 37, Contact: 1, BatteryPercentage: 17 }),
      [
        {
          nativeId: 'zb#zb:hall',
          kind: 'door',
          fields: { ts: receivedAt, battery: 0.17, tamper: true, fault: false, open: true },
        },
      ],
    ],
    [
      'smoke at the Zigbee bridge, without a name, with SetOption144',
      'tele/zb/SENSOR',
      { Time: '2026-06-01T12:00:00', ZbReceived: { '0xA1': { Device: '0xA1', Fire: 1 } } },
      [{ nativeId: 'zb#zb:0xA1', kind: 'smoke', fields: { ts, alarm: true } }],
    ],
    [
      'each kind of it',
      'tele/zb/ZbReceived',
      { x: { Device: '0xA1', CO: 0, Water: true, Occupancy: 0, Panic: 1, Click: 'release' } },
      [
        { nativeId: 'zb#zb:0xA1', kind: 'motion', fields: { ts: receivedAt, motion: false } },
        { nativeId: 'zb#zb:0xA1', kind: 'co', fields: { ts: receivedAt, alarm: false } },
        { nativeId: 'zb#zb:0xA1', kind: 'leak', fields: { ts: receivedAt, alarm: true } },
        { nativeId: 'zb#zb:0xA1', kind: 'button', fields: { ts: receivedAt, event: 'pressed' } },
      ],
    ],
    [
      'a click, without the address (SetOption119)',
      'tele/zb/SENSOR',
      { ZbReceived: { Device: '0xA1', Name: '', Click: 'single' } },
      [{ nativeId: 'zb#zb:0xA1', kind: 'button', fields: { ts: receivedAt, event: 'pressed' } }],
    ],
    ['a temperature', 'tele/plug_31/SENSOR', { Time: '2026-06-01T12:00:00', DS18B20: { Temperature: 20.6 } }, []],
    ['pulses without a unit', 'tele/plug_31/SENSOR', { Time: '2026-06-01T12:00:00', COUNTER: { C1: 4711 } }, []],
    ['its state', 'tele/plug_31/STATE', { Time: '2026-06-01T12:00:00', POWER: 'ON', Wifi: { RSSI: 92 } }, []],
    ['how it started', 'tele/plug_31/INFO1', { Info1: { Module: 'Sonoff Pow', Version: '14.4.1' } }, []],
    ['the answer to a command', 'stat/plug_31/RESULT', { POWER: 'OFF' }, []],
    ['its relay, in bare words', 'stat/plug_31/POWER', 'OFF', []],
    ['the answer to a command under its own name (SetOption4)', 'stat/plug_31/TELEPERIOD', { TelePeriod: 300 }, []],
    ['what it tells another device to do', 'cmnd/lamp/POWER', 'TOGGLE', []],
    ['a retained message taken back', 'tasmota/discovery/E09806F17F56/config', '', []],
  ])('%s', (_what, topic, payload, readings) => {
    expect(read(topic, payload)).toMatchObject({ readings, rejections: [] })
    for (const { kind, fields } of readings) expect(decodeOne(kind, fields, receivedAt).rejection).toBeUndefined()
  })
})

describe('what is not understood, with the reason', () => {
  const noTotal = ['wrong shape', 'ENERGY without a Total in each of its phases']
  test.each<[string, string, unknown, string[]]>([
    ['a half-filled frame', 'tele/plug_31/SENSOR', energy({ Power: 56 }), noTotal],
    [
      'a phase without a register: the sum would run backwards',
      'tele/p/SENSOR',
      energy({ Total: [1.5, null] }),
      noTotal,
    ],
    ['a total of null', 'tele/p/SENSOR', energy({ Total: null }), noTotal],
    ['no phases', 'tele/p/SENSOR', energy({ Total: [] }), noTotal],
    ['ENERGY that is no object', 'tele/p/SENSOR', { ENERGY: [1] }, noTotal],
    [
      'TOGGLE of a contact: no state',
      'stat/hall/RESULT',
      { Switch1: { Action: 'TOGGLE' } },
      ['wrong shape', 'hall#Switch1 says "TOGGLE", neither on nor off: see SwitchMode'],
    ],
    ['a last will of other words', 'tele/p/LWT', 'gone', ['wrong shape', 'LWT is Online or Offline']],
    ['a list', 'tele/p/SENSOR', [], ['wrong shape', 'SENSOR is an object']],
    ['no JSON', 'tele/p/SENSOR', '{"Time":', ['malformed JSON', 'end of JSON']],
    ['telemetry of another name', 'tele/p/GPS', {}, ['topic not in dialect', 'tele … GPS']],
    ['another topic', 'zigbee2mqtt/x', {}, ['topic not in dialect', 'expected']],
    ['a device beyond all measure', `tele/${'x'.repeat(121)}/SENSOR`, {}, ['topic not in dialect', 'expected']],
  ])('%s', (_what, topic, payload, [reason, detail]) => {
    const { readings, rejections } = read(topic, payload)
    expect(readings).toEqual([])
    expect(rejections).toEqual([{ reason, detail: expect.stringContaining(detail!) }])
  })

  test.each([
    ['a clock that was never set', { Time: '1970-01-01T00:00:12' }, 'time absurd'],
    ['nonsense in place of a time', { Time: 'soon' }, 'time missing'],
    ['an impossible date', { Time: '2026-02-30T12:00:00' }, 'time missing'],
    ['a negative register', { ENERGY: { Total: -0.001 } }, 'wrong shape'],
  ])('%s is refused by the contract', (_what, over, reason) => {
    const [saying] = read('tele/p/SENSOR', { ...energy({ Total: 1 }), ...over }).readings
    expect(decodeOne('electricity', saying!.fields, receivedAt)).toEqual({
      rejection: { reason, detail: expect.any(String) },
    })
  })

  test('a fire with a clock that was never set is still a fire', () => {
    const said = { Time: '1970-01-01T00:00:12', ZbReceived: { a: { Device: '0xA1', Fire: 1 } } }
    const [saying] = read('tele/zb/SENSOR', said).readings
    expect(decodeOne('smoke', saying!.fields, receivedAt).reading).toMatchObject({ event: 'alarm', clockWrong: true })
  })
})

describe('whose last will is the presence of the gateway', () => {
  test.each([
    ['one device, whose base topic names it', 'tele/flat3', 'tele/flat3/LWT', 'Online', 'online'],
    ['with the prefix behind', 'flat3', 'flat3/tele/LWT', 'Offline', 'offline'],
    ['alone below its own prefix', '', 'tele/LWT', 'Online', 'online'],
    ['a socket among others', 'tele', 'tele/plug_31/LWT', 'Offline', undefined],
    ['a socket among others below its own prefix', '', 'tele/plug_31/LWT', 'Offline', undefined],
  ])('%s', (_what, base, topic, payload, presence) => {
    const output = read(topic, payload, { base })
    expect(output).toMatchObject({ readings: [], rejections: [] })
    expect(output.presence).toBe(presence)
  })
})

test('discovery tells of inputs at once, and of the meter when it has named its sensors', () => {
  const config = {
    ip: '192.0.2.31',
    dn: 'Washing machine',
    fn: ['Washing machine', null],
    hn: 'tasmota-F17F56-8022',
    mac: 'E09806F17F56',
    md: 'Athom Plug V2',
    state: ['OFF', 'ON', 'TOGGLE', 'HOLD'],
    t: 'plug_31',
    ft: 'flats/%topic%/%prefix%/',
    tp: ['cmnd', 'stat', 'tele'],
    swc: [-1, 15, 1],
    swn: [null, 'Hall_Motion', null],
    btn: [0, 1],
    ver: 1,
  }
  const first = read('tasmota/discovery/E09806F17F56/config', config, { retain: true })
  const model = 'Athom Plug V2'
  expect(first.announcements).toEqual([
    { nativeId: 'flats/plug_31#Button2', kind: 'button', name: 'Washing machine Button2', model },
    { nativeId: 'flats/plug_31#Hall_Motion', kind: 'motion', name: 'Washing machine Hall_Motion', model },
    { nativeId: 'flats/plug_31#Switch3', kind: 'door', name: 'Washing machine Switch3', model },
  ])
  const sensors = { sn: energy({ Total: 0 }), ver: 1 }
  const second = read('tasmota/discovery/E09806F17F56/sensors', sensors, { retain: true, memory: first.memory! })
  expect(second).toEqual({
    readings: [],
    rejections: [],
    announcements: [{ nativeId: 'flats/plug_31', kind: 'electricity', name: 'Washing machine', model }],
  })
  expect(
    read('tasmota/discovery/000000000000/sensors', sensors, { memory: first.memory! }).announcements,
  ).toBeUndefined()
  const [reading] = read('flats/plug_31/tele/SENSOR', energy({ Total: 1 })).readings
  expect(reading!.nativeId).toBe('flats/plug_31')
})

test('of more devices than can be kept the first are forgotten', () => {
  let memory: DialectMessage['memory'] = {}
  for (let i = 0; i < 300; i++) {
    const config = { t: `plug_${i}_${'锅'.repeat(90)}`, dn: '炉'.repeat(90), md: '机'.repeat(90) }
    memory = read(`tasmota/discovery/MAC${i}/config`, config, { memory }).memory!
  }
  expect(Buffer.byteLength(JSON.stringify(memory))).toBeLessThan(memoryBytesMax)
  const sensors = { sn: { ENERGY: { Total: 0 } } }
  expect(read('tasmota/discovery/MAC299/sensors', sensors, { memory }).announcements).toHaveLength(1)
  expect(read('tasmota/discovery/MAC0/sensors', sensors, { memory }).announcements).toBeUndefined()
})

describe('commands', () => {
  const write = (command: DeviceCommand, nativeId: string, memory = {}) =>
    tasmota.write!({ command, nativeId, base: '', memory })
  test('go where this gateway has its prefix', () => {
    const { memory } = read('flats/valve_3/tele/STATE', {})
    expect(memory).toEqual({ prefixAt: 2 })
    expect(write({ name: 'close valve' }, 'flats/valve_3', memory)).toEqual({
      topic: 'flats/valve_3/cmnd/POWER',
      payload: 'OFF',
    })
    expect(read('flats/valve_3/tele/STATE', {}, { memory: memory! }).memory).toBeUndefined()
  })
  test.each<[string, DeviceCommand, string, unknown]>([
    ['a valve', { name: 'close valve' }, 'kitchen_valve', { topic: 'cmnd/kitchen_valve/POWER', payload: 'OFF' }],
    ['what is not called a valve is not switched off', { name: 'close valve' }, 'fridge', undefined],
    ['a light', { name: 'led', on: true }, 'hall#Button1', { topic: 'cmnd/hall/LedPower', payload: 'ON' }],
    ['a light, off', { name: 'led', on: false }, 'self', { topic: 'cmnd/LedPower', payload: 'OFF' }],
    ['a buzzer', { name: 'chime' }, 'hall', { topic: 'cmnd/hall/Buzzer', payload: '3' }],
    ['not behind the Zigbee bridge', { name: 'chime' }, 'zb#zb:hall', undefined],
    ['no test', { name: 'self-test' }, 'hall', undefined],
    ['no speech', { name: 'prompt', text: '吃药了', language: 'zh' }, 'hall', undefined],
  ])('%s', (_what, command, nativeId, publish) => {
    expect(write(command, nativeId)).toEqual(publish)
  })
})

test('whatever comes', () => {
  const words = ['Time', 'ENERGY', 'Total', 'Power', 'Switch1', 'Button1', 'Action', 'ON', 'OFF', 'SINGLE', 'TOGGLE']
  const more = ['ZbReceived', 'Device', 'Name', 'Contact', 'Fire', 'StatusSNS', 'Epoch', 'sn', 'dn', 't', 'ft', 'btn']
  const any = jsonWith([...words, ...more])
  const numbers = fc.oneof(
    fc.double(),
    fc.array(fc.double(), { maxLength: 3 }),
    fc.record({ a: fc.double(), b: any }),
    any,
  )
  const flag = fc.oneof(fc.constantFrom(0, 1, true), any)
  const zigbee = {
    Device: fc.oneof(fc.constant('0xA1'), any),
    Contact: flag,
    Fire: flag,
    Panic: flag,
    BatteryPercentage: any,
  }
  const sensor = fc.record(
    {
      Time: fc.oneof(fc.constantFrom('2026-06-01T12:00:00', '2026-10-25T02:30:00', '1970-01-01T00:00:12'), any),
      Epoch: any,
      ENERGY: fc.record({ Total: numbers, Power: numbers }, { requiredKeys: [] }),
      Switch1: fc.constantFrom('ON', 'OFF'),
      Hall_Motion: fc.oneof(fc.constantFrom('ON', 'OFF'), fc.record({ Action: fc.constantFrom('ON', 'TOGGLE', '') })),
      Button1: fc.record({ Action: fc.oneof(fc.constantFrom('SINGLE', 'HOLD', ''), any) }),
      ZbReceived: fc.dictionary(fc.string(), fc.record(zigbee, { requiredKeys: ['Device'] }), { maxKeys: 3 }),
      other: any,
    },
    { requiredKeys: [] },
  )
  const config = fc.record({
    t: fc.string({ unit: 'binary', minLength: 1, maxLength: 150 }),
    ft: fc.constantFrom('%topic%', '%prefix%/%topic%/', '%id%', 1),
    btn: fc.oneof(fc.constant([1, 0, 1]), any),
    swc: fc.oneof(fc.constant([1, 15, -1]), any),
    swn: any,
  })
  const device = fc.oneof(fc.constantFrom('plug', 'flats/plug'), fc.string({ unit: 'binary', maxLength: 130 }))
  const said = fc.constantFrom('SENSOR', 'SENSOR', 'RESULT', 'STATUS10', 'PIR1', 'BUTTON1', 'LWT', 'ZbReceived', 'GPS')
  const macs = fc.constantFrom('E09806F17F56', 'A0', 'B1')
  const topics = fc.oneof(
    {
      weight: 6,
      arbitrary: fc.tuple(fc.constantFrom('tele', 'stat', 'cmnd'), device, said).map((all) => all.join('/')),
    },
    { weight: 1, arbitrary: fc.tuple(device, fc.constant('tele'), said).map((all) => all.join('/')) },
    {
      weight: 2,
      arbitrary: fc
        .tuple(macs, fc.constantFrom('config', 'sensors'))
        .map((all) => `tasmota/discovery/${all.join('/')}`),
    },
    { weight: 1, arbitrary: topicsOf(['tele', 'stat', 'plug', 'SENSOR', 'RESULT', 'STATUS8', 'LWT']) },
  )
  const payloads = fc.oneof(
    { weight: 5, arbitrary: sensor },
    { weight: 1, arbitrary: fc.record({ StatusSNS: sensor, sn: sensor }) },
    { weight: 1, arbitrary: config },
    { weight: 2, arbitrary: any },
  )
  anyMessages(tasmota, { topics, payloads, bases: ['', 'tele', 'plug'] })
})
