import { Registry } from 'prom-client'
import { afterAll, beforeAll, describe, expect, test, vi } from 'vitest'
import { announcedPerGatewayMax } from '../db/announced.js'
import { registerDocument } from '../db/register/document.js'
import { register } from '../db/register/register.js'
import { type DialectMemory, type DialectName, dialectNames, memoryBytesMax } from '../ingest/dialects/dialect.js'
import { dialects } from '../ingest/dialects/dialects.js'
import { nativeDeviceId } from '../ingest/dialects/native-id.js'
import { createIngest, type Ingest } from '../ingest/ingest.js'
import { quarantineRowsPerHourMax } from '../ingest/quarantine-budget.js'
import { manualClock } from '../kit/clock.js'
import { createLog } from '../kit/log.js'
import { createSignal } from '../kit/signal.js'
import { registerCommunity } from './support/community.js'
import { startTestDatabase, type TestDatabase } from './support/database.js'

const payloadBytes = 65_000
const clock = manualClock(new Date('2026-06-01T04:00:00Z'))
let database: TestDatabase
let ingest: Ingest

const mapping = {
  rules: [
    {
      topic: 'home/+/meter',
      kind: 'water',
      device: { path: 'name' },
      items: 'items',
      fields: { litres: { path: 'total', unit: 'm3' } },
    },
    {
      topic: 'home/+/sos',
      kind: 'button',
      device: { segment: 2 },
      fields: { event: { path: 'act', values: { single: 'pressed' } } },
    },
  ],
}
const eui = (n: number) => n.toString(16).padStart(16, '0')
/** Where each dialect reads something, and what it looks for there. */
const grounds: Record<
  DialectName,
  {
    topics: string[]
    words: string[]
    many: (n: number) => unknown
    side?: (n: number) => unknown
    one: (n: number) => [string, unknown]
  }
> = {
  zigbee2mqtt: {
    topics: ['bridge/devices', 'bridge/state', 'hall', 'hall/smoke'],
    words: ['smoke', 'action', 'energy', 'water_consumed', 'last_seen', 'battery', 'exposes', 'definition'],
    many: (n) =>
      Array.from({ length: n }, (_, i) => ({
        ieee_address: `0x${eui(i)}`,
        type: 'EndDevice',
        friendly_name: `d${i}`,
        definition: {
          model: 'x',
          vendor: 'y',
          exposes: [{ type: 'binary', name: 'smoke', property: 'smoke', value_on: true, value_off: false, access: 1 }],
        },
      })),
    one: (n) => [`invented ${n}`, { smoke: true, contact: n % 2 === 0 }],
  },
  wmbusmeters: {
    topics: ['wmbusmeters/33225544'],
    words: ['media', 'status', 'total_m3', 'id', 'timestamp', 'current_alarms', 'name', 'meter'],
    many: (n) => ({ _: 'telegram', id: '1', media: 'water', total_m3: 1, status: 'LEAK '.repeat(n) }),
    one: (n) => [
      `wmbusmeters/${n}`,
      { _: 'telegram', media: 'smoke detector', id: String(n), status: 'SMOKE', name: `n${n}` },
    ],
  },
  tasmota: {
    topics: [
      'tele/plug/SENSOR',
      'stat/plug/STATUS8',
      'tele/plug/RESULT',
      'tele/bridge/ZBRECEIVED',
      'tasmota/discovery/AABB/config',
    ],
    words: ['ENERGY', 'Total', 'Time', 'Switch1', 'SOS', 'ZbReceived', 'Power', 'StatusSNS', 'Action'],
    many: (n) => ({
      Time: '2026-06-01T12:00:00',
      ...Object.fromEntries(Array.from({ length: n }, (_, i) => [`Switch${i}`, 'ON'])),
    }),
    one: (n) => [`stat/p${n}/SOS`, 'ON'],
  },
  shelly: {
    topics: [
      'shellies/x/input_event/0',
      'x/events/rpc',
      'x/status/smoke:0',
      'shellies/announce',
      'shellies/x/sensor/gas',
    ],
    words: ['params', 'method', 'NotifyStatus', 'smoke:0', 'switch:0', 'aenergy', 'total', 'ts', 'events', 'component'],
    many: (n) => ({
      method: 'NotifyStatus',
      params: Object.fromEntries(Array.from({ length: n }, (_, i) => [`smoke:${i}`, { alarm: true }])),
    }),
    one: (n) => [`shellies/s${n}/input_event/0`, { event: 'S', event_cnt: n }],
  },
  chirpstack: {
    topics: [`application/1/device/${eui(1)}/event/up`, `application/1/device/${eui(1)}/event/status`],
    words: ['object', 'deviceInfo', 'time', 'smoke', 'total_m3', 'history', 'delta_1_m3', 'timestamp', 'tags'],
    many: (n) => ({
      time: '2026-06-01T03:59:58Z',
      object: {
        history: Array.from({ length: n }, (_, i) => ({ timestamp: 1_780_000_000 + i, smoke: 'alarm', total_m3: i })),
      },
    }),
    one: (n) => [
      `application/1/device/${eui(n)}/event/up`,
      { deviceInfo: { deviceName: `n${n}` }, object: { smoke: 'alarm' } },
    ],
  },
  thingsboard: {
    topics: ['gateway/telemetry', 'gateway/attributes', 'devices/me/telemetry'],
    words: ['ts', 'values', 'smoke', 'total_m3', 'battery', 'unit', 'water_unit'],
    many: (n) =>
      Object.fromEntries(Array.from({ length: n }, (_, i) => [`device ${i}`, [{ values: { smoke: true } }]])),
    side: (n) => Object.fromEntries(Array.from({ length: n }, (_, i) => [`d${i}`, { battery: i % 100 }])),
    one: (n) => ['gateway/telemetry', { [`device ${n}`]: [{ values: { smoke: true } }] }],
  },
  aliyun: {
    topics: [
      'sys/k/n/thing/event/property/post',
      'sys/k/n/thing/event/property/pack/post',
      'sys/k/n/thing/event/property/history/post',
      'sys/k/n/thing/event/SmokeAlarm/post',
    ],
    words: ['params', 'id', 'value', 'time', 'SmokeSensorState', 'properties', 'events', 'subDevices', 'identity'],
    many: (n) => ({
      id: '1',
      params: {
        subDevices: Array.from({ length: n }, (_, i) => ({
          identity: { productKey: 'k', deviceName: `n${i}` },
          properties: { SmokeSensorState: 1 },
        })),
      },
    }),
    side: (n) => ({
      id: '1',
      params: {
        subDevices: Array.from({ length: n }, (_, i) => ({
          identity: { productKey: 'k', deviceName: `n${i}` },
          properties: { BatteryPercentage: i % 100, WaterValveState: 1 },
        })),
      },
    }),
    one: (n) => [`sys/k/n${n}/thing/event/property/post`, { id: '1', params: { SmokeSensorState: 1 } }],
  },
  generic: {
    topics: ['home/101/meter', 'home/101/sos'],
    words: ['items', 'name', 'total', 'act'],
    many: (n) => ({ items: Array.from({ length: n }, (_, i) => ({ name: `d${i}`, total: i })) }),
    one: (n) => [`home/${n}/sos`, { act: 'single' }],
  },
}

/** As large as a payload may be, and each of them odd in another way. */
function hostile({ words, many, side = many }: (typeof grounds)[DialectName]): [what: string, payload: string][] {
  const keys = (name: (i: number) => string, value: unknown) => {
    const all: Record<string, unknown> = {}
    for (let i = 0, bytes = 0; bytes < payloadBytes - 100; i++) {
      all[name(i)] = value
      bytes += Buffer.byteLength(JSON.stringify(name(i))) + JSON.stringify(value).length + 2
    }
    return all
  }
  const word = (i: number) => words[i % words.length]!
  const inside = (value: unknown): string => {
    const each = Object.fromEntries(words.map((one) => [one, value]))
    return JSON.stringify({ ...each, [words[0]!]: each })
  }
  const largest = (of: (n: number) => unknown) => {
    let n = 32
    while (JSON.stringify(of(n + 32)).length < payloadBytes) n += 32
    return JSON.stringify(of(n))
  }
  return [
    ['lists in lists', `${'['.repeat(payloadBytes / 2)}${']'.repeat(payloadBytes / 2)}`],
    ['objects in objects', `${`{"${word(0)}":`.repeat(3_000)}1${'}'.repeat(3_000)}`],
    ['keys', JSON.stringify(keys((i) => `k${i}`, 1))],
    ['known keys', JSON.stringify(keys((i) => `${word(i)}_${i}`, true))],
    ['known keys inside', JSON.stringify({ ...keys((i) => `${word(i)}${i}`, true) })],
    ['keys inside', JSON.stringify({ [word(0)]: keys((i) => `${word(i)}${i}`, 1) })],
    [
      'odd names',
      JSON.stringify(
        keys((i) => ['__proto__', 'constructor', 'a\0b', '\ud800', 'toString'][i % 5]! + i, { a: '\0\udfff' }),
      ),
    ],
    [
      '__proto__',
      `{"__proto__":{"${word(0)}":true},"constructor":{"prototype":{"x":1}},"${word(0)}":{"__proto__":{"alarm":true}}}`,
    ],
    ['a long text', inside('1'.repeat(3_500))],
    ['a longer text', JSON.stringify({ [word(0)]: 'a'.repeat(payloadBytes - 100), [word(1)]: 'b' })],
    ['spaces', inside(`${' '.repeat(3_000)}x`)],
    ['commas', inside('OK,_ '.repeat(700))],
    ['zeros', inside(`2026-06-01T${'0'.repeat(3_000)}`)],
    ['a list', JSON.stringify(Array(12_000).fill(null))],
    [
      'a list of lists',
      JSON.stringify(Object.fromEntries(words.slice(0, 3).map((one) => [one, Array(2_500).fill([1, 'x'])]))),
    ],
    ['many', largest(many)],
    ['many batteries', largest(side)],
    ['plain text', '0'.repeat(payloadBytes)],
    ['spaces alone', ' '.repeat(payloadBytes)],
    ['bytes', '\uffff'.repeat(payloadBytes / 3)],
  ]
}

/** What its adapter knows after the largest of its own messages and hundreds of devices. */
function full(dialect: DialectName): DialectMemory {
  const { topics, many, one } = grounds[dialect]
  let memory: DialectMemory = {}
  const say = (topic: string, body: unknown) => {
    const payload = Buffer.from(typeof body === 'string' ? body : JSON.stringify(body))
    const output = dialects[dialect]!.read({ ...context(dialect), topic, payload, memory })
    memory = output.memory ?? memory
  }
  say(topics[0]!, many(200))
  for (let n = 0; n < 300; n++) say(...one(n))
  return memory
}
const context = (dialect: DialectName) => ({
  base: '',
  retain: false,
  receivedAt: clock.now().getTime(),
  timeZone: 'Asia/Shanghai',
  settings: dialect === 'generic' ? mapping : null,
})

const ids = Object.fromEntries(dialectNames.map((name) => [name, `odd-${name}`])) as Record<DialectName, string>

beforeAll(async () => {
  database = await startTestDatabase()
  await registerCommunity(database.db, { key: 'a', homes: 2, now: clock.now() })
  const gateway = (id: string, dialect: DialectName) => ({
    ...{ id, community: 'a', secret: `invented-secret-of-${id}`, dialect },
    ...(dialect === 'generic' ? { dialectSettings: mapping } : {}),
  })
  const document = registerDocument.parse({
    gateways: [
      ...dialectNames.map((dialect) => gateway(ids[dialect], dialect)),
      ...dialectNames.map((dialect) => gateway(`flood-${dialect}`, dialect)),
      gateway('neighbour', 'tasmota'),
    ],
    devices: [{ native: 'p1#SOS', kind: 'button', gateway: 'neighbour', resident: 'a-2', room: '' }],
  })
  await register(database.db, { document, timeZoneDefault: 'Asia/Shanghai', now: clock.now() })
  const log = createLog({ role: 'test', level: 'silent' })
  ingest = createIngest({ db: database.db, clock, log, metrics: new Registry(), signal: createSignal() })
  await ingest.start()
})
afterAll(async () => {
  await ingest?.stop()
  await database?.stop()
})

const send = (gatewayId: string, topic: string, body: unknown) =>
  ingest.accept({
    gatewayId,
    topic: `v1/${gatewayId}/${topic}`,
    payload: Buffer.from(typeof body === 'string' ? body : JSON.stringify(body)),
    retain: false,
    receivedAt: clock.now(),
  })
const countOf = async (table: 'announced_devices' | 'quarantine', gatewayId: string): Promise<number> =>
  (await database.db.query(`select count(*)::int as n from ${table} where gateway_id = $1`, [gatewayId])).rows[0]!
    .n as number
const memoryBytes = async (gatewayId: string): Promise<number> =>
  (
    await database.db.query('select octet_length(dialect_memory::text)::int as n from gateways where gateway_id = $1', [
      gatewayId,
    ])
  ).rows[0]!.n as number

describe.each(dialectNames)('%s', (dialect) => {
  const { topics, one } = grounds[dialect]

  test('64 KB of whatever are read in bounded time', () => {
    const memory = full(dialect)
    let slowest = { ms: 0, what: '' }
    for (const [what, text] of hostile(grounds[dialect]))
      for (const topic of topics) {
        const payload = Buffer.from(text)
        let ms = Number.POSITIVE_INFINITY
        // The machine has other things to do, too: the best of several counts.
        for (let run = 0; run < 5; run++) {
          const begun = performance.now()
          const output = dialects[dialect]!.read({ ...context(dialect), topic, payload, memory })
          ms = Math.min(ms, performance.now() - begun)
          if (output.memory)
            expect(Buffer.byteLength(JSON.stringify(output.memory))).toBeLessThanOrEqual(memoryBytesMax)
        }
        if (ms > slowest.ms) slowest = { ms, what: `${what} on ${topic}` }
      }
    console.log(`${dialect}: at most ${slowest.ms.toFixed(1)} ms, for ${slowest.what}`)
    expect(slowest.ms, slowest.what).toBeLessThan(150)
  })

  test('is acknowledged whatever it says, in bounded rows, and what comes behind is understood', async () => {
    const gatewayId = ids[dialect]
    let slowest = { ms: 0, what: '' }
    for (const [what, text] of hostile(grounds[dialect]))
      for (const topic of topics) {
        const begun = performance.now()
        await send(gatewayId, topic, text)
        const ms = performance.now() - begun
        if (ms > slowest.ms) slowest = { ms, what: `${what} on ${topic}` }
      }
    console.log(`${dialect}: acknowledged after at most ${slowest.ms.toFixed(0)} ms, for ${slowest.what}`)
    expect(await countOf('announced_devices', gatewayId)).toBeLessThanOrEqual(announcedPerGatewayMax)
    expect(await countOf('quarantine', gatewayId)).toBeLessThanOrEqual(quarantineRowsPerHourMax)
    expect(await memoryBytes(gatewayId)).toBeLessThanOrEqual(2 * memoryBytesMax)
    clock.advance(20_000)
    const before = await countOf('quarantine', gatewayId)
    const [topic, body] = one(77_777)
    await send(gatewayId, topic, body)
    // Nobody has claimed it: its alarm is shown to the operator, unless this hour's rows are used up.
    expect(await countOf('quarantine', gatewayId)).toBe(Math.min(before + 1, quarantineRowsPerHourMax))
  })

  test('fills no table and no memory with devices that it invents', async () => {
    const gatewayId = `flood-${dialect}`
    const count = dialect === 'zigbee2mqtt' ? 10_000 : 3_000
    for (let from = 0; from < count; from += 250)
      await Promise.all(Array.from({ length: 250 }, (_, i) => send(gatewayId, ...one(from + i))))
    expect(await countOf('announced_devices', gatewayId)).toBe(announcedPerGatewayMax)
    expect(await countOf('quarantine', gatewayId)).toBe(quarantineRowsPerHourMax)
    expect(await memoryBytes(gatewayId)).toBeLessThanOrEqual(2 * memoryBytesMax)
  }, 90_000)
})

test('ten thousand messages leave nothing behind in memory', async () => {
  const collect = globalThis.gc
  const round = async () => {
    for (let from = 0; from < 10_000; from += 250) {
      clock.advance(11_000)
      await Promise.all(
        Array.from({ length: 250 }, (_, i) =>
          send('flood-aliyun', `sys/k/n${(from + i) % 500}/thing/event/property/post`, {
            id: String(i),
            params: { BatteryPercentage: (from + i) % 100, SmokeSensorState: 0 },
          }),
        ),
      )
    }
    collect?.()
    return process.memoryUsage().heapUsed
  }
  await round()
  const first = await round()
  const second = await round()
  console.log(`heap after 20,000 messages ${(first / 1e6).toFixed(1)} MB, after 30,000 ${(second / 1e6).toFixed(1)} MB`)
  // Without --expose-gc this only finds what is kept for ever: 10,000 of these messages are 12 MB.
  expect(second - first).toBeLessThan(60e6)
}, 90_000)

test("another gateway's devices cannot be spoken for", async () => {
  for (const gatewayId of [ids.tasmota, ids.shelly, ids.generic]) await send(gatewayId, 'stat/p1/SOS', 'ON')
  // Not even by its id in our words.
  await send(ids.tasmota, `${nativeDeviceId('neighbour', 'p1#SOS', 'button')}/button`, {
    ts: Date.now(),
    event: 'pressed',
  })
  await send('a-1', `${nativeDeviceId('neighbour', 'p1#SOS', 'button')}/button`, { ts: Date.now(), event: 'pressed' })
  const alertsOf = async () => (await database.db.query("select kind from alerts where resident_id = 'a-2'")).rows
  expect(await alertsOf()).toEqual([])
  await send('neighbour', 'stat/p1/SOS', 'ON')
  expect(await alertsOf()).toEqual([{ kind: 'button' }])
})

test('an adapter that fails is a message not understood: acknowledged, kept and shown', async () => {
  const failing = vi.spyOn(dialects.tasmota!, 'read').mockImplementation(() => {
    throw new TypeError('invented')
  })
  try {
    await send('neighbour', 'stat/p1/SOS', 'ON')
  } finally {
    failing.mockRestore()
  }
  const { rows } = await database.db.query(
    "select reason, detail, payload from quarantine where gateway_id = 'neighbour' order by quarantine_id desc limit 1",
  )
  expect(rows).toEqual([{ reason: 'not understood', detail: 'invented', payload: Buffer.from('ON') }])
  clock.advance(600_000)
  await send('neighbour', 'stat/p1/SOS', 'ON')
  expect(
    (
      await database.db.query(
        "select count(*)::int as n from readings join devices using (device_no) where gateway_id = 'neighbour'",
      )
    ).rows,
  ).toEqual([{ n: 2 }])
})
