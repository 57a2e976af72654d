import { Registry } from 'prom-client'
import { afterAll, beforeAll, beforeEach, expect, test } from 'vitest'
import { actOnAlert } from '../db/alert-actions.js'
import { clearAlert, dueAlerts, escalate as escalateOne, openAlert } from '../db/alerts.js'
import { manualClock } from '../kit/clock.js'
import { createLog } from '../kit/log.js'
import { createSignal } from '../kit/signal.js'
import { registerCommunity, webhookSecret } from '../test/support/community.js'
import { startTestDatabase, type TestDatabase } from '../test/support/database.js'
import type { Channel, Message, Page, SendResult } from './channels/channel.js'
import type { AlertKind } from './model.js'
import { createOutbox } from './outbox.js'

let database: TestDatabase
let sent: { channel: string; to: string; page: Page }[]
let digests: { channel: string; to: string; message: Message }[]
let answer: (channel: string, to: string) => SendResult | Promise<SendResult>
let outbox: ReturnType<typeof createOutbox>
const clock = manualClock(new Date('2026-06-01T00:00:00Z'))
const channelOf = (kind: string): Channel => ({
  kind,
  send: async (page, to) => {
    sent.push({ channel: kind, to: to.address, page })
    return answer(kind, to.address)
  },
  tell: async (message, to) => {
    digests.push({ channel: kind, to: to.address, message })
    return answer(kind, to.address)
  },
})
const rows = async (sql: string, values: unknown[] = []) => (await database.db.query(sql, values)).rows

beforeAll(async () => {
  database = await startTestDatabase()
  await registerCommunity(database.db, {
    key: 'p',
    now: clock.now(),
    channelsOf: (who) => [
      { kind: 'webhook', address: `http://127.0.0.1/${who}`, secret: webhookSecret },
      { kind: 'email', address: `${who}@example.org` },
    ],
  })
  outbox = createOutbox({
    db: database.db,
    channels: [channelOf('webhook'), channelOf('email')],
    publicUrl: 'http://localhost',
    clock,
    log: createLog({ role: 'test', level: 'silent' }),
    metrics: new Registry(),
    signal: createSignal(),
  })
  outbox.start()
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
  sent = []
  digests = []
  answer = () => ({ kind: 'sent', detail: 'ok' })
})

const open = (kind: AlertKind): Promise<number> =>
  database.db.transaction(async (tx) => {
    const now = clock.now()
    const headline = { zh: '示例', en: 'sample' }
    return (await openAlert(
      tx,
      { residentId: 'p-1', deviceNo: null, kind, openedAt: now, observedAt: now, headline, reason: {} },
      now,
    ))!
  })
const escalate = async (afterMs: number): Promise<number> => {
  clock.advance(afterMs)
  const now = clock.now()
  const due = await dueAlerts(database.db, { now, alertsMax: 10, except: [] })
  for (const alertId of due) await database.db.transaction((tx) => escalateOne(tx, { alertId, now }))
  return due.length
}
const quiet = async () => {
  for (let still = 0; still < 3; ) {
    await new Promise((resolve) => setTimeout(resolve, 150))
    const [{ n }] = await rows("select count(*) as n from pages where status = 'pending' and next_attempt_at <= $1", [
      clock.now(),
    ])
    still = n === 0 ? still + 1 : 0
  }
}
const told = () =>
  sent.map(({ channel, to }) => `${channel} ${to.replace(/^http:\/\/127.0.0.1\/|@example.org$/g, '')}`).sort()
const events = async (alertId: number) =>
  (await rows('select kind from alert_events where alert_id = $1 order by alert_event_id', [alertId])).map(
    (row) => row.kind,
  )

test('an emergency goes through all channels of a person at once, anything else through the first', async () => {
  const alertId = await open('button')
  await quiet()
  expect(told()).toEqual(['email worker', 'webhook worker'])
  expect(sent[0]!.page).toMatchObject({
    alertId: String(alertId),
    severity: 'emergency',
    step: 1,
    resident: { id: 'p-1' },
  })
  expect(sent[0]!.page.url).toMatch(/^http:\/\/localhost\/p\/[\w-]{43}$/)
  sent = []
  await open('silent_12h')
  await quiet()
  expect(told()).toEqual(['webhook worker'])
})

test('a notice is for the console: nobody is paged', async () => {
  const alertId = await open('battery_low')
  await quiet()
  expect(sent).toEqual([])
  expect(await events(alertId)).toEqual(['opened'])
})

test('a channel that refuses falls over to the next one, on record', async () => {
  answer = (channel) =>
    channel === 'webhook' ? { kind: 'refused', reason: 'HTTP 410' } : { kind: 'sent', detail: '250 ok' }
  const alertId = await open('silent_12h')
  await quiet()
  expect(told()).toEqual(['email worker', 'webhook worker'])
  expect(await events(alertId)).toEqual(['opened', 'told', 'page failed', 'page sent'])
  expect(
    await rows('select result, detail from page_attempts join pages using (page_id) where alert_id = $1 order by 1', [
      alertId,
    ]),
  ).toEqual([
    { result: 'refused', detail: 'HTTP 410' },
    { result: 'sent', detail: '250 ok' },
  ])
})

test('with each channel of a person refused, the next person is told at once', async () => {
  answer = (_, to) => (to.includes('worker') ? { kind: 'refused', reason: 'gone' } : { kind: 'sent', detail: '' })
  const alertId = await open('button')
  await quiet()
  expect(await escalate(0)).toBe(1)
  await quiet()
  expect(told()).toEqual(['email colleague', 'email worker', 'webhook colleague', 'webhook worker'])
  expect(await events(alertId)).toContain('page failed')
})

test('a failed delivery is tried again after a growing pause, then given up for the next channel', async () => {
  answer = (channel) =>
    channel === 'webhook' ? { kind: 'retry', afterMs: 2_000, detail: 'HTTP 503' } : { kind: 'sent', detail: '' }
  await open('silent_12h')
  await quiet()
  expect(told()).toEqual(['webhook worker'])
  for (let attempt = 2; attempt <= 5; attempt++) {
    clock.advance(1_000)
    await quiet()
    clock.advance(1_000)
    await quiet()
  }
  expect(told()).toEqual(['email worker', ...Array(5).fill('webhook worker')])
})

test('acknowledged meanwhile: what has not left is not sent, and nobody else is told', async () => {
  answer = () => ({ kind: 'retry', afterMs: 5_000, detail: 'HTTP 503' })
  const alertId = await open('button')
  await quiet()
  const before = sent.length
  expect(
    await actOnAlert(database.db, {
      alertId,
      action: { kind: 'acknowledge' },
      staffId: 'p-colleague',
      via: 'console',
      now: clock.now(),
    }),
  ).toEqual({ kind: 'done' })
  expect(
    await actOnAlert(database.db, {
      alertId,
      action: { kind: 'acknowledge' },
      staffId: 'p-worker',
      via: 'link',
      now: clock.now(),
    }),
  ).toMatchObject({
    kind: 'refused',
    by: { staffId: 'p-colleague' },
  })
  expect(await escalate(119_000)).toBe(0)
  await quiet()
  expect(sent.length).toBe(before)
})

test('acknowledged and then forgotten, an emergency comes back after 2 min, from the start of the chain', async () => {
  const alertId = await open('smoke')
  await quiet()
  await actOnAlert(database.db, {
    alertId,
    action: { kind: 'acknowledge' },
    staffId: 'p-worker',
    via: 'console',
    now: clock.now(),
  })
  sent = []
  expect(await escalate(119_000)).toBe(0)
  expect(await escalate(1_000)).toBe(1)
  await quiet()
  expect(told()).toEqual(['email worker', 'webhook worker'])
  expect((await rows('select stage, round, handled_by from alerts where alert_id = $1', [alertId]))[0]).toEqual({
    stage: 'open',
    round: 1,
    handled_by: null,
  })
  expect(await events(alertId)).toContain('returned')
})

test('what clears by itself closes an alert that nobody took, and is only noted on one that somebody did', async () => {
  const clear = (kind: AlertKind) =>
    database.db.transaction((tx) =>
      clearAlert(tx, {
        residentId: 'p-1',
        kind,
        deviceNo: null,
        at: clock.now(),
        headline: { zh: '又用水了', en: 'Water used again' },
        outcome: 'resident fine',
      }),
    )
  const first = await open('silent_12h')
  await clear('silent_12h')
  expect((await rows('select stage, outcome from alerts where alert_id = $1', [first]))[0]).toEqual({
    stage: 'closed',
    outcome: 'resident fine',
  })
  const second = await open('silent_12h')
  await actOnAlert(database.db, {
    alertId: second,
    action: { kind: 'en_route' },
    staffId: 'p-worker',
    via: 'console',
    now: clock.now(),
  })
  await clear('silent_12h')
  expect((await rows('select stage from alerts where alert_id = $1', [second]))[0]).toEqual({ stage: 'en_route' })
  expect(await events(second)).toContain('cleared')
})

test('the same thing wrong again is the same episode while its alert is open', async () => {
  const now = clock.now()
  await open('water_running')
  const again = await database.db.transaction((tx) =>
    openAlert(
      tx,
      {
        residentId: 'p-1',
        deviceNo: null,
        kind: 'water_running',
        openedAt: now,
        observedAt: now,
        headline: { zh: '', en: '' },
        reason: {},
      },
      now,
    ),
  )
  expect(again).toBeNull()
})

test('a phone that hangs takes no more places than a few: the page of somebody else leaves at once', async () => {
  const release: (() => void)[] = []
  answer = (_, to) =>
    to.includes('worker')
      ? new Promise((resolve) => release.push(() => resolve({ kind: 'sent', detail: '' })))
      : { kind: 'sent', detail: '' }
  await registerCommunity(database.db, {
    key: 'q',
    now: clock.now(),
    channelsOf: (who) => [
      { kind: 'webhook', address: `http://127.0.0.1/other-${who === 'worker' ? 'w' : who}`, secret: webhookSecret },
    ],
  })
  for (let i = 0; i < 100; i++) await open('button')
  const now = clock.now()
  await database.db.transaction((tx) =>
    openAlert(
      tx,
      {
        residentId: 'q-1',
        deviceNo: null,
        kind: 'button',
        openedAt: now,
        observedAt: now,
        headline: { zh: '', en: '' },
        reason: {},
      },
      now,
    ),
  )
  const startedAt = performance.now()
  while (!sent.some(({ to }) => to.endsWith('other-w'))) {
    if (performance.now() - startedAt > 3_000) throw new Error('the other page waits')
    await new Promise((resolve) => setTimeout(resolve, 20))
  }
  expect(sent.filter(({ to }) => to.includes('/worker')).length).toBeLessThan(16)
  answer = () => ({ kind: 'sent', detail: '' })
  for (const letGo of release) letGo()
  await quiet()
})
