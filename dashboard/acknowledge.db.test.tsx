import { afterAll, beforeAll, beforeEach, expect, test } from 'vitest'
import { issuePageLink } from '../db/page-links.js'
import { startTestDatabase, type TestDatabase } from '../test/support/database.js'
import { type Community, seedCommunity, sha256 } from '../test/support/fixtures.js'
import { createTestDashboard, type TestDashboard, testNow } from './test-app.js'

let database: TestDatabase
let dashboard: TestDashboard
let c: Community
let seeded = 0
const hourMs = 3_600_000

beforeAll(async () => {
  database = await startTestDatabase()
})
afterAll(() => database.stop())
beforeEach(async () => {
  seeded += 1
  c = await seedCommunity(database.db, { key: `c${seeded}`, now: testNow })
  dashboard = await createTestDashboard(database.db)
  return () => dashboard.app.close()
})

const headers = { 'accept-language': 'en' }
const open = (token: string) => dashboard.app.inject({ method: 'GET', url: `/p/${token}`, headers })
const take = (token: string) => dashboard.app.inject({ method: 'POST', url: `/p/${token}`, headers })
const alert = async () =>
  (await database.db.query('select stage, handled_by from alerts where alert_id = $1', [c.alertId])).rows[0]

test('opening the link shows the alert and changes nothing, however often a mail scanner opens it', async () => {
  for (let i = 0; i < 5; i++) {
    const { statusCode, body } = await open(c.linkToken)
    expect(statusCode).toBe(200)
    expect(body).toContain('The call button in the bedroom was pressed at 14:03.')
    expect(body).toContain(c.residents[0]!.name)
    expect(body).toContain(`示例路 ${c.key} 1 号 101 室`)
    // The door code is for those who log in: a mailbox is read by others.
    expect(body).not.toContain('1001#')
  }
  await dashboard.app.inject({ method: 'HEAD', url: `/p/${c.linkToken}` })
  expect(await alert()).toEqual({ stage: 'open', handled_by: null })
})

test('one tap and a confirm acknowledge, as the person whom the page was sent to, by link, once', async () => {
  const done = await take(c.linkToken)
  expect([done.statusCode, done.headers.location]).toEqual([303, `/p/${c.linkToken}`])
  expect(await alert()).toEqual({ stage: 'acknowledged', handled_by: c.staff.worker.staffId })
  const { rows } = await database.db.query(
    "select kind, staff_id, via from alert_events where alert_id = $1 and kind = 'acknowledged'",
    [c.alertId],
  )
  expect(rows).toEqual([{ kind: 'acknowledged', staff_id: c.staff.worker.staffId, via: 'link' }])
  const after = await open(c.linkToken)
  expect(after.statusCode).toBe(200)
  expect(after.body).toContain('Thank you. You have taken this.')
  expect(after.body).not.toContain('<form method="post" action="/p/')

  // The alert came back meanwhile: the old link does not take it again.
  await database.db.query("update alerts set stage = 'open', handled_by = null where alert_id = $1", [c.alertId])
  expect((await take(c.linkToken)).statusCode).toBe(410)
  expect((await open(c.linkToken)).statusCode).toBe(410)
  expect(await alert()).toEqual({ stage: 'open', handled_by: null })
})

test('of many taps at the same moment one acknowledges', async () => {
  const answers = await Promise.all(Array.from({ length: 8 }, () => take(c.linkToken)))
  expect(answers.filter(({ statusCode }) => statusCode === 303)).toHaveLength(1)
  const { rows } = await database.db.query(
    "select count(*) as n from alert_events where alert_id = $1 and kind = 'acknowledged'",
    [c.alertId],
  )
  expect(rows[0].n).toBe(1)
})

test('a link is not used up when the acknowledgement cannot be stored', async () => {
  await database.db.query('alter table alert_events add constraint refuse check (at is null) not valid')
  expect((await take(c.linkToken)).statusCode).toBe(500)
  await database.db.query('alter table alert_events drop constraint refuse')
  expect((await take(c.linkToken)).statusCode).toBe(303)
})

test('somebody else was first: the page says who', async () => {
  await database.db.query("update alerts set stage = 'en_route', handled_by = $2 where alert_id = $1", [
    c.alertId,
    c.staff.colleague.staffId,
  ])
  const opened = await open(c.linkToken)
  expect(opened.body).toContain(`${c.staff.colleague.name} is on the way`)
  expect(opened.body).not.toContain('<form method="post" action="/p/')
  const tapped = await take(c.linkToken)
  const shown = await open(String(tapped.headers.location).replace('/p/', ''))
  expect(shown.body).toContain('Nothing was changed')
  expect(await alert()).toEqual({ stage: 'en_route', handled_by: c.staff.colleague.staffId })
})

test('a closed alert offers no door code and no next step', async () => {
  const offer = 'Open the alert: door code, phone, next steps'
  expect((await open(c.linkToken)).body).toContain(offer)
  await database.db.query(
    "update alerts set stage = 'closed', closed_at = $2, outcome = 'test', due_at = null where alert_id = $1",
    [c.alertId, testNow],
  )
  const { body } = await open(c.linkToken)
  expect(body).toContain('Outcome: ')
  expect(body).not.toContain(offer)
})

test('expired after 24 h: 410, without saying whom it was about', async () => {
  dashboard.clock.advance(24 * hourMs)
  for (const { statusCode, body } of [await open(c.linkToken), await take(c.linkToken)]) {
    expect(statusCode).toBe(410)
    expect(body).toContain('This link has expired')
    expect(body).not.toContain(c.residents[0]!.name)
  }
  expect((await alert()).stage).toBe('open')
})

test('unknown tokens, and the link of somebody who left, do not exist', async () => {
  const unknown = 'A'.repeat(43)
  for (const token of [unknown, 'short', `${c.linkToken}x`, c.linkToken.toLowerCase(), '%27--'])
    for (const { statusCode, body } of [await open(token), await take(token)]) {
      expect(statusCode, token).toBe(404)
      expect(body).not.toContain(c.residents[0]!.name)
    }
  await database.db.query('update staff set disabled_at = $2 where staff_id = $1', [c.staff.worker.staffId, testNow])
  for (const { statusCode } of [await open(c.linkToken), await take(c.linkToken)]) expect(statusCode).toBe(404)
  expect((await alert()).stage).toBe('open')
})

test('a token that is issued works, and only its hash is stored', async () => {
  const token = await issuePageLink(database.db, { pageId: c.pageId, now: testNow })
  expect(token).toMatch(/^[A-Za-z0-9_-]{43}$/)
  const { rows } = await database.db.query('select token_hash, expires_at from page_links where page_id = $1', [
    c.pageId,
  ])
  const row = rows.find(({ token_hash }) => token_hash.equals(sha256(token)))
  expect(row.expires_at).toEqual(new Date(testNow.getTime() + 24 * hourMs))
  expect((await take(token)).statusCode).toBe(303)
})

test('guessing is slowed down, address by address', async () => {
  const ask = (remoteAddress: string) =>
    dashboard.app.inject({ method: 'GET', url: `/p/${'B'.repeat(43)}`, remoteAddress })
  for (let i = 0; i < 60; i++) expect((await ask('10.0.0.9')).statusCode).toBe(404)
  expect((await ask('10.0.0.9')).statusCode).toBe(429)
  expect((await ask('10.0.0.8')).statusCode).toBe(404)
  dashboard.clock.advance(61_000)
  expect((await ask('10.0.0.9')).statusCode).toBe(404)
})
