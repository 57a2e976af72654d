import { Registry } from 'prom-client'
import { afterAll, beforeAll, describe, expect, test, vi } from 'vitest'
import { registerDocument } from '../db/register/document.js'
import { register } from '../db/register/register.js'
import type { ReadingKind } from '../ingest/contract.js'
import type { DialectName } from '../ingest/dialects/dialect.js'
import { nativeDeviceId } from '../ingest/dialects/native-id.js'
import { createIngest, type Ingest } from '../ingest/ingest.js'
import { manualClock } from '../kit/clock.js'
import { createLog } from '../kit/log.js'
import { createSignal } from '../kit/signal.js'
import { registerCommunity } from './support/community.js'
import { startTestDatabase, type TestDatabase } from './support/database.js'

let database: TestDatabase
let ingest: Ingest
const clock = manualClock(new Date('2026-06-01T04:00:00Z'))
const log = createLog({ role: 'test', level: 'silent' })
const iso = (agoMs = 0) => new Date(clock.now().getTime() - agoMs).toISOString()

const startIngest = async () => {
  const started = createIngest({ db: database.db, clock, log, metrics: new Registry(), signal: createSignal() })
  await started.start()
  return started
}

beforeAll(async () => {
  database = await startTestDatabase()
  await registerCommunity(database.db, {
    key: 'a',
    homes: 10,
    channelsOf: () => [{ kind: 'email', address: 'worker@example.org' }],
    now: clock.now(),
  })
  ingest = await startIngest()
})
afterAll(async () => {
  await ingest?.stop()
  await database?.stop()
})

type Gateway = { id: string; dialect: DialectName | 'v1'; baseTopics?: string[]; settings?: unknown }
type Device = { native: string; kind: ReadingKind; resident?: string }

/** Registers the gateway as it is to be from now on, with these of its devices claimed. */
async function registered({ id, dialect, baseTopics = [], settings }: Gateway, devices: Device[] = []) {
  const document = registerDocument.parse({
    gateways: [
      {
        id,
        community: 'a',
        secret: `invented-secret-of-${id}`,
        dialect,
        baseTopics,
        ...(settings === undefined ? {} : { dialectSettings: settings }),
      },
    ],
    devices: devices.map(({ native, kind, resident = 'a-1' }) => ({
      native,
      kind,
      gateway: id,
      resident,
      room: '厨房',
    })),
  })
  await register(database.db, { document, timeZoneDefault: 'Asia/Shanghai', now: clock.now() })
}
const send = (gatewayId: string, topic: string, body: unknown, { retain = false, to = ingest } = {}) =>
  to.accept({
    gatewayId,
    topic,
    payload: Buffer.isBuffer(body) ? body : Buffer.from(typeof body === 'string' ? body : JSON.stringify(body)),
    retain,
    receivedAt: clock.now(),
  })
const rows = async (sql: string, values: unknown[] = []) => (await database.db.query(sql, values)).rows
const readingsOf = (gatewayId: string, native: string, kind: ReadingKind) =>
  rows('select r.* from readings r join devices d using (device_no) where device_id = $1 order by observed_at', [
    nativeDeviceId(gatewayId, native, kind),
  ])
const alertsOf = (gatewayId: string, native: string, kind: ReadingKind) =>
  rows('select a.* from alerts a join devices d using (device_no) where device_id = $1 order by alert_id', [
    nativeDeviceId(gatewayId, native, kind),
  ])
const quarantineOf = (gatewayId: string) =>
  rows('select * from quarantine where gateway_id = $1 order by quarantine_id', [gatewayId])
const announcedOf = (gatewayId: string) =>
  rows('select * from announced_devices where gateway_id = $1 order by device_id', [gatewayId])
const memoryOf = async (gatewayId: string) =>
  (await rows('select dialect_memory from gateways where gateway_id = $1', [gatewayId]))[0].dialect_memory

type Case = {
  settings?: unknown
  /** Base topics, and what comes before a topic there. */
  baseTopics: string[]
  base: string
  /** Said once, before. */
  before?: [topic: string, body: unknown][]
  meter: { topic: string; body: () => unknown; native: string; kind: ReadingKind; value: number; agoMs: number }
  alarm: { topic: string; body: () => unknown; native: string; kind: ReadingKind; event: string }
}
const z2mDevice = (ieee: string, name: string, description: string, exposes: object[]) => ({
  ieee_address: ieee,
  type: 'EndDevice',
  friendly_name: name,
  supported: true,
  disabled: false,
  definition: { vendor: 'Example', model: 'X-1', description, exposes, options: [] },
})
const smokeExposes = [
  { type: 'binary', name: 'smoke', property: 'smoke', value_on: true, value_off: false, access: 1 },
  { type: 'numeric', name: 'battery', property: 'battery', unit: '%', access: 1 },
]
const waterExposes = [{ type: 'numeric', name: 'water_consumed', property: 'water_consumed', unit: 'm³', access: 1 }]
const z2mDevices = [
  z2mDevice('0x00158d0000000001', '厨房/烟感', 'Smoke detector', smokeExposes),
  z2mDevice('0x00158d0000000002', 'meter', 'Water meter', waterExposes),
]
const eui = '24e124538b223344'
const frame = (object: object) => ({
  deduplicationId: '3ac7e3c4-4401-4b8d-9386-a5c902f9202d',
  time: iso(2_000),
  deviceInfo: { deviceProfileName: 'Beispiel W1', deviceName: '水表 A-101', devEui: eui, tags: {} },
  fPort: 85,
  object,
})
const alink = (params: object) => ({ id: '123', version: '1.0', sys: { ack: 1 }, params, method: 'thing.event' })

const cases: [DialectName, Case][] = [
  [
    'zigbee2mqtt',
    {
      baseTopics: ['zigbee2mqtt'],
      base: 'zigbee2mqtt/',
      before: [['bridge/devices', z2mDevices]],
      meter: {
        topic: 'meter',
        body: () => ({ water_consumed: 6.054, last_seen: iso(3_000) }),
        native: '0x00158d0000000002',
        kind: 'water',
        value: 6_054,
        agoMs: 3_000,
      },
      alarm: {
        topic: '厨房/烟感',
        body: () => ({ smoke: true, battery: 81 }),
        native: '0x00158d0000000001',
        kind: 'smoke',
        event: 'alarm',
      },
    },
  ],
  [
    'wmbusmeters',
    {
      baseTopics: ['wmbusmeters'],
      base: '',
      meter: {
        topic: 'wmbusmeters/33225544',
        body: () => ({
          ...{ _: 'telegram', media: 'water', meter: 'iperl', name: 'Flat 31', id: '33225544' },
          total_m3: 123.529,
          timestamp: iso(1_000),
        }),
        native: '33225544',
        kind: 'water',
        value: 123_529,
        agoMs: 1_000,
      },
      alarm: {
        topic: 'wmbusmeters/00010204',
        body: () => ({
          ...{ _: 'telegram', media: 'smoke detector', meter: 'lansensm', name: 'Smoke', id: '00010204' },
          status: 'SMOKE',
          timestamp: iso(),
        }),
        native: '00010204',
        kind: 'smoke',
        event: 'alarm',
      },
    },
  ],
  [
    'tasmota',
    {
      baseTopics: ['tele/plug_31', 'stat/plug_31'],
      base: '',
      meter: {
        topic: 'tele/plug_31/SENSOR',
        // Local time without a zone: the community's.
        body: () => ({
          Time: new Date(clock.now().getTime() - 2_000 + 8 * 3_600_000).toISOString().slice(0, 19),
          ENERGY: { Total: 514.153, Power: 56 },
        }),
        native: 'plug_31',
        kind: 'electricity',
        value: 514_153,
        agoMs: 2_000,
      },
      alarm: { topic: 'stat/plug_31/SOS', body: () => 'ON', native: 'plug_31#SOS', kind: 'button', event: 'pressed' },
    },
  ],
  [
    'shelly',
    {
      baseTopics: ['shellies/shellybutton1-A4CF12F45301', 'shellies/shellyplug-s-02086E'],
      base: '',
      meter: {
        topic: 'shellies/shellyplug-s-02086E/relay/0/energy',
        body: () => '150',
        native: 'shellies/shellyplug-s-02086E#relay/0',
        kind: 'electricity',
        value: 2.5,
        agoMs: 0,
      },
      alarm: {
        topic: 'shellies/shellybutton1-A4CF12F45301/input_event/0',
        body: () => ({ event: 'S', event_cnt: 3 }),
        native: 'shellies/shellybutton1-A4CF12F45301#input_event/0',
        kind: 'button',
        event: 'pressed',
      },
    },
  ],
  [
    'chirpstack',
    {
      baseTopics: ['application/9f3c6f5e-0000-4000-8000-000000000001'],
      base: '',
      meter: {
        topic: `application/9f3c6f5e-0000-4000-8000-000000000001/device/${eui}/event/up`,
        body: () => frame({ total_m3: 6.054, temperature: 21 }),
        native: eui,
        kind: 'water',
        value: 6_054,
        agoMs: 2_000,
      },
      alarm: {
        topic: `application/9f3c6f5e-0000-4000-8000-000000000001/device/${eui}/event/up`,
        body: () => frame({ button_event: { status: 'short press' }, battery: 16 }),
        native: eui,
        kind: 'button',
        event: 'pressed',
      },
    },
  ],
  [
    'thingsboard',
    {
      baseTopics: ['v1/gateway'],
      base: 'v1/gateway/',
      // Below its own prefix it goes on saying gateway/telemetry.
      meter: {
        topic: 'telemetry',
        body: () => ({ '水表 101': [{ ts: clock.now().getTime() - 5_000, values: { total_m3: 12.345 } }] }),
        native: '水表 101',
        kind: 'water',
        value: 12_345,
        agoMs: 5_000,
      },
      alarm: {
        topic: 'telemetry',
        body: () => ({ SOS: [{ ts: clock.now().getTime(), values: { sos: 1, battery: 40 } }] }),
        native: 'SOS',
        kind: 'button',
        event: 'pressed',
      },
    },
  ],
  [
    'aliyun',
    {
      baseTopics: ['/sys/a1Kl8ExampleK/gateway-07'],
      base: '/',
      meter: {
        topic: 'sys/a1Kl8ExampleK/gateway-07/thing/event/property/post',
        body: () => alink({ PowerConsumption: { value: 12.3, time: clock.now().getTime() - 4_000 } }),
        native: 'a1Kl8ExampleK/gateway-07',
        kind: 'electricity',
        value: 12_300,
        agoMs: 4_000,
      },
      alarm: {
        topic: 'sys/a1Kl8ExampleK/gateway-07/thing/event/SmokeAlarm/post',
        body: () => alink({ value: { SmokeSensorState: 1 }, time: clock.now().getTime() }),
        native: 'a1Kl8ExampleK/gateway-07',
        kind: 'smoke',
        event: 'alarm',
      },
    },
  ],
  [
    'generic',
    {
      settings: {
        rules: [
          {
            topic: 'home/+/meter',
            kind: 'water',
            device: { segment: 2 },
            fields: { litres: { path: 'reading.total', unit: 'm3' } },
            time: { path: 'at' },
          },
          {
            topic: 'home/+/sos',
            kind: 'button',
            device: { segment: 2 },
            fields: { event: { path: 'act', values: { single: 'pressed', '': null } } },
          },
        ],
      },
      baseTopics: ['home'],
      base: '',
      meter: {
        topic: 'home/101/meter',
        body: () => ({ reading: { total: 6.054 }, at: iso(7_000) }),
        native: '101',
        kind: 'water',
        value: 6_054,
        agoMs: 7_000,
      },
      alarm: {
        topic: 'home/101/sos',
        body: () => ({ act: 'single' }),
        native: '101',
        kind: 'button',
        event: 'pressed',
      },
    },
  ],
]

describe.each(cases)('%s', (dialect, { settings, baseTopics, base, before = [], meter, alarm }) => {
  const places: [where: string, gatewayId: string, prefix: string][] = [
    ['below its own prefix', `${dialect}-own`, `v1/${dialect}-own/${dialect === 'thingsboard' ? 'gateway/' : ''}`],
    ['under topics of its own', `${dialect}-base`, base],
  ]
  test.each(places)('%s: a meter is stored with its value and time', async (_, gatewayId, prefix) => {
    await registered({ id: gatewayId, dialect, baseTopics: gatewayId.endsWith('own') ? [] : baseTopics, settings }, [
      { native: meter.native, kind: meter.kind },
    ])
    for (const [topic, body] of before) await send(gatewayId, `${prefix}${topic}`, body)
    await send(gatewayId, `${prefix}${meter.topic}`, meter.body())
    expect(await quarantineOf(gatewayId)).toEqual([])
    const [reading, ...others] = await readingsOf(gatewayId, meter.native, meter.kind)
    expect(others).toEqual([])
    expect(reading).toMatchObject({ value: meter.value, event: '', received_at: clock.now() })
    const wholeSeconds = (at: Date) => Math.floor(at.getTime() / 1_000)
    expect(wholeSeconds(reading.observed_at)).toBe(wholeSeconds(new Date(clock.now().getTime() - meter.agoMs)))
  })
  test.each(places)('%s: an alarm of nobody is noted; claimed, the next one is paged', async (_, gatewayId, prefix) => {
    const gateway = { id: gatewayId, dialect, baseTopics: gatewayId.endsWith('own') ? [] : baseTopics, settings }
    clock.advance(60_000)
    await send(gatewayId, `${prefix}${alarm.topic}`, alarm.body())
    expect((await quarantineOf(gatewayId)).map(({ reason }) => reason)).toEqual(['unclaimed device'])
    const deviceId = nativeDeviceId(gatewayId, alarm.native, alarm.kind)
    expect(await announcedOf(gatewayId)).toContainEqual(
      expect.objectContaining({ device_id: deviceId, native_id: alarm.native, kind: alarm.kind }),
    )
    await registered(gateway, [{ native: alarm.native, kind: alarm.kind }])
    // As soon as anybody can press it again: far less than the 15 s for which a gateway's card is fresh.
    clock.advance(1_500)
    const body = alarm.body()
    await send(gatewayId, `${prefix}${alarm.topic}`, dialect === 'shelly' ? { event: 'S', event_cnt: 4 } : body)
    const [alert, ...others] = await alertsOf(gatewayId, alarm.native, alarm.kind)
    expect(others).toEqual([])
    expect(alert).toMatchObject({ kind: alarm.kind, severity: 'emergency', stage: 'open', step: 1 })
    expect(await rows('select staff_id, status from pages where alert_id = $1', [alert.alert_id])).toEqual([
      { staff_id: 'a-worker', status: 'pending' },
    ])
    expect(await readingsOf(gatewayId, alarm.native, alarm.kind)).toMatchObject([{ event: alarm.event }])
    // Alert, page and reading are of one transaction.
    const [{ same }] = await rows(
      `select count(distinct x)::int as same from (
         select xmin::text as x from alerts where alert_id = $1 union all
         select xmin::text from pages where alert_id = $1 union all
         select r.xmin::text from readings r join devices using (device_no) where device_id = $2) t`,
      [alert.alert_id, deviceId],
    )
    expect(same).toBe(1)
  })
  test.each(places)('%s: a topic that is not its own is quarantined', async (_, gatewayId) => {
    await send(gatewayId, 'somewhere/else', '{"a":1}')
    await send(gatewayId, 'v1/a-1/a-1-water/water', { ts: iso(), litres: 1 })
    expect((await quarantineOf(gatewayId)).slice(-2)).toMatchObject([
      { reason: 'topic not in dialect', topic: 'somewhere/else' },
      { reason: 'topic not in dialect' },
    ])
  })
})

describe('what an adapter keeps', () => {
  const gateway = { id: 'keeps', dialect: 'zigbee2mqtt' } as const
  const ieee = '0x00158d0000000002'
  const say = (topic: string, body: unknown, to = ingest) => send('keeps', `v1/keeps/${topic}`, body, { to })
  const litres = async () => (await readingsOf('keeps', ieee, 'water')).map(({ value }) => value)

  test('holds after a restart, and at another edge', async () => {
    await registered(gateway, [{ native: ieee, kind: 'water' }])
    const other = await startIngest()
    // It knows the gateway as it was before it said anything.
    await say('nothing', { temperature: 20 }, other)
    await say('bridge/devices', z2mDevices)
    clock.advance(60_000)
    await say('meter', { water_consumed: 1 })
    clock.advance(60_000)
    await say('meter', { water_consumed: 2 }, other)
    await other.stop()
    const later = await startIngest()
    clock.advance(60_000)
    await say('meter', { water_consumed: 3 }, later)
    await later.stop()
    expect(await litres()).toEqual([1_000, 2_000, 3_000])
    expect(await memoryOf('keeps')).toMatchObject({ devices: expect.any(Array) })
  })
  test('of two edges the newer knowledge wins', async () => {
    const other = await startIngest()
    clock.advance(60_000)
    await say('bridge/devices', [{ ...z2mDevices[1], friendly_name: 'renamed' }], other)
    clock.advance(70_000)
    // More than a minute later the first edge asks for what it has not heard itself.
    await say('renamed', { water_consumed: 4 })
    clock.advance(1_000)
    await say('renamed', { water_consumed: 5 })
    expect((await litres()).at(-1)).toBe(5_000)
    await other.stop()
  })
})

test('meters and an alarm in one message are one commit', async () => {
  await registered({ id: 'mixed', dialect: 'thingsboard', baseTopics: ['v1/gateway'] }, [
    { native: 'Meter', kind: 'water', resident: 'a-2' },
    { native: 'Smoke', kind: 'smoke', resident: 'a-3' },
  ])
  const ts = clock.now().getTime()
  await send('mixed', 'v1/gateway/telemetry', {
    Meter: [
      { ts: ts - 1_000, values: { total_m3: 1 } },
      { ts, values: { total_m3: 1.5 } },
    ],
    Smoke: [{ ts, values: { smoke: true } }],
    Nobody: [{ ts, values: { total_m3: 7 } }],
  })
  expect((await readingsOf('mixed', 'Meter', 'water')).map(({ value }) => value)).toEqual([1_000, 1_500])
  expect(await alertsOf('mixed', 'Smoke', 'smoke')).toHaveLength(1)
  const commits = await rows(
    `select distinct x from (
       select xmin::text as x from alerts where resident_id = 'a-3' union all
       select r.xmin::text from readings r join devices using (device_no) where gateway_id = 'mixed') t`,
  )
  expect(commits).toHaveLength(1)
  // What was told beside is noted right after: no alarm waits for that.
  await vi.waitFor(async () => expect(await announcedOf('mixed')).toMatchObject([{ native_id: 'Nobody' }]))
})

test('a device that is claimed is heard within a second and a half, also where others of its gateway are known', async () => {
  await registered({ id: 'street', dialect: 'wmbusmeters' }, [{ native: '00000001', kind: 'water' }])
  const telegram = (id: string, total_m3: number) =>
    send('street', `v1/street/${id}`, {
      ...{ _: 'telegram', media: 'water', meter: 'iperl', name: '', id, total_m3, timestamp: iso() },
    })
  await telegram('00000001', 1)
  await telegram('00000002', 1)
  clock.advance(200)
  const deviceId = nativeDeviceId('street', '00000002', 'water')
  await database.db.query(
    `insert into devices (device_id, kind, gateway_id, resident_id, room, bound_at) values ($1, 'water', 'street', 'a-2', '', $2)`,
    [deviceId, clock.now()],
  )
  clock.advance(1_100)
  await telegram('00000002', 2)
  expect(await readingsOf('street', '00000002', 'water')).toMatchObject([{ value: 2_000 }])
})

describe('answers that a gateway waits for', () => {
  const base = '/sys/a1Kl8ExampleK/gateway-09'
  test('come back when the message is safe, under the topics that it has', async () => {
    await registered({ id: 'asks', dialect: 'aliyun', baseTopics: [base] })
    const body = { id: '7', version: '1.0', params: { SmokeSensorState: 0 }, method: 'thing.event.property.post' }
    for (const prefix of ['', 'v1/asks']) {
      const topic = `${prefix}${base}/thing/event/property/post`
      const [reply, ...others] = (await send('asks', topic, body)) ?? []
      expect(others).toEqual([])
      expect(reply!.topic).toBe(`${topic}_reply`)
      expect(JSON.parse(reply!.payload)).toMatchObject({ code: 200, id: '7' })
    }
  })
  test('also where nothing has to be stored', async () => {
    const replies = await send('asks', `${base}/thing/event/property/post`, { id: '8', params: { RSSI: 1 } })
    expect(replies).toMatchObject([{ topic: `${base}/thing/event/property/post_reply` }])
  })
})

test('a mapping that was put right is used soon, also where nothing was understood with the wrong one', async () => {
  const rule = (litres: string) => ({
    rules: [{ topic: 'm', kind: 'water', device: { fixed: 'm' }, fields: { litres } }],
  })
  const gateway = { id: 'mapped', dialect: 'generic' } as const
  await registered({ ...gateway, settings: rule('wrong') }, [{ native: 'm', kind: 'water' }])
  const say = (total: number) => send('mapped', 'v1/mapped/m', { total })
  await say(1)
  await registered({ ...gateway, settings: rule('total') })
  clock.advance(16_000)
  await say(2)
  await vi.waitFor(
    async () => {
      clock.advance(100)
      await say(3)
      expect(await readingsOf('mapped', 'm', 'water')).not.toEqual([])
    },
    { timeout: 10_000, interval: 100 },
  )
})

test('a gateway that is switched back to v1 is read as v1, with what it had claimed left alone', async () => {
  await registered({ id: 'back', dialect: 'wmbusmeters' }, [{ native: '00000009', kind: 'water' }])
  await send('back', 'v1/back/00000009', {
    ...{ _: 'telegram', media: 'water', meter: 'iperl', id: '00000009', total_m3: 1, timestamp: iso() },
  })
  await registered({ id: 'back', dialect: 'v1' })
  const deviceId = nativeDeviceId('back', '00000009', 'water')
  clock.advance(61_000)
  await send('back', `v1/back/${deviceId}/water`, { ts: iso(), litres: 1_001 })
  clock.advance(1_000)
  await send('back', `v1/back/${deviceId}/water`, { ts: iso(), litres: 1_002 })
  expect((await readingsOf('back', '00000009', 'water')).map(({ value }) => value)).toContain(1_002)
  await send('back', 'v1/back/00000009', { total_m3: 2 })
  expect((await quarantineOf('back')).at(-1)).toMatchObject({ reason: 'topic not in contract' })
})
