import { afterAll, beforeAll, beforeEach, expect, test } from 'vitest'
import { actOnAlert, undoLast } from '../db/alert-actions.js'
import { escalate } from '../db/alerts.js'
import { startTestDatabase, type TestDatabase } from '../test/support/database.js'
import { type Community, seedCommunity, seedPage } from '../test/support/fixtures.js'
import { createTestDashboard, type TestDashboard, testNow } from './test-app.js'

let database: TestDatabase
let dashboard: TestDashboard
let c: Community
let seeded = 0
const secondMs = 1_000
const minuteMs = 60 * secondMs
const hourMs = 60 * minuteMs

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

/** One telephone: it keeps the cookies that it is given. */
function browser() {
  let cookie = ''
  const ask = async (method: 'GET' | 'POST', path: string, form?: Record<string, string>) => {
    const response = await dashboard.app.inject({
      method,
      url: `/p/${path}`,
      headers: { 'accept-language': 'en', cookie, 'content-type': 'application/x-www-form-urlencoded' },
      ...(form ? { payload: new URLSearchParams(form).toString() } : {}),
    })
    const [set] = response.cookies
    if (set) cookie = `${set.name}=${set.value}`
    return {
      ...response,
      status: response.statusCode,
      body: response.body,
      set,
      to: String(response.headers.location ?? ''),
    }
  }
  return {
    open: (path = c.linkToken) => ask('GET', path),
    press: (path = c.linkToken, form: Record<string, string> = {}) => ask('POST', path, form),
    cookie: () => cookie,
    withCookie: (other: string) => {
      cookie = other
    },
  }
}
type Browser = ReturnType<typeof browser>

const alert = async () =>
  (
    await database.db.query('select stage, handled_by, outcome, outcome_note from alerts where alert_id = $1', [
      c.alertId,
    ])
  ).rows[0]
const step = (phone: Browser, what: string, form?: Record<string, string>) =>
  phone.press(`${c.linkToken}/${what}`, form)
const take = async () => {
  const phone = browser()
  expect((await phone.press()).status).toBe(303)
  return phone
}
const byColleague = (kind: 'acknowledge' | 'en_route' | 'arrived', now = dashboard.clock.now()) =>
  actOnAlert(database.db, {
    alertId: c.alertId,
    action: { kind },
    staffId: c.staff.colleague.staffId,
    via: 'console',
    now,
  })

test('whoever takes it by the link goes on in that browser, to the end, without logging in', async () => {
  const phone = browser()
  const taken = await phone.press()
  expect([taken.status, taken.to]).toEqual([303, `/p/${c.linkToken}`])
  expect(taken.set).toMatchObject({
    name: 'shouwang_door',
    path: '/p/',
    httpOnly: true,
    sameSite: 'Lax',
    maxAge: 12 * 3_600,
  })

  let { body } = await phone.open()
  for (const shown of [
    'Thank you. You have taken this.',
    '1001#',
    '000-0000-1001',
    '示例·门卫',
    'I am on my way',
    'Undo',
  ])
    expect(body, shown).toContain(shown)
  expect(body).toContain('Say by 14:07 that you are on your way, or others are told again.')
  expect((await step(phone, 'en-route')).to).toBe(`/p/${c.linkToken}`)
  body = (await phone.open()).body
  expect(body).toContain('Say by 14:15 that you are at the door, or others are told again.')
  expect(body).not.toContain('I am on my way')
  await step(phone, 'arrived')
  body = (await phone.open()).body
  expect(body).toContain('Close it by 14:50 with what you found')
  expect(body).toMatch(/<details id="close"[^>]* open/)

  const without = await step(phone, 'close', { outcome: 'other', note: ' ' })
  expect((await phone.open(without.to.replace('/p/', '').replace('#close', ''))).body).toContain(
    'Please write in the note',
  )
  expect((await step(phone, 'close', { outcome: 'nonsense', note: '' })).status).toBe(400)
  expect((await alert()).stage).toBe('arrived')
  await step(phone, 'close', { outcome: 'fall', note: '已扶起' })
  expect(await alert()).toMatchObject({
    stage: 'closed',
    outcome: 'fall',
    outcome_note: '已扶起',
    handled_by: c.staff.worker.staffId,
  })
  body = (await phone.open()).body
  for (const shown of ['You have closed this alert', 'Outcome: Fall', '已扶起']) expect(body, shown).toContain(shown)
  // The door code has no business on a telephone once it is over.
  expect(body).not.toContain('1001#')
  const { rows } = await database.db.query(
    "select kind, staff_id, via from alert_events where alert_id = $1 and kind <> 'opened' order by alert_event_id",
    [c.alertId],
  )
  expect(rows.map(({ kind, staff_id, via }) => [kind, staff_id, via])).toEqual(
    ['acknowledged', 'en_route', 'arrived', 'closed'].map((kind) => [kind, c.staff.worker.staffId, 'link']),
  )
})

test('a forwarded link does nothing in another browser, and shows no door code there', async () => {
  await take()
  const other = browser()
  for (const phone of [other, browser()]) {
    expect((await phone.open()).body).not.toContain('1001#')
    for (const [what, form] of [
      ['en-route', {}],
      ['arrived', {}],
      ['close', { outcome: 'test', note: '' }],
      ['undo', {}],
    ] as const) {
      const { status, body } = await step(phone, what, form)
      expect(status, what).toBe(403)
      expect(body).toContain('To go on in this browser, log in.')
      expect(body).not.toContain('1001#')
    }
    phone.withCookie(`shouwang_door=${'A'.repeat(43)}`)
  }
  expect((await alert()).stage).toBe('acknowledged')
  const { body } = await other.open()
  expect(body).toContain('This link has been used.')
  expect(body).toContain('Only the browser in which it was used')
})

test('the cookie of one alert, or of one person, is good for no other', async () => {
  const phone = await take()
  const second = await seedCommunity(database.db, { key: `c${seeded}x`, now: testNow })
  const { linkToken } = await seedPage(database.db, {
    alertId: c.alertId,
    staffId: c.staff.colleague.staffId,
    now: testNow,
  })
  expect((await phone.press(`${second.linkToken}/en-route`)).status).toBe(403)
  expect((await phone.press(`${linkToken}/en-route`)).status).toBe(403)
  expect((await alert()).stage).toBe('acknowledged')
})

test('one telephone has several alerts at once, and not those of somebody else', async () => {
  const phone = await take()
  const before = phone.cookie()
  const { rows } = await database.db.query(
    `insert into alerts (resident_id, community_id, kind, severity, opened_at, observed_at, headline_zh, headline_en)
     select resident_id, community_id, 'smoke', 'emergency', opened_at, observed_at, 'x', 'x' from alerts where alert_id = $1 returning alert_id`,
    [c.alertId],
  )
  const alertId = rows[0].alert_id
  const own = await seedPage(database.db, { alertId, staffId: c.staff.worker.staffId, now: testNow })
  // The same person's other alert, in the same browser: not before its own link was used there.
  expect((await phone.press(`${own.linkToken}/en-route`)).status).toBe(403)
  await phone.press(own.linkToken)
  expect(phone.cookie()).toBe(before)
  expect((await phone.press(`${own.linkToken}/en-route`)).status).toBe(303)
  expect((await step(phone, 'en-route')).status).toBe(303)
  // The colleague borrows the telephone: another token, and the worker's alerts are no longer on it.
  const borrowed = await seedPage(database.db, { alertId, staffId: c.staff.colleague.staffId, now: testNow })
  await database.db.query("update alerts set stage = 'open', handled_by = null where alert_id = $1", [alertId])
  await phone.press(borrowed.linkToken)
  expect(phone.cookie()).not.toBe(before)
  expect((await step(phone, 'arrived')).status).toBe(403)
})

test('it ends when somebody else takes the alert', async () => {
  const phone = await take()
  dashboard.clock.advance(minuteMs)
  await byColleague('arrived')
  const { status } = await step(phone, 'arrived')
  expect(status).toBe(403)
  const { body } = await phone.open()
  expect(body).toContain(`${c.staff.colleague.name} is at the door`)
  expect(body).not.toContain('1001#')
  // Also when that one's alert has come back meanwhile.
  await database.db.query("update alerts set stage = 'open', handled_by = null where alert_id = $1", [c.alertId])
  expect((await step(phone, 'arrived')).status).toBe(403)
})

test('it ends at once, though the clock of the other’s server runs behind; a slip that was taken back ends nothing', async () => {
  const phone = await take()
  const behind = new Date(testNow.getTime() - 30 * secondMs)
  await byColleague('en_route', behind)
  expect((await step(phone, 'arrived')).status).toBe(403)
  const { staffId } = c.staff.colleague
  expect(await undoLast(database.db, { alertId: c.alertId, staffId, via: 'console', now: testNow })).toEqual({
    kind: 'done',
  })
  await byColleague('arrived', testNow)
  expect((await step(phone, 'arrived')).status).toBe(403)
  expect(await undoLast(database.db, { alertId: c.alertId, staffId, via: 'console', now: testNow })).toEqual({
    kind: 'done',
  })
  expect((await step(phone, 'arrived')).status).toBe(303)
})

test('it ends 15 min after the alert was closed, 12 h after it began, and with the person', async () => {
  const phone = await take()
  await step(phone, 'close', { outcome: 'test', note: '' })
  dashboard.clock.advance(14 * minuteMs)
  expect((await phone.open()).body).toContain('You have closed this alert')
  dashboard.clock.advance(2 * minuteMs)
  expect((await phone.open()).body).not.toContain('You have closed this alert')

  await database.db.query(
    "update alerts set stage = 'arrived', closed_at = null, outcome = null, handled_by = $2 where alert_id = $1",
    [c.alertId, c.staff.worker.staffId],
  )
  expect((await phone.open()).body).toContain('1001#')
  await database.db.query('update staff set disabled_at = $2 where staff_id = $1', [c.staff.worker.staffId, testNow])
  expect((await phone.open()).status).toBe(404)
  await database.db.query('update staff set disabled_at = null where staff_id = $1', [c.staff.worker.staffId])
  dashboard.clock.advance(12 * hourMs)
  expect((await phone.open()).body).not.toContain('1001#')
  expect((await step(phone, 'close', { outcome: 'test', note: '' })).status).toBe(403)
})

test('a stage that took too long: the page says so, and whoever is still at it goes on with one tap', async () => {
  const phone = await take()
  dashboard.clock.advance(2 * minuteMs + secondMs)
  const now = dashboard.clock.now()
  expect(await database.db.transaction((tx) => escalate(tx, { alertId: c.alertId, now }))).toBe(true)
  expect((await alert()).stage).toBe('open')
  const { body } = await phone.open()
  for (const shown of ['others are being told again', 'I am taking this', 'I am on my way', 'I am at the door'])
    expect(body, shown).toContain(shown)
  expect((await step(phone, 'arrived')).status).toBe(303)
  expect(await alert()).toMatchObject({ stage: 'arrived', handled_by: c.staff.worker.staffId })
})

test('undo: within a minute, once, by whoever did it last; then the chain goes on and it can be taken anew', async () => {
  const phone = await take()
  dashboard.clock.advance(59 * secondMs)
  expect((await phone.open()).body).toContain(`action="/p/${c.linkToken}/undo"`)
  expect((await step(phone, 'undo')).to).toBe(`/p/${c.linkToken}`)
  expect(await alert()).toMatchObject({ stage: 'open', handled_by: null })
  expect((await phone.open()).body).not.toContain('/undo"')
  expect((await step(phone, 'undo')).to).toContain('undo-nothing')
  expect((await phone.press()).status).toBe(303)
  expect((await alert()).stage).toBe('acknowledged')
  await step(phone, 'close', { outcome: 'test', note: '' })
  dashboard.clock.advance(30 * secondMs)
  await step(phone, 'undo')
  expect(await alert()).toMatchObject({ stage: 'acknowledged', outcome: null })
  // What came before that is not to be taken back any more: it is not offered either.
  expect((await phone.open()).body).not.toContain('/undo"')
  await step(phone, 'en-route')
  dashboard.clock.advance(61 * secondMs)
  expect((await phone.open()).body).not.toContain('/undo"')
  const late = await step(phone, 'undo')
  expect((await phone.open(late.to.replace('/p/', ''))).body).toContain('It can be taken back for one minute only')
  expect((await alert()).stage).toBe('en_route')
})

test('who was second is told who has it, and when that one takes it back, that nobody has', async () => {
  const phone = await take()
  const { linkToken } = await seedPage(database.db, {
    alertId: c.alertId,
    staffId: c.staff.colleague.staffId,
    now: testNow,
  })
  const second = browser()
  const tapped = await second.press(linkToken)
  const { body } = await second.open(tapped.to.replace('/p/', ''))
  expect(body).toContain(`${c.staff.worker.name} has taken it`)
  expect(body).toContain('Nothing was changed')
  await step(phone, 'undo')
  const { rows } = await database.db.query('select text_en from messages where staff_id = $1', [
    c.staff.colleague.staffId,
  ])
  expect(rows[0].text_en).toContain('nobody has it now')
  // The second link was not lost to the first.
  expect((await second.press(linkToken)).status).toBe(303)
  expect(await alert()).toMatchObject({ stage: 'acknowledged', handled_by: c.staff.colleague.staffId })
})

test('taken at the console by the same person: the link begins the door page, and acknowledges nothing twice', async () => {
  const now = dashboard.clock.now()
  await actOnAlert(database.db, {
    alertId: c.alertId,
    action: { kind: 'en_route' },
    staffId: c.staff.worker.staffId,
    via: 'console',
    now,
  })
  const phone = browser()
  expect((await phone.open()).body).toContain('Go on in this browser')
  expect((await phone.press()).status).toBe(303)
  expect((await phone.open()).body).toContain('Thank you. You are on your way.')
  const { rows } = await database.db.query(
    "select count(*) as n from alert_events where alert_id = $1 and kind in ('acknowledged', 'en_route')",
    [c.alertId],
  )
  expect(rows[0].n).toBe(1)
})

test('a volunteer goes on likewise, without door code, health and login; of health others get what was allowed', async () => {
  await database.db.query('update residents set health_in_pages = true where resident_id = $1', [
    c.residents[0]!.residentId,
  ])
  const worker = await take()
  expect((await worker.open()).body).toContain('听力不好')
  await step(worker, 'undo')
  await database.db.query(
    "update staff set role = 'volunteer', login = null, password_hash = null where staff_id = $1",
    [c.staff.worker.staffId],
  )
  const { linkToken } = await seedPage(database.db, {
    alertId: c.alertId,
    staffId: c.staff.worker.staffId,
    now: testNow,
    channel: 'sms',
  })
  const phone = browser()
  await phone.press(linkToken)
  const { body } = await phone.open(linkToken)
  for (const shown of ['示例·门卫', '000-0000-1001', 'I am on my way']) expect(body, shown).toContain(shown)
  for (const hidden of ['1001#', '听力不好', '/alerts/']) expect(body, hidden).not.toContain(hidden)
  expect((await phone.press(`${linkToken}/arrived`)).status).toBe(303)
})

test('what the resident did not allow is not said at the door', async () => {
  await database.db.query('update residents set health_in_pages = false where resident_id = $1', [
    c.residents[0]!.residentId,
  ])
  const phone = await take()
  expect((await phone.open()).body).not.toContain('听力不好')
})

test('family members and the watcher never act by a link', async () => {
  for (const role of ['family', 'watcher']) {
    await database.db.query('update staff set role = $2, login = null, password_hash = null where staff_id = $1', [
      c.staff.worker.staffId,
      role,
    ])
    const phone = browser()
    expect((await phone.open()).status).toBe(404)
    expect((await phone.press()).status).toBe(404)
  }
  expect((await alert()).stage).toBe('open')
})

test('each look at the door is on record as such, and only a digest of the cookie is stored', async () => {
  const phone = await take()
  await phone.open()
  const { rows } = await database.db.query('select page from access_log where staff_id = $1', [c.staff.worker.staffId])
  expect(rows).toEqual([{ page: 'door' }])
  const { rows: sessions } = await database.db.query(
    'select token_hash, expires_at from door_sessions where alert_id = $1',
    [c.alertId],
  )
  expect(sessions[0].token_hash.toString()).not.toContain(phone.cookie().split('=')[1])
  expect(sessions[0].expires_at).toEqual(new Date(testNow.getTime() + 12 * hourMs))
})
