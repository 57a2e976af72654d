import { afterAll, beforeAll, expect, test } from 'vitest'
import { changeIncident } from '../db/incidents.js'
import { startTestDatabase, type TestDatabase } from '../test/support/database.js'
import { type Community, seedAlert, seedCommunity } from '../test/support/fixtures.js'
import { seedIncident } from '../test/support/incident.js'
import { createTestDashboard, logIn, type TestDashboard, testNow } from './test-app.js'

let database: TestDatabase
let dashboard: TestDashboard
let north: Community
let south: Community
let incidentId: number
const cookies: Record<string, string> = {}
const homes = 60

beforeAll(async () => {
  database = await startTestDatabase()
  const { db } = database
  dashboard = await createTestDashboard(db)
  north = await seedCommunity(db, { key: 'north', now: testNow, residents: homes })
  south = await seedCommunity(db, { key: 'south', now: testNow })
  await db.query("update alerts set stage = 'closed', outcome = 'test', closed_at = opened_at")
  for (const { residentId } of [...north.residents, ...south.residents])
    await seedAlert(db, {
      communityId: `${residentId.split('-')[0]}-community`,
      residentId,
      kind: 'gateway_offline',
      openedAt: testNow,
    })
  incidentId = await seedIncident(db, { ...north, now: testNow })
  for (const [who, { login }] of [
    ['worker', north.staff.worker],
    ['operator', north.staff.operator],
    ['south', south.staff.worker],
  ] as const)
    cookies[who] = await logIn(dashboard.app, { login, password: north.password })
})
afterAll(async () => {
  await dashboard?.app.close()
  await database?.stop()
})

const get = async (path: string, who: string, language = 'en') => {
  const response = await dashboard.app.inject({
    url: path,
    headers: { cookie: `${cookies[who]!}; shouwang_language=${language}` },
  })
  return {
    status: response.statusCode,
    text: response.body.replace(/<[^>]+>/g, ' ').replace(/\s+/g, ' '),
    body: response.body,
  }
}

test('the console shows one card instead of a notice for each home, and is not "all quiet"', async () => {
  const { body, text } = await get('/', 'worker')
  expect(text).toContain('No open alert, but 60 homes are out of reach.')
  expect(text).toContain('60 homes fell silent together: most likely a mains or network failure.')
  expect(text).toContain('between 13:57 and 13:59')
  expect(body).not.toContain('All quiet')
  expect(body).not.toContain('id="notices"')
  expect(text).toContain('And 10 more homes')
  expect((await get('/', 'worker', 'zh')).text).toContain('没有未处理的预警，但有 60 户联系不上。')
  const elsewhere = await get('/', 'south')
  expect(elsewhere.body).toContain('id="notices"')
  expect(elsewhere.text).not.toContain('out of reach')
})

test('its page lists each home with its time; the operator sees gateways and no names', async () => {
  const { text } = await get(`/incidents/${incidentId}`, 'worker')
  expect(text).toContain('60 homes fell silent together')
  expect(text).toContain('180 homes have a gateway there')
  expect(text.match(/silent since/g)).toHaveLength(homes)
  expect(text).toContain(
    '60 homes were found to have fallen silent together. Supervisors and operators were told, once.',
  )
  const operator = await get(`/incidents/${incidentId}`, 'operator')
  expect(operator.status).toBe(200)
  expect(operator.text).toContain('north-gw1')
  expect(operator.body).not.toContain('示例·居民')
  expect((await get(`/incidents/${incidentId}`, 'south')).status).toBe(404)
  expect((await get('/incidents/999', 'worker')).status).toBe(404)
  expect((await get('/incidents/x', 'worker')).status).toBe(404)
})

test('those that are back have their notices and times; when it is over the page says so and the notices are back', async () => {
  const { db } = database
  const back = north.residents.slice(0, 50).map(({ residentId }) => residentId)
  await db.transaction((tx) =>
    changeIncident(tx, { incidentId, joined: [], back: back.slice(0, 20), closes: false, now: testNow }),
  )
  expect((await get('/', 'worker')).text).toContain('40 of 60 homes that fell silent together are still silent')
  await db.transaction((tx) => changeIncident(tx, { incidentId, joined: [], back, closes: true, now: testNow }))
  const console = await get('/', 'worker')
  expect(console.text).not.toContain('out of reach')
  expect(console.body).toContain('id="notices"')
  const { text } = await get(`/incidents/${incidentId}`, 'worker')
  expect(text).toContain('Over: 50 of 60 homes are heard again, 10 are not yet.')
  expect(text).toContain('50 of 60 homes were heard again: it was over.')
})
