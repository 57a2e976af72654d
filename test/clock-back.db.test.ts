import { Registry } from 'prom-client'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { createArrivalFolder } from '../alerts/fold-arrivals.js'
import { createIngest, type Ingest } from '../ingest/ingest.js'
import { createLane, StorageUnavailable } from '../ingest/lane.js'
import { createPresence } from '../ingest/presence.js'
import { manualClock } from '../kit/clock.js'
import { createLog } from '../kit/log.js'
import { createSignal } from '../kit/signal.js'
import { registerCommunity } from './support/community.js'
import { startTestDatabase, type TestDatabase } from './support/database.js'
import { eventually } from './support/processes.js'

// A clock jumps back an hour: that of the edge, or that of a gateway.
const hourMs = 3_600_000
const minuteMs = 60_000
const log = createLog({ role: 'test', level: 'silent' })
const signal = createSignal()
const clock = manualClock(new Date('2026-10-25T03:00:00Z'))
const now = () => clock.now().getTime()
let database: TestDatabase
let ingest: Ingest

beforeAll(async () => {
  database = await startTestDatabase()
  await registerCommunity(database.db, {
    key: 'c',
    homes: 6,
    channelsOf: () => [{ kind: 'email', address: 'worker@example.org' }],
    now: clock.now(),
  })
  ingest = createIngest({ db: database.db, clock, log, metrics: new Registry(), signal })
  await ingest.start()
})
afterAll(async () => {
  await ingest?.stop()
  await database?.stop()
})

const send = (home: number, kind: string, body: object, retain = false) =>
  ingest.accept({
    gatewayId: `c-${home}`,
    topic: `v1/c-${home}/c-${home}-${kind}/${kind}`,
    payload: Buffer.from(JSON.stringify(body)),
    retain,
    receivedAt: clock.now(),
  })
const rows = async (sql: string, values: unknown[] = []) => (await database.db.query(sql, values)).rows
const alertsOf = (home: number) =>
  rows('select alert_id, kind, stage from alerts where resident_id = $1 order by alert_id', [`c-${home}`])
const pagesOf = (home: number) =>
  rows('select page_id, next_attempt_at from pages join alerts using (alert_id) where resident_id = $1', [`c-${home}`])
const close = (home: number) =>
  rows("update alerts set stage = 'closed', outcome = 'resident fine', closed_at = $2 where resident_id = $1", [
    `c-${home}`,
    clock.now(),
  ])
const quarantined = async () => (await rows('select count(*)::int as n from quarantine'))[0].n

test('of the edge: a press is paged at once, in a home with an open alert, with a closed one and with none', async () => {
  await send(1, 'button', { ts: now(), event: 'pressed' })
  await send(2, 'button', { ts: now(), event: 'pressed' })
  clock.advance(minuteMs)
  await close(2)
  const gatewayNow = now() + minuteMs
  clock.advance(-hourMs)
  for (const home of [1, 2, 3]) await send(home, 'button', { ts: gatewayNow, event: 'pressed' })
  expect(await alertsOf(1)).not.toEqual([])
  expect((await alertsOf(2)).map(({ stage }) => stage)).toEqual(['closed', 'open'])
  expect((await alertsOf(3)).map(({ stage }) => stage)).toEqual(['open'])
  for (const { next_attempt_at } of await pagesOf(3)) expect(next_attempt_at.getTime()).toBeLessThanOrEqual(now())
  expect(await quarantined()).toBe(0)
})

test('of the edge: readings go on being stored, and what arrived is folded, with no alarm', async () => {
  const fold = createArrivalFolder({ db: database.db, clock, log, signal })
  const live = async (minutes: number) => {
    for (let minute = 0; minute < minutes; minute += 5) {
      clock.advance(5 * minuteMs)
      litres += 3
      gatewayNow += 5 * minuteMs
      await send(4, 'water', { ts: gatewayNow, litres })
      while ((await fold()) === 'more');
    }
  }
  let litres = 100
  let gatewayNow = now()
  await live(60)
  clock.advance(-hourMs)
  await live(120)
  expect(
    await rows("select count(*)::int as n from readings join devices using (device_no) where device_id = 'c-4-water'"),
  ).toEqual([{ n: 36 }])
  // To the edge the gateway's clock is now an hour ahead.
  expect((await alertsOf(4)).filter(({ kind }) => kind !== 'clock_wrong')).toEqual([])
  expect(await rows('select count(*)::int as n from arrivals')).toEqual([{ n: 0 }])
})

test('of the edge: a device that was registered a moment ago is known', async () => {
  await send(5, 'water', { ts: now(), litres: 1 })
  clock.advance(-hourMs)
  await rows(
    `insert into devices (device_id, kind, gateway_id, resident_id, bound_at) values ('new', 'water', 'c-5', 'c-5', now())`,
  )
  clock.advance(2_000)
  const before = await quarantined()
  await ingest.accept({
    gatewayId: 'c-5',
    topic: 'v1/c-5/new/water',
    payload: Buffer.from(JSON.stringify({ ts: now(), litres: 1 })),
    retain: false,
    receivedAt: clock.now(),
  })
  expect(await quarantined()).toBe(before)
})

test('of the edge: its heartbeat goes on', async () => {
  const presence = createPresence({ db: database.db, edgeId: 'beating', clock, log })
  const beat = async () =>
    (await rows("select heartbeat_at from edges where edge_id = 'beating'"))[0].heartbeat_at.getTime()
  await presence.start()
  await eventually('the first flush', async () => {
    clock.advance(20_000)
    return (await beat()) > now() - 30_000 || undefined
  })
  clock.advance(-hourMs)
  const jumpedAt = now()
  await eventually('a heartbeat after the jump', async () => (await beat()) === jumpedAt || undefined, 5_000)
  await presence.stop()
})

test('of the edge: a message that cannot be committed is given up after its deadline, not after an hour', async () => {
  const lane = createLane<string>({
    name: 'test',
    limits: { commitsMax: 1, batchRowsMax: 9, queueRowsMax: 9, commitMsMax: 300 },
    log,
    commit: () => Promise.reject(Object.assign(new Error('no answer'), { code: 'ECONNREFUSED' })),
    reject: async () => {},
  })
  const adding = lane.add('a', 1)
  clock.advance(-hourMs)
  const late = new Promise((_, reject) => setTimeout(reject, 5_000, new Error('still waiting')))
  await expect(Promise.race([adding, late])).rejects.toThrow(StorageUnavailable)
  await lane.stop()
})

test('of a gateway: presses and alarms are paged, readings are stored, and nothing is taken for bad input', async () => {
  const before = await quarantined()
  const ahead = () => now()
  const back = () => now() - hourMs
  await send(6, 'button', { ts: ahead(), event: 'pressed' })
  await send(6, 'smoke', { ts: ahead(), alarm: true })
  await send(6, 'water', { ts: ahead(), litres: 10 })
  clock.advance(minuteMs)
  await send(6, 'smoke', { ts: ahead(), alarm: false })
  await close(6)
  clock.advance(minuteMs)
  await send(6, 'button', { ts: back(), event: 'pressed' })
  await send(6, 'smoke', { ts: back(), alarm: true })
  await send(6, 'water', { ts: back(), litres: 11 })
  expect((await alertsOf(6)).map(({ kind, stage }) => `${kind} ${stage}`).sort()).toEqual([
    'button closed',
    'button open',
    'smoke closed',
    'smoke open',
  ])
  expect(
    await rows(
      "select value from readings join devices using (device_no) where device_id = 'c-6-water' order by received_at",
    ),
  ).toEqual([{ value: 10 }, { value: 11 }])
  expect(await quarantined()).toBe(before)
})
