import { afterAll, beforeAll, beforeEach, expect, test } from 'vitest'
import { startTestDatabase, type TestDatabase } from '../test/support/database.js'
import { type Community, seedCommunity, sha256 } from '../test/support/fixtures.js'
import { createTestDashboard, formHeaders, logIn, type TestDashboard, testNow } from './test-app.js'

let database: TestDatabase
let dashboard: TestDashboard
let home: Community
const hourMs = 3_600_000

beforeAll(async () => {
  database = await startTestDatabase()
  home = await seedCommunity(database.db, { key: 'home', now: testNow })
})
afterAll(() => database.stop())
beforeEach(async () => {
  dashboard = await createTestDashboard(database.db)
  return () => dashboard.app.close()
})

const form = (fields: Record<string, string>) => new URLSearchParams(fields).toString()
const post = (
  url: string,
  fields: Record<string, string>,
  headers: Record<string, string> = {},
  remoteAddress = '10.0.0.1',
) =>
  dashboard.app.inject({
    method: 'POST',
    url,
    payload: form(fields),
    remoteAddress,
    headers: { 'content-type': 'application/x-www-form-urlencoded', ...headers },
  })
const get = (url: string, headers: Record<string, string> = {}) => dashboard.app.inject({ method: 'GET', url, headers })
const worker = () => ({ login: home.staff.worker.login, password: home.password })

test('a login leads to the page that was wanted; the cookie is out of reach of scripts, the token nowhere in the database', async () => {
  const asked = await get('/alerts/1?x=1')
  expect(asked.statusCode).toBe(303)
  expect(asked.headers.location).toBe('/login?next=%2Falerts%2F1%3Fx%3D1')
  const done = await post('/login', { ...worker(), next: '/alerts/1?x=1' })
  expect([done.statusCode, done.headers.location]).toEqual([303, '/alerts/1?x=1'])
  const cookie = done.cookies.find(({ name }) => name === 'shouwang_session')!
  expect(cookie).toMatchObject({ httpOnly: true, sameSite: 'Lax', path: '/' })
  expect(cookie.secure).toBeUndefined()
  const { rows } = await database.db.query('select token_hash from sessions')
  expect(rows.some((row) => row.token_hash.equals(sha256(cookie.value)))).toBe(true)
  expect(rows.some((row) => row.token_hash.toString().includes(cookie.value))).toBe(false)
})

test('over https the cookie is Secure', async () => {
  await dashboard.app.close()
  dashboard = await createTestDashboard(database.db, { publicUrl: 'https://shouwang.example' })
  const done = await post('/login', worker())
  expect(done.cookies[0]!.secure).toBe(true)
})

test.each([
  '//evil.example',
  'https://evil.example/',
  '/\\evil.example',
  '/\t/evil.example',
  'javascript:alert(1)',
  '\\\\evil.example',
  '/%0d%0aSet-Cookie:x',
])('a login or a language switch never leads elsewhere: %s', async (next) => {
  for (const response of [
    await post('/login', { ...worker(), next }),
    await post('/language', { language: 'en', back: next }),
  ]) {
    expect(response.statusCode).toBe(303)
    const to = new URL(String(response.headers.location), 'http://localhost:8080')
    expect(to.origin).toBe('http://localhost:8080')
  }
  const page = await get(`/login?next=${encodeURIComponent(next)}`)
  expect(page.body).not.toContain('value="//')
})

test('a wrong password and an unknown login read the same', async () => {
  const wrong = await post('/login', { login: home.staff.worker.login, password: 'wrong' })
  const unknown = await post('/login', { login: 'nobody-here-at-all', password: 'wrong' })
  expect([wrong.statusCode, unknown.statusCode]).toEqual([401, 401])
  expect(unknown.body.replace('nobody-here-at-all', home.staff.worker.login)).toBe(wrong.body)
  expect(wrong.cookies).toEqual([])
})

test('an unknown login costs the time of a real one', async () => {
  const time = async (login: string) => {
    const times: number[] = []
    for (let i = 0; i < 5; i++) {
      const startedAt = performance.now()
      await post('/login', { login, password: 'wrong' }, {}, `10.1.0.${i}`)
      times.push(performance.now() - startedAt)
    }
    return times.sort((a, b) => a - b)[2]!
  }
  await time(home.staff.worker.login)
  // Without the decoy hash it is some 20 times faster.
  expect(await time('nobody')).toBeGreaterThan((await time(home.staff.supervisor.login)) / 4)
})

test('ten attempts a minute for a login from one address, thirty for an address, then 429 even with the right password', async () => {
  for (let i = 0; i < 10; i++)
    expect((await post('/login', { ...worker(), password: 'wrong' }, {}, '10.2.1.1')).statusCode).toBe(401)
  const refused = await post('/login', worker(), {}, '10.2.1.1')
  expect(refused.statusCode).toBe(429)
  expect(refused.headers['retry-after']).toBe('60')
  expect(refused.cookies).toEqual([])
  // Who guesses from elsewhere does not lock out the one whose login it is ...
  expect((await post('/login', worker(), {}, '10.2.1.2')).statusCode).toBe(303)
  // ... but many addresses together are slowed down too.
  for (let i = 0; i < 48; i++) await post('/login', { ...worker(), password: 'wrong' }, {}, `10.2.2.${i}`)
  expect((await post('/login', worker(), {}, '10.2.1.3')).statusCode).toBe(303)
  expect((await post('/login', worker(), {}, '10.2.1.4')).statusCode).toBe(429)
  dashboard.clock.advance(61_000)
  expect((await post('/login', worker(), {}, '10.2.1.1')).statusCode).toBe(303)

  for (let i = 0; i < 30; i++)
    expect((await post('/login', { login: `guess-${i}`, password: 'x' }, {}, '10.3.0.1')).statusCode).toBe(401)
  expect((await post('/login', { login: 'guess', password: 'x' }, {}, '10.3.0.1')).statusCode).toBe(429)
  expect((await post('/login', { login: 'guess', password: 'x' }, {}, '10.3.0.2')).statusCode).toBe(401)
})

test('a session ends 12 h after its last use, and after 7 days in any case', async () => {
  const cookie = await logIn(dashboard.app, worker())
  const works = async () => (await get('/', { cookie })).statusCode === 200
  dashboard.clock.advance(11 * hourMs)
  expect(await works()).toBe(true)
  dashboard.clock.advance(11 * hourMs)
  expect(await works()).toBe(true)
  dashboard.clock.advance(12 * hourMs + 1)
  expect(await works()).toBe(false)

  dashboard.clock.set(testNow)
  const used = await logIn(dashboard.app, worker())
  for (let hours = 0; hours < 7 * 24 - 6; hours += 6) {
    dashboard.clock.advance(6 * hourMs)
    expect((await get('/', { cookie: used })).statusCode).toBe(200)
  }
  dashboard.clock.advance(6 * hourMs)
  expect((await get('/', { cookie: used })).statusCode).toBe(303)
})

test('logging out ends the session on the server; a disabled person is out at once', async () => {
  const cookie = await logIn(dashboard.app, worker())
  expect((await post('/logout', {}, { cookie })).headers.location).toBe('/login')
  expect((await get('/', { cookie })).statusCode).toBe(303)

  const again = await logIn(dashboard.app, worker())
  await database.db.query('update staff set disabled_at = $2 where staff_id = $1', [home.staff.worker.staffId, testNow])
  expect((await get('/', { cookie: again })).statusCode).toBe(303)
  expect((await post('/login', worker())).statusCode).toBe(401)
  await database.db.query('update staff set disabled_at = null where staff_id = $1', [home.staff.worker.staffId])
})

test('a login replaces the session that the browser had', async () => {
  const before = await logIn(dashboard.app, worker())
  const done = await post('/login', worker(), { cookie: before })
  expect(done.statusCode).toBe(303)
  expect((await get('/', { cookie: before })).statusCode).toBe(303)
})

test.each([
  ['another site', { 'sec-fetch-site': 'cross-site', origin: 'http://localhost:80' }, false],
  ['a sister host', { 'sec-fetch-site': 'same-site', origin: 'http://localhost:80' }, false],
  ['another origin without fetch metadata', { origin: 'https://evil.example' }, false],
  ['another port without fetch metadata', { origin: 'http://localhost:9999' }, false],
  ['an opaque origin', { origin: 'null' }, false],
  ['nonsense', { origin: 'nonsense' }, false],
  ['our own page', { 'sec-fetch-site': 'same-origin', origin: 'http://localhost:80' }, true],
  ['our own page in an old browser', { origin: 'http://localhost:80' }, true],
  ['the public address behind a proxy', { origin: 'http://localhost:8080' }, true],
  ['no browser at all', {}, true],
])('a form from %s', async (_from, headers, accepted) => {
  const cookie = await logIn(dashboard.app, worker())
  const url = `/alerts/${home.alertId}/acknowledge`
  await database.db.query("update alerts set stage = 'open', handled_by = null where alert_id = $1", [home.alertId])
  const response = await post(url, {}, { cookie, ...(headers as Record<string, string>), host: 'localhost:80' })
  expect(response.statusCode).toBe(accepted ? 303 : 403)
  const { rows } = await database.db.query('select stage from alerts where alert_id = $1', [home.alertId])
  expect(rows[0].stage).toBe(accepted ? 'acknowledged' : 'open')
})

test('headers: a strict policy, no framing, own forms keep their origin, personal pages are not kept', async () => {
  const cookie = await logIn(dashboard.app, worker())
  const { headers } = await get('/', { cookie })
  expect(headers['content-security-policy']).toBe(
    "default-src 'none';script-src 'self';style-src 'self';img-src 'self' data:;connect-src 'self';worker-src 'self';manifest-src 'self';form-action 'self';frame-ancestors 'none';base-uri 'none'",
  )
  expect(headers).toMatchObject({
    'x-frame-options': 'DENY',
    'x-content-type-options': 'nosniff',
    'referrer-policy': 'same-origin',
    'cache-control': 'no-store',
  })
})

test('no page carries a script or a style of its own, which the policy would refuse', async () => {
  const cookie = await logIn(dashboard.app, worker())
  for (const path of [
    '/',
    `/alerts/${home.alertId}`,
    `/residents/${home.residents[0]!.residentId}`,
    `/f/${home.family.token}`,
    `/p/${home.linkToken}`,
    '/nothing',
  ]) {
    const { body } = await get(path, { cookie })
    expect(body, path).not.toMatch(/<script(?![^>]* src=)|\sstyle="|<style|\son[a-z]+="/)
  }
})

test('the language follows the browser until somebody chooses', async () => {
  const title = async (headers: Record<string, string>) =>
    /<html lang="([^"]+)"/.exec((await get('/login', headers)).body)?.[1]
  expect(await title({ 'accept-language': 'zh-CN,zh;q=0.9,en;q=0.8' })).toBe('zh-CN')
  expect(await title({ 'accept-language': 'de,en;q=0.8,zh;q=0.2' })).toBe('en')
  const chosen = await post('/language', { language: 'zh', back: '/login' })
  expect([chosen.statusCode, chosen.headers.location]).toEqual([303, '/login'])
  expect(await title({ 'accept-language': 'en', cookie: `shouwang_language=${chosen.cookies[0]!.value}` })).toBe(
    'zh-CN',
  )
  expect((await post('/language', { language: 'xx' })).statusCode).toBe(400)
})

test('broken requests get a page, never a stack', async () => {
  const cookie = await logIn(dashboard.app, worker())
  const answers = [
    await dashboard.app.inject({
      method: 'POST',
      url: '/login',
      payload: 'x'.repeat(20_000),
      headers: formHeaders(''),
    }),
    await dashboard.app.inject({
      method: 'POST',
      url: '/login',
      payload: '{',
      headers: { 'content-type': 'application/json' },
    }),
    await dashboard.app.inject({
      method: 'POST',
      url: '/login',
      payload: 'x',
      headers: { 'content-type': 'image/png' },
    }),
    await post(`/alerts/${home.alertId}/close`, { outcome: 'nonsense' }, { cookie }),
    await dashboard.app.inject({ method: 'DELETE', url: `/alerts/${home.alertId}`, headers: { cookie } }),
    await get('/?page=-5&q=%00', { cookie }),
    await post('/login', { login: 'a\0b', password: 'x' }),
    await get('/?q[]=1&q[]=2&page=x', { cookie }),
  ]
  expect(answers.map(({ statusCode }) => statusCode)).toEqual([400, 400, 400, 400, 404, 400, 400, 200])
  for (const { body } of answers) expect(body).not.toMatch(/node_modules|at [\w.]+ \(/)
})

test('a failure inside is a page and a log line, and tells nothing', async () => {
  const broken = { ...database.db, query: (() => Promise.reject(new Error('secret detail'))) as never }
  const other = await createTestDashboard(broken)
  const response = await other.app.inject({ method: 'GET', url: '/f/x'.padEnd(46, 'y') })
  const ready = await other.app.inject({ method: 'GET', url: '/readyz' })
  const alive = await other.app.inject({ method: 'GET', url: '/healthz' })
  await other.app.close()
  expect(response.statusCode).toBe(500)
  expect(response.body).toContain('Something went wrong here')
  expect(response.body).not.toContain('secret detail')
  expect([ready.statusCode, alive.statusCode]).toEqual([503, 200])
})
