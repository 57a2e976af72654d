import pg from 'pg'
import { Registry } from 'prom-client'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { actOnAlert } from '../db/alert-actions.js'
import { dueAlerts, escalate } from '../db/alerts.js'
import { recordFailed } from '../db/page-outcomes.js'
import { claimPages } from '../db/pages.js'
import { createIngest, type Ingest } from '../ingest/ingest.js'
import { systemClock as clock } from '../kit/clock.js'
import { createLog } from '../kit/log.js'
import { createSignal } from '../kit/signal.js'
import { registerCommunity, webhookSecret } from './support/community.js'
import { startTestDatabase, type TestDatabase } from './support/database.js'

// Two sessions that want the same rows: only a real server has two sessions.
let database: TestDatabase
let ingest: Ingest
let other: pg.Client
const homes = 12

beforeAll(async () => {
  database = await startTestDatabase()
  await registerCommunity(database.db, {
    key: 'n',
    homes,
    channelsOf: () => [{ kind: 'webhook', address: 'http://127.0.0.1:9/', secret: webhookSecret }],
  })
  ingest = createIngest({
    db: database.db,
    clock,
    log: createLog({ role: 'test', level: 'silent' }),
    metrics: new Registry(),
    signal: createSignal(),
  })
  await ingest.start()
  other = new pg.Client({ connectionString: database.url })
  await other.connect()
})
afterAll(async () => {
  await other.end()
  await ingest.stop()
  await database.stop()
})

const press = (home: number) =>
  ingest.accept({
    gatewayId: `n-${home}`,
    topic: `v1/n-${home}/n-${home}-button/button`,
    payload: Buffer.from(JSON.stringify({ ts: Date.now(), event: 'pressed' })),
    retain: false,
    receivedAt: clock.now(),
  })
const alertsOf = async (home: number) =>
  (
    await database.db.query('select alert_id, stage from alerts where resident_id = $1 order by alert_id', [
      `n-${home}`,
    ])
  ).rows

test('a device whose row a stalled process holds keeps no other button waiting, and is paged once it is free', async () => {
  await other.query('begin')
  await other.query("select from devices where device_id = 'n-1-button' for update")
  const stuck = press(1)
  await new Promise((resolve) => setTimeout(resolve, 100))
  const startedAt = performance.now()
  await Promise.all(Array.from({ length: homes - 1 }, (_, i) => press(i + 2)))
  expect(performance.now() - startedAt).toBeLessThan(3_000)
  await other.query('rollback')
  await stuck
  expect(await alertsOf(1)).toHaveLength(1)
})

test('a press that arrives while somebody closes the alert opens a new one', async () => {
  const [{ alert_id: alertId }] = await alertsOf(2)
  await other.query('begin')
  await other.query(
    "update alerts set stage = 'closed', outcome = 'resident fine', closed_at = now(), due_at = null where alert_id = $1",
    [alertId],
  )
  const pressing = press(2)
  await new Promise((resolve) => setTimeout(resolve, 200))
  await other.query('commit')
  await pressing
  expect((await alertsOf(2)).map((alert) => alert.stage)).toEqual(['closed', 'open'])
})

test('acknowledging while pages are recorded and steps are taken never fails', async () => {
  for (let home = 3; home <= homes; home++) {
    const [{ alert_id: alertId }] = await alertsOf(home)
    const now = clock.now()
    await database.db.query('update alerts set due_at = $2 where alert_id = $1', [alertId, now])
    const pages = await claimPages(database.db, {
      now,
      leaseMs: 15_000,
      of: 'emergencies',
      pagesMax: 50,
      perLineMax: 50,
      linesMax: 50,
      lineMax: new Map(),
    })
    const failures = pages.map(({ pageId }) =>
      database.db.transaction((tx) =>
        recordFailed(tx, { pageId, startedAt: now, durationMs: 1, result: 'refused', detail: 'gone' }, now),
      ),
    )
    const steps = (await dueAlerts(database.db, { now, alertsMax: 10, except: [] })).map((due) =>
      database.db.transaction((tx) => escalate(tx, { alertId: due, now })),
    )
    const acting = actOnAlert(database.db, {
      alertId,
      action: { kind: 'acknowledge' },
      staffId: 'n-worker',
      via: 'console',
      now,
    })
    const [result] = await Promise.all([acting, ...failures, ...steps])
    expect(result).toEqual({ kind: 'done' })
  }
})

test('a client that dies inside a transaction loses its locks within seconds', async () => {
  const { rows } = await database.db.query("select current_setting('idle_in_transaction_session_timeout') as t")
  expect(rows[0].t).toBe('10s')
})

test('connections that the server ends inside a transaction end no process: the transaction fails, the next one works', async () => {
  const holding = database.db.transaction(async (tx) => {
    const { rows } = await tx.query('select pg_backend_pid() as pid')
    await other.query('select pg_terminate_backend($1)', [rows[0].pid])
    await new Promise((resolve) => setTimeout(resolve, 200))
    await tx.query('select 1')
  })
  await expect(holding).rejects.toThrow()
  expect((await database.db.query('select 1 as one')).rows).toEqual([{ one: 1 }])
})
