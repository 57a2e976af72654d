import { setTimeout as sleep } from 'node:timers/promises'
import { afterAll, beforeAll, expect, test } from 'vitest'
import type { AlertKind } from '../alerts/model.js'
import { openAlert } from '../db/alerts.js'
import { registerCommunity, webhookSecret } from './support/community.js'
import { startTestDatabase, type TestDatabase } from './support/database.js'
import { createProcesses, eventually, freePort, type Running } from './support/processes.js'
import type { Arrived } from './support/storm-receiver-main.js'

/** A gas main: every second home is an emergency; one in ten is urgent; in the others a tap runs. */
const homes = 5_000
const emergencies = 2_500
const stormMs = 25_000
/** Alerts that one transaction opens, as an edge commits what came together. */
const together = 10
/** What each phone takes to answer. */
const answerMs = 50
/** Killed while it sends, this long after the first page. */
const killAfterMs = 8_000
const firstPageMsMax = 60_000

const processes = createProcesses()
let database: TestDatabase
let receiver: Running
let webPort: string
let smtpUrl: string

beforeAll(async () => {
  database = await startTestDatabase()
  receiver = processes.start('test/support/storm-receiver-main', { args: [JSON.stringify({ answerMs })] })
  const [, web, mail] = (await receiver.printed('ports ')).split(' ')
  webPort = web!
  smtpUrl = `smtp://127.0.0.1:${mail}`
  await registerCommunity(database.db, {
    key: 's',
    channelsOf: (who) => [
      { kind: 'webhook', address: `http://127.0.0.1:${webPort}/${who}`, secret: webhookSecret },
      { kind: 'email', address: `${who}@example.org` },
    ],
  })
  await database.db.query(
    `insert into residents (resident_id, community_id, name, address, time_zone, responsible_staff_id)
     select 'home-' || n, 's', '示例·居民 ' || n, '示例路 ' || n || ' 号', 'Asia/Shanghai', 's-worker' from generate_series(1, $1::int) n`,
    [homes],
  )
})
afterAll(async () => {
  await processes.stopAll()
  await database?.stop()
})
test('5,000 alerts within a minute, the process killed in the middle: the first page of each emergency leaves in time by e-mail and webhook, the rest in digests', async () => {
  const env = {
    DATABASE_URL: database.url,
    SMTP_URL: smtpUrl,
    ALERTS_HTTP_PORT: String(await freePort()),
    PUBLIC_URL: 'http://localhost',
    LOG_LEVEL: 'error',
  }
  const start = () => processes.start('alerts/main', { env: { ...env, LOG_LEVEL: 'info' } })
  const first = start()
  await first.printed('alerts.started')
  const startedAt = performance.now()
  const opened = openAll()
  await sleep(killAfterMs)
  await first.end('SIGKILL')
  const second = start()
  await opened
  const openedMs = performance.now() - startedAt

  const { rows: wanted } = await database.db.query<{ alert_id: number; opened_at: Date }>(
    "select alert_id, opened_at from alerts where severity = 'emergency'",
  )
  expect(wanted).toHaveLength(emergencies)
  await eventually(
    'each first page of an emergency',
    async () => {
      const { rows } = await database.db.query<{ n: number }>(
        `select count(*)::int as n from pages join alerts using (alert_id)
          where severity = 'emergency' and pages.round = 0 and pages.step = 1 and status <> 'sent'`,
      )
      return rows[0]!.n === 0 || undefined
    },
    firstPageMsMax,
  )
  // The quarter of an hour for which warnings wait, and the minute of the urgent ones, are over.
  await database.db.query(
    `update pages p set sent_at = p.sent_at - interval '16 min', held_until = p.held_until - interval '16 min'
       from alerts a where a.alert_id = p.alert_id and a.severity <> 'emergency'`,
  )
  await eventually(
    'the rest',
    async () => {
      const { rows } = await database.db.query<{ n: number }>(
        "select count(*)::int as n from pages join alerts using (alert_id) where severity <> 'emergency' and status <> 'sent'",
      )
      return rows[0]!.n === 0 || undefined
    },
    20_000,
  )
  await second.end('SIGTERM')

  const arrived = (await (await fetch(`http://127.0.0.1:${webPort}/`)).json()) as Arrived[]
  const { rows: pages } = await database.db.query<{
    page_id: string
    alert_id: number
    channel: string
    step: number
    opened_at: Date
    severity: string
    status: string
    digest_id: string | null
  }>(
    `select page_id, alert_id, channel, p.step, opened_at, severity, status, digest_id
       from pages p join alerts using (alert_id) where p.round = 0`,
  )
  const arrivedAt = new Map<string, number[]>()
  for (const { pageId, at } of arrived) if (pageId) arrivedAt.set(pageId, [...(arrivedAt.get(pageId) ?? []), at])
  const firstPages = pages.filter(({ severity, step }) => severity === 'emergency' && step === 1)
  const delays = (channel: string) =>
    firstPages
      .filter((page) => page.channel === channel)
      .map((page) => (arrivedAt.get(page.page_id)?.[0] ?? Number.POSITIVE_INFINITY) - page.opened_at.getTime())
      .sort((a, b) => a - b)
  const twice = [...arrivedAt.values()].filter((times) => times.length > 1).length
  const digests = new Set(arrived.flatMap(({ digestId }) => digestId ?? []))
  const said = (list: number[]) =>
    `median ${(list[list.length >> 1]! / 1_000).toFixed(1)} s, last ${(list.at(-1)! / 1_000).toFixed(1)} s`
  const others = pages.filter(({ severity }) => severity !== 'emergency')
  console.log(
    `${homes} alerts opened in ${(openedMs / 1_000).toFixed(1)} s; first pages of ${emergencies} emergencies: webhook ${said(delays('webhook'))}; ` +
      `e-mail ${said(delays('email'))}; ${twice} told twice after the kill; ${arrived.length} messages, ${digests.size} of them digests; ` +
      `of ${others.length} other pages ${others.filter(({ status }) => status === 'sent').length} sent, ${others.filter(({ digest_id }) => digest_id).length} in digests`,
  )
  expect(delays('webhook')).toHaveLength(emergencies)
  expect(delays('email')).toHaveLength(emergencies)
  expect(delays('webhook').at(-1)).toBeLessThan(firstPageMsMax)
  expect(delays('email').at(-1)).toBeLessThan(firstPageMsMax)
  // Told twice only what had been sent and was not on record when it was killed.
  expect(twice).toBeLessThan(150)
  // An emergency is never in a digest, and the rest is.
  expect(pages.filter(({ severity, digest_id }) => severity === 'emergency' && digest_id)).toEqual([])
  const single = arrived.filter(({ pageId }) => others.some(({ page_id }) => page_id === pageId))
  expect(single.length).toBeLessThan(10)
  expect(others).toHaveLength(homes - emergencies)
  expect(others.filter(({ digest_id }) => digest_id === null).length).toBeLessThan(10)
  expect(digests.size).toBeLessThan(12)
}, 180_000)

async function openAll() {
  const { db } = database
  const kindOf = (n: number): AlertKind => (n % 2 === 0 ? 'gas' : n % 10 === 1 ? 'silence_unusual' : 'water_running')
  const startedAt = performance.now()
  const walk = async (from: number) => {
    for (let n = from; n <= homes; n += 2 * together) {
      const now = new Date()
      await db.transaction(async (tx) => {
        for (let home = n; home < n + together && home <= homes; home++) {
          const headline = { zh: '厨房燃气报警器于 03:12 报警。', en: 'Gas alarm in the kitchen went off at 03:12.' }
          const residentId = `home-${home}`
          const news = { residentId, deviceNo: null, kind: kindOf(home), openedAt: now, observedAt: now, headline }
          await openAlert(tx, { ...news, reason: {} }, now)
        }
        await tx.query("select pg_notify('shouwang', 'pages')")
      })
      const ahead = (n / homes) * stormMs - (performance.now() - startedAt)
      if (ahead > 0) await sleep(ahead)
    }
  }
  await Promise.all([walk(1), walk(1 + together)])
}
