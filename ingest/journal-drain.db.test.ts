import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { Registry } from 'prom-client'
import { afterAll, beforeAll, expect, onTestFinished, test } from 'vitest'
import type { Channel, Page } from '../alerts/channels/channel.js'
import { findPageLink } from '../db/page-links.js'
import { type Database, openDatabase } from '../db/pool.js'
import { systemClock as clock } from '../kit/clock.js'
import { createTeardown } from '../kit/lifecycle.js'
import { createLog } from '../kit/log.js'
import { createSignal } from '../kit/signal.js'
import { registerCommunity } from '../test/support/community.js'
import { startTestDatabase, type TestDatabase } from '../test/support/database.js'
import { type FaultyLine, startFaultyLine } from '../test/support/faulty-line.js'
import { eventually } from '../test/support/processes.js'
import { openFallback } from './fallback.js'
import { createIngest } from './ingest.js'

let database: TestDatabase
let line: FaultyLine
let throughLine: Database
const log = createLog({ role: 'test', level: process.env.LOG_LEVEL ?? 'silent' })

beforeAll(async () => {
  database = await startTestDatabase()
  line = await startFaultyLine({ targetUrl: database.url })
  throughLine = openDatabase({ url: line.url, log })
  await registerCommunity(database.db, {
    key: 'a',
    homes: 8,
    channelsOf: (who) => [{ kind: 'email', address: `${who}@example.org` }],
  })
})
afterAll(async () => {
  await throughLine?.end()
  await line?.stop()
  await database?.stop()
})

/** Ingest with a journal of its own, whose pages are kept instead of sent. */
async function startIngest({ homes = [] as number[] } = {}) {
  const dataDir = await mkdtemp(join(tmpdir(), 'shouwang-drain-'))
  const teardown = createTeardown({ log, stopMsMax: 10_000, totalMsMax: 20_000 })
  onTestFinished(async () => {
    await line.mend()
    await teardown.run()
    await rm(dataDir, { recursive: true, force: true })
  })
  const told: { to: string; page: Page }[] = []
  const email: Channel = {
    kind: 'email',
    send: async (page, to) => {
      told.push({ to: to.address, page })
      return { kind: 'sent', detail: 'ok' }
    },
    tell: async () => ({ kind: 'sent', detail: 'ok' }),
  }
  const shared = { db: throughLine, clock, log, metrics: new Registry(), teardown }
  const fallback = await openFallback({
    ...shared,
    dataDir,
    journalBytesMax: 64 * 1_048_576,
    channels: [email],
    publicUrl: 'http://localhost',
  })
  const ingest = createIngest({ ...shared, fallback, signal: createSignal() })
  teardown.add('ingest', ingest.stop)
  await ingest.start()
  const send = (home: number, kind: string, body: unknown) =>
    ingest.accept({
      gatewayId: `a-${home}`,
      topic: `v1/a-${home}/a-${home}-${kind}/${kind}`,
      payload: Buffer.from(JSON.stringify(body)),
      retain: false,
      receivedAt: clock.now(),
    })
  for (const home of homes) {
    await send(home, 'water', { ts: Date.now(), litres: 1 })
    await eventually('known', () => fallback.directory.residentOf(`a-${home}`))
    await eventually(
      'someone to call',
      () =>
        fallback.directory.chainOf(`a-${home}`, Date.now()).steps.some(({ people }) => people.length > 0) || undefined,
    )
  }
  const inJournal = () => ingest.journalState()!.sinceMs !== null
  const drained = (msMax = 20_000) => eventually('drained', () => !inJournal() || undefined, msMax)
  return { ingest, fallback, told, send, inJournal, drained }
}
const alertsOf = async (home: number) =>
  (await database.db.query(`select * from alerts where resident_id = $1 order by alert_id`, [`a-${home}`])).rows

test('what neither the database nor the disk took is told once, and committed as it was told when it is sent again', async () => {
  const { send, fallback, told } = await startIngest({ homes: [3] })
  const press = { ts: Date.now(), event: 'pressed' }
  const { append } = fallback.journal
  await line.away()
  fallback.journal.append = () => Promise.reject(new Error('no space left on device'))
  await expect(send(3, 'button', press)).rejects.toThrow('no space')
  await eventually('told', () => told.length > 0 || undefined)
  await line.mend()
  await eventually(
    'taken',
    () =>
      send(3, 'button', press).then(
        () => true,
        () => undefined,
      ),
    10_000,
  )
  fallback.journal.append = append
  const [alert, ...others] = await alertsOf(3)
  expect(others).toEqual([])
  const { rows: pages } = await database.db.query('select page_id, status from pages where alert_id = $1', [
    alert.alert_id,
  ])
  expect(pages).toEqual([{ page_id: told[0]!.page.pageId, status: 'sent' }])
})

test('the answer to its commit was lost: the page names the alert that the database has, and its link works', async () => {
  const { send, told, drained } = await startIngest({ homes: [8] })
  let away: Promise<void> | undefined
  line.judge((bytes, from) => {
    if (from !== 'server' || !bytes.includes('COMMIT')) return 'pass'
    away ??= line.away()
    return 'cut'
  })
  await send(8, 'button', { ts: Date.now(), event: 'pressed' })
  const { page } = await eventually('told', () => told[0])
  expect(away).toBeDefined()
  const [alert] = await alertsOf(8)
  expect(page.alertId).toBe(String(alert.alert_id))
  line.judge()
  await line.mend()
  await drained()
  expect(await alertsOf(8)).toHaveLength(1)
  const link = await findPageLink(database.db, { token: page.url.split('/').at(-1)!, now: clock.now() })
  expect(link).toMatchObject({ alertId: alert.alert_id, mayAct: true })
  const { rows } = await database.db.query('select status, attempts from pages where alert_id = $1', [alert.alert_id])
  expect(rows).toEqual([{ status: 'sent', attempts: 1 }])
  expect(told).toHaveLength(1)
})

test('a call for help whose alert was closed: the next one is told while the database is away', async () => {
  await database.db.query(
    `insert into devices (device_id, kind, gateway_id, resident_id, bound_at)
     values ('a-4-voice', 'voice', 'a-4', 'a-4', $1)`,
    [clock.now()],
  )
  const { send, told, drained } = await startIngest({ homes: [4] })
  await send(4, 'voice', { ts: Date.now(), event: 'help' })
  expect(await alertsOf(4)).toHaveLength(1)
  await database.db.query(
    `update alerts set stage = 'closed', outcome = 'other', closed_at = now(), due_at = null where resident_id = 'a-4'`,
  )
  await line.away()
  await send(4, 'voice', { ts: Date.now(), event: 'help' })
  await eventually('told', () => told.length > 0 || undefined)
  expect(told[0]!.page).toMatchObject({ kind: 'voice', severity: 'emergency' })
  await line.mend()
  await drained()
  expect(await alertsOf(4)).toHaveLength(2)
})

test('an alarm that had cleared, and whose alert was closed, goes off again while the database is away: it is told', async () => {
  const { send, told, drained } = await startIngest({ homes: [5] })
  for (const alarm of [true, false]) await send(5, 'gas', { ts: Date.now(), alarm })
  expect(await alertsOf(5)).toHaveLength(1)
  await database.db.query(
    `update alerts set stage = 'closed', outcome = 'other', closed_at = now(), due_at = null where resident_id = 'a-5'`,
  )
  await line.away()
  await send(5, 'gas', { ts: Date.now(), alarm: true })
  await eventually('told', () => told.some(({ page }) => page.kind === 'gas') || undefined)
  await line.mend()
  await drained()
  expect(await alertsOf(5)).toHaveLength(2)
})

test('an array of hundreds of alarms and clears is committed as one alert, with the database there or away', async () => {
  const { send, told, drained, inJournal } = await startIngest({ homes: [1, 2] })
  const from = Date.now() - 80_000_000
  const alarms = Array.from({ length: 400 }, (_, i) => ({ ts: from + i * 70_000, alarm: i % 2 === 0 }))
  await send(1, 'smoke', alarms)
  expect(inJournal()).toBe(false)
  expect(await alertsOf(1)).toHaveLength(1)

  await line.away()
  await send(2, 'smoke', alarms)
  await eventually('told', () => told.some(({ page }) => page.resident.id === 'a-2') || undefined)
  await line.mend()
  await drained(60_000)
  expect(await alertsOf(2)).toHaveLength(1)
  expect(told.filter(({ page }) => page.resident.id === 'a-2').map(({ page }) => page.kind)).toEqual(['smoke'])
}, 90_000)
