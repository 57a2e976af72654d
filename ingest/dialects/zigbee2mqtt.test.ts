import { describe, expect, test } from 'vitest'
import { decodeOne } from '../decode.js'
import { anyMessages, jsonWith, topicsOf } from './any-message.test-support.js'
import { type DialectMemory, memoryBytesMax } from './dialect.js'
import { receivedAt as now } from './said.test-support.js'
import { zigbee2mqtt } from './zigbee2mqtt.js'

const base = 'zigbee2mqtt'
type Expose = Record<string, unknown>
const said = { access: 1 }
const binary = (name: string, more: Expose = {}): Expose => ({
  ...{ type: 'binary', name, property: name, value_on: true, value_off: false },
  ...said,
  ...more,
})
const numeric = (name: string, unit: string | undefined, more: Expose = {}): Expose => ({
  ...{ type: 'numeric', name, property: name, unit },
  ...said,
  ...more,
})
const action = (...values: string[]): Expose => ({ type: 'enum', name: 'action', property: 'action', values, ...said })
const battery = numeric('battery', '%')

let addresses = 0
const device = (friendly_name: string, description: string, exposes: Expose[], more: Expose = {}) => ({
  ieee_address: `0x${(++addresses).toString(16).padStart(16, '0')}`,
  type: 'EndDevice',
  friendly_name,
  supported: true,
  disabled: false,
  definition: { vendor: 'Example', model: 'X-1', description, exposes, options: [] },
  ...more,
})

const home = [
  { ieee_address: '0x00124b00120144ae', type: 'Coordinator', friendly_name: 'Coordinator', definition: null },
  device('厨房/烟感', 'Smoke detector', [
    binary('smoke'),
    numeric('smoke_density', 'dB/m'),
    binary('test'),
    binary('tamper'),
    binary('battery_low'),
    battery,
  ]),
  device('kitchen/gas', 'Gas sensor', [
    binary('gas', { value_on: 'ALARM', value_off: 'OK' }),
    { type: 'enum', name: 'co_state', property: 'co_state', values: ['normal', 'alarm', 'unknown'], ...said },
  ]),
  device('sos', 'SOS button', [action('emergency', 'release'), battery]),
  device('keypad', 'Security keypad', [action('disarm', 'arm_all_zones', 'exit_delay', 'emergency'), battery]),
  device('pendant', 'Panic button', [binary('sos')]),
  device('remote', 'Wireless switch', [action('single', 'double', 'hold', 'release'), battery]),
  device('lamp switch', 'Wall switch', [
    { type: 'switch', features: [binary('state', { value_on: 'ON', value_off: 'OFF', access: 7 })] },
    action('single', 'double'),
  ]),
  device('plug', 'Plug', [numeric('energy', 'kWh'), numeric('power', 'W'), numeric('produced_energy', 'kWh')]),
  device('two gangs', 'Two plugs', [
    numeric('energy', 'kWh', { property: 'energy_l1', endpoint: 'l1' }),
    numeric('energy', 'Wh', { property: 'energy_l2', endpoint: 'l2' }),
    numeric('power', 'W', { property: 'power_l2', endpoint: 'l2' }),
  ]),
  device('meter', 'Electricity meter', [
    numeric('energy_tier_1', 'kWh'),
    numeric('energy_tier_2', 'kWh'),
    numeric('energy_produced', 'kWh'),
    numeric('power', 'W'),
    numeric('power_phase_b', 'W'),
  ]),
  device('water', 'Water meter valve', [
    numeric('water_consumed', 'm³'),
    numeric('flow_rate', 'L/h'),
    numeric('daily_consumption', 'm³'),
    binary('water_leak'),
    { type: 'switch', features: [binary('state', { value_on: 'ON', value_off: 'OFF', access: 7 })] },
  ]),
  device('litres', 'Water meter', [numeric('water_consumed', 'L')]),
  device('unitless', 'Pulse counter', [numeric('energy', undefined)]),
  device('hall', 'Motion sensor', [binary('occupancy'), numeric('illuminance', 'lx'), battery]),
  device('door', 'Door sensor', [binary('contact', { value_on: false, value_off: true }), battery]),
  device('siren', 'Smoke detector with siren', [
    binary('smoke'),
    {
      type: 'composite',
      name: 'warning',
      property: 'warning',
      features: [
        { type: 'enum', name: 'mode', values: ['stop', 'burglar', 'emergency'], access: 2 },
        { type: 'enum', name: 'level', values: ['low', 'high'], access: 2 },
      ],
    },
    { type: 'enum', name: 'selftest', property: 'selftest', values: [''], access: 2 },
    binary('led', { value_on: 'ON', value_off: 'OFF', access: 7 }),
  ]),
  device('off', 'Smoke detector', [binary('smoke')], { disabled: true }),
  device('unsupported', '', [], { supported: false, definition: null }),
]
const idOf = (name: string) => String(home.find(({ friendly_name }) => friendly_name === name)!.ieee_address)

type Message = { topic?: string; payload: unknown; retain?: boolean; at?: number; memory?: DialectMemory }
function read({ topic = '', payload, retain = false, at = now, memory = known }: Message) {
  const text = typeof payload === 'string' ? payload : JSON.stringify(payload)
  return zigbee2mqtt.read({
    topic: `${base}/${topic}`,
    base,
    payload: new TextEncoder().encode(text),
    retain,
    receivedAt: at,
    timeZone: 'Asia/Shanghai',
    memory,
    settings: null,
  })
}
let known: DialectMemory = {}
const announced = read({ topic: 'bridge/devices', payload: home, memory: {} })
known = announced.memory!

/** Readings in lines, ids as names, and what was not understood. */
function lines({ at = now, ...message }: Message) {
  const { readings, rejections } = read({ at, ...message })
  return [
    ...readings.map(({ nativeId, kind, fields }) => {
      const [id, channel] = nativeId.split('/')
      const name = home.find(({ ieee_address }) => ieee_address === id)?.friendly_name ?? nativeId
      const { reading, rejection } = decodeOne(kind, fields, at)
      if (!reading) return `${name} refused: ${rejection!.reason}`
      const { event, value, rate, observedAt, ...more } = reading
      const parts = [channel && name !== nativeId ? `${name}/${channel}` : name, kind, event, value, rate]
      const extras = ['unit', 'battery', 'tamper', 'fault', 'cached', 'clockWrong'] as const
      const flags = extras.filter((each) => more[each]).map((each) => `${each}=${more[each]}`)
      const late = observedAt === at ? [] : [`at ${(observedAt - at) / 1_000} s`]
      return [...parts, ...flags, ...late].filter((part) => part !== undefined && part !== '').join(' ')
    }),
    ...rejections.map(({ reason }) => reason),
  ]
}
const ago = (ms: number) => new Date(now - ms).toISOString()

describe('messages of devices that the bridge has told of', () => {
  test.each<[string, Message, string[]]>([
    [
      'smoke, with all that was kept beside it',
      { topic: '厨房/烟感', payload: { smoke: true, smoke_density: 0.4, tamper: false, battery: 87, linkquality: 60 } },
      ['厨房/烟感 smoke alarm 0.4 unit=dB/m battery=0.87'],
    ],
    [
      'the all-clear',
      { topic: '厨房/烟感', payload: { smoke: false, tamper: true } },
      ['厨房/烟感 smoke clear tamper=true'],
    ],
    ['its test button', { topic: '厨房/烟感', payload: { smoke: true, test: true } }, ['厨房/烟感 smoke test']],
    ['what the bridge has not heard yet', { topic: '厨房/烟感', payload: { smoke: null, battery: null } }, []],
    [
      'a low battery, whatever the percentage',
      { topic: '厨房/烟感', payload: { smoke: false, battery: 55, battery_low: true } },
      ['厨房/烟感 smoke clear battery=0.05'],
    ],
    ['a battery of 255 %', { topic: '厨房/烟感', payload: { smoke: true, battery: 255 } }, ['厨房/烟感 smoke alarm']],
    ['a word that is none of its own', { topic: '厨房/烟感', payload: { smoke: 'perhaps' } }, ['unknown field']],
    [
      'words instead of true and false',
      { topic: 'kitchen/gas', payload: { gas: 'ALARM', co_state: 'unknown' } },
      ['kitchen/gas gas alarm'],
    ],
    [
      'two alarms of one device',
      { topic: 'kitchen/gas', payload: { gas: 'OK', co_state: 'alarm' } },
      ['kitchen/gas gas clear', 'kitchen/gas co alarm'],
    ],
    [
      'an emergency',
      { topic: 'sos', payload: { action: 'emergency', battery: 3 } },
      ['sos button pressed battery=0.03'],
    ],
    ['the empty action after it', { topic: 'sos', payload: { action: '', battery: 3 } }, []],
    ['no action any more', { topic: 'sos', payload: { action: null } }, []],
    ['letting go', { topic: 'sos', payload: { action: 'release' } }, []],
    ['arming', { topic: 'keypad', payload: { action: 'arm_all_zones', action_code: '1234' } }, []],
    ['the emergency key of a keypad', { topic: 'keypad', payload: { action: 'emergency' } }, ['keypad button pressed']],
    ['any press of a plain button', { topic: 'remote', payload: { action: 'double' } }, ['remote button pressed']],
    ['letting go of it', { topic: 'remote', payload: { action: 'hold_release' } }, []],
    ['no press of a lamp switch', { topic: 'lamp switch', payload: { action: 'single', state: 'ON' } }, []],
    [
      'kWh and W; what was fed in is no use',
      { topic: 'plug', payload: { energy: 1234.567, power: -12.5, produced_energy: 99 } },
      ['plug electricity 1234567 -12.5'],
    ],
    ['kWh as text', { topic: 'plug', payload: { energy: '0.1' } }, ['plug electricity 100']],
    ['power alone', { topic: 'plug', payload: { power: 12 } }, []],
    ['a register below zero', { topic: 'plug', payload: { energy: -1 } }, ['plug refused: wrong shape']],
    [
      'a unit for each endpoint',
      { topic: 'two gangs', payload: { energy_l1: 2, energy_l2: 300, power_l2: 40 } },
      ['two gangs/l1 electricity 2000', 'two gangs/l2 electricity 300 40'],
    ],
    [
      'tariffs, which are one total; the power of one phase of several',
      {
        topic: 'meter',
        payload: { energy_tier_1: 1, energy_tier_2: 2.5, energy_produced: 7, power: 5, power_phase_b: 9 },
      },
      ['meter electricity 3500'],
    ],
    ['one tariff of two', { topic: 'meter', payload: { energy_tier_1: 1 } }, []],
    [
      'm³ and L/h',
      { topic: 'water', payload: { water_consumed: 12.345, flow_rate: 90, daily_consumption: 0.2, water_leak: false } },
      ['water leak clear', 'water water 12345 1.5'],
    ],
    ['L', { topic: 'litres', payload: { water_consumed: 12345 } }, ['litres water 12345']],
    ['no unit at all', { topic: 'unitless', payload: { energy: 5 } }, ['unknown field']],
    ['motion', { topic: 'hall', payload: { occupancy: true, battery: 40 } }, ['hall motion motion battery=0.4']],
    ['contact true is shut', { topic: 'door', payload: { contact: true } }, ['door door closed']],
    ['contact false is open', { topic: 'door', payload: { contact: false } }, ['door door open']],
    ['an attribute alone', { topic: 'door/contact', payload: 'false' }, ['door door open']],
    ['an alarm that no definition tells of', { topic: 'hall', payload: { smoke: true } }, ['hall smoke alarm']],
    ['a state that is no object', { topic: 'hall', payload: '12' }, ['wrong shape']],
    ['a state that is no JSON', { topic: 'hall', payload: 'ON' }, ['malformed JSON']],
  ])('%s', (_, message, expected) => {
    expect(lines(message)).toEqual(expected)
  })
})

describe('messages that carry nothing for us', () => {
  test.each([
    ['厨房/烟感/availability', 'online'],
    ['厨房/烟感/availability', '{"state":"offline"}'],
    ['new one/availability', 'offline'],
    ['plug/set', '{"state":"OFF"}'],
    ['plug/set/state', 'OFF'],
    ['plug/get', '{"state":""}'],
    ['bridge/logging', '{"level":"info","message":"smoke"}'],
    ['bridge/info', '{"version":"2.14.1","config":{}}'],
    ['bridge/groups', '[]'],
    ['bridge/event', '{"type":"device_joined","data":{"friendly_name":"x"}}'],
    ['bridge/response/permit_join', '{"status":"ok"}'],
    ['bridge/devices', ''],
    ['gone', ''],
    ['all lamps', '{"state":"ON","brightness":20}'],
  ])('%s %s', (topic, payload) => {
    expect(read({ topic, payload })).toEqual({ readings: [], rejections: [] })
  })
  test('a topic without a device, and a name that cannot be kept, are rejected', () => {
    for (const topic of ['', `${'x'.repeat(201)}`, 'a\u0000b'])
      expect(lines({ topic, payload: { smoke: true } })).toEqual(['topic not in dialect'])
  })
})

describe('what the bridge says of itself', () => {
  test.each([
    ['online', 'online'],
    ['{"state":"online"}', 'online'],
    ['offline', 'offline'],
    ['{"state":"offline"}', 'offline'],
  ])('%s', (payload, presence) => {
    expect(read({ topic: 'bridge/state', payload })).toMatchObject({ presence, readings: [], rejections: [] })
  })
  test('anything else is rejected', () => {
    expect(lines({ topic: 'bridge/state', payload: '{"state":"maybe"}' })).toEqual(['wrong shape'])
    expect(lines({ topic: 'bridge/devices', payload: '{}' })).toEqual(['wrong shape'])
  })
  test('devices are announced once for each kind and channel', () => {
    const heard = announced.announcements!.map(({ name, kind, model }) => `${name}: ${kind} (${model})`)
    expect(heard).toEqual([
      '厨房/烟感: smoke (Example X-1)',
      'kitchen/gas: gas (Example X-1)',
      'kitchen/gas: co (Example X-1)',
      'sos: button (Example X-1)',
      'keypad: button (Example X-1)',
      'pendant: button (Example X-1)',
      'remote: button (Example X-1)',
      'plug: electricity (Example X-1)',
      'two gangs l1: electricity (Example X-1)',
      'two gangs l2: electricity (Example X-1)',
      'meter: electricity (Example X-1)',
      'water: leak (Example X-1)',
      'water: water (Example X-1)',
      'litres: water (Example X-1)',
      'unitless: electricity (Example X-1)',
      'hall: motion (Example X-1)',
      'door: door (Example X-1)',
      'siren: smoke (Example X-1)',
    ])
    expect(announced.rejections).toEqual([])
  })
})

describe('what was kept and is said again', () => {
  const online = read({ topic: 'bridge/state', payload: 'online' }).memory!
  const state = { smoke: true }
  test('a device may publish all it says with the retain flag: its alarm is an alarm', () => {
    expect(lines({ topic: '厨房/烟感', payload: state, retain: true })).toEqual(['厨房/烟感 smoke alarm'])
    expect(lines({ topic: 'plug', payload: { energy: 1 }, retain: true })).toEqual(['plug electricity 1000'])
  })
  test('an alarm is to be verified within 60 s of the start of the bridge, and none after', () => {
    const at = (ms: number) => lines({ topic: '厨房/烟感', payload: state, memory: online, at: now + ms })
    expect(at(59_999)).toEqual(['厨房/烟感 smoke alarm cached=true'])
    expect(at(60_000)).toEqual(['厨房/烟感 smoke alarm'])
    // Its devices come after it has said that it is there.
    const memory = read({ topic: 'bridge/devices', payload: home, memory: online }).memory!
    expect(lines({ topic: '厨房/烟感', payload: state, memory })).toEqual(['厨房/烟感 smoke alarm cached=true'])
  })
  test('not where the device was heard just now', () => {
    const payload = { ...state, last_seen: ago(2_000) }
    for (const retain of [true, false])
      expect(lines({ topic: '厨房/烟感', payload, retain, memory: online })).toEqual(['厨房/烟感 smoke alarm at -2 s'])
  })
  test('an alarm of hours ago keeps its time', () => {
    const payload = { ...state, last_seen: now - 7_200_000 }
    expect(lines({ topic: '厨房/烟感', payload, memory: online })).toEqual([
      '厨房/烟感 smoke alarm cached=true at -7200 s',
    ])
  })
  test('a bridge keeps no presses, a broker does; the retain flag alone makes no press an old one', () => {
    const payload = { action: 'emergency' }
    expect(lines({ topic: 'sos', payload, memory: online })).toEqual(['sos button pressed'])
    expect(lines({ topic: 'sos', payload, retain: true })).toEqual(['sos button pressed'])
    expect(lines({ topic: 'sos', payload, retain: true, memory: online })).toEqual(['sos button pressed cached=true'])
  })
  test('a call that is a state is kept by the bridge: old is only what is known to have stood before it started', () => {
    const payload = { sos: true }
    const news = ['pendant button pressed']
    expect(lines({ topic: 'pendant', payload, retain: true })).toEqual(news)
    expect(lines({ topic: 'pendant', payload, memory: online })).toEqual(news)
    const stood = read({ topic: 'pendant', payload }).memory!
    expect(read({ topic: 'pendant', payload, memory: stood }).memory).toBeUndefined()
    expect(lines({ topic: 'pendant', payload, memory: stood })).toEqual(news)
    const start = read({ topic: 'bridge/state', payload: 'online', memory: stood }).memory!
    const memory = read({ topic: 'bridge/devices', payload: home, memory: start }).memory!
    expect(lines({ topic: 'pendant', payload, memory })).toEqual(['pendant button pressed cached=true'])
    expect(lines({ topic: 'pendant', payload, memory, at: now + 60_000 })).toEqual(news)
    const released = read({ topic: 'pendant', payload: { sos: false }, memory })
    expect(released.readings).toEqual([])
    expect(lines({ topic: 'pendant', payload, memory: released.memory ?? memory })).toEqual(news)
  })
  test.each([
    ['in number', '', known],
    ['in bytes', '名'.repeat(190), {}],
  ])('calls that stand are remembered in bounds: %s', (_, name, start) => {
    let memory: DialectMemory = start
    const say = (topic: string, payload: unknown) => {
      memory = read({ topic, payload, memory }).memory ?? memory
    }
    for (let index = 0; index < 100; index++) say(`${index}${name}`, { smoke: true })
    for (let index = 0; index < 100; index++) say(`${index}${name}`, { sos: true })
    const { latched } = memory as { latched: string[] }
    expect(latched.at(-1)).toBe(`99${name} sos`)
    if (name === '') expect(latched).toHaveLength(50)
    expect(Buffer.byteLength(JSON.stringify(memory))).toBeLessThanOrEqual(memoryBytesMax)
  })
  test('a register of nobody knows when is none, one with its time is one', () => {
    expect(lines({ topic: 'plug', payload: { energy: 1 }, memory: online })).toEqual([])
    const payload = { energy: 1, last_seen: ago(600_000) }
    expect(lines({ topic: 'plug', payload, memory: online })).toEqual(['plug electricity 1000 at -600 s'])
  })
  test('nobody moved because the bridge started', () => {
    expect(lines({ topic: 'hall', payload: { occupancy: true }, memory: online })).toEqual([])
    expect(lines({ topic: 'door', payload: { contact: false }, memory: online })).toEqual([])
  })
})

describe('times', () => {
  test.each<[unknown, string]>([
    ['2026-06-01T11:59:00+08:00', 'plug electricity 1000 at -60 s'],
    [now - 30_000, 'plug electricity 1000 at -30 s'],
    ['2 minutes ago', 'plug electricity 1000'],
    [null, 'plug electricity 1000'],
    ['1970-01-01T00:00:11Z', 'plug refused: time absurd'],
  ])('last_seen %s', (last_seen, expected) => {
    expect(lines({ topic: 'plug', payload: { energy: 1, last_seen } })).toEqual([expected])
  })
})

describe('names and ids', () => {
  const smoke = { smoke: true }
  const ids = (message: Message) => read(message).readings.map(({ nativeId }) => nativeId)
  test('a device without a definition is understood by the names of its properties', () => {
    expect(lines({ topic: 'unsupported', payload: { smoke: true, battery: 50 } })).toEqual([
      'unsupported smoke alarm battery=0.5',
    ])
    expect(lines({ topic: 'unsupported', payload: { water_consumed: 5 } })).toEqual(['unknown field'])
  })
  test('a name heard before the bridge told of it stays the id, whatever the device is called later', () => {
    const early = read({ topic: 'new', payload: smoke })
    expect(early.readings[0]!.nativeId).toBe('new')
    const told = (friendly_name: string, memory: DialectMemory) =>
      read({
        topic: 'bridge/devices',
        payload: [device(friendly_name, 'Smoke detector', [binary('smoke')], { ieee_address: '0xffff' })],
        memory,
      })
    const first = told('new', early.memory!)
    expect(first.announcements).toMatchObject([{ nativeId: 'new', kind: 'smoke' }])
    const renamed = told('renamed', first.memory!)
    expect(ids({ topic: 'renamed', payload: smoke, memory: renamed.memory! })).toEqual(['new'])
    // Whoever speaks under its old name is another device.
    expect(lines({ topic: 'new', payload: smoke, memory: renamed.memory! })).toEqual(['topic not in dialect'])
  })
  test('a renamed device keeps its address as its id', () => {
    const payload = home.map((each) => (each.friendly_name === 'sos' ? { ...each, friendly_name: 'SOS 床头' } : each))
    const { memory } = read({ topic: 'bridge/devices', payload })
    expect(ids({ topic: 'SOS 床头', payload: { action: 'emergency' }, memory: memory! })).toEqual([idOf('sos')])
  })
  test('the address in the message counts where the bridge has not told of the device', () => {
    const payload = { ...smoke, device: { ieeeAddr: '0x00158d00018255df' } }
    expect(ids({ topic: 'x', payload, memory: {} })).toEqual(['0x00158d00018255df'])
  })
  test('a new device below the name of another is a device', () => {
    expect(ids({ topic: 'plug/smoke', payload: smoke })).toEqual(['plug/smoke'])
  })
  test('below v1/{gatewayId}/ there is no base', () => {
    const payload = new TextEncoder().encode(JSON.stringify(smoke))
    const message = { base: '', payload, retain: false, receivedAt: now, timeZone: 'UTC', settings: null }
    const { readings } = zigbee2mqtt.read({ ...message, topic: '厨房/烟感', memory: known })
    expect(readings).toMatchObject([{ nativeId: idOf('厨房/烟感'), kind: 'smoke', fields: { alarm: true } }])
  })
})

describe('memory is bounded', () => {
  const many = (count: number, exposes: (index: number) => Expose[]) =>
    Array.from({ length: count }, (_, index) => device(`第 ${index} 户/设备 ${index}`, 'x', exposes(index)))
  test('600 smoke detectors of one model fit', () => {
    const payload = many(600, () => [binary('smoke'), battery])
    const { memory, rejections } = read({ topic: 'bridge/devices', payload, memory: {} })
    expect(rejections).toEqual([])
    expect(lines({ topic: '第 599 户/设备 599', payload: { smoke: true }, memory: memory! })).toHaveLength(1)
  })
  test('what is nothing to us is left out first, and that is said', () => {
    const lamps = many(1_500, () => [{ type: 'light', features: [] }])
    const alarm = device('last', 'Smoke detector', [binary('smoke', { value_on: 'FEUER', value_off: 'NICHTS' })])
    const { memory, rejections } = read({ topic: 'bridge/devices', payload: [...lamps, alarm], memory: {} })
    expect(rejections).toMatchObject([{ reason: 'wrong shape', detail: expect.stringContaining('of 1501 devices') }])
    expect(Buffer.byteLength(JSON.stringify(memory))).toBeLessThanOrEqual(memoryBytesMax)
    expect(read({ topic: 'last', payload: { smoke: 'FEUER' }, memory: memory! }).readings).toHaveLength(1)
  })
  test('names heard early are bounded', () => {
    let memory: DialectMemory = {}
    for (let index = 0; index < 300; index++)
      memory = read({ topic: `${index}${'名'.repeat(190)}`, payload: { smoke: true }, memory }).memory ?? memory
    expect((memory.early as string[]).length).toBeLessThanOrEqual(100)
    expect(Buffer.byteLength(JSON.stringify(memory))).toBeLessThanOrEqual(memoryBytesMax)
  })
})

describe('commands', () => {
  const write = (
    name: string,
    command: Parameters<NonNullable<typeof zigbee2mqtt.write>>[0]['command'],
    under = base,
  ) => zigbee2mqtt.write!({ command, nativeId: idOf(name), base: under, memory: known })
  test.each([
    ['siren', { name: 'chime' }, { warning: { mode: 'emergency', level: 'low', strobe: false, duration: 2 } }],
    ['siren', { name: 'self-test' }, { selftest: '' }],
    ['siren', { name: 'led', on: true }, { led: 'ON' }],
    ['siren', { name: 'led', on: false }, { led: 'OFF' }],
    ['water', { name: 'close valve' }, { state: 'OFF' }],
  ] as const)('%s %j', (name, command, payload) => {
    const written = write(name, command)
    expect(written?.topic).toBe(`zigbee2mqtt/${name}/set`)
    expect(JSON.parse(written!.payload)).toEqual(payload)
  })
  test('a lamp switch is no valve, a meter has no bell, and nothing speaks', () => {
    expect(write('lamp switch', { name: 'close valve' })).toBeUndefined()
    expect(write('plug', { name: 'chime' })).toBeUndefined()
    expect(write('siren', { name: 'prompt', text: '起床了', language: 'zh-CN' })).toBeUndefined()
  })
  test('to a channel, and below v1/{gatewayId}/', () => {
    expect(write('water', { name: 'close valve' }, '')?.topic).toBe('water/set')
    const command = { name: 'close valve' } as const
    const nativeId = `${idOf('water')}/l1`
    expect(zigbee2mqtt.write!({ command, nativeId, base, memory: known })?.topic).toBe('zigbee2mqtt/water/set')
    // An address that is the beginning of another id with a slash is no reason to shut the wrong valve.
    const { devices, ...rest } = known as { devices: [string, string, number][] }
    const model = devices.find(([name]) => name === 'water')![2]
    const memory = { ...rest, devices: [['hall', 'flat', model] as const, ['bath', 'flat/bath', model] as const] }
    expect(zigbee2mqtt.write!({ command, nativeId: 'flat/bath', base, memory })?.topic).toBe('zigbee2mqtt/bath/set')
  })
})

test('whatever the message, there is a reading or a reason', () => {
  const words = [
    ...[
      'smoke',
      'gas',
      'carbon_monoxide',
      'water_leak',
      'action',
      'emergency',
      'single',
      'energy',
      'kWh',
      'power',
      'W',
    ],
    ...['water_consumed', 'm³', 'occupancy', 'contact', 'battery', 'battery_low', 'test', 'last_seen', 'device', 'sos'],
    ...['ieeeAddr', '0x0000000000000001', 'name', 'property', 'type', 'binary', 'numeric', 'enum', 'access', 'unit'],
    ...['value_on', 'value_off', 'values', 'features', 'endpoint', 'exposes', 'definition', 'friendly_name', 'online'],
    ...['ieee_address', 'state', 'kitchen', 'disabled', 'description', 'fall_status', 'fall_alarm', 'on_the_bed'],
  ]
  const topics = [
    'bridge/devices',
    'bridge/devices',
    'bridge/state',
    'kitchen',
    'kitchen/烟感',
    'plug',
    'set',
    'get',
    'availability',
    'smoke',
  ]
  const some = jsonWith(words)
  const devices = some.map((json) => [
    ...home,
    { ...(typeof json === 'object' ? json : {}), friendly_name: 'kitchen', definition: { exposes: json } },
    json,
  ])
  anyMessages(zigbee2mqtt, {
    topics: topicsOf(topics),
    payloads: some.chain((json) =>
      devices.map((list) => (Math.abs(JSON.stringify(json)?.length ?? 0) % 3 === 0 ? list : json)),
    ),
  })
})
