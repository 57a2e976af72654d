import { afterAll, beforeAll, expect, test } from 'vitest'
import { registerCommunity } from '../test/support/community.js'
import { startTestDatabase, type TestDatabase } from '../test/support/database.js'
import { compressOldReadings, dropOldReadings, dropOldRows, refreshRollups } from './maintenance.js'
import { insertReadings } from './readings.js'

let database: TestDatabase
let deviceNo: number
const now = new Date('2026-06-01T00:00:00Z')
const hourMs = 3_600_000
const daysAgo = (days: number) => now.getTime() - days * 24 * hourMs

beforeAll(async () => {
  database = await startTestDatabase()
  await registerCommunity(database.db, { key: 'm', now })
  deviceNo = (await database.db.query("select device_no from devices where device_id = 'm-1-water'")).rows[0].device_no
})
afterAll(() => database.stop())

const reading = (at: number, litres: number) => ({
  deviceNo,
  observedAt: at,
  receivedAt: at,
  event: '',
  value: litres,
  clockWrong: false,
})
const rollup = async (at: number) =>
  (
    await database.db.query('select * from readings_hourly where device_no = $1 and hour = $2', [
      deviceNo,
      new Date(at),
    ])
  ).rows[0]

test('hourly roll-ups hold the register at the ends of each hour, also for what comes late', async () => {
  const hour = daysAgo(10)
  await insertReadings(database.db, [
    reading(hour, 100),
    reading(hour + 600_000, 130),
    reading(hour + 1_200_000, 90),
    reading(hour + 3_000_000, 95),
  ])
  expect(await rollup(hour)).toMatchObject({
    first_value: 100,
    last_value: 95,
    min_value: 90,
    max_value: 130,
    readings: 4,
  })
  await refreshRollups(database.db, { now })
  expect(await rollup(hour)).toMatchObject({ readings: 4 })
  await insertReadings(database.db, [reading(hour + 3_300_000, 99)])
  await refreshRollups(database.db, { now })
  expect(await rollup(hour)).toMatchObject({ last_value: 99, readings: 5 })
})

test('readings of a compressed past stay one row each, and a late one still finds its place', async () => {
  const at = daysAgo(40)
  await insertReadings(database.db, [reading(at, 1), reading(at + hourMs, 2)])
  const compressed = await compressOldReadings(database.db, { now })
  const { rows } = await database.db.query("select current_setting('timescaledb.license', true) as license")
  if (rows[0].license === 'timescale') expect(compressed).toBeGreaterThan(0)
  else expect(compressed).toBe(0)
  expect(await insertReadings(database.db, [reading(at, 1), reading(at + 2 * hourMs, 3)])).toBe(1)
  const { rows: stored } = await database.db.query(
    'select value from readings where observed_at between $1 and $2 order by observed_at',
    [new Date(at), new Date(at + 2 * hourMs)],
  )
  expect(stored.map((row) => row.value)).toEqual([1, 2, 3])
  expect(await compressOldReadings(database.db, { now })).toBeLessThanOrEqual(compressed)
})

test('retention drops what is older, and nothing younger', async () => {
  await insertReadings(database.db, [reading(daysAgo(500), 1), reading(daysAgo(390), 2)])
  await dropOldReadings(database.db, { now, retentionDays: 396 })
  const { rows } = await database.db.query('select value from readings where observed_at < $1', [
    new Date(daysAgo(300)),
  ])
  expect(rows.map((row) => row.value)).toEqual([2])
})

test('ended sessions, old links and old quarantine go', async () => {
  await database.db.query("insert into sessions values ('\\x01', 'm-worker', $1, $1), ('\\x02', 'm-worker', $2, $3)", [
    new Date(daysAgo(2)),
    now,
    new Date(now.getTime() + hourMs),
  ])
  await database.db.query(
    "insert into quarantine (received_at, topic, reason) values ($1, 'old', 'x'), ($2, 'new', 'x')",
    [new Date(daysAgo(100)), now],
  )
  await dropOldRows(database.db, { now, retentionDays: 396 })
  expect((await database.db.query('select count(*) as n from sessions')).rows[0].n).toBe(1)
  expect((await database.db.query('select topic from quarantine')).rows).toEqual([{ topic: 'new' }])
})

test('messages go after 90 days, with their attempts', async () => {
  const add = async (id: string, at: number) => {
    await database.db.query(
      `insert into messages (message_id, staff_id, kind, text_zh, text_en, urgent, status, created_at, gives_up_at, next_attempt_at)
       values ($1, 'm-worker', 'test', '', '', true, 'sent', $2, $2, $2)`,
      [id, new Date(at)],
    )
    await database.db.query(
      `insert into message_attempts (message_id, channel, attempted_at, duration_ms, result) values ($1, 'email', $2, 1, 'sent')`,
      [id, new Date(at)],
    )
  }
  await add('00000000-0000-4000-8000-000000000001', daysAgo(91))
  await add('00000000-0000-4000-8000-000000000002', daysAgo(89))
  await dropOldRows(database.db, { now, retentionDays: 396 })
  const left = async (table: string) =>
    (await database.db.query(`select message_id as id from ${table}`)).rows.map(({ id }) => id.slice(-1))
  expect([await left('messages'), await left('message_attempts')]).toEqual([['2'], ['2']])
})

test('closed alerts go with their history and pages once they are older than the readings; open ones stay', async () => {
  const { db } = database
  const add = async (closed: Date | null) =>
    (
      await db.query(
        `insert into alerts (resident_id, community_id, kind, severity, stage, opened_at, observed_at, headline_zh, headline_en, outcome, closed_at)
         values ('m-1', 'm', 'button', 'emergency', case when $2::timestamptz is null then 'open' else 'closed' end, $1, $1, '', '',
                 case when $2::timestamptz is null then null else 'test' end, $2) returning alert_id`,
        [new Date(daysAgo(500)), closed],
      )
    ).rows[0].alert_id
  const old = await add(new Date(daysAgo(499)))
  const open = await add(null)
  for (const alertId of [old, open]) {
    await db.query("insert into alert_events (alert_id, at, kind) values ($1, $2, 'opened')", [alertId, now])
    const { rows } = await db.query(
      `insert into pages (alert_id, round, step, staff_id, channel, position, created_at, next_attempt_at)
       values ($1, 0, 1, 'm-worker', 'email', 0, $2, $2) returning page_id`,
      [alertId, now],
    )
    await db.query(
      "insert into page_attempts (page_id, attempted_at, duration_ms, result) values ($1, $2, 1, 'sent')",
      [rows[0].page_id, now],
    )
  }
  await dropOldRows(db, { now, retentionDays: 396 })
  expect((await db.query('select alert_id from alerts')).rows).toEqual([{ alert_id: open }])
  expect((await db.query('select count(*) as n from page_attempts')).rows[0].n).toBe(1)
})

test('an announced device that hangs at nobody’s goes after a month of silence', async () => {
  await database.db.query(
    `insert into announced_devices (gateway_id, device_id, native_id, kind, first_seen_at, last_seen_at)
     select 'm-1', id, id, 'water', $1, case id when 'fresh' then $2::timestamptz else $1 end
       from unnest(array['m-1-water', 'passing', 'fresh', 'once-bound']) id`,
    [new Date(daysAgo(31)), new Date(daysAgo(29))],
  )
  await database.db.query(
    `insert into devices (device_id, kind, gateway_id, resident_id, bound_at, unbound_at)
     values ('once-bound', 'water', 'm-1', 'm-1', $1, $2)`,
    [new Date(daysAgo(60)), new Date(daysAgo(40))],
  )
  await dropOldRows(database.db, { now, retentionDays: 396 })
  const { rows } = await database.db.query('select device_id from announced_devices order by 1')
  expect(rows.map((row) => row.device_id)).toEqual(['fresh', 'm-1-water'])
})
