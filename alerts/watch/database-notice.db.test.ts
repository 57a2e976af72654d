import { afterAll, afterEach, beforeAll, beforeEach, expect, test } from 'vitest'
import type { Database } from '../../db/pool.js'
import { systemClock as clock } from '../../kit/clock.js'
import { createLog } from '../../kit/log.js'
import { registerCommunity, webhookSecret } from '../../test/support/community.js'
import { startTestDatabase, type TestDatabase } from '../../test/support/database.js'
import { startWebhookReceiver, type WebhookReceiver } from '../../test/support/webhook-receiver.js'
import { webhookChannel } from '../channels/webhook.js'
import { startDatabaseNotice } from './database-notice.js'

let database: TestDatabase
let phone: WebhookReceiver
let notice: { stop(): Promise<void> }
let line: 'works' | 'fails' | 'hangs'

beforeAll(async () => {
  database = await startTestDatabase()
  phone = await startWebhookReceiver({ secret: webhookSecret })
  await registerCommunity(database.db, { key: 'n' })
  // The first channel of the operator is one that nobody answers.
  await database.db.query(
    `insert into staff_channels (staff_id, position, kind, address, secret)
     values ('n-operator', 1, 'webhook', 'http://127.0.0.1:9/', $2), ('n-operator', 2, 'webhook', $1, $2)`,
    [phone.url, webhookSecret],
  )
})
afterAll(async () => {
  await phone.stop()
  await database.stop()
})
beforeEach(() => {
  line = 'works'
  phone.requests.splice(0)
  /** The real database, over a line that may be cut. */
  const db = {
    ...database.db,
    query: ((...args: Parameters<Database['query']>) => {
      if (line === 'fails') return Promise.reject(new Error('connection refused'))
      if (line === 'hangs') return new Promise(() => {})
      return database.db.query(...args)
    }) as Database['query'],
  }
  notice = startDatabaseNotice({
    db,
    channels: [webhookChannel({ clock })],
    clock,
    log: createLog({ role: 'test', level: 'silent' }),
    awayMsMin: 600,
    pauseMs: 50,
    retryPauseMs: 50,
  })
})
afterEach(() => notice.stop())
const kinds = () => phone.requests.map(({ json }) => json!.kind)
const sleep = (ms: number) => new Promise((resolve) => setTimeout(resolve, ms))

test('the database goes away and comes back: each is told once, through the channel that answers', async () => {
  await sleep(300)
  line = 'fails'
  await sleep(300)
  expect(kinds()).toEqual([])
  await expect.poll(kinds, { timeout: 5_000 }).toEqual(['database away'])
  await sleep(800)
  expect(kinds()).toEqual(['database away'])
  line = 'works'
  await expect.poll(kinds, { timeout: 5_000 }).toEqual(['database away', 'database back'])
  expect((phone.requests[0]!.json!.text as { en: string }).en).toMatch(
    /^The alerts role has had no answer from the database for \d+ s/,
  )
})

test('a database that hangs is away as well', async () => {
  await sleep(300)
  line = 'hangs'
  await expect.poll(kinds, { timeout: 15_000 }).toEqual(['database away'])
}, 20_000)

test('a moment without it is told to nobody', async () => {
  await sleep(300)
  line = 'fails'
  await sleep(300)
  line = 'works'
  await sleep(600)
  expect(kinds()).toEqual([])
})
