import { afterAll, beforeAll, expect, test } from 'vitest'
import { openAlert } from '../db/alerts.js'
import { releaseAlertsOf } from '../db/holds.js'
import { changeIncident } from '../db/incidents.js'
import { startTestDatabase, type TestDatabase } from '../test/support/database.js'
import { type Community, seedAlert, seedCommunity } from '../test/support/fixtures.js'
import { seedIncident } from '../test/support/incident.js'
import { createTestDashboard, logIn, type TestDashboard, testNow } from './test-app.js'

let database: TestDatabase
let dashboard: TestDashboard
let c: Community
let incidentId: number
let heldId: number
let cookie: string
const homes = 12
const later = (minutes: number) => new Date(testNow.getTime() + minutes * 60_000)

beforeAll(async () => {
  database = await startTestDatabase()
  const { db } = database
  dashboard = await createTestDashboard(db)
  c = await seedCommunity(db, { key: 'held', now: testNow, residents: homes })
  await db.query("update alerts set stage = 'closed', outcome = 'test', closed_at = opened_at")
  incidentId = await seedIncident(db, { ...c, now: testNow, kind: 'no water' })
  heldId = await db
    .transaction((tx) =>
      openAlert(
        tx,
        {
          residentId: c.residents[2]!.residentId,
          deviceNo: null,
          kind: 'silence_unusual',
          openedAt: later(-20),
          observedAt: later(-20),
          headline: { zh: '自 09:05 起 5 小时未用水。', en: 'No water used since 09:05 (5 h).' },
          reason: { since: later(-180).getTime() },
        },
        later(-20),
      ),
    )
    .then((id) => id!)
  cookie = await logIn(dashboard.app, { login: c.staff.worker.login, password: c.password })
})
afterAll(async () => {
  await dashboard?.app.close()
  await database?.stop()
})

const get = async (path: string, language = 'en') => {
  const response = await dashboard.app.inject({
    url: path,
    headers: { cookie: `${cookie}; shouwang_language=${language}` },
  })
  expect(response.statusCode).toBe(200)
  return { body: response.body, text: response.body.replace(/<[^>]+>/g, ' ').replace(/\s+/g, ' ') }
}

test('the console: what waits asks nobody to come, and stands below its incident', async () => {
  const { text, body } = await get('/')
  expect(text).toContain('No alert needs you, but 12 homes are probably without water.')
  expect(text).toContain('1 alert waits because of it')
  expect(text).toContain('12 homes stopped using water together: the water may be cut off.')
  expect(text).toContain('Nobody told yet: it waits until 15:45')
  expect(body.indexOf(`id="incident-${incidentId}"`)).toBeLessThan(body.indexOf(`id="alert-${heldId}"`))
  expect(body).not.toContain('All quiet')
  const zh = (await get('/', 'zh')).text
  expect(zh).toContain('没有需要处理的预警，但有 12 户可能停水。')
  expect(zh).toContain('12 户同时没有用水：可能停水。')
  expect(zh).toContain('还没有通知：暂缓到 15:45')
})

test('an emergency stands above all of it', async () => {
  const alertId = await seedAlert(database.db, {
    communityId: c.communityId,
    residentId: c.residents[2]!.residentId,
    kind: 'button',
    openedAt: testNow,
  })
  const { text, body } = await get('/')
  expect(text).toContain('1 emergency')
  expect(body.indexOf(`id="alert-${alertId}"`)).toBeLessThan(body.indexOf(`id="incident-${incidentId}"`))
  await database.db.query(
    "update alerts set stage = 'closed', outcome = 'test', closed_at = opened_at where alert_id = $1",
    [alertId],
  )
})

test('its own page says since when it waits, because of what, until when', async () => {
  const { text, body } = await get(`/alerts/${heldId}`)
  expect(text).toContain(
    'Nobody has been told yet: it waits since 13:45 because many homes around it have used no water since the same time. It is paged at 15:45',
  )
  expect(text).toContain('Nobody told yet: it waits until 15:45')
  expect(body).toContain(`href="/incidents/${incidentId}"`)
  expect((await get(`/alerts/${heldId}`, 'zh')).text).toContain(
    '周围多户同时没有用水，可能停水，自 13:45 起暂缓。到 15:45 家里仍无动静，就按预警逐级通知。',
  )
})

test('the incident has words of its own', async () => {
  const { text } = await get(`/incidents/${incidentId}`)
  expect(text).toContain('Last used water')
  expect(text).toContain('last used water')
  expect(text).not.toContain('out of reach')
  expect(text).not.toContain('Nothing is heard')
})

test('homes of it that are out of reach as well keep their notices', async () => {
  await seedAlert(database.db, {
    communityId: c.communityId,
    residentId: c.residents[3]!.residentId,
    kind: 'gateway_offline',
    openedAt: testNow,
    severity: 'notice',
  })
  expect((await get('/')).body).toContain('id="notices"')
})

test('when it is over the alert says so, and needs somebody once its time has come', async () => {
  const { db } = database
  await db.transaction(async (tx) => {
    const back = c.residents.slice(0, 10).map(({ residentId }) => residentId)
    await changeIncident(tx, { incidentId, joined: [], back, closes: true, now: later(1) })
    await releaseAlertsOf(tx, { incidentId, residentIds: null, now: later(1) })
  })
  expect((await get(`/alerts/${heldId}`)).text).toContain('The homes around it are in use again: it waits until 14:36')
  expect((await get(`/incidents/${incidentId}`)).text).toContain('Over: 10 of 12 homes use water again, 2 do not yet.')
  const { body, text } = await get('/')
  expect(text).toContain('No alert needs you yet; 1 alert waits because of the homes around.')
  expect(body).not.toContain('All quiet')
  await db.query('update alerts set due_at = $2, step = 1 where alert_id = $1', [heldId, later(60)])
  expect((await get('/')).text).toContain('1 urgent')
  expect((await get(`/alerts/${heldId}`)).text).not.toContain('Nobody has been told yet')
})
