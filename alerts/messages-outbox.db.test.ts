import { Registry } from 'prom-client'
import { afterAll, afterEach, beforeAll, beforeEach, expect, test } from 'vitest'
import { claimMessages, type NewMessage, queueMessage } from '../db/messages.js'
import { setQuietHours } from '../db/quiet-hours.js'
import { addChannel, channelsOf, confirmTest, findTest, moveChannel, queueChannelTest } from '../db/staff-channels.js'
import { manualClock } from '../kit/clock.js'
import { createLog } from '../kit/log.js'
import { createSignal } from '../kit/signal.js'
import { startTestDatabase, type TestDatabase } from '../test/support/database.js'
import { type Community, seedCommunity } from '../test/support/fixtures.js'
import type { Channel, Message, SendResult } from './channels/channel.js'
import { createMessagesOutbox } from './messages-outbox.js'

let database: TestDatabase
let community: Community
let worker: string
let told: { channel: string; to: string; message: Message; attempt: number }[]
let answer: (channel: string, to: string) => SendResult | Promise<SendResult>
let outboxes: ReturnType<typeof createMessagesOutbox>[] = []
// 14:00 in Shanghai.
const clock = manualClock(new Date('2026-06-01T06:00:00Z'))
const minute = 60_000

const channelOf = (kind: string): Channel => ({
  kind,
  send: () => Promise.reject(new Error('not a page')),
  tell: async (message, to, { attempt }) => {
    told.push({ channel: kind, to: to.address, message, attempt })
    return answer(kind, to.address)
  },
})

beforeAll(async () => {
  database = await startTestDatabase()
  community = await seedCommunity(database.db, { key: 'm', now: clock.now() })
  worker = community.staff.worker.staffId
})
afterAll(() => database.stop())
beforeEach(async () => {
  for (const table of ['message_attempts', 'messages', 'staff_channels'])
    await database.db.query(`delete from ${table}`)
  await setQuietHours(database.db, { staffId: worker, quiet: null, now: clock.now() })
  await database.db.query('update staff set disabled_at = null')
  told = []
  answer = () => ({ kind: 'sent', detail: 'ok' })
})
afterEach(async () => {
  await Promise.all(outboxes.map((outbox) => outbox.stop()))
  outboxes = []
})

function start(kinds = ['webhook', 'email']) {
  const outbox = createMessagesOutbox({
    db: database.db,
    channels: kinds.map(channelOf),
    publicUrl: 'https://shouwang.example',
    clock,
    log: createLog({ role: 'test', level: 'silent' }),
    metrics: new Registry(),
    signal: createSignal(),
    pollMs: 10,
  })
  outbox.start()
  outboxes.push(outbox)
}
const add = async (kind: string, address: string) => {
  const added = await addChannel(database.db, {
    staffId: worker,
    channel: { kind, address, secret: null },
    now: clock.now(),
  })
  if (added.kind !== 'added') throw new Error(added.kind)
  return added.channelId
}
const text = { zh: '示例', en: 'sample' }
const queue = (more: Partial<NewMessage> = {}) =>
  database.db.transaction((tx) =>
    queueMessage(tx, { staffId: worker, kind: 'coverage', text, now: clock.now(), ...more }),
  )
const rows = async (sql: string, values: unknown[] = []) => (await database.db.query(sql, values)).rows
const statuses = async () =>
  (await rows('select status from messages order by created_at, message_id')).map((row) => row.status)
/** Until nothing is due at the clock's time any longer. */
async function settled() {
  for (let still = 0; still < 4; ) {
    await new Promise((resolve) => setTimeout(resolve, 30))
    const [{ n }] = await rows(
      "select count(*) as n from messages where status = 'pending' and (next_attempt_at <= $1 or claimed_until is not null)",
      [clock.now()],
    )
    still = n === 0 ? still + 1 : 0
  }
}
const ways = () => told.map(({ channel, to }) => `${channel} ${to}`)

test('a message goes through the first channel, with its lines and a full address to read on', async () => {
  await add('email', 'a@example.org')
  await add('webhook', 'http://b.example')
  await queue({ lines: [{ zh: '一', en: 'one' }], path: '/roster' })
  start()
  await settled()
  expect(ways()).toEqual(['email a@example.org'])
  expect(told[0]!.message).toMatchObject({
    kind: 'coverage',
    text,
    lines: [{ zh: '一', en: 'one' }],
    url: 'https://shouwang.example/roster',
    at: clock.now(),
    language: 'zh',
  })
  expect(await statuses()).toEqual(['sent'])
  expect((await rows('select channel, result, detail from message_attempts'))[0]).toEqual({
    channel: 'email',
    result: 'sent',
    detail: 'ok',
  })
  expect((await channelsOf(database.db, worker))[0]).toMatchObject({ lastSentAt: clock.now(), brokenAt: null })
})

test('what was said once is not said again: to this person, under this key', async () => {
  await add('email', 'a@example.org')
  expect(await queue({ dedupeKey: 'coverage 2026-06-01' })).not.toBeNull()
  expect(await queue({ dedupeKey: 'coverage 2026-06-01' })).toBeNull()
  const { staffId } = community.staff.colleague
  expect(await queue({ dedupeKey: 'coverage 2026-06-01', staffId })).not.toBeNull()
  expect(await queue({ position: 999_999 })).toBeNull()
})

test('refused by one channel it goes through the next; a broken one is passed over until it works again', async () => {
  const mail = await add('email', 'gone@example.org')
  await add('webhook', 'http://b.example')
  answer = (kind) =>
    kind === 'email' ? { kind: 'refused', reason: '550 no such mailbox', broken: true } : { kind: 'sent', detail: '' }
  await queue()
  start()
  await settled()
  expect(ways()).toEqual(['email gone@example.org', 'webhook http://b.example'])
  const broken = async () => (await channelsOf(database.db, worker)).find(({ channelId }) => channelId === mail)!
  expect(await broken()).toMatchObject({ brokenAt: clock.now(), brokenReason: '550 no such mailbox' })
  await queue()
  await settled()
  expect(ways().slice(2)).toEqual(['webhook http://b.example'])
  // Somebody mended it and sends a test.
  answer = () => ({ kind: 'sent', detail: '' })
  await queueChannelTest(database.db, { staffId: worker, channelId: mail, text, now: clock.now() })
  await settled()
  expect(await broken()).toMatchObject({ brokenAt: null, brokenReason: null, lastSentAt: clock.now() })
})

test('this page alone was not taken: the channel is not called broken for it', async () => {
  const mail = await add('email', 'a@example.org')
  answer = () => ({ kind: 'refused', reason: '552 too big' })
  await queue()
  start()
  await settled()
  const [channel] = await channelsOf(database.db, worker)
  expect(channel).toMatchObject({
    channelId: mail,
    brokenAt: null,
    lastFailedAt: clock.now(),
    lastFailure: '552 too big',
  })
  expect(await statuses()).toEqual(['failed'])
})

test('busy: the same channel four times, the next one, and all of it again half an hour later, for a day', async () => {
  await add('email', 'a@example.org')
  await add('webhook', 'http://b.example')
  answer = () => ({ kind: 'retry', afterMs: minute, detail: 'busy' })
  const queuedAt = clock.now().getTime()
  await queue()
  start()
  for (let i = 0; i < 8; i++) {
    await settled()
    clock.advance(minute)
  }
  await settled()
  expect(told.map(({ channel, attempt }) => `${channel} ${attempt}`)).toEqual([
    ...['email 1', 'email 2', 'email 3', 'email 4'],
    ...['webhook 1', 'webhook 2', 'webhook 3', 'webhook 4'],
  ])
  clock.advance(30 * minute)
  await settled()
  expect(told.at(-1)).toMatchObject({ channel: 'email', attempt: 1 })
  answer = () => ({ kind: 'sent', detail: '' })
  clock.set(new Date(queuedAt + 23 * 60 * minute))
  await settled()
  expect(await statuses()).toEqual(['sent'])
})

test('nobody takes it for a day: it is given up, and never tried again', async () => {
  await add('email', 'a@example.org')
  answer = () => ({ kind: 'retry', afterMs: minute, detail: 'busy' })
  await queue()
  start()
  await settled()
  clock.advance(24 * 60 * minute)
  await settled()
  expect(await statuses()).toEqual(['failed'])
  const tries = told.length
  clock.advance(24 * 60 * minute)
  await settled()
  expect(told.length).toBe(tries)
})

test('quiet hours are waited for, also when they are changed meanwhile; what is urgent is told at once', async () => {
  await add('email', 'a@example.org')
  const night = { from: '13:00', until: '18:00', timeZone: 'Asia/Shanghai' }
  clock.set(new Date('2026-06-10T06:00:00Z'))
  await setQuietHours(database.db, { staffId: worker, quiet: night, now: clock.now() })
  const calm = await queue()
  const urgent = await queue({ urgent: true })
  start()
  await settled()
  expect(told.map(({ message }) => message.messageId)).toEqual([urgent])
  clock.set(new Date('2026-06-10T09:59:59Z'))
  await settled()
  expect(told.length).toBe(1)
  clock.set(new Date('2026-06-10T10:00:00Z'))
  await settled()
  expect(told.map(({ message }) => message.messageId)).toEqual([urgent, calm])

  clock.set(new Date('2026-06-11T06:00:00Z'))
  await queue()
  await settled()
  expect(told.length).toBe(2)
  await setQuietHours(database.db, { staffId: worker, quiet: null, now: clock.now() })
  await settled()
  expect(told.length).toBe(3)
})

test('a test goes to its own channel alone, in quiet hours too, and leads to the page that confirms it', async () => {
  await add('email', 'a@example.org')
  const second = await add('webhook', 'http://b.example')
  await setQuietHours(database.db, {
    staffId: worker,
    quiet: { from: '00:00', until: '23:59', timeZone: 'Asia/Shanghai' },
    now: clock.now(),
  })
  const ask = () => queueChannelTest(database.db, { staffId: worker, channelId: second, text, now: clock.now() })
  expect(await ask()).toBe('queued')
  expect(await ask()).toBe('too soon')
  answer = () => ({ kind: 'refused', reason: '401 signature' })
  start()
  await settled()
  expect(ways()).toEqual(['webhook http://b.example'])
  const { messageId, url } = told[0]!.message
  expect(url).toBe(`https://shouwang.example/got/${messageId}`)
  const testOf = async () => (await channelsOf(database.db, worker)).find(({ channelId }) => channelId === second)!.test
  expect(await testOf()).toMatchObject({
    status: 'failed',
    result: 'refused',
    detail: '401 signature',
    confirmedAt: null,
  })

  clock.advance(21_000)
  answer = () => ({ kind: 'delivered', detail: 'answered' })
  expect(await ask()).toBe('queued')
  await settled()
  expect(await testOf()).toMatchObject({ status: 'sent', result: 'delivered' })
  const { messageId: again } = told.at(-1)!.message
  expect(await findTest(database.db, { messageId: again, now: clock.now() })).toMatchObject({
    confirmedAt: null,
    expired: false,
  })
  await confirmTest(database.db, { messageId: again, now: clock.now() })
  expect((await testOf())!.confirmedAt).toEqual(clock.now())
  const confirmed = (await channelsOf(database.db, worker)).map(({ confirmedAt }) => confirmedAt)
  expect(confirmed).toEqual([null, clock.now()])
})

test('a test too old is not confirmed, and a message that is none never', async () => {
  const id = await add('email', 'a@example.org')
  await queueChannelTest(database.db, { staffId: worker, channelId: id, text, now: clock.now() })
  const other = (await queue())!
  start()
  await settled()
  const { messageId } = told.find(({ message }) => message.kind === 'test')!.message
  expect(await findTest(database.db, { messageId: other, now: clock.now() })).toBeUndefined()
  clock.advance(8 * 24 * 60 * minute)
  expect(await findTest(database.db, { messageId, now: clock.now() })).toMatchObject({ expired: true })
  await confirmTest(database.db, { messageId, now: clock.now() })
  await confirmTest(database.db, { messageId: other, now: clock.now() })
  expect((await channelsOf(database.db, worker))[0]!.confirmedAt).toBeNull()
})

test('a process that dies in the middle leaves its message to its lease, then another sends it', async () => {
  await add('email', 'a@example.org')
  await queue()
  const claim = () => claimMessages(database.db, { now: clock.now(), leaseMs: 20_000, messagesMax: 4, perPersonMax: 2 })
  expect((await claim()).length).toBe(1)
  expect((await claim()).length).toBe(0)
  start()
  clock.advance(19_000)
  await new Promise((resolve) => setTimeout(resolve, 150))
  expect(told.length).toBe(0)
  clock.advance(2_000)
  await settled()
  expect(ways()).toEqual(['email a@example.org'])
})

test('claims at the same moment never share a message', async () => {
  await add('email', 'a@example.org')
  for (let round = 0; round < 10; round++) {
    await database.db.query('delete from messages')
    for (let i = 0; i < 12; i++) await queue()
    const claims = await Promise.all(
      Array.from({ length: 6 }, () =>
        claimMessages(database.db, { now: clock.now(), leaseMs: 20_000, messagesMax: 12, perPersonMax: 12 }),
      ),
    )
    const ids = claims.flat().map(({ messageId }) => messageId)
    expect([ids.length, new Set(ids).size]).toEqual([12, 12])
  }
})

test('two processes send each message once', async () => {
  await add('email', 'a@example.org')
  await add('webhook', 'http://b.example')
  for (let i = 0; i < 30; i++) await queue()
  start()
  start()
  await settled()
  expect(new Set(told.map(({ message }) => message.messageId)).size).toBe(30)
  expect(told.length).toBe(30)
})

test('a channel moved up takes over what has not been sent; one that is not set up here is passed over and blamed for nothing', async () => {
  await add('email', 'a@example.org')
  const second = await add('webhook', 'http://b.example')
  await queue()
  await moveChannel(database.db, { staffId: worker, channelId: second, by: -1, now: clock.now() })
  start()
  await settled()
  expect(ways()).toEqual(['webhook http://b.example'])
  await outboxes.pop()!.stop()
  told = []
  start(['email'])
  await queue()
  await settled()
  expect(ways()).toEqual(['email a@example.org'])
  expect((await channelsOf(database.db, worker)).map(({ brokenAt, lastFailedAt }) => [brokenAt, lastFailedAt])).toEqual(
    [
      [null, null],
      [null, null],
    ],
  )
})

test('nobody to tell, or nowhere: it fails at once, with the reason', async () => {
  await queue()
  start()
  await settled()
  await add('email', 'a@example.org')
  await database.db.query('update staff set disabled_at = $1 where staff_id = $2', [clock.now(), worker])
  clock.advance(1_000)
  await queue()
  await settled()
  expect(await rows('select status, last_error from messages order by created_at')).toEqual([
    { status: 'failed', last_error: 'no channel took it' },
    { status: 'failed', last_error: 'the person has left' },
  ])
  expect(told).toEqual([])
})

test('text with a NUL, of any length, is told all the same', async () => {
  await add('email', 'a@example.org')
  await queue({ text: { zh: `a\0${'长'.repeat(5_000)}`, en: 'x' }, lines: Array(500).fill(text) })
  answer = () => ({ kind: 'sent', detail: 'ok\0' })
  start()
  await settled()
  expect(await statuses()).toEqual(['sent'])
})
