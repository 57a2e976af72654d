import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest'
import { addChannel } from '../db/staff-channels.js'
import { tellFamily } from '../db/told-family.js'
import { seedAsked } from '../test/support/ask.js'
import { startTestDatabase, type TestDatabase } from '../test/support/database.js'
import { type Community, seedCommunity, sha256 } from '../test/support/fixtures.js'
import { createTestDashboard, formHeaders, logIn, type TestDashboard, testNow } from './test-app.js'

const minute = 60_000
let database: TestDatabase
let dashboard: TestDashboard
let c: Community
let worker: string
let supervisor: string
let kinId: string

beforeAll(async () => {
  database = await startTestDatabase()
  dashboard = await createTestDashboard(database.db)
  c = await seedCommunity(database.db, { key: 'q', now: testNow })
  worker = await logIn(dashboard.app, { login: c.staff.worker.login, password: c.password })
  supervisor = await logIn(dashboard.app, { login: c.staff.supervisor.login, password: c.password })
  const by = { by: c.staff.supervisor.staffId, communityIds: [c.communityId], now: testNow }
  kinId = (await tellFamily(database.db, { familyMemberId: c.family.familyMemberId, ...by }))!
  const email = { kind: 'email' as const, address: 'daughter@example.org', secret: null }
  await addChannel(database.db, { staffId: kinId, channel: email, now: testNow })
})
afterAll(async () => {
  await dashboard.app.close()
  await database.stop()
})
beforeEach(async () => {
  dashboard.clock.set(testNow)
  await rows(
    "update alerts set stage = 'closed', outcome = 'test', closed_at = opened_at, due_at = null where closed_at is null",
  )
})

const rows = async (sql: string, values: unknown[] = []) => (await database.db.query(sql, values)).rows
const get = async (url: string, cookie = worker, language = 'zh') => {
  const response = await dashboard.app.inject({ url, headers: { cookie: `${cookie}; shouwang_language=${language}` } })
  return {
    status: response.statusCode,
    html: response.body,
    text: response.body.replaceAll(/<[^>]+>/g, ' ').replaceAll(/\s+/g, ' '),
  }
}
const post = (url: string, form: Record<string, string> = {}, cookie = worker) =>
  dashboard.app.inject({
    method: 'POST',
    url,
    headers: formHeaders(cookie),
    payload: new URLSearchParams(form).toString(),
  })
const stateOf = async (alertId: number) =>
  (await rows('select stage, outcome, handled_by, due_at, asked_until from alerts where alert_id = $1', [alertId]))[0]
const looks = async () =>
  (await rows('select page, staff_id, family_member_id from access_log order by access_id')) as Record<
    string,
    unknown
  >[]
/** The same call task, sent to the daughter. */
const toFamily = async (token: string) => {
  await rows(
    "update asks k set way = 'family', staff_id = $2 from ask_links l where l.ask_id = k.ask_id and l.token_hash = $1",
    [sha256(token), kinId],
  )
}

describe('the console', () => {
  test('first of all whom to phone, with number, time left and both answers; nothing else of it says that nobody goes', async () => {
    const { alertId } = await seedAsked(database.db, c, { now: testNow })
    const { text, html } = await get('/')
    expect(html).toMatch(/<h1>请给 1 户打电话问一声：比平时安静得久<\/h1>/)
    expect(text).toContain('请给示例·居民 q 2打个电话问一声')
    expect(text).toMatch(/已请 示例·张社工 q 打电话。 还有 25 分钟/)
    expect(html).toContain('href="tel:00000001002"')
    expect(html).toContain(`action="/alerts/${alertId}/spoken"`)
    expect(html).toContain(`action="/alerts/${alertId}/send-now"`)
    expect(text).not.toContain('还没有人过去')
    expect((await get('/', worker, 'en')).html).toContain('<h1>1 home to phone: silent for longer than usual</h1>')
  })

  test('a home that is asked by itself is counted apart; an emergency comes first', async () => {
    await seedAsked(database.db, c, { now: testNow, way: 'home' })
    expect((await get('/')).html).toMatch(/<h1>正在询问 1 户：比平时安静得久<\/h1>/)
    await rows(
      `insert into alerts (resident_id, community_id, device_no, kind, severity, opened_at, observed_at, headline_zh, headline_en, due_at)
       values ($1, $2, $3, 'button', 'emergency', $4, $4, '呼叫', 'Call', $4)`,
      [c.residents[0]!.residentId, c.communityId, c.residents[0]!.devices.button, testNow],
    )
    const { html, text } = await get('/')
    expect(html).toMatch(/<h1>1 起紧急情况，还没有人过去<\/h1>/)
    expect(text).toContain('另有 1 户正在询问。')
    expect(html.indexOf('id="alerts"')).toBeLessThan(html.indexOf('id="asked"'))
  })
})

describe("the alert's page", () => {
  test('what was asked, how long is left, who would be told then; and the history', async () => {
    const { alertId } = await seedAsked(database.db, c, { now: testNow, way: 'home' })
    await rows(
      `insert into alert_events (alert_id, at, kind, detail) values ($1, $2, 'asked', '{"way":"home","command":"chime"}')`,
      [alertId, testNow],
    )
    await addChannel(database.db, {
      staffId: c.staff.worker.staffId,
      channel: { kind: 'email', address: 'w@example.org', secret: null },
      now: testNow,
    })
    const { text, html } = await get(`/alerts/${alertId}`)
    expect(text).toContain('先询问，还没有逐级通知')
    expect(text).toContain('已让家里响提示音。')
    expect(text).toContain('如果没有回应，25 分钟后会通知 示例·张社工 q。')
    expect(text).toContain('先询问：让家里响提示音。')
    expect(html.match(/\/spoken"/g)).toHaveLength(1)
    expect((await get(`/alerts/${alertId}`, worker, 'en')).text).toContain(
      'Without an answer 示例·张社工 q will be told in 25 min.',
    )
  })

  test('spoken: closed as fine, on record, the rules are told; a second tap is no conflict; undo within the minute', async () => {
    const { alertId } = await seedAsked(database.db, c, { now: testNow })
    await rows('delete from arrivals')
    const answer = await post(`/alerts/${alertId}/spoken`)
    expect([answer.statusCode, answer.headers.location]).toEqual([303, `/alerts/${alertId}`])
    expect((await post(`/alerts/${alertId}/spoken`)).headers.location).toBe(`/alerts/${alertId}`)
    expect((await post(`/alerts/${alertId}/spoken`, {}, supervisor)).headers.location).toBe(
      `/alerts/${alertId}?problem=refused`,
    )
    expect(await stateOf(alertId)).toMatchObject({ stage: 'closed', outcome: 'resident fine', due_at: null })
    expect(await rows('select resident_id from arrivals')).toEqual([{ resident_id: c.residents[1]!.residentId }])
    const { text, html } = await get(`/alerts/${alertId}`)
    expect(text).toContain('示例·张社工 q 与本人通了话，平安。')
    expect(html).toContain(`action="/alerts/${alertId}/undo"`)
    await post(`/alerts/${alertId}/undo`)
    expect(await stateOf(alertId)).toMatchObject({ stage: 'open' })
    expect((await get(`/alerts/${alertId}`)).text).toContain('先询问，还没有逐级通知')
  })

  test('send somebody now: the first page is due at once; asked for twice nothing more happens', async () => {
    const { alertId } = await seedAsked(database.db, c, { now: testNow })
    expect((await post(`/alerts/${alertId}/send-now`)).statusCode).toBe(303)
    expect(await stateOf(alertId)).toMatchObject({ stage: 'open', due_at: testNow, asked_until: testNow })
    expect((await post(`/alerts/${alertId}/send-now`)).headers.location).toBe(`/alerts/${alertId}?problem=refused`)
    expect((await get(`/alerts/${alertId}`)).text).not.toContain('先询问，还没有逐级通知')
  })

  test('an alert about silence that was paged is settled by a word as well; a pressed button is not', async () => {
    const { alertId } = await seedAsked(database.db, c, { now: testNow })
    await post(`/alerts/${alertId}/send-now`)
    expect((await get(`/alerts/${alertId}`)).html).toContain(`action="/alerts/${alertId}/spoken"`)
    expect((await get(`/alerts/${c.alertId}`)).html).not.toContain('/spoken"')
    expect((await post(`/alerts/${c.alertId}/spoken`)).statusCode).toBe(404)
  })
})

describe('the link of a call task', () => {
  test('opening it changes nothing and is on record; staff see address, sentence and number', async () => {
    const { alertId, token } = await seedAsked(database.db, c, { now: testNow })
    const { status, text, html } = await get(`/ask/${token}`, '')
    expect(status).toBe(200)
    expect(text).toContain('请给示例·居民 q 2打个电话问一声')
    expect(text).toContain('示例路 q 2 号')
    expect(html).toContain('href="tel:00000001002"')
    expect(await stateOf(alertId)).toMatchObject({ stage: 'open' })
    expect((await looks()).at(-1)).toMatchObject({ page: 'call task', staff_id: c.staff.worker.staffId })
  })

  test('spoken closes it in the name of whom it was sent to; send has it paged', async () => {
    const { alertId, token } = await seedAsked(database.db, c, { now: testNow })
    expect((await post(`/ask/${token}/spoken`, {}, '')).headers.location).toBe(`/ask/${token}`)
    expect(await stateOf(alertId)).toMatchObject({ stage: 'closed', handled_by: c.staff.worker.staffId })
    expect((await get(`/ask/${token}`, '')).html).toContain('<h1>谢谢，这条预警已经结束。</h1>')
    expect((await post(`/ask/${token}/spoken`, {}, '')).headers.location).toBe(`/ask/${token}`)
    await post(`/ask/${token}/undo`, {}, '')
    expect(await stateOf(alertId)).toMatchObject({ stage: 'open' })
    expect((await post(`/ask/${token}/send`, {}, '')).headers.location).toBe(`/ask/${token}`)
    expect(await stateOf(alertId)).toMatchObject({ stage: 'open', due_at: testNow })
    const { text, html } = await get(`/ask/${token}`, '')
    expect(text).toContain('好的，正在通知社区工作人员。')
    expect(html).not.toContain(`/ask/${token}/send`)
  })

  test('the family sees neither address nor what the devices said, and is asked for no more than a call', async () => {
    const { alertId, token } = await seedAsked(database.db, c, { now: testNow, home: 0 })
    await toFamily(token)
    const { text } = await get(`/ask/${token}`, '')
    expect(text).toContain('家里比平时安静得久，麻烦您现在打个电话。')
    for (const secret of ['示例路', '用水', '000-0000', '1001#']) expect(text).not.toContain(secret)
    expect((await looks()).at(-1)).toMatchObject({ page: 'call task', family_member_id: c.family.familyMemberId })
    await post(`/ask/${token}/spoken`, {}, '')
    expect(await stateOf(alertId)).toMatchObject({ stage: 'closed', outcome: 'resident fine', handled_by: kinId })
    expect((await get(`/alerts/${alertId}`)).text).toContain(`示例·女儿 q 与本人通了话，平安。`)
    // Whom the resident does not allow to be told any longer sees nothing any longer.
    await rows('update family_members set sees_alerts = false')
    expect((await get(`/ask/${token}`, '')).status).toBe(404)
    await rows('update family_members set sees_alerts = true')
  })

  test('somebody is on the way already: the word is noted, the alert stays theirs', async () => {
    const { alertId, token } = await seedAsked(database.db, c, { now: testNow })
    await post(`/alerts/${alertId}/en-route`, {}, supervisor)
    expect((await post(`/ask/${token}/spoken`, {}, '')).headers.location).toBe(`/ask/${token}?said=noted`)
    expect(await stateOf(alertId)).toMatchObject({ stage: 'en_route', handled_by: c.staff.supervisor.staffId })
    expect((await get(`/ask/${token}?said=noted`, '')).text).toContain('谢谢，已告诉正在处理的人。')
    expect((await post(`/ask/${token}/undo`, {}, '')).headers.location).toBe(`/ask/${token}?said=late`)
  })

  test('after a day it shows nobody; wrong ones are slowed down; a form from elsewhere is refused', async () => {
    const { alertId, token } = await seedAsked(database.db, c, { now: testNow })
    dashboard.clock.set(new Date(testNow.getTime() + 24 * 60 * minute))
    for (const { status, text } of [await get(`/ask/${token}`, '')]) {
      expect(status).toBe(410)
      expect(text).not.toContain('示例·居民')
    }
    expect((await post(`/ask/${token}/spoken`, {}, '')).statusCode).toBe(410)
    dashboard.clock.set(testNow)
    const foreign = { 'content-type': 'application/x-www-form-urlencoded', 'sec-fetch-site': 'cross-site' }
    const refused = await dashboard.app.inject({
      method: 'POST',
      url: `/ask/${token}/spoken`,
      headers: foreign,
      payload: '',
    })
    expect(refused.statusCode).toBe(403)
    expect(await stateOf(alertId)).toMatchObject({ stage: 'open' })
    const codes = new Set<number>()
    for (let i = 0; i < 61; i++) codes.add((await get(`/ask/${'x'.repeat(43)}`, '')).status)
    expect([...codes]).toEqual([404, 429])
    expect((await get(`/ask/${token}`, '')).status).toBe(200)
  })
})

test("the family's page says that it is asked first, not that somebody is being told", async () => {
  const { alertId } = await seedAsked(database.db, c, { now: testNow, home: 0, way: 'home' })
  const says = async () => (await get(`/f/${c.family.token}`, '')).text
  expect(await says()).toContain('正在先询问家里；没有回应，就通知社区工作人员。')
  await post(`/alerts/${alertId}/send-now`)
  expect(await says()).toContain('正在通知社区工作人员，还没有人回应。')
})

describe('who of the family agreed', () => {
  const path = () => `/people/${encodeURIComponent(kinId)}`
  const agreed = async () =>
    (await rows('select agreed_to_ask from family_members where staff_id = $1', [kinId]))[0].agreed_to_ask

  test('nobody until a supervisor says so; on record; it ends with being told', async () => {
    expect(await agreed()).toBe(false)
    expect((await get(path(), supervisor)).text).toContain('本人同意，先请这位家属打电话')
    expect((await post(`${path()}/asking`, { agreed: 'yes' }, worker)).statusCode).toBe(404)
    expect(await agreed()).toBe(false)
    expect((await post(`${path()}/asking`, { agreed: 'yes' }, supervisor)).statusCode).toBe(303)
    expect((await post(`${path()}/asking`, { agreed: 'yes' }, supervisor)).statusCode).toBe(303)
    expect(await agreed()).toBe(true)
    const { text } = await get(path(), supervisor)
    expect(text).toContain('不再请这位家属打电话')
    expect(text.match(/同意先打电话询问/g)).toHaveLength(1)
    expect((await get(path(), supervisor, 'en')).text).toContain('Do not ask any longer')
    await rows('update family_members set sees_alerts = false where staff_id = $1', [kinId])
    expect((await get(path(), supervisor)).html).not.toContain('/asking"')
    expect((await post(`${path()}/asking`, { agreed: 'yes' }, supervisor)).statusCode).toBe(404)
    await rows('update family_members set sees_alerts = true where staff_id = $1', [kinId])
    await post(`${path()}/end`, {}, supervisor)
    expect(await rows('select from family_members where agreed_to_ask')).toEqual([])
  })
})
