import { createHmac, randomUUID } from 'node:crypto'
import { afterAll, beforeAll, beforeEach, expect, test } from 'vitest'
import { webhookBody } from '../alerts/channels/webhook.js'
import { actOnAlert } from '../db/alert-actions.js'
import { startTestDatabase, type TestDatabase } from '../test/support/database.js'
import { type Community, seedCommunity } from '../test/support/fixtures.js'
import { createTestDashboard, type TestDashboard, testNow } from './test-app.js'

const secret = 'invented-webhook-secret'
let database: TestDatabase
let dashboard: TestDashboard
let c: Community
let seeded = 0

beforeAll(async () => {
  database = await startTestDatabase()
})
afterAll(() => database.stop())
beforeEach(async () => {
  seeded += 1
  c = await seedCommunity(database.db, { key: `c${seeded}`, now: testNow })
  await database.db.query(
    "insert into staff_channels (staff_id, position, kind, address, secret) values ($1, 1, 'webhook', 'http://127.0.0.1:9/', $2)",
    [c.staff.worker.staffId, secret],
  )
  dashboard = await createTestDashboard(database.db)
  return () => dashboard.app.close()
})

/** Signed from the contract's words, on purpose not with alerts/channels/signature. */
function sign(body: string, by = secret, at = dashboard.clock.now()) {
  const t = Math.floor(at.getTime() / 1_000)
  return `t=${t},v1=${createHmac('sha256', by).update(`${t}.${body}`).digest('hex')}`
}
type Ask = {
  body?: Record<string, unknown> | string
  signature?: string | undefined
  pageId?: string
  remoteAddress?: string
  type?: string
}
async function ask(action: string, p: Ask = {}) {
  const pageId = p.pageId ?? c.pageId
  const body = typeof p.body === 'string' ? p.body : JSON.stringify({ pageId, action, ...p.body })
  const signature = 'signature' in p ? p.signature : sign(body)
  const response = await dashboard.app.inject({
    method: 'POST',
    url: `/api/pages/${pageId}/${action}`,
    payload: body,
    headers: {
      'content-type': p.type ?? 'application/json',
      ...(signature === undefined ? {} : { 'shouwang-signature': signature }),
    },
    remoteAddress: p.remoteAddress ?? '10.0.0.1',
  })
  return { status: response.statusCode, body: response.json() as Record<string, unknown>, headers: response.headers }
}
const alert = async () =>
  (
    await database.db.query('select stage, handled_by, outcome, outcome_note from alerts where alert_id = $1', [
      c.alertId,
    ])
  ).rows[0]
const events = async () =>
  (
    await database.db.query(
      "select kind, via from alert_events where alert_id = $1 and kind <> 'opened' order by alert_event_id",
      [c.alertId],
    )
  ).rows.map(({ kind, via }) => `${kind} ${via}`)

test('acknowledged, on the way, at the door and closed by signed requests, as the person whom the page was sent to', async () => {
  for (const [action, stage] of [
    ['acknowledge', 'acknowledged'],
    ['en-route', 'en_route'],
    ['arrived', 'arrived'],
  ] as const) {
    expect(await ask(action)).toMatchObject({ status: 200, body: { result: 'done', stage } })
    expect(await alert()).toMatchObject({ stage, handled_by: c.staff.worker.staffId })
  }
  expect((await ask('close', { body: { outcome: 'other', note: ' ' } })).status).toBe(400)
  expect((await ask('close', { body: { outcome: 'nonsense' } })).status).toBe(400)
  expect(await ask('close', { body: { outcome: 'fall', note: '已扶起' } })).toMatchObject({
    status: 200,
    body: { stage: 'closed' },
  })
  expect(await alert()).toMatchObject({ stage: 'closed', outcome: 'fall', outcome_note: '已扶起' })
  expect(await ask('undo')).toMatchObject({ status: 200, body: { result: 'done' } })
  expect(await alert()).toMatchObject({ stage: 'arrived', outcome: null })
  dashboard.clock.advance(1_000)
  expect(await ask('undo')).toMatchObject({ status: 409, body: { error: 'nothing to undo' } })
  expect(await events()).toEqual(
    ['acknowledged', 'en_route', 'arrived', 'closed', 'undone'].map((kind) => `${kind} webhook`),
  )
})

test('the same request again gets the same answer and does nothing, also at the same moment', async () => {
  const body = JSON.stringify({ pageId: c.pageId, action: 'acknowledge' })
  const signature = sign(body)
  const answers = await Promise.all(Array.from({ length: 6 }, () => ask('acknowledge', { body, signature })))
  for (const answer of answers)
    expect(answer).toMatchObject({ status: 200, body: { result: 'done', stage: 'acknowledged' } })
  expect(await events()).toEqual(['acknowledged webhook'])
  // Taken back meanwhile: who recorded the request and sends it again does not take the alert again.
  await ask('undo')
  expect(await ask('acknowledge', { body, signature })).toMatchObject({ status: 200, body: { result: 'done' } })
  expect(await ask('acknowledge', { body, signature: `${signature},v1=${'0'.repeat(64)}` })).toMatchObject({
    status: 200,
  })
  expect((await alert()).stage).toBe('open')
  expect(await events()).toEqual(['acknowledged webhook', 'undone webhook'])
})

test('the second is told who has it and since when', async () => {
  await actOnAlert(database.db, {
    alertId: c.alertId,
    action: { kind: 'en_route' },
    staffId: c.staff.colleague.staffId,
    via: 'console',
    now: testNow,
  })
  for (const action of ['acknowledge', 'en-route', 'arrived'])
    expect(await ask(action)).toMatchObject({
      status: 409,
      body: { error: 'taken', stage: 'en_route', by: c.staff.colleague.name, since: testNow.toISOString() },
    })
  expect(await ask('close', { body: { outcome: 'test' } })).toMatchObject({ status: 409 })
  expect(await alert()).toMatchObject({ stage: 'en_route', handled_by: c.staff.colleague.staffId })
})

test.each([
  ['a NUL', '\0'],
  ['half a character', '\ud83d'],
])('a note with %s is refused as what it is: 400', async (_name, odd) => {
  await ask('acknowledge')
  expect((await ask('close', { body: { outcome: 'fall', note: `扶起${odd}` } })).status).toBe(400)
  expect(await alert()).toMatchObject({ stage: 'acknowledged' })
})

test('without a fitting signature nothing happens: 401', async () => {
  const body = JSON.stringify({ pageId: c.pageId, action: 'acknowledge' })
  const old = new Date(testNow.getTime() - 301_000)
  for (const signature of [
    undefined,
    '',
    'v1=00',
    sign(body, 'another secret'),
    sign(`${body} `),
    sign(body, secret, old),
    sign(body, secret, new Date(testNow.getTime() + 301_000)),
  ])
    expect((await ask('acknowledge', { body, signature })).status, String(signature)).toBe(401)
  expect(
    (await ask('acknowledge', { body, signature: sign(body, secret, new Date(testNow.getTime() - 299_000)) })).status,
  ).toBe(200)
})

test('a signature is good for one page and one action: neither for another address, nor is our own page an answer', async () => {
  const body = JSON.stringify({ pageId: c.pageId, action: 'acknowledge' })
  expect((await ask('arrived', { body })).status).toBe(400)
  const other = await seedCommunity(database.db, { key: `c${seeded}x`, now: testNow })
  await database.db.query(
    "insert into staff_channels (staff_id, position, kind, address, secret) values ($1, 1, 'webhook', 'http://127.0.0.1:9/', $2)",
    [other.staff.worker.staffId, secret],
  )
  expect((await ask('acknowledge', { body, pageId: other.pageId })).status).toBe(400)
  const page = webhookBody({
    pageId: c.pageId,
    alertId: String(c.alertId),
    severity: 'emergency',
    kind: 'button',
    resident: { id: 'r', name: 'n', address: 'a' },
    headline: { zh: 'x', en: 'x' },
    openedAt: testNow,
    observedAt: testNow,
    step: 1,
    round: 0,
    url: 'https://example.org/p/x',
    timeZone: 'Asia/Shanghai',
    language: 'zh',
  })
  expect((await ask('acknowledge', { body: page })).status).toBe(400)
  for (const odd of [
    '',
    '{',
    'null',
    '[]',
    '"x"',
    '{"action":"acknowledge"}',
    '\0',
    `{"pageId":"${c.pageId}","action":"acknowledge"`,
  ])
    expect((await ask('acknowledge', { body: odd })).status, odd).toBe(400)
  expect((await alert()).stage).toBe('open')
})

test('pages that are not there, of another channel, of an address that was taken away: 404, all alike', async () => {
  const bodies: string[] = []
  const look = async (action: string, p: Ask = {}) => {
    const { status, body } = await ask(action, p)
    expect(status).toBe(404)
    bodies.push(JSON.stringify(body))
  }
  await look('acknowledge', { pageId: randomUUID() })
  await look('acknowledge', { pageId: 'no-uuid' })
  await look('toString')
  await database.db.query("update pages set channel = 'email' where page_id = $1", [c.pageId])
  await look('acknowledge')
  await database.db.query("update pages set channel = 'webhook' where page_id = $1", [c.pageId])
  await database.db.query('delete from staff_channels where staff_id = $1', [c.staff.worker.staffId])
  await look('acknowledge')
  expect(new Set(bodies).size).toBe(1)
})

test('after 24 h the page is over; who may not act does not', async () => {
  await database.db.query("update staff set role = 'family', login = null, password_hash = null where staff_id = $1", [
    c.staff.worker.staffId,
  ])
  expect(await ask('acknowledge')).toMatchObject({ status: 403 })
  await database.db.query("update staff set role = 'volunteer' where staff_id = $1", [c.staff.worker.staffId])
  dashboard.clock.advance(24 * 3_600_000)
  expect(await ask('acknowledge')).toMatchObject({ status: 410 })
  expect((await alert()).stage).toBe('open')
})

test('guessing is slowed down address by address, and one page is asked for 30 times a minute', async () => {
  for (let i = 0; i < 60; i++)
    expect((await ask('acknowledge', { signature: 'x', remoteAddress: '10.0.0.9' })).status).toBe(401)
  const slowed = await ask('acknowledge', { signature: 'x', remoteAddress: '10.0.0.9' })
  expect([slowed.status, slowed.headers['retry-after']]).toEqual([429, '60'])
  expect((await ask('acknowledge', { signature: 'x', remoteAddress: '10.0.0.8' })).status).toBe(401)
  for (let i = 0; i < 30; i++) expect((await ask('acknowledge', { body: { i } })).status).toBe(200)
  expect((await ask('acknowledge', { body: { i: 30 } })).status).toBe(429)
})

test('the answer tells of the alert no more than the page did, whatever type the body is said to have', async () => {
  const { body, headers } = await ask('acknowledge', { type: 'text/plain' })
  expect(Object.keys(body).sort()).toEqual(['result', 'stage'])
  expect(headers['cache-control']).toBe('no-store')
})
