import { Registry } from 'prom-client'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { manualClock } from '../kit/clock.js'
import { createLog } from '../kit/log.js'
import { createSignal } from '../kit/signal.js'
import { registerCommunity } from '../test/support/community.js'
import { startTestDatabase, type TestDatabase } from '../test/support/database.js'
import { createIngest, type Ingest } from './ingest.js'

let database: TestDatabase
let ingest: Ingest
const clock = manualClock(new Date('2026-06-01T04:00:00Z'))
const seconds = () => Math.floor(clock.now().getTime() / 1_000)

beforeAll(async () => {
  database = await startTestDatabase()
  await registerCommunity(database.db, {
    key: 'a',
    homes: 6,
    channelsOf: () => [{ kind: 'email', address: 'worker@example.org' }],
    now: clock.now(),
  })
  await registerCommunity(database.db, { key: 'b', now: clock.now() })
  ingest = createIngest({
    db: database.db,
    clock,
    log: createLog({ role: 'test', level: 'silent' }),
    metrics: new Registry(),
    signal: createSignal(),
  })
  await ingest.start()
})
afterAll(async () => {
  await ingest.stop()
  await database.stop()
})

const send = (gatewayId: string, rest: string, body: unknown, retain = false) =>
  ingest.accept({
    gatewayId,
    topic: `v1/${gatewayId}/${rest}`,
    payload: Buffer.isBuffer(body) ? body : Buffer.from(typeof body === 'string' ? body : JSON.stringify(body)),
    retain,
    receivedAt: clock.now(),
  })
const rows = async (sql: string, values: unknown[] = []) => (await database.db.query(sql, values)).rows
const readingsOf = (deviceId: string) =>
  rows('select r.* from readings r join devices d using (device_no) where device_id = $1 order by observed_at', [
    deviceId,
  ])
const alertsOf = (residentId: string) =>
  rows('select * from alerts where resident_id = $1 order by alert_id', [residentId])
const lastQuarantine = async () => (await rows('select * from quarantine order by quarantine_id desc limit 1'))[0]

describe('meter readings', () => {
  test('are committed when accept resolves, with both times, and handed to the rules once', async () => {
    await send('a-1', 'a-1-water/water', { ts: seconds() - 60, litres: 12.5, flowLpm: 2, battery: 0.9, seq: 4 })
    await send('a-1', 'a-1-water/water', { ts: seconds() - 60, litres: 12.5, flowLpm: 2, battery: 0.9, seq: 4 })
    const readings = await readingsOf('a-1-water')
    expect(readings).toHaveLength(1)
    expect(readings[0]).toMatchObject({ value: 12.5, rate: 2, seq: 4, event: '' })
    expect(readings[0].received_at.getTime() - readings[0].observed_at.getTime()).toBe(60_000)
    const arrivals = await rows("select body from arrivals where resident_id = 'a-1'")
    expect(arrivals.flatMap((row) => row.body)).toEqual([
      expect.objectContaining({ type: 'reading', kind: 'water', value: 12.5, observedAt: (seconds() - 60) * 1_000 }),
    ])
  })
  test('of a batch with a bad one are kept, the bad one is quarantined', async () => {
    const batch = Array.from({ length: 1_000 }, (_, i) => ({ ts: seconds() - 2_000 + i, wh: i === 7 ? null : i }))
    await send('a-1', 'a-1-electricity/electricity', batch)
    expect(await readingsOf('a-1-electricity')).toHaveLength(999)
    expect(await lastQuarantine()).toMatchObject({ reason: 'wrong shape', gateway_id: 'a-1', kept: false })
  })
})

describe('what cannot be understood is quarantined with its reason, and the next good message is committed', () => {
  test.each<[string, string, unknown, string]>([
    ['malformed JSON', 'a-2-water/water', '{"ts":', 'malformed JSON'],
    ['a wrong type', 'a-2-water/water', { ts: 1_780_000_000, litres: true }, 'wrong shape'],
    ['a huge number', 'a-2-water/water', { ts: 1_780_000_000, litres: 1e200 }, 'wrong shape'],
    ['1970', 'a-2-water/water', { ts: 1, litres: 1 }, 'time absurd'],
    ['2099', 'a-2-water/water', { ts: '2099-01-01T00:00:00Z', litres: 1 }, 'time absurd'],
    ['no time', 'a-2-water/water', { litres: 1 }, 'time missing'],
    ['an unknown device', 'nobody/water', { ts: 1_780_000_000, litres: 1 }, 'unknown device'],
    ["somebody else's device", 'b-1-water/water', { ts: 1_780_000_000, litres: 1 }, 'device of another gateway'],
    [
      'a device of another kind',
      'a-2-water/button',
      { ts: 1_780_000_000, event: 'pressed' },
      'kind does not match device',
    ],
    ['a topic outside the contract', 'a-2-water/water/extra', '1', 'topic not in contract'],
    ['50 levels', Array(48).fill('x').join('/'), '1', 'topic not in contract'],
    ['binary noise', 'a-2-water/water', Buffer.from([0, 255, 254, 1, 2, 3]), 'not UTF-8'],
    ['a NUL in the text', 'a-2-water/water', '{"ts":"\\u0000","litres":1}', 'time missing'],
    ['a status that is none', 'status', 'sleeping', 'wrong shape'],
  ])('%s', async (_, topic, body, reason) => {
    await send('a-2', topic, body)
    expect(await lastQuarantine()).toMatchObject({ reason, gateway_id: 'a-2' })
    clock.advance(2_000)
    await send('a-2', 'a-2-water/water', { ts: seconds(), litres: 1 })
    expect((await readingsOf('a-2-water')).at(-1).observed_at).toEqual(new Date(seconds() * 1_000))
  })

  test('a payload that was too large for the broker, with its real size and what was kept of it', async () => {
    const payload = Buffer.from('{"ts":1780000000,"litres":1}'.padEnd(256))
    const topic = 'v1/a-2/a-2-water/water'
    const before = await readingsOf('a-2-water')
    const message = { gatewayId: 'a-2', topic, payload, retain: false, receivedAt: clock.now() }
    await ingest.accept({ ...message, oversizeBytes: 1_048_576 })
    expect(await lastQuarantine()).toMatchObject({
      reason: 'payload too large',
      detail: '1,048,576 bytes, at most 65,536 with topic and header',
      gateway_id: 'a-2',
      topic,
      payload,
      payload_bytes: 1_048_576,
      kept: false,
    })
    expect(await readingsOf('a-2-water')).toEqual(before)
    clock.advance(2_000)
    await send('a-2', 'a-2-water/water', { ts: seconds(), litres: 1 })
    expect(await readingsOf('a-2-water')).toHaveLength(before.length + 1)
  })

  test("a foreign device's message leaves no trace with its resident", async () => {
    await send('a-2', 'b-1-button/button', { ts: seconds(), event: 'pressed' })
    expect(await alertsOf('b-1')).toEqual([])
    expect(await readingsOf('b-1-button')).toEqual([])
  })
})

describe('an alarm', () => {
  test('is committed with its alert, its history and its first page', async () => {
    await send('a-3', 'a-3-button/button', { ts: seconds(), event: 'pressed' })
    const [alert, ...more] = await alertsOf('a-3')
    expect(more).toEqual([])
    expect(alert).toMatchObject({ kind: 'button', severity: 'emergency', stage: 'open', step: 1 })
    expect(alert.headline_zh).toContain('卫生间')
    expect(await rows('select staff_id, status from pages where alert_id = $1', [alert.alert_id])).toEqual([
      { staff_id: 'a-worker', status: 'pending' },
    ])
    expect(
      (await rows('select kind from alert_events where alert_id = $1 order by alert_event_id', [alert.alert_id])).map(
        (r) => r.kind,
      ),
    ).toEqual(['opened', 'told'])
  })
  test('sent twice, three times, or pressed again soon is one alert; after closing it is a new one', async () => {
    const press = { ts: seconds(), event: 'pressed' }
    await Promise.all([1, 2, 3].map(() => send('a-4', 'a-4-button/button', press)))
    clock.advance(20_000)
    await send('a-4', 'a-4-button/button', { ts: seconds(), event: 'pressed' })
    expect(await alertsOf('a-4')).toHaveLength(1)
    await database.db.query(
      "update alerts set stage = 'closed', outcome = 'resident fine', closed_at = $1 where resident_id = 'a-4'",
      [clock.now()],
    )
    clock.advance(20_000)
    await send('a-4', 'a-4-button/button', { ts: seconds(), event: 'pressed' })
    expect(await alertsOf('a-4')).toHaveLength(2)
  })
  test('with a wrong clock is paged at arrival', async () => {
    await send('a-5', 'a-5-smoke/smoke', { ts: 3, alarm: true })
    expect(await alertsOf('a-5')).toEqual([expect.objectContaining({ kind: 'smoke', observed_at: clock.now() })])
  })
  test('that stays true, or is sent again, retained, by a restarting gateway is one episode, also when it clears and goes off again', async () => {
    const gas = (alarm: boolean, ts = seconds(), retain = false) => send('a-6', 'a-6-gas/gas', { ts, alarm }, retain)
    await gas(true)
    for (let i = 0; i < 5; i++) {
      clock.advance(300_000)
      await gas(true)
    }
    const last = seconds()
    clock.advance(3_600_000)
    await gas(true, last, true)
    await gas(true, last - 1, true)
    expect(await alertsOf('a-6')).toHaveLength(1)
    clock.advance(60_000)
    await gas(false)
    clock.advance(60_000)
    await gas(true)
    expect(await alertsOf('a-6')).toHaveLength(1)
    // Some gateways set the flag on all that they send: what is new is new all the same.
    clock.advance(3_600_000)
    await gas(true, seconds(), true)
    expect(await alertsOf('a-6')).toHaveLength(2)
  })
  test('that still stands more than 10 min after its alert was closed opens another', async () => {
    const smoke = () => send('a-6', 'a-6-smoke/smoke', { ts: seconds(), alarm: true })
    const alerts = () => rows("select alert_id from alerts where resident_id = 'a-6' and kind = 'smoke'")
    await smoke()
    await database.db.query(
      "update alerts set stage = 'closed', outcome = 'fire', closed_at = $1 where resident_id = 'a-6' and kind = 'smoke'",
      [clock.now()],
    )
    clock.advance(600_000)
    await smoke()
    expect(await alerts()).toHaveLength(1)
    clock.advance(60_000)
    await smoke()
    expect(await alerts()).toHaveLength(2)
  })
  test('with an odd side field is paged, and the field is shown to the operator', async () => {
    clock.advance(60_000)
    await send('a-1', 'a-1-button/button', { ts: seconds(), event: 'pressed', battery: 85 })
    expect(await alertsOf('a-1')).toEqual([expect.objectContaining({ kind: 'button', observed_at: clock.now() })])
    expect(await lastQuarantine()).toMatchObject({ reason: 'wrong shape', gateway_id: 'a-1', kept: true })
  })
  test('of a gateway whose clock fell back by years is paged like any other, each time', async () => {
    const press = () => send('a-2', 'a-2-button/button', { ts: '2023-01-01T00:00:07Z', event: 'pressed' })
    await press()
    clock.advance(86_400_000)
    await press()
    expect(await alertsOf('a-2')).toHaveLength(2)
  })
  test('a test of a device pages nobody', async () => {
    await send('b-1', 'b-1-smoke/smoke', { ts: seconds(), alarm: true, test: true })
    await send('b-1', 'b-1-button/button', { ts: seconds(), event: 'test' })
    expect(await alertsOf('b-1')).toEqual([])
    expect(await readingsOf('b-1-button')).toHaveLength(1)
  })
})
