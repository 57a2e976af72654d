import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { Registry } from 'prom-client'
import { afterAll, beforeAll, expect, onTestFinished, test, vi } from 'vitest'
import type { Channel } from '../alerts/channels/channel.js'
import { type Database, openDatabase } from '../db/pool.js'
import { registerDocument } from '../db/register/document.js'
import { register } from '../db/register/register.js'
import type { ReadingKind } from '../ingest/contract.js'
import type { DialectName } from '../ingest/dialects/dialect.js'
import { openFallback } from '../ingest/fallback.js'
import { createIngest } from '../ingest/ingest.js'
import { systemClock as clock } from '../kit/clock.js'
import { createTeardown } from '../kit/lifecycle.js'
import { createLog } from '../kit/log.js'
import { createSignal } from '../kit/signal.js'
import { registerCommunity } from './support/community.js'
import { startTestDatabase, type TestDatabase } from './support/database.js'
import { type FaultyLine, startFaultyLine } from './support/faulty-line.js'
import { eventually } from './support/processes.js'

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
    homes: 4,
    channelsOf: () => [{ kind: 'email', address: 'worker@example.org' }],
  })
})
afterAll(async () => {
  await throughLine?.end()
  await line?.stop()
  await database?.stop()
})

async function register1(
  id: string,
  dialect: DialectName,
  devices: [native: string, kind: ReadingKind, home: number][],
) {
  const document = registerDocument.parse({
    gateways: [{ id, community: 'a', secret: `invented-secret-of-${id}`, dialect }],
    devices: devices.map(([native, kind, home]) => ({ native, kind, gateway: id, resident: `a-${home}`, room: '' })),
  })
  await register(database.db, { document, timeZoneDefault: 'Asia/Shanghai', now: clock.now() })
}

/** Ingest on a line that can break, with a journal in `dataDir`. */
async function startIngest(dataDir: string) {
  const teardown = createTeardown({ log, stopMsMax: 10_000, totalMsMax: 20_000 })
  let ended = false
  const stop = async () => {
    if (!ended) await teardown.run()
    ended = true
  }
  onTestFinished(async () => {
    await line.mend()
    await stop()
  })
  const told: { atMs: number; residentId: string }[] = []
  const email: Channel = {
    kind: 'email',
    send: async (page) => {
      told.push({ atMs: Date.now(), residentId: page.resident.id })
      return { kind: 'sent', detail: 'ok' }
    },
    tell: async () => ({ kind: 'sent', detail: 'ok' }),
  }
  const shared = { db: throughLine, clock, log, metrics: new Registry(), teardown }
  const channels = [email]
  const fallback = await openFallback({
    ...shared,
    dataDir,
    journalBytesMax: 64 * 1_048_576,
    channels,
    publicUrl: 'http://localhost',
  })
  const ingest = createIngest({ ...shared, fallback, signal: createSignal() })
  teardown.add('ingest', ingest.stop)
  await ingest.start()
  return {
    stop,
    told,
    fallback,
    send: (gatewayId: string, topic: string, body: unknown) =>
      ingest.accept({
        gatewayId,
        topic: `v1/${gatewayId}/${topic}`,
        payload: Buffer.from(typeof body === 'string' ? body : JSON.stringify(body)),
        retain: false,
        receivedAt: clock.now(),
      }),
    knows: (home: number) =>
      eventually(
        'someone to call',
        () =>
          fallback.directory.chainOf(`a-${home}`, Date.now()).steps.some(({ people }) => people.length > 0) ||
          undefined,
      ),
    drained: () => eventually('drained', () => ingest.journalState()!.sinceMs === null || undefined, 30_000),
  }
}
const dataFolder = async () => {
  const dataDir = await mkdtemp(join(tmpdir(), 'shouwang-dialects-'))
  onTestFinished(() => rm(dataDir, { recursive: true, force: true }))
  return dataDir
}
const rows = async (sql: string, values: unknown[] = []) => (await database.db.query(sql, values)).rows
const alertsOf = (home: number) => rows('select * from alerts where resident_id = $1 order by alert_id', [`a-${home}`])
const memoryOf = async (gatewayId: string) =>
  (await rows('select dialect_memory from gateways where gateway_id = $1', [gatewayId]))[0].dialect_memory

test('what an adapter learns while the database is away is kept, also where the edge ends before it is back', async () => {
  await register1('learns', 'zigbee2mqtt', [['hall', 'smoke', 1]])
  await register1('batteries', 'aliyun', [])
  const dataDir = await dataFolder()
  const first = await startIngest(dataDir)
  // Both are known before the line breaks.
  await first.send('learns', 'bridge/log', '{}')
  await first.send('learns', 'nobody', { contact: true })
  await first.send('batteries', 'sys/k/n/thing/event/property/post', { id: '1', params: { SmokeSensorState: 0 } })
  await line.away()
  // Its name is its id from now on, whatever the bridge tells of it later.
  await first.send('learns', 'hall', { smoke: false })
  await first.send('batteries', 'sys/k/n/thing/event/property/post', { id: '1', params: { BatteryPercentage: 9 } })
  await first.stop()
  const second = await startIngest(dataDir)
  await line.mend()
  await second.drained()
  // What an alarm brought along is written after it.
  await vi.waitFor(async () => expect(await memoryOf('learns')).toMatchObject({ early: ['nobody', 'hall'] }))
  expect(await memoryOf('batteries')).toMatchObject({ battery: [['k/n', 0.09]] })
})

test('a press that comes again because it could not be stored is no memory of itself', async () => {
  await register1('again', 'shelly', [['shellies/b#input_event/0', 'button', 2]])
  const ingest = createIngest({ db: throughLine, clock, log, metrics: new Registry(), signal: createSignal() })
  onTestFinished(async () => {
    await line.mend()
    await ingest.stop()
  })
  await ingest.start()
  const press = (event_cnt: number) =>
    ingest.accept({
      gatewayId: 'again',
      topic: 'v1/again/shellies/b/input_event/0',
      payload: Buffer.from(JSON.stringify({ event: 'S', event_cnt })),
      retain: false,
      receivedAt: clock.now(),
    })
  await press(1)
  // Somebody went there yesterday.
  const yesterday = new Date(Date.now() - 86_400_000)
  await rows(
    `update alerts set stage = 'closed', outcome = 'resident fine', opened_at = $1, closed_at = $1 where resident_id = 'a-2'`,
    [yesterday],
  )
  await rows('update alarm_episodes set first_at = $1, last_at = $1', [yesterday])
  await line.away()
  await expect(press(2)).rejects.toThrow()
  await line.mend()
  const taken = () =>
    press(2).then(
      () => true,
      () => undefined,
    )
  await eventually('taken', taken, 15_000)
  expect((await alertsOf(2)).map(({ kind }) => kind)).toEqual(['button', 'button'])
}, 60_000)

test('an alarm of nobody that waits for the database is one when its device has been claimed by then', async () => {
  await register1('claims', 'zigbee2mqtt', [])
  const { send, drained } = await startIngest(await dataFolder())
  await send('claims', 'cellar', { smoke: false })
  await line.away()
  await send('claims', 'cellar', { smoke: true })
  await register1('claims', 'zigbee2mqtt', [['cellar', 'smoke', 4]])
  await line.mend()
  await drained()
  expect((await alertsOf(4)).map(({ kind }) => kind)).toEqual(['smoke'])
})

test('a fire is told in time though what came with it is of a device that nobody knows and the database hangs', async () => {
  await register1('beside', 'thingsboard', [['Smoke', 'smoke', 3]])
  const { send, told, knows } = await startIngest(await dataFolder())
  const smoke = (alarm: boolean) => ({
    'Nobody 1': [{ values: { water_leak: false } }],
    Smoke: [{ values: { smoke: alarm } }],
    'Nobody 2': [{ values: { water_leak: false } }],
  })
  await send('beside', 'gateway/telemetry', smoke(false))
  await knows(3)
  await new Promise((resolve) => setTimeout(resolve, 1_200))
  line.hang()
  const sentAt = Date.now()
  await send('beside', 'gateway/telemetry', smoke(true))
  await eventually('told', () => told.length > 0 || undefined)
  const ms = told[0]!.atMs - sentAt
  console.log(`told after ${ms} ms, the database hanging`)
  expect(ms).toBeLessThan(2_000)
})
