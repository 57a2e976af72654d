import { afterAll, beforeAll, beforeEach, expect, test } from 'vitest'
import { type Arrival, outcomes } from '../alerts/model.js'
import { emptyState, fold } from '../alerts/rules/fold.js'
import { startTestDatabase, type TestDatabase } from '../test/support/database.js'
import { type Community, seedAlert, seedCommunity } from '../test/support/fixtures.js'
import { createTestDashboard, formHeaders, logIn, type TestDashboard, testNow } from './test-app.js'

let database: TestDatabase
let dashboard: TestDashboard
let c: Community
let worker: string
let colleague: string
let seeded = 0

beforeAll(async () => {
  database = await startTestDatabase()
})
afterAll(() => database.stop())
beforeEach(async () => {
  seeded += 1
  c = await seedCommunity(database.db, { key: `c${seeded}`, now: testNow })
  dashboard = await createTestDashboard(database.db)
  worker = await logIn(dashboard.app, { login: c.staff.worker.login, password: c.password })
  colleague = await logIn(dashboard.app, { login: c.staff.colleague.login, password: c.password })
  return () => dashboard.app.close()
})

const get = (url: string, cookie = worker, headers: Record<string, string> = {}) =>
  dashboard.app.inject({ method: 'GET', url, headers: { cookie, 'accept-language': 'en', ...headers } })
const post = (url: string, fields: Record<string, string> = {}, cookie = worker) =>
  dashboard.app.inject({
    method: 'POST',
    url,
    payload: new URLSearchParams(fields).toString(),
    headers: { ...formHeaders(cookie), 'accept-language': 'en' },
  })
const stageOf = async (alertId: number) =>
  (await database.db.query('select stage from alerts where alert_id = $1', [alertId])).rows[0].stage as string
const h1 = (body: string) => /<h1>(.*?)<\/h1>/.exec(body)?.[1]
const closeAll = () =>
  database.db.query(
    "update alerts set stage = 'closed', closed_at = $1, outcome = 'test', due_at = null where closed_at is null",
    [testNow],
  )

test('the console answers in its first line, worst first, unacknowledged before taken', async () => {
  const [first, second] = [c.residents[0]!, c.residents[1]!]
  const older = new Date(testNow.getTime() - 3_600_000)
  const at = { communityId: c.communityId, openedAt: older }
  const ids = {
    notice: await seedAlert(database.db, { ...at, residentId: second.residentId, kind: 'battery_low' }),
    urgent: await seedAlert(database.db, { ...at, residentId: second.residentId, kind: 'silent_12h' }),
    taken: await seedAlert(database.db, {
      ...at,
      residentId: first.residentId,
      kind: 'smoke',
      stage: 'en_route',
      handledBy: c.staff.colleague.staffId,
    }),
    warning: await seedAlert(database.db, { ...at, residentId: first.residentId, kind: 'water_running' }),
  }
  const { body } = await get('/')
  expect(h1(body)).toBe('1 emergency and 1 urgent alert and 1 warning: nobody on the way')
  expect(body).toContain('One other is in hand.')
  const order = [...body.matchAll(/id="alert-(\d+)"/g)].map(([, id]) => Number(id))
  expect(order).toEqual([c.alertId, ids.taken, ids.urgent, ids.warning, ids.notice])
  expect(body).toContain(`data-emergency="${c.alertId}"`)
  expect(body).not.toContain(`data-emergency="${ids.taken}"`)
  expect(body).toContain(`${c.staff.colleague.name} is on the way`)
  const zh = await get('/', worker, { 'accept-language': 'zh-CN' })
  expect(h1(zh.body)).toBe('1 起紧急情况、1 条急办预警、1 条警告，还没有人过去')
})

test('the quiet console never says that all is well while nothing is known', async () => {
  await closeAll()
  const { body } = await get('/')
  expect(h1(body)).toBe('No open alert.')
  expect(body).toContain('2 residents; of 2 nothing is known right now.')
  expect(body).not.toContain('All quiet')
  expect(body).toContain('answer-plain')
})

test('the quiet console says how lately everybody was seen, and who was not', async () => {
  await closeAll()
  const hourMs = 3_600_000
  const nowMs = testNow.getTime()
  /** Two days of a water meter that reports every 10 min, with the last use so long ago. */
  const remember = async (index: number, lastUseAgoMs: number) => {
    const { residentId, devices } = c.residents[index]!
    const arrivals: Arrival[] = []
    let litres = 1_000
    for (let at = nowMs - 48 * hourMs; at <= nowMs; at += 600_000) {
      if (at <= nowMs - lastUseAgoMs) litres += 5
      arrivals.push({
        type: 'reading',
        kind: 'water',
        deviceNo: devices.water,
        observedAt: at,
        receivedAt: at,
        event: '',
        value: litres,
      })
    }
    const { state } = fold(emptyState(), arrivals, nowMs, { timeZone: 'Asia/Shanghai', alarmsPerMonth: null })
    await database.db.query(
      `insert into resident_state (resident_id, state, folded_at) values ($1, $2, $3)
       on conflict (resident_id) do update set state = excluded.state`,
      [residentId, JSON.stringify(state), testNow],
    )
  }
  await remember(0, hourMs / 2)
  await remember(1, 5.5 * hourMs)
  const calm = await get('/')
  expect(h1(calm.body)).toBe('All quiet: no open alert.')
  expect(calm.body).toContain('2 residents, all seen within the last 6 h.')
  expect(calm.body).toContain('answer-quiet')
  expect(calm.body).toContain('30 min ago, 13:35')

  await remember(1, 14 * hourMs)
  dashboard.clock.advance(11_000)
  const less = await get('/')
  expect(h1(less.body)).toBe('No open alert.')
  expect(less.body).toContain('2 residents; 1 without any use in the last 12 h.')
  expect(less.body).toContain('knowledge-idle')
})

test('residents: found by name, fifty a page, wildcards taken literally', async () => {
  const many = Array.from({ length: 60 }, (_, i) => `${c.key}-x${i}`)
  await database.db.query(
    `insert into residents (resident_id, community_id, name, address, time_zone)
     select id, $2, '示例·张 ' || id, '示例巷', 'Asia/Shanghai' from unnest($1::text[]) as t (id)`,
    [many, c.communityId],
  )
  const rows = (body: string) => [...body.matchAll(/id="resident-/g)].length
  const first = await get('/')
  expect(rows(first.body)).toBe(50)
  expect(first.body).toContain('Page 1 of 2')
  expect(rows((await get('/?page=2')).body)).toBe(12)
  const found = await get(`/?q=${encodeURIComponent('示例巷')}`)
  expect(rows(found.body)).toBe(50)
  expect(found.body).toContain(`q=${encodeURIComponent('示例巷')}&amp;page=2`)
  expect(rows((await get(`/?q=${encodeURIComponent('%')}`)).body)).toBe(0)
  expect((await get('/?q=nobody')).body).toContain('Nobody by that name or address.')
})

test('names, headlines and notes are text, never markup', async () => {
  const evil = '<img src=x onerror=alert(1)>"\'&'
  await database.db.query(
    'update residents set name = $2, address = $2, health_note = $2, phone = $2 where resident_id = $1',
    [c.residents[0]!.residentId, evil],
  )
  await database.db.query('update staff set name = $2 where staff_id = $1', [c.staff.worker.staffId, evil])
  await database.db.query('update alerts set headline_en = $2, headline_zh = $2, reason = $3 where alert_id = $1', [
    c.alertId,
    evil,
    JSON.stringify({ [evil]: evil }),
  ])
  await database.db.query("update pages set status = 'failed', last_error = $2 where alert_id = $1", [c.alertId, evil])
  await post(`/alerts/${c.alertId}/close`, { outcome: 'other', note: evil })
  for (const path of [
    '/',
    `/alerts/${c.alertId}`,
    `/p/${c.linkToken}`,
    `/?q=${encodeURIComponent(evil)}`,
    '/<img src=x>',
  ]) {
    const { body } = await get(path)
    expect(body, path).not.toContain('<img')
    expect(body, path).not.toContain('onerror=alert(1)>"')
  }
})

test('an alert says what happened, where to go, who was told and what comes next', async () => {
  const { db } = database
  await db.query(
    "insert into staff_channels (staff_id, position, kind, address) values ($1, 1, 'email', 'a@example.org')",
    [c.staff.supervisor.staffId],
  )
  await db.query('update alerts set due_at = $2, reason = $3 where alert_id = $1', [
    c.alertId,
    new Date(testNow.getTime() + 40_000),
    JSON.stringify({ lateMs: 90_000, clockWrong: false, level: null, unit: null }),
  ])
  const { body } = await get(`/alerts/${c.alertId}`)
  expect(h1(body)).toBe('The call button in the bedroom was pressed at 14:03.')
  for (const shown of [
    c.residents[0]!.name,
    `示例路 ${c.key} 1 号 101 室`,
    'href="tel:00000001001"',
    '1001#',
    '示例·门卫',
    '听力不好，敲门要用力',
    `If nobody takes it, ${c.staff.supervisor.name} will be told in 40 s.`,
    'The alert opened.',
    'Webhook · sent',
    'Arrived late by',
    '1 min',
  ])
    expect(body, shown).toContain(shown)
  // What the device did not say is no row.
  for (const name of ['Unit', 'Level']) expect(body).not.toContain(`<dt>${name}</dt>`)
  const zh = await get(`/alerts/${c.alertId}`, `${worker}; shouwang_language=zh`)
  expect(zh.body).toContain('Webhook 回调 · 已发送')
})

test('acknowledge, on the way, arrived, closed: each step is kept with who and when, and wakes the others', async () => {
  const raised: string[] = []
  for (const name of ['alerts', 'pages'] as const) dashboard.signal.on(name, () => raised.push(name))
  const url = `/alerts/${c.alertId}`
  for (const [path, stage] of [
    ['acknowledge', 'acknowledged'],
    ['en-route', 'en_route'],
    ['arrived', 'arrived'],
  ] as const) {
    const response = await post(`${url}/${path}`)
    expect([response.statusCode, response.headers.location]).toEqual([303, url])
    expect(await stageOf(c.alertId)).toBe(stage)
    dashboard.clock.advance(60_000)
  }
  expect(raised).toEqual(['alerts', 'pages', 'alerts', 'pages', 'alerts', 'pages'])
  await post(`${url}/close`, { outcome: 'fall', note: '已送医' })
  const { body } = await get(url)
  for (const shown of ['took it.', 'was on the way.', 'was at the door.', 'closed it: Fall. 已送医', 'Outcome: Fall'])
    expect(body, shown).toContain(shown)
  // For a minute it can be taken back; nothing else is offered.
  expect(body.replace(`action="${url}/undo"`, '')).not.toContain(`action="${url}/`)
})

test('who is second is told who was first, and changes nothing', async () => {
  await post(`/alerts/${c.alertId}/acknowledge`)
  const second = await post(`/alerts/${c.alertId}/acknowledge`, {}, colleague)
  expect(second.headers.location).toBe(`/alerts/${c.alertId}?problem=refused`)
  const { body } = await get(String(second.headers.location), colleague)
  expect(body).toContain(`${c.staff.worker.name} was faster and is handling this alert.`)
  const { rows } = await database.db.query('select handled_by from alerts where alert_id = $1', [c.alertId])
  expect(rows[0].handled_by).toBe(c.staff.worker.staffId)
  const twice = await post(`/alerts/${c.alertId}/acknowledge`)
  expect(twice.headers.location).toBe(`/alerts/${c.alertId}`)
})

test('undo: for a minute, from the page and from the console, by whoever did it', async () => {
  const url = `/alerts/${c.alertId}`
  await post(`${url}/acknowledge`)
  for (const shown of [url, '/']) expect((await get(shown)).body, shown).toContain(`action="${url}/undo"`)
  for (const shown of [url, '/'])
    expect((await get(shown, colleague)).body, shown).not.toContain(`action="${url}/undo"`)
  const theirs = await post(`${url}/undo`, {}, colleague)
  expect((await get(String(theirs.headers.location), colleague)).body).toContain(
    'There is nothing of yours to take back',
  )
  expect(await stageOf(c.alertId)).toBe('acknowledged')
  const undone = await post(`${url}/undo`)
  expect([undone.statusCode, undone.headers.location]).toEqual([303, url])
  expect(await stageOf(c.alertId)).toBe('open')
  expect((await get(url)).body).toContain('took it back: nobody has it')

  await post(`${url}/close`, { outcome: 'fall', note: 'x' })
  expect((await get('/')).body).toContain(`action="${url}/undo"`)
  await post(`${url}/undo`)
  expect(await stageOf(c.alertId)).toBe('open')
  await post(`${url}/acknowledge`)
  dashboard.clock.advance(61_000)
  for (const shown of [url, '/']) expect((await get(shown)).body, shown).not.toContain('/undo"')
  const late = await post(`${url}/undo`)
  expect((await get(String(late.headers.location))).body).toContain('It can be taken back for one minute only')
  expect(await stageOf(c.alertId)).toBe('acknowledged')
})

test('closing needs an outcome, and a note for "other"', async () => {
  const url = `/alerts/${c.alertId}/close`
  expect((await post(url)).statusCode).toBe(400)
  expect((await post(url, { outcome: 'nonsense' })).statusCode).toBe(400)
  const without = await post(url, { outcome: 'other', note: '   ' })
  expect(await stageOf(c.alertId)).toBe('open')
  const again = await get(String(without.headers.location).replace('#close', ''))
  expect(again.body).toContain('Please write in the note what it was')
  expect(again.body).toMatch(/<details id="close"[^>]* open/)
  for (const outcome of outcomes) {
    const alertId = await seedAlert(database.db, {
      communityId: c.communityId,
      residentId: c.residents[0]!.residentId,
      kind: 'button',
      openedAt: testNow,
    })
    await post(`/alerts/${alertId}/close`, { outcome, note: 'x' })
    expect(await stageOf(alertId), outcome).toBe('closed')
  }
})

test('each look is on record; a page that refreshes itself is one look that goes on', async () => {
  const url = `/alerts/${c.alertId}`
  const log = async () =>
    (
      await database.db.query(
        'select staff_id, page, looks, first_at, last_at from access_log where resident_id = $1 order by access_id',
        [c.residents[0]!.residentId],
      )
    ).rows
  await get(url)
  dashboard.clock.advance(60_000)
  await get(url)
  for (let i = 0; i < 20; i++) {
    dashboard.clock.advance(30_000)
    await get(url, worker, { 'shouwang-refresh': '1' })
  }
  const [row, ...more] = await log()
  expect(more).toEqual([])
  expect(row).toMatchObject({ staff_id: c.staff.worker.staffId, page: 'alert', looks: 2, first_at: testNow })
  expect(row.last_at).toEqual(new Date(testNow.getTime() + 660_000))
  await get(url, colleague)
  dashboard.clock.advance(5 * 60_000)
  await get(url)
  expect((await log()).map(({ looks }) => looks)).toEqual([2, 1, 1])
  await get('/alerts/999999')
  expect(await log()).toHaveLength(3)
})

test('no GET changes an alert', async () => {
  for (const path of ['acknowledge', 'en-route', 'arrived', 'close'])
    expect((await get(`/alerts/${c.alertId}/${path}`)).statusCode).toBe(404)
  await get(`/p/${c.linkToken}`)
  expect(await stageOf(c.alertId)).toBe('open')
})
