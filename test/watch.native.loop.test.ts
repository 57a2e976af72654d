import { mkdtemp, rm } from 'node:fs/promises'
import { createServer, type Server } from 'node:http'
import type { AddressInfo } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { Registry } from 'prom-client'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { webhookChannel } from '../alerts/channels/webhook.js'
import { createMessagesOutbox } from '../alerts/messages-outbox.js'
import { createOutbox } from '../alerts/outbox.js'
import { startDeadMan } from '../alerts/watch/dead-man.js'
import { createWatch, type Watch } from '../alerts/watch/watch.js'
import { startEdge } from '../broker/edge.js'
import { openFallback } from '../ingest/fallback.js'
import { systemClock as clock } from '../kit/clock.js'
import { startHealthServer } from '../kit/health-server.js'
import { createTeardown } from '../kit/lifecycle.js'
import { createLog } from '../kit/log.js'
import { readSettings } from '../kit/settings.js'
import { createSignal } from '../kit/signal.js'
import { registerCommunity, webhookSecret } from './support/community.js'
import { startTestDatabase, type TestDatabase } from './support/database.js'
import { createProcesses, eventually, freePort } from './support/processes.js'
import { startWebhookReceiver, type WebhookReceiver } from './support/webhook-receiver.js'

/** A real edge, a real outbox and the watcher in one process; the operator's phone; the service outside. */
const everyMs = 1_500
const pageMsMax = 5_000
const log = createLog({ role: 'test', level: process.env.LOG_LEVEL ?? 'silent' })
const teardown = createTeardown({ log, stopMsMax: 6_000, totalMsMax: 15_000 })
const processes = createProcesses()
const signal = createSignal()
const metrics = new Registry()
let database: TestDatabase
let phone: WebhookReceiver
let outside: Server
/** What the service outside heard, newest last. */
const beats: { path: string; body: string }[] = []
let watch: Watch
let readyz: () => Promise<{ status: number; text: string }>
let outbox: ReturnType<typeof createOutbox>
let edge: { mqttPort: number; stop(): Promise<void> }

const startOutbox = () => {
  const channels = [webhookChannel({ clock })]
  outbox = createOutbox({
    db: database.db,
    channels,
    publicUrl: 'http://localhost',
    clock,
    log,
    metrics: new Registry(),
    signal,
  })
  outbox.start()
}

async function startEdgeAt(mqttPort: number) {
  const own = createTeardown({ log, stopMsMax: 5_000, totalMsMax: 10_000 })
  const dataDir = await mkdtemp(join(tmpdir(), 'shouwang-watch-'))
  own.add('data', () => rm(dataDir, { recursive: true, force: true }))
  const shared = { db: database.db, clock, log, signal, metrics: new Registry(), teardown: own }
  const channels = [webhookChannel({ clock })]
  const fallback = await openFallback({
    ...shared,
    dataDir,
    journalBytesMax: 64 * 1_048_576,
    channels,
    publicUrl: 'http://localhost',
  })
  const settings = readSettings({ MQTT_PORT: String(mqttPort), MQTT_WS_PORT: '0' })
  const { ports } = await startEdge({ ...shared, fallback, settings })
  edge = { mqttPort: ports.mqttPort, stop: own.run }
}

const rounds = async () =>
  (
    await database.db.query<{ missed: string | null; page_ms: number | null; acked_ms: number | null }>(
      'select missed, page_ms, acked_ms from watch_rounds order by watch_round_id',
    )
  ).rows
const untilRound = (what: string, fits: (round: { missed: string | null }) => boolean, after: number) =>
  eventually(what, async () => (await rounds()).slice(after).some(fits) || undefined, 20_000)
const told = () => phone.requests.map(({ json }) => json as { kind: string; text: { en: string }; url: string })
const alertsLeftOpen = async () =>
  (await database.db.query<{ n: number }>('select count(*) as n from alerts where closed_at is null')).rows[0]!.n

beforeAll(async () => {
  database = await startTestDatabase()
  const { db } = database
  phone = await startWebhookReceiver({ secret: webhookSecret })
  await registerCommunity(db, { key: 'w' })
  await registerCommunity(db, { key: 'x' })
  // The operator of both; x's own has no channel.
  await db.query(`insert into staff_communities values ('w-operator', 'x')`)
  await db.query(
    `insert into staff_channels (staff_id, position, kind, address, secret) values ('w-operator', 1, 'webhook', $1, $2)`,
    [phone.url, webhookSecret],
  )
  outside = createServer((request, response) => {
    let body = ''
    request.on('data', (chunk: Buffer) => {
      body += chunk
    })
    request.on('end', () => {
      beats.push({ path: request.url ?? '', body })
      response.writeHead(200).end('OK')
    })
  })
  await new Promise<void>((resolve) => outside.listen(0, '127.0.0.1', resolve))
  await startEdgeAt(0)
  startOutbox()
  const shared = { db, clock, log, signal, metrics: new Registry() }
  const messages = createMessagesOutbox({
    ...shared,
    channels: [webhookChannel({ clock })],
    publicUrl: 'http://localhost',
  })
  messages.start()
  teardown.add('messages', messages.stop)
  watch = createWatch({
    db,
    mqttUrl: `mqtt://127.0.0.1:${edge.mqttPort}`,
    everyMs,
    firstAfterMs: 100,
    pageMsMax,
    timeZone: 'Asia/Shanghai',
    clock,
    log,
    metrics,
  })
  await watch.start()
  teardown.add('watch', watch.stop)
  const health = await startHealthServer({
    host: '127.0.0.1',
    port: 0,
    setting: 'none',
    isReady: watch.isWell,
    metrics: new Registry(),
  })
  teardown.add('health', health.stop)
  readyz = async () => {
    const answer = await fetch(`http://127.0.0.1:${health.port}/readyz`)
    return { status: answer.status, text: await answer.text() }
  }
  const { port } = outside.address() as AddressInfo
  const deadMan = startDeadMan({
    url: `http://127.0.0.1:${port}/ping/1234`,
    isWell: watch.isWell,
    everyMs: 300,
    retryPauseMs: 100,
    clock,
    log,
    metrics,
  })
  teardown.add('dead man', deadMan.stop)
})
afterAll(async () => {
  await teardown.run()
  await processes.stopAll()
  await outbox?.stop()
  await edge?.stop()
  outside?.closeAllConnections()
  outside?.close()
  await phone?.stop()
  await database?.stop()
})

test('each community has a synthetic resident, whose alarm goes through broker, database and outbox and comes back', async () => {
  await eventually('rounds of both', async () => (await rounds()).length >= 4 || undefined, 30_000)
  for (const { missed, page_ms: pageMs, acked_ms: ackedMs } of await rounds()) {
    expect(missed).toBeNull()
    expect(ackedMs).toBeLessThan(pageMsMax)
    expect(pageMs).toBeLessThan(pageMsMax)
  }
  expect(
    (await database.db.query('select community_id from watch_homes order by 1')).rows.map((row) => row.community_id),
  ).toEqual(['w', 'x'])
  expect(await readyz()).toEqual({ status: 200, text: 'ready\n' })
  await eventually('a beat', () => beats.some(({ path }) => path === '/ping/1234') || undefined)
  expect(told()).toEqual([])
  const { rows } = await database.db.query<{ outcome: string }>(
    'select distinct outcome from alerts where closed_at is not null',
  )
  expect(rows).toEqual([{ outcome: 'test' }])
  // Each is closed with its own round, not with the next one.
  const { rowCount } = await database.db.query(
    'select from watch_homes w join alerts a on a.resident_id = w.resident_id and a.closed_at = w.came_at',
  )
  expect(rowCount).toBe(2)
  expect(await metrics.metrics()).toMatch(/shouwang_watch_page_seconds_count [1-9]/)
})

test('the outbox stops: the operator is told once, /readyz turns red, the dead man’s switch says so, until pages come back', async () => {
  await outbox.stop()
  const before = (await rounds()).length
  await untilRound('a miss', ({ missed }) => missed === 'no page', before)
  await eventually('both to be failing', async () => (await readyz()).text.includes('2 of 2') || undefined, 20_000)
  expect(await readyz()).toEqual({
    status: 503,
    text: expect.stringMatching(/^not ready: the test page of 2 of 2 communities did not come back, since 20/),
  })
  await eventually('a word to the operator', () => told().length > 0 || undefined)
  expect(told()[0]).toMatchObject({ kind: 'watch', url: 'http://localhost/watch' })
  expect(told()[0]!.text.en).toMatch(/Self-check failed: the test alarm of [12] of 2 communities did not come back/)
  const failing = beats.length
  await eventually('the switch to say so', () => beats.slice(failing).length >= 3 || undefined)
  for (const { path, body } of beats.slice(failing)) {
    expect(path).toBe('/ping/1234/fail')
    expect(body).toMatch(/test page of 2 of 2/)
  }
  // Another miss of each is the same outage.
  await eventually(
    'more misses',
    async () => (await rounds()).slice(before).filter((r) => r.missed).length >= 3 || undefined,
    20_000,
  )
  expect(told()).toHaveLength(1)
  startOutbox()
  await eventually('all well', async () => (await readyz()).status === 200 || undefined, 20_000)
  await eventually('the word that all is well', () => told().length > 1 || undefined)
  expect(told()[1]!.text.en).toMatch(/^Self-check: well again\./)
  const well = beats.length
  await eventually('beats again', () => beats.slice(well).length >= 3 || undefined)
  expect(new Set(beats.slice(well + 1).map(({ path }) => path))).toEqual(new Set(['/ping/1234']))
  expect(told()).toHaveLength(2)
})

test('the broker is gone: told why; nothing of the test alarms is left to escalate', async () => {
  const before = (await rounds()).length
  const { mqttPort } = edge
  await edge.stop()
  await untilRound('no connection', ({ missed }) => missed === 'no connection', before)
  await eventually('a word to the operator', () => told().length > 2 || undefined)
  expect(told()[2]!.text.en).toMatch(/the broker could not be reached/)
  await startEdgeAt(mqttPort)
  await eventually('all well', async () => (await readyz()).status === 200 || undefined, 20_000)
  await eventually('the word that all is well', () => told().length > 3 || undefined)
  await eventually('nothing open', async () => (await alertsLeftOpen()) === 0 || undefined)
  expect((await database.db.query("select from pages where status = 'failed'")).rowCount).toBe(0)
})

test('the alerts role itself answers red while the newest test page stays away', async () => {
  await watch.stop()
  await database.db.query(
    `update watch_homes set failing_since = '2026-01-01T00:00Z', missed = 'no page' where community_id = 'w'`,
  )
  const port = await freePort()
  const env = { DATABASE_URL: database.url, ALERTS_HTTP_PORT: String(port), PUBLIC_URL: 'http://localhost' }
  const start = async (more: Record<string, string>) => {
    const alerts = processes.start('alerts/main', { env: { ...env, ...more } })
    await alerts.printed('alerts.started')
    return alerts
  }
  const ask = async () => {
    const answer = await fetch(`http://127.0.0.1:${port}/readyz`)
    return `${answer.status} ${await answer.text()}`
  }
  const watching = await start({ WATCH_MQTT_URL: 'mqtt://127.0.0.1:9' })
  expect(await ask()).toMatch(/^503 not ready: the test page of 1 of 2 communities did not come back, since 2026-01-01/)
  await database.db.query(`update watch_homes set failing_since = null, missed = null`)
  expect(await ask()).toBe('200 ready\n')
  await watching.end('SIGINT')
  // One that plays nobody knows nothing of it.
  await database.db.query(`update watch_homes set failing_since = now(), missed = 'no page'`)
  const other = await start({})
  expect(await ask()).toBe('200 ready\n')
  await other.end('SIGINT')
})
