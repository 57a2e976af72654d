import { setTimeout as sleep } from 'node:timers/promises'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { openAlert } from '../db/alerts.js'
import { issuePageLink } from '../db/page-links.js'
import { seededRandom } from '../simulators/random.js'
import { registerCommunity, webhookSecret } from './support/community.js'
import { startTestDatabase, type TestDatabase } from './support/database.js'
import { createProcesses, freePort, seedOf } from './support/processes.js'

// SIGKILL to the dashboard while people take alerts by the links of their pages.
const kills = 6
const homes = 72
const atOnce = 4
const processes = createProcesses()
let database: TestDatabase
let tokens: string[]

beforeAll(async () => {
  database = await startTestDatabase()
  const { db } = database
  await registerCommunity(db, {
    key: 'b',
    homes,
    channelsOf: () => [{ kind: 'webhook', address: 'http://127.0.0.1:9/', secret: webhookSecret }],
  })
  const { rows: buttons } = await db.query<{ device_no: number; resident_id: string }>(
    "select device_no, resident_id from devices where kind = 'button' order by device_no",
  )
  const now = new Date()
  const headline = { zh: '卫生间的呼叫按钮被按下。', en: 'The call button in the bathroom was pressed.' }
  for (const { device_no: deviceNo, resident_id: residentId } of buttons)
    await db.transaction((tx) =>
      openAlert(
        tx,
        { residentId, deviceNo, kind: 'button', openedAt: now, observedAt: now, headline, reason: {} },
        now,
      ),
    )
  const { rows: pages } = await db.query<{ page_id: string }>('select page_id from pages order by page_id')
  tokens = await Promise.all(pages.map(({ page_id: pageId }) => issuePageLink(db, { pageId, now })))
})
afterAll(async () => {
  await processes.stopAll()
  await database?.stop()
})

test(`killed ${kills} times while alerts are taken: what was answered is done, what was not is done whole or not at all`, async () => {
  const random = seededRandom(seedOf('kill-dashboard'), 'kills')
  const httpPort = await freePort()
  const url = `http://127.0.0.1:${httpPort}`
  const env = { DATABASE_URL: database.url, HTTP_PORT: String(httpPort), PUBLIC_URL: url, LOG_LEVEL: 'info' }
  const start = async () => {
    const dashboard = processes.start('dashboard/main', { env })
    await dashboard.printed('dashboard.listening')
    return dashboard
  }
  const headers = { origin: url, 'sec-fetch-site': 'same-origin' }
  const take = (token: string) =>
    fetch(`${url}/p/${token}`, { method: 'POST', headers, redirect: 'manual' }).then(
      ({ status }) => status,
      () => undefined, // killed meanwhile
    )
  const left = [...tokens]
  const unanswered: string[] = []
  const perLife = Math.ceil(tokens.length / kills)
  let answered = 0
  for (let kill = 1; kill <= kills; kill++) {
    const dashboard = await start()
    const mine = left.splice(0, perLife)
    const half = Math.floor(mine.length * random())
    const people = Array.from({ length: atOnce }, async () => {
      for (let token = mine.shift(); token !== undefined; token = mine.shift()) {
        const status = await take(token)
        if (status === undefined) return void unanswered.push(token)
        expect(status).toBe(303)
        answered++
      }
    })
    while (mine.length > half) await sleep(1)
    await dashboard.end('SIGKILL')
    await Promise.all(people)
    left.push(...mine)
  }
  expect(await stages()).toMatchObject({ halfDone: 0 })
  expect((await stages()).taken).toBeGreaterThanOrEqual(answered)
  const takenUnanswered = (await stages()).taken - answered

  const last = await start()
  for (const token of [...unanswered, ...left]) expect([200, 303, 410]).toContain(await take(token))
  expect(await stages()).toEqual({ taken: homes, halfDone: 0 })
  expect((await last.end('SIGINT')).code).toBe(0)
  console.log(`${answered} answered, ${unanswered.length} not, of which ${takenUnanswered} were done`)
})

/** An alert is taken when it is acknowledged, its link used, and its history says so, once: all of it or nothing. */
async function stages() {
  const { rows } = await database.db.query<{ stage: string; events: number; used: number }>(
    `select a.stage,
            (select count(*) from alert_events e where e.alert_id = a.alert_id and e.kind = 'acknowledged') as events,
            (select count(*) from pages p join page_links l using (page_id)
              where p.alert_id = a.alert_id and l.used_at is not null) as used
       from alerts a`,
  )
  const isTaken = (row: (typeof rows)[number]) => row.stage === 'acknowledged' && row.events === 1 && row.used === 1
  const isOpen = (row: (typeof rows)[number]) => row.stage === 'open' && row.events === 0 && row.used === 0
  return { taken: rows.filter(isTaken).length, halfDone: rows.filter((row) => !isTaken(row) && !isOpen(row)).length }
}
