import { Registry } from 'prom-client'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { manualClock } from '../kit/clock.js'
import { createLog } from '../kit/log.js'
import { createSignal } from '../kit/signal.js'
import { registerCommunity } from '../test/support/community.js'
import { startTestDatabase, type TestDatabase } from '../test/support/database.js'
import { createIngest, type Ingest } from './ingest.js'

let database: TestDatabase
let ingest: Ingest
const clock = manualClock(new Date('2026-06-01T04:00:00Z'))
const minute = 60_000

beforeAll(async () => {
  database = await startTestDatabase()
  await registerCommunity(database.db, {
    key: 'a',
    homes: 8,
    channelsOf: () => [{ kind: 'email', address: 'worker@example.org' }],
    now: clock.now(),
  })
  for (const kind of ['co', 'leak', 'voice'])
    await database.db.query(
      `insert into devices (device_id, kind, gateway_id, resident_id, room, bound_at)
       select gateway_id || '-' || $1, $1, gateway_id, gateway_id, '厨房', $2 from gateways`,
      [kind, clock.now()],
    )
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

/** Says it in the words of v1, without a time of its own, as bridges do. */
const say = (home: string, kind: string, body: Record<string, unknown>) =>
  ingest.accept({
    gatewayId: home,
    topic: `v1/${home}/${home}-${kind}/${kind}`,
    payload: Buffer.from(JSON.stringify(body)),
    retain: false,
    receivedAt: clock.now(),
  })
const rows = async (sql: string, values: unknown[] = []) => (await database.db.query(sql, values)).rows
const alertsOf = (home: string) => rows('select * from alerts where resident_id = $1 order by alert_id', [home])
const historyOf = async (home: string) =>
  (
    await rows(
      `select e.kind from alert_events e join alerts using (alert_id) where resident_id = $1 and e.kind <> 'told'
        order by alert_event_id`,
      [home],
    )
  ).map(({ kind }) => kind)
const pagesOf = (home: string) =>
  rows('select p.* from pages p join alerts using (alert_id) where resident_id = $1', [home])
const close = (home: string, kind: string) =>
  rows(
    `update alerts set stage = 'closed', outcome = 'other', closed_at = $3, due_at = null
      where resident_id = $1 and kind = $2 and closed_at is null`,
    [home, kind, clock.now()],
  )

test('one press that arrives three times within seconds is one alert, one page and one line of history', async () => {
  for (let time = 0; time < 3; time++) {
    await say('a-1', 'button', { event: 'pressed' })
    clock.advance(1_500)
  }
  expect(await alertsOf('a-1')).toHaveLength(1)
  expect(await pagesOf('a-1')).toHaveLength(1)
  expect(await historyOf('a-1')).toEqual(['opened'])
  expect(
    await rows("select from readings r join devices using (device_no) where device_id = 'a-1-button'"),
  ).toHaveLength(3)
})

test('an alarm from memory that is news pages; said again it is noted, and noted once in 10 min', async () => {
  await say('a-2', 'co', { alarm: true, cached: true })
  expect(await alertsOf('a-2')).toEqual([expect.objectContaining({ kind: 'co', severity: 'emergency' })])
  expect(await pagesOf('a-2')).toHaveLength(1)
  for (let restart = 0; restart < 5; restart++) {
    clock.advance(minute)
    await say('a-2', 'co', { alarm: true, cached: true })
  }
  expect(await historyOf('a-2')).toEqual(['opened', 'verify'])
  clock.advance(10 * minute)
  await say('a-2', 'co', { alarm: true, cached: true })
  expect(await historyOf('a-2')).toEqual(['opened', 'verify', 'verify'])
  expect(await pagesOf('a-2')).toHaveLength(1)
})

test('after its alert was closed, an alarm from memory is one notice about the device; live, it pages again', async () => {
  await say('a-3', 'smoke', { alarm: true })
  await close('a-3', 'smoke')
  for (let restart = 0; restart < 3; restart++) {
    clock.advance(60 * minute)
    await say('a-3', 'smoke', { alarm: true, cached: true })
    await close('a-3', 'alarm_standing')
  }
  expect((await alertsOf('a-3')).map(({ kind, severity }) => `${kind} ${severity}`)).toEqual([
    'smoke emergency',
    'alarm_standing notice',
  ])
  expect((await alertsOf('a-3'))[1].headline_zh).toContain('烟雾报警器仍在上报 12:')
  expect(await pagesOf('a-3')).toHaveLength(1)
  clock.advance(60 * minute)
  await say('a-3', 'smoke', { alarm: true })
  expect((await alertsOf('a-3')).at(-1)).toMatchObject({ kind: 'smoke', stage: 'open' })
  expect(await pagesOf('a-3')).toHaveLength(2)
})

test('the notice ends with the alarm, and the next episode has one of its own', async () => {
  const notices = async () =>
    (await alertsOf('a-4')).filter(({ kind }) => kind === 'alarm_standing').map(({ stage }) => stage)
  for (const expected of [['open'], ['closed', 'open']]) {
    await say('a-4', 'gas', { alarm: true })
    await close('a-4', 'gas')
    clock.advance(60 * minute)
    await say('a-4', 'gas', { alarm: true, cached: true })
    expect(await notices()).toEqual(expected)
    clock.advance(minute)
    await say('a-4', 'gas', { alarm: false })
    expect(await notices()).toEqual(expected.map(() => 'closed'))
    clock.advance(minute)
  }
})

test('water on the floor is a warning, open once however often it comes, and cleared for a person to close', async () => {
  await say('a-5', 'leak', { alarm: true })
  clock.advance(60 * minute)
  await say('a-5', 'leak', { alarm: true })
  clock.advance(minute)
  await say('a-5', 'leak', { alarm: false })
  clock.advance(minute)
  await say('a-5', 'leak', { alarm: true })
  expect(await alertsOf('a-5')).toEqual([expect.objectContaining({ kind: 'leak', severity: 'warning', stage: 'open' })])
  expect(await pagesOf('a-5')).toHaveLength(1)
  expect(await historyOf('a-5')).toEqual(['opened', 'repeat', 'cleared', 'repeat'])
  await close('a-5', 'leak')
  clock.advance(60 * minute)
  await say('a-5', 'leak', { alarm: true })
  expect(await alertsOf('a-5')).toHaveLength(2)
})

test('help called by voice pages like a press; “I’m fine” is noted, and help called after it pages again', async () => {
  await say('a-6', 'voice', { event: 'help' })
  expect(await alertsOf('a-6')).toEqual([expect.objectContaining({ kind: 'voice', severity: 'emergency' })])
  clock.advance(minute)
  await say('a-6', 'voice', { event: 'fine' })
  clock.advance(minute)
  await say('a-6', 'voice', { event: 'help' })
  expect(await historyOf('a-6')).toEqual(['opened', 'fine', 'opened'])
  expect(await pagesOf('a-6')).toHaveLength(2)
})

test('an emergency at a dead battery pages, and says that it may be false', async () => {
  await say('a-7', 'button', { event: 'pressed', battery: 0.03 })
  const [alert] = await alertsOf('a-7')
  expect(alert).toMatchObject({ severity: 'emergency', reason: { suspect: true, battery: 0.03 } })
  expect(alert.headline_zh).toContain('电量将尽，可能误报，仍请上门确认')
  expect(await pagesOf('a-7')).toHaveLength(1)
})

test('all that came is handed to the rules too, with its kind', async () => {
  await say('a-8', 'voice', { event: 'fine' })
  const handed = await rows("select body from arrivals where resident_id = 'a-8'")
  expect(handed.flatMap(({ body }) => body)).toEqual([expect.objectContaining({ kind: 'voice', event: 'fine' })])
})
