import { createServer, type Server } from 'node:http'
import type { AddressInfo } from 'node:net'
import { setTimeout as sleep } from 'node:timers/promises'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { actOnAlert } from '../db/alert-actions.js'
import { openAlert } from '../db/alerts.js'
import { seededRandom, whole } from '../simulators/random.js'
import { registerCommunity, webhookSecret } from './support/community.js'
import { startTestDatabase, type TestDatabase } from './support/database.js'
import { createProcesses, eventually, freePort, seedOf } from './support/processes.js'

const kills = 20
/** Of them so many hit the process while it starts. */
const killsAtStart = 3
const homes = 16
/** The chain of the community: the test's own telling of it. */
const chain = ['c-worker', 'c-colleague', 'c-supervisor']
/** A process that was started a moment ago cannot have sent anything yet. */
const bootMsMin = 100
/** A page that was on its way when somebody acknowledged may still arrive. */
const onTheWayMsMax = 1_000

type Delivery = { pageId: string; alertId: number; arrivedMs: number }
type Acknowledged = { alertId: number; atMs: number; whileDead: boolean }

const seed = seedOf('kill-alerts')
const answerRandom = seededRandom(seed, 'kill-alerts', 'answers')
const processes = createProcesses()
const deliveries: Delivery[] = []
let database: TestDatabase
let phone: Server

beforeAll(async () => {
  database = await startTestDatabase()
  // Takes its time to answer, so that kills come between the sending of a page and the record of it.
  phone = createServer((request, response) => {
    const chunks: Buffer[] = []
    request.on('data', (chunk: Buffer) => chunks.push(chunk))
    request.on('end', () => {
      const { pageId, alertId } = JSON.parse(Buffer.concat(chunks).toString()) as { pageId: string; alertId: string }
      deliveries.push({ pageId, alertId: Number(alertId), arrivedMs: Date.now() })
      setTimeout(() => response.writeHead(204).end(), answerRandom() * 120)
    })
  })
  await new Promise<void>((resolve) => phone.listen(0, '127.0.0.1', resolve))
  const { port } = phone.address() as AddressInfo
  await registerCommunity(database.db, {
    key: 'c',
    homes,
    channelsOf: (who) => [{ kind: 'webhook', address: `http://127.0.0.1:${port}/${who}`, secret: webhookSecret }],
  })
})
afterAll(async () => {
  await processes.stopAll()
  phone?.closeAllConnections()
  phone?.close()
  await database?.stop()
})

test('killed 20 times while emergencies escalate: each step happened, once, and each page arrived', async () => {
  const random = seededRandom(seed, 'kill-alerts')
  const env = {
    DATABASE_URL: database.url,
    ALERTS_HTTP_PORT: String(await freePort()),
    PUBLIC_URL: 'http://localhost',
    LOG_LEVEL: 'info',
  }
  const alertIds = await openEmergencies()
  const acknowledged: Acknowledged[] = []
  const acknowledge = async (whileDead: boolean) => {
    const alertId = alertIds[acknowledged.length]!
    const action = { kind: 'acknowledge' } as const
    const now = new Date()
    expect(await actOnAlert(database.db, { alertId, action, staffId: 'c-worker', via: 'console', now })).toEqual({
      kind: 'done',
    })
    acknowledged.push({ alertId, atMs: Date.now(), whileDead })
  }

  const startedAt = Date.now()
  const atStart = new Set(Array.from({ length: killsAtStart }, () => whole(random, 2, kills)))
  /** When each life began, epoch ms. */
  const lives: number[] = []
  for (let kill = 1; kill <= kills; kill++) {
    const before = deliveries.length
    const alerts = processes.start('alerts/main', { env })
    lives.push(alerts.startedAt)
    const nudging = keepFallingDue()
    if (atStart.has(kill)) await sleep(random() * 800)
    else {
      await eventually('a page', () => deliveries.length > before || undefined, 30_000)
      if (kill % 6 === 0) await acknowledge(false)
      await sleep(random() * 600)
    }
    expect(await alerts.end('SIGKILL')).toMatchObject({ signal: 'SIGKILL' })
    await nudging.stop()
    if (kill % 5 === 0) {
      await sleep(100) // what it sent before it died has arrived by now
      await acknowledge(true)
    }
    await expireLeases(new Date())
  }
  const killedMs = Date.now() - startedAt
  const last = processes.start('alerts/main', { env })
  lives.push(last.startedAt)
  await eventually(
    'an outbox with nothing left to do',
    async () => {
      await expireLeases(new Date(last.startedAt)) // what a process claimed in the moment that it died
      const { rows } = await database.db.query<{ n: number }>(
        `select (select count(*) from pages where status = 'pending')
              + (select count(*) from alerts where due_at <= $1) as n`,
        [new Date()],
      )
      return rows[0]!.n === 0 || undefined
    },
    30_000,
  )
  expect((await last.end('SIGINT')).code).toBe(0)

  const told = await toldByAlert()
  const pages = await pagesOf()
  for (const alertId of alertIds) {
    const { events, round, step, stage } = told.get(alertId)!
    const walked = events.map((event) => `${event.round}/${event.step} ${event.staffId}`)
    const expected = events.map((_, n) => `${Math.floor(n / 3)}/${(n % 3) + 1} ${chain[n % 3]}`)
    expect(walked, `steps of alert ${alertId}`).toEqual(expected)
    expect(`${round}/${step}`, 'the last step that was told is the one it is at').toBe(walked.at(-1)!.split(' ')[0])
    const own = pages.filter((page) => page.alertId === alertId)
    expect(own.map((page) => `${page.round}/${page.step} ${page.staffId}`).sort()).toEqual([...walked].sort())
    expect(stage).toBe(acknowledged.some((ack) => ack.alertId === alertId) ? 'acknowledged' : 'open')
    if (stage === 'open') expect(events.length, `alert ${alertId} walked on`).toBeGreaterThan(chain.length)
  }

  const byPage = new Map<string, Delivery[]>()
  for (const delivery of deliveries) byPage.set(delivery.pageId, [...(byPage.get(delivery.pageId) ?? []), delivery])
  const lifeOf = ({ arrivedMs }: Delivery) => lives.filter((began) => began + bootMsMin <= arrivedMs).length
  for (const page of pages) {
    const arrived = byPage.get(page.pageId) ?? []
    if (page.status === 'cancelled' && acknowledged.some((ack) => ack.alertId === page.alertId)) continue
    expect(page.status, `page ${page.pageId}`).toBe('sent')
    expect(page.records, `records of page ${page.pageId}`).toBe(1)
    expect(arrived.length, `deliveries of page ${page.pageId}`).toBeGreaterThan(0)
    // Told again only where a kill came between the sending and the record: once a life, and never after the record.
    expect(new Set(arrived.map(lifeOf)).size, `page ${page.pageId} twice in one life`).toBe(arrived.length)
    expect(page.sentAtMs! + 2).toBeGreaterThanOrEqual(arrived.at(-1)!.arrivedMs)
  }
  expect([...byPage.keys()].filter((pageId) => !pages.some((page) => page.pageId === pageId))).toEqual([])

  for (const { alertId, atMs, whileDead } of acknowledged) {
    const until = atMs + (whileDead ? 0 : onTheWayMsMax)
    const late = deliveries.filter((delivery) => delivery.alertId === alertId && delivery.arrivedMs > until)
    expect(late, `alert ${alertId} was acknowledged${whileDead ? ' while no process lived' : ''}`).toEqual([])
    expect(told.get(alertId)!.toldAfterAcknowledged, `steps of alert ${alertId} after its acknowledgement`).toBe(0)
  }

  const times = [...byPage.values()].map((list) => list.length)
  console.log(
    `${kills} kills in ${(killedMs / 1_000).toFixed(1)} s; ${homes} alerts, ${pages.length} steps, ${times.length} pages delivered, ` +
      `${times.filter((n) => n === 2).length} of them twice, ${times.filter((n) => n > 2).length} more often; ` +
      `${pages.filter((page) => page.status === 'cancelled').length} cancelled; ${acknowledged.length} acknowledged, ${acknowledged.filter((a) => a.whileDead).length} while dead`,
  )
})

async function openEmergencies(): Promise<number[]> {
  const { rows: buttons } = await database.db.query<{ device_no: number; resident_id: string }>(
    "select device_no, resident_id from devices where kind = 'button' order by device_no",
  )
  const alertIds: number[] = []
  for (const { device_no: deviceNo, resident_id: residentId } of buttons) {
    const now = new Date()
    const headline = { zh: '卫生间的呼叫按钮被按下。', en: 'The call button in the bathroom was pressed.' }
    const alertId = await database.db.transaction((tx) =>
      openAlert(
        tx,
        { residentId, deviceNo, kind: 'button', openedAt: now, observedAt: now, headline, reason: {} },
        now,
      ),
    )
    alertIds.push(alertId!)
  }
  return alertIds
}

/** The next steps fall due within 0.3 s rather than after minutes, for as long as this runs. */
function keepFallingDue() {
  let stopped = false
  const run = async () => {
    while (!stopped) {
      await database.db.query(
        `update alerts set due_at = $1::timestamptz + random() * interval '0.3 s'
          where stage = 'open' and due_at > $1::timestamptz + interval '1 s'`,
        [new Date()],
      )
      await sleep(100)
    }
  }
  const done = run()
  return {
    stop: () => {
      stopped = true
      return done
    },
  }
}

/** Lets the 15 s pass for which a dead process holds the pages that it claimed before `before`. */
const expireLeases = (before: Date) =>
  database.db.query(
    `update pages set claimed_until = claimed_until - interval '15 s'
      where status = 'pending' and claimed_until between $1::timestamptz and $1::timestamptz + interval '15 s'`,
    [before],
  )

async function toldByAlert() {
  const { rows } = await database.db.query<{
    alert_id: number
    round: number
    step: number
    stage: string
    events: { round: number; step: number; staffId: string }[] | null
    late: number
  }>(
    `select a.alert_id, a.round, a.step, a.stage,
            (select jsonb_agg(e.detail order by e.alert_event_id) from alert_events e
              where e.alert_id = a.alert_id and e.kind = 'told') as events,
            (select count(*) from alert_events e join alert_events k on k.alert_id = e.alert_id and k.kind = 'acknowledged'
              where e.alert_id = a.alert_id and e.kind = 'told' and e.alert_event_id > k.alert_event_id) as late
       from alerts a`,
  )
  return new Map(
    rows.map(({ alert_id, round, step, stage, events, late }) => [
      alert_id,
      { round, step, stage, events: events ?? [], toldAfterAcknowledged: late },
    ]),
  )
}

async function pagesOf() {
  const { rows } = await database.db.query<{
    pageId: string
    alertId: number
    round: number
    step: number
    staffId: string
    status: string
    sentAt: Date | null
    records: number
  }>(
    `select page_id as "pageId", alert_id as "alertId", round, step, staff_id as "staffId", status, sent_at as "sentAt",
            (select count(*) from page_attempts t where t.page_id = p.page_id and t.result in ('sent', 'delivered')) as records
       from pages p order by alert_id, round, step`,
  )
  return rows.map(({ sentAt, ...page }) => ({ ...page, sentAtMs: sentAt?.getTime() }))
}
