import { afterAll, beforeAll, expect, test } from 'vitest'
import { createLog } from '../kit/log.js'
import { startTestDatabase, type TestDatabase } from '../test/support/database.js'
import { migrate } from './migrate.js'

let database: TestDatabase
beforeAll(async () => {
  database = await startTestDatabase()
})
afterAll(() => database.stop())

test('migrations are applied once, and again does nothing', async () => {
  const log = createLog({ role: 'test', level: 'silent' })
  const count = async () => (await database.db.query('select count(*) as n from migrations')).rows[0].n
  const before = await count()
  await Promise.all([migrate({ db: database.db, log }), migrate({ db: database.db, log })])
  expect(await count()).toBe(before)
})

test('the alerts closed lately are found by their index', async () => {
  const plan = await database.db.transaction(async (tx) => {
    await tx.query('set local enable_seqscan = off')
    const { rows } = await tx.query(
      `explain select alert_id from alerts where community_id = 'c' and closed_at >= '2026-01-01T00:00Z'
        order by closed_at desc limit 50`,
    )
    return JSON.stringify(rows)
  })
  expect(plan).toContain('alerts_closed')
})

test('readings is a hypertable, keyed so that the same reading twice is one row', async () => {
  const { rows } = await database.db.query(
    "select hypertable_name from timescaledb_information.hypertables where hypertable_name = 'readings'",
  )
  expect(rows).toHaveLength(1)
  for (let i = 0; i < 2; i++)
    await database.db.query(
      "insert into readings (device_no, observed_at, received_at, value) values (1, '2026-01-01T00:00Z', '2026-01-01T00:00Z', 5) on conflict do nothing",
    )
  expect((await database.db.query('select count(*) as n from readings')).rows[0].n).toBe(1)
})

test('concurrent parameterised queries and transactions of many connections each get their own answer', async () => {
  const { db } = database
  const answers = await Promise.all(
    Array.from({ length: 300 }, async (_, i) =>
      i % 10 === 0
        ? db.transaction(async (tx) => {
            await tx.query('select pg_sleep(0.001)')
            return (await tx.query('select $1::int as n', [i])).rows[0].n
          })
        : (await db.query('select $1::int as n', [i])).rows[0].n,
    ),
  )
  expect(answers).toEqual(answers.map((_, i) => i))
})
