import { Registry } from 'prom-client'
import { afterAll, beforeAll, beforeEach, expect, test } from 'vitest'
import { actOnAlert } from '../db/alert-actions.js'
import { openAlert } from '../db/alerts.js'
import { measureLateness } from '../db/lateness.js'
import { manualClock } from '../kit/clock.js'
import { createLog } from '../kit/log.js'
import { createSignal } from '../kit/signal.js'
import { registerCommunity, webhookSecret } from '../test/support/community.js'
import { startTestDatabase, type TestDatabase } from '../test/support/database.js'
import { eventually } from '../test/support/processes.js'
import type { Channel, Message, Page, SendResult } from './channels/channel.js'
import type { AlertKind } from './model.js'
import { createOutbox } from './outbox.js'

let database: TestDatabase
let outbox: ReturnType<typeof createOutbox>
/** What left, oldest first: a page, or a digest. */
let sent: { channel: string; page?: Page; digest?: Message; attempt: number }[]
let answer: (what: { page?: Page; digest?: Message; channel: string }) => SendResult | Promise<SendResult>
const clock = manualClock(new Date('2026-06-01T04:00:00Z'))
const minute = 60_000
const homes = 30

const take = async (what: { channel: string; page?: Page; digest?: Message }, attempt: number) => {
  sent.push({ ...what, attempt })
  return answer(what)
}
const channelOf = (kind: string): Channel => ({
  kind,
  send: (page, _to, { attempt }) => take({ channel: kind, page }, attempt),
  tell: (digest, _to, { attempt }) => take({ channel: kind, digest }, attempt),
})
const rows = async (sql: string, values: unknown[] = []) => (await database.db.query(sql, values)).rows

const startOutbox = () => {
  const log = createLog({ role: 'test', level: 'silent' })
  const channels = [channelOf('webhook'), channelOf('email')]
  const shared = { db: database.db, clock, log, metrics: new Registry(), signal: createSignal() }
  outbox = createOutbox({ ...shared, channels, publicUrl: 'http://localhost' })
  outbox.start()
}

beforeAll(async () => {
  database = await startTestDatabase()
  await registerCommunity(database.db, {
    key: 'd',
    homes,
    now: clock.now(),
    channelsOf: (who) => [
      { kind: 'webhook', address: `http://127.0.0.1/${who}`, secret: webhookSecret },
      { kind: 'email', address: `${who}@example.org` },
    ],
  })
  startOutbox()
})
afterAll(async () => {
  await outbox.stop()
  await database.stop()
})
beforeEach(async () => {
  await database.db.query("update pages set status = 'cancelled' where status = 'pending'")
  await database.db.query(
    "update alerts set stage = 'closed', outcome = 'test', closed_at = opened_at, due_at = null where closed_at is null",
  )
  // What went before is long ago.
  clock.advance(120 * minute)
  sent = []
  answer = () => ({ kind: 'sent', detail: 'ok' })
})

/** Opens alerts of homes `from` and on, in one transaction. */
const open = (kind: AlertKind, count = 1, from = 1): Promise<number[]> =>
  database.db.transaction(async (tx) => {
    const now = clock.now()
    const alertIds: number[] = []
    for (let n = from; n < from + count; n++) {
      const headline = { zh: `示例 ${n}`, en: `sample ${n}` }
      const news = { residentId: `d-${n}`, deviceNo: null, kind, openedAt: now, observedAt: now, headline, reason: {} }
      alertIds.push((await openAlert(tx, news, now))!)
    }
    return alertIds
  })
/** Until nothing is due. */
const quiet = async () => {
  for (let still = 0; still < 3; ) {
    await new Promise((resolve) => setTimeout(resolve, 120))
    const [{ n }] = await rows(
      `select count(*)::int as n from pages where status = 'pending' and (claimed_until > $1 or
          (next_attempt_at <= $1 and (held_until is null or held_until <= $1)))`,
      [clock.now()],
    )
    still = n === 0 ? still + 1 : 0
  }
}
const said = () =>
  sent.map(({ channel, page, digest }) =>
    page ? `${channel} ${page.kind} ${page.resident.id}` : `${channel} digest of ${digest!.lines!.length}`,
  )
const eventsOf = async (alertId: number) =>
  (
    await rows("select kind, detail from alert_events where alert_id = $1 and kind like 'page%' order by 1", [alertId])
  ).map(({ kind, detail }) => `${kind} ${detail.digest ?? 'alone'}`)

test('the first warning leaves at once; what follows within 15 min leaves as one message, with a line for each', async () => {
  const [first] = await open('water_running', 1)
  await quiet()
  const others = await open('leak', 3, 2)
  clock.advance(5 * minute)
  const [last] = await open('water_running', 1, 9)
  await quiet()
  expect(said()).toEqual(['webhook water_running d-1'])
  // What waits on purpose is not late.
  expect(await measureLateness(database.db, { now: clock.now() })).toMatchObject({ pagesS: 0 })
  clock.advance(10 * minute)
  await quiet()
  expect(said()).toEqual(['webhook water_running d-1', 'webhook digest of 4'])
  const { digest } = sent[1]!
  expect(digest).toMatchObject({ kind: 'digest', language: 'zh', url: 'http://localhost/' })
  expect(digest!.text.en).toBe('4 warnings waiting for somebody')
  expect(digest!.lines!.map(({ en }) => en)).toContain('示例·居民 d-9 (示例路 d-9 号): sample 9')
  expect(await eventsOf(first!)).toEqual(['page sent alone'])
  for (const alertId of [...others, last!]) expect(await eventsOf(alertId)).toEqual(['page sent 4'])
  expect(
    await rows("select distinct digest_id::text as id from pages where digest_id is not null and status = 'sent'"),
  ).toEqual([{ id: digest!.messageId }])
})

test('acknowledged meanwhile it is left out; when nothing is left, nothing is sent', async () => {
  await open('water_running', 1)
  await quiet()
  const held = await open('water_running', 3, 2)
  await quiet()
  const take = (alertId: number) =>
    actOnAlert(database.db, {
      alertId,
      action: { kind: 'acknowledge' },
      staffId: 'd-colleague',
      via: 'console',
      now: clock.now(),
    })
  await take(held[0]!)
  clock.advance(15 * minute)
  await quiet()
  expect(said().slice(1)).toEqual(['webhook digest of 2'])
  const more = await open('leak', 3, 5)
  await quiet()
  for (const alertId of more) await take(alertId)
  clock.advance(15 * minute)
  await quiet()
  expect(said().slice(2)).toEqual([])
})

test('closed in the very moment before it is sent, it is left out too', async () => {
  await open('water_running', 1)
  await quiet()
  const held = await open('water_running', 2, 2)
  await quiet()
  // Past the cancelling of its pages, as where somebody closes it while they are being claimed.
  await rows("update alerts set stage = 'acknowledged' where alert_id = $1", [held[0]])
  clock.advance(15 * minute)
  await quiet()
  expect(said().slice(1)).toEqual(['webhook digest of 1'])
  expect(await rows('select status from pages where alert_id = $1', [held[0]])).toEqual([{ status: 'cancelled' }])
})

test('six urgent pages that wait are one message at once, and what follows within a minute is another', async () => {
  await open('silent_12h', 5)
  await quiet()
  expect(said()).toHaveLength(5)
  clock.advance(2 * minute)
  await open('silent_24h', 8)
  await quiet()
  expect(said().slice(5)).toEqual(['webhook digest of 8'])
  clock.advance(10_000)
  await open('silence_unusual', 12)
  await quiet()
  expect(said().slice(6)).toEqual([])
  clock.advance(50_000)
  await quiet()
  expect(said().slice(6)).toEqual(['webhook digest of 12'])
})

test('an emergency in the middle of it leaves at once and alone, each through each channel', async () => {
  await open('silent_12h', 20)
  await quiet()
  sent = []
  const alertIds = await open('gas', 20)
  await quiet()
  const wanted = alertIds.flatMap((_, i) => [`email gas d-${i + 1}`, `webhook gas d-${i + 1}`])
  expect(said().sort()).toEqual(wanted.sort())
  expect(
    await rows(
      "select page_id from pages join alerts using (alert_id) where severity = 'emergency' and (digest_id is not null or pages.held_until is not null)",
    ),
  ).toEqual([])
})

test('a digest that fails is tried again as the same message, and then goes through the next channel', async () => {
  answer = ({ channel }) =>
    channel === 'webhook' ? { kind: 'retry', afterMs: 1_000, detail: 'HTTP 503' } : { kind: 'sent', detail: 'ok' }
  const alertIds = await open('silent_12h', 7)
  await quiet()
  for (let attempt = 2; attempt <= 5; attempt++) {
    clock.advance(1_000)
    await quiet()
  }
  clock.advance(10_000)
  await eventually('the next channel', () => sent.some(({ channel }) => channel === 'email') || undefined)
  await quiet()
  expect(said()).toEqual([...Array(5).fill('webhook digest of 7'), 'email digest of 7'])
  expect(new Set(sent.slice(0, 5).map(({ digest }) => digest!.messageId)).size).toBe(1)
  expect(sent.map(({ attempt }) => attempt)).toEqual([1, 2, 3, 4, 5, 1])
  expect(await eventsOf(alertIds[3]!)).toEqual(['page failed 7', 'page sent 7'])
})

test('a process that dies while it sends a digest leaves it to the next one, as the same message', async () => {
  const held: (() => void)[] = []
  answer = () => new Promise((resolve) => held.push(() => resolve({ kind: 'sent', detail: 'ok' })))
  await open('silent_12h', 9)
  await eventually('it is under way', () => sent.length > 0 || undefined)
  // Dead as far as the database knows: its lease runs out, and what it has to say comes too late.
  answer = () => ({ kind: 'sent', detail: 'ok' })
  clock.advance(16_000)
  const second = createOutbox({
    db: database.db,
    channels: [channelOf('webhook'), channelOf('email')],
    publicUrl: 'http://localhost',
    clock,
    log: createLog({ role: 'test', level: 'silent' }),
    metrics: new Registry(),
    signal: createSignal(),
  })
  second.start()
  await quiet()
  for (const letGo of held) letGo()
  await second.stop()
  expect(said()).toEqual(['webhook digest of 9', 'webhook digest of 9'])
  expect(sent[1]!.digest!.messageId).toBe(sent[0]!.digest!.messageId)
})

test('a neighbour has no console and is told of each', async () => {
  await rows(
    "insert into staff (staff_id, name, role) values ('d-neighbour', '示例·邻居', 'volunteer') on conflict do nothing",
  )
  await rows(
    "insert into staff_channels (staff_id, position, kind, address, secret) values ('d-neighbour', 1, 'webhook', 'http://127.0.0.1/n', 's') on conflict do nothing",
  )
  const alertIds = await open('silent_12h', 7)
  await quiet()
  sent = []
  const now = clock.now()
  for (const alertId of alertIds)
    await rows(
      `insert into pages (alert_id, round, step, staff_id, channel, position, created_at, next_attempt_at)
       values ($1, 0, 2, 'd-neighbour', 'webhook', 1, $2, $2)`,
      [alertId, now],
    )
  await quiet()
  expect(said().sort()).toEqual(alertIds.map((_, i) => `webhook silent_12h d-${i + 1}`))
  expect(sent.every(({ page }) => page!.audience === 'volunteer' && page!.url.startsWith('http://localhost/p/'))).toBe(
    true,
  )
})

test('the family is told without a link to acknowledge', async () => {
  await rows("insert into staff (staff_id, name, role) values ('d-son', '示例·儿子', 'family') on conflict do nothing")
  await rows(
    "insert into staff_channels (staff_id, position, kind, address) values ('d-son', 1, 'email', 'son@example.org') on conflict do nothing",
  )
  const [alertId] = await open('gas')
  await quiet()
  sent = []
  const now = clock.now()
  const [{ page_id: pageId }] = await rows(
    `insert into pages (alert_id, round, step, staff_id, channel, position, informs, created_at, next_attempt_at)
     values ($1, 0, 3, 'd-son', 'email', 1, true, $2, $2) returning page_id`,
    [alertId, now],
  )
  await quiet()
  expect(sent.map(({ page }) => [page!.audience, page!.url])).toEqual([['family', 'http://localhost/']])
  expect(await rows('select from page_links where page_id = $1', [pageId])).toEqual([])
})

test('what cannot be recorded keeps nothing else from being recorded, and is not sent again meanwhile', async () => {
  const alertIds = await open('gas', 12)
  await rows(
    `create function refuse_one() returns trigger language plpgsql as
       $$ begin raise exception 'could not extend file' using errcode = '53100'; end $$`,
  )
  await rows(
    `create trigger refuse_one before insert on alert_events for each row
       when (new.kind = 'page sent' and new.alert_id = ${alertIds[5]}) execute function refuse_one()`,
  )
  await eventually(
    'the others are on record',
    async () => {
      const [{ n }] = await rows("select count(*)::int as n from pages where status = 'sent' and alert_id = any($1)", [
        alertIds,
      ])
      return n === 2 * (alertIds.length - 1) || undefined
    },
    5_000,
  )
  expect(sent.filter(({ page }) => page!.alertId === String(alertIds[5]))).toHaveLength(2)
  await rows('drop trigger refuse_one on alert_events')
  await quiet()
  expect(sent).toHaveLength(2 * alertIds.length)
})

// What it could take from an emergency is the pool's connections; the embedded database has one session anyway.
const timesTold = process.env.TEST_DATABASE_URL ? 60 : 5

test('a large digest that is refused keeps no emergency waiting', async () => {
  const alertIds = await open('water_running', homes)
  await quiet()
  await rows(
    `insert into pages (alert_id, round, step, staff_id, channel, position, created_at, next_attempt_at)
     select a, r, 1, 'd-worker', 'webhook', position, $2, $2
       from unnest($1::bigint[]) a, generate_series(1, $3::int) r, staff_channels
      where staff_id = 'd-worker' and kind = 'webhook'`,
    [alertIds, clock.now(), timesTold],
  )
  answer = ({ digest, channel }) =>
    digest && channel === 'webhook' ? { kind: 'refused', reason: 'no' } : { kind: 'sent', detail: 'ok' }
  await rows('update pages set held_until = null where round > 0')
  clock.advance(16 * minute)
  await eventually('the digest', () => sent.some(({ digest }) => digest) || undefined)
  const begun = performance.now()
  await open('gas')
  await eventually('the emergency', () => sent.some(({ page }) => page?.kind === 'gas') || undefined, 10_000)
  expect(performance.now() - begun).toBeLessThan(3_000)
})
