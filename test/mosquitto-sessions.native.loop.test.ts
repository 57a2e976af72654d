import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { connectAsync, type MqttClient } from 'mqtt'
import { Registry } from 'prom-client'
import { afterAll, afterEach, beforeAll, beforeEach, expect, test } from 'vitest'
import { type Database, openDatabase } from '../db/pool.js'
import { createAttach } from '../ingest/attach/attach.js'
import { createAttachedPresence } from '../ingest/attach/presence.js'
import type { Message } from '../ingest/message.js'
import { systemClock as clock } from '../kit/clock.js'
import { createLog } from '../kit/log.js'
import { registerCommunity } from './support/community.js'
import { startTestDatabase, type TestDatabase } from './support/database.js'
import { type FaultyLine, startFaultyLine } from './support/faulty-line.js'
import { type Mosquitto, startMosquitto } from './support/mosquitto.js'
import { eventually } from './support/processes.js'

const log = createLog({ role: 'test', level: process.env.LOG_LEVEL ?? 'silent' })
let database: TestDatabase
let line: FaultyLine
let throughLine: Database
let mosquitto: Mosquitto
let folder: string
let publisher: MqttClient
const stops: (() => Promise<void>)[] = []

beforeAll(async () => {
  database = await startTestDatabase()
  line = await startFaultyLine({ targetUrl: database.url })
  throughLine = openDatabase({ url: line.url, log })
  mosquitto = await startMosquitto()
  await registerCommunity(database.db, { key: 'c', homes: 2 })
})
afterAll(async () => {
  await throughLine?.end()
  await line?.stop()
  await mosquitto?.stop()
  await database?.stop()
})
let name = 0
beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'shouwang-attach-'))
  publisher = await connectAsync(mosquitto.url)
  name++
  await database.db.query('truncate attach_sessions, attach_edges')
  await database.db.query(
    `update gateways set via = 'attached', last_heard_at = now(), base_topics = array['base/' || gateway_id]`,
  )
})
afterEach(async () => {
  for (const stop of stops.splice(0)) await stop()
  await publisher.endAsync()
  await rm(folder, { recursive: true, force: true })
})

/** Attached as an edge is, in this process: `accept` keeps what comes, until `takes` says otherwise. */
function attach({ sessions = 1, file = 'edge' } = {}) {
  const taken: Message[] = []
  const presence: string[] = []
  const attached = createAttach({
    db: throughLine,
    settings: { url: mosquitto.url, name: `t${name}`, sessions, lostMs: 100 },
    file: join(folder, file),
    accept: async (message) => {
      taken.push(message)
      return undefined
    },
    presence: createAttachedPresence({
      presence: {
        connected: (id) => void presence.push(`+${id}`),
        disconnected: (id) => void presence.push(`-${id}`),
        heard: () => undefined,
      },
      clock,
    }),
    clock,
    log,
    metrics: new Registry(),
  })
  const payloads = () => taken.map(({ payload }) => payload.toString())
  stops.push(attached.stop)
  return { ...attached, taken, presence, payloads }
}

const subscribed = (filters: number, sessions = 1) =>
  eventually('subscribed', async () => {
    const { rows } = await database.db.query<{ n: number }>(
      'select cardinality(filters)::int as n from attach_sessions where edge_id is not null',
    )
    return (rows.length === sessions && rows.every(({ n }) => n === filters)) || undefined
  })
/** Noted is what is about to be asked for; granted, when something comes. */
async function heardBy(edge: { payloads(): string[] }, topic: string) {
  let probe = 0
  await eventually(`${topic} is heard`, async () => {
    await publisher.publishAsync(topic, `probe ${++probe}`, { qos: 1 })
    return edge.payloads().some((payload) => payload.startsWith('probe')) || undefined
  })
}
const say = (topic: string, payload: string, retain = false) =>
  publisher.publishAsync(topic, payload, { qos: 1, retain })
const spoken = (edge: { payloads(): string[] }) => edge.payloads().filter((payload) => !payload.startsWith('probe'))

test('hears what is under the topics of attached gateways, with what the broker had kept marked as such, and nothing else', async () => {
  await say('base/c-1/kept', 'kept', true)
  const edge = attach()
  await edge.start()
  await subscribed(4)
  await heardBy(edge, 'base/c-2/x')
  await say('base/c-1/x', 'one')
  await say('v1/c-2/w/water', 'two')
  await say('v1/c-2/w/command', 'for the gateway')
  await say('base/c-11/x', 'for nobody')
  await say('other/c-1/x', 'for nobody')
  await say('base/c-2', 'three')
  await eventually('three', () => spoken(edge).includes('three') || undefined)
  expect(spoken(edge)).toEqual(['kept', 'one', 'two', 'three'])
  expect(edge.taken.find(({ retain }) => retain)).toMatchObject({ gatewayId: 'c-1', topic: 'base/c-1/kept' })
  expect(edge.taken.filter(({ retain }) => retain)).toHaveLength(1)
  await say('base/c-1/kept', '', true)
})

test('Mosquitto goes, and with it all its gateways are; when it is back they are, too', async () => {
  const edge = attach()
  await edge.start()
  await heardBy(edge, 'base/c-1/x')
  await eventually('both there', () => edge.presence.includes('+c-2') || undefined)
  await publisher.endAsync()
  await mosquitto.end('SIGTERM')
  await eventually('both gone', () => (edge.presence.includes('-c-1') && edge.presence.includes('-c-2')) || undefined)
  edge.presence.length = 0
  await mosquitto.start()
  publisher = await connectAsync(mosquitto.url)
  await eventually(
    'both back',
    () => (edge.presence.includes('+c-1') && edge.presence.includes('+c-2')) || undefined,
    30_000,
  )
})

test('an edge that starts while the database is away attaches with what it remembers, and gets what came meanwhile', async () => {
  const first = attach()
  await first.start()
  await heardBy(first, 'base/c-1/x')
  await first.stop()
  await say('base/c-1/x', 'meanwhile')
  await line.away()
  try {
    const second = attach()
    await second.start()
    await eventually('what came meanwhile', () => spoken(second).includes('meanwhile') || undefined, 20_000)
  } finally {
    await line.mend()
  }
})

test('three sessions become one: what waited in the others is taken, and they are gone', async () => {
  const before = attach({ sessions: 3 })
  await before.start()
  await subscribed(4, 3)
  await heardBy(before, 'base/c-1/x')
  await before.stop()
  await Promise.all(Array.from({ length: 3_000 }, (_, i) => say('base/c-1/x', `waits ${i}`)))
  const after = attach({ sessions: 1 })
  await after.start()
  await eventually('all that waited', () => new Set(spoken(after)).size === 3_000 || undefined, 30_000)
  await eventually(
    'one session',
    async () => {
      const { rows } = await database.db.query<{ no: number }>('select session_no as no from attach_sessions')
      return rows.length === 1 || undefined
    },
    30_000,
  )
  after.taken.length = 0
  for (let i = 0; i < 9; i++) await say('base/c-1/x', `after ${i}`)
  await eventually('nine', () => spoken(after).length === 9 || undefined)
  expect(spoken(after)).toEqual(Array.from({ length: 9 }, (_, i) => `after ${i}`))
})

test('who shares hears what the broker has kept all the same', async () => {
  await say('base/c-1/bridge', 'kept', true)
  const edge = attach({ sessions: 2 })
  await edge.start()
  await eventually('kept', () => edge.taken.some(({ retain }) => retain) || undefined, 20_000)
  // Mosquitto 2.0 gives it to each who shares besides: MQTT 5 says that nobody who shares is given any.
  const told = edge.taken.map(({ topic, retain }) => `${topic} ${retain}`)
  expect([...new Set(told)]).toEqual(['base/c-1/bridge true'])
  await say('base/c-1/bridge', '', true)
})

test('a gateway is answered through its broker', async () => {
  const edge = attach()
  await edge.start()
  await heardBy(edge, 'base/c-1/x')
  const said = new Promise<string>((resolve) =>
    publisher.once('message', (_topic, payload) => resolve(payload.toString())),
  )
  await publisher.subscribeAsync('base/c-1/set', { qos: 1 })
  expect(edge.isConnected('c-1')).toBe(true)
  expect(edge.isConnected('c-9')).toBe(false)
  expect(await edge.publishTo('c-1', { topic: 'base/c-1/set', payload: 'ring' })).toMatchObject({ kind: 'delivered' })
  expect(await said).toBe('ring')
})
