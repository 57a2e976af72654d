import { afterAll, beforeAll, expect, test } from 'vitest'
import { loadChain } from '../db/chain.js'
import { noteChannels } from '../db/channel-notes.js'
import { addChannel, channelsOf } from '../db/staff-channels.js'
import { manualClock } from '../kit/clock.js'
import { openTestDashboard } from '../test/support/dashboard.js'
import { startTestDatabase, type TestDatabase } from '../test/support/database.js'
import { type Community, seedCommunity } from '../test/support/fixtures.js'
import { createTestDashboard, logIn } from './test-app.js'

let database: TestDatabase
let dashboard: Awaited<ReturnType<typeof openTestDashboard>>
let north: Community
let south: Community
const clock = manualClock(new Date('2026-03-10T06:05:00Z'))

beforeAll(async () => {
  database = await startTestDatabase()
  dashboard = await openTestDashboard({ db: database.db, clock })
  north = await seedCommunity(database.db, { key: 'north', now: clock.now(), residents: 3 })
  south = await seedCommunity(database.db, { key: 'south', now: clock.now() })
})
afterAll(async () => {
  await dashboard.close()
  await database.stop()
})

const ask = (path: string, p: { form?: Record<string, string>; as?: string } = {}) =>
  dashboard.ask(path, { as: p.as ?? north.staff.supervisor.staffId, ...(p.form ? { form: p.form } : {}) })
const rows = async (sql: string, values: unknown[] = []) => (await database.db.query(sql, values)).rows
const add = async (staffId: string, address: string) => {
  const channel = { kind: 'email', address, secret: null }
  const added = await addChannel(database.db, { staffId, channel, now: clock.now() })
  if (added.kind !== 'added') throw new Error(added.kind)
  return added.channelId
}
const newPerson = async (path: string, form: Record<string, string>) => {
  const made = await ask(path, { form })
  expect(made.status).toBe(303)
  return String(made.headers.location)
}
const volunteer = (name: string) =>
  newPerson('/people', { name, phone: '000-1', language: 'en', community: north.communityId })
const idOf = (path: string) => decodeURIComponent(path.split('/')[2]!)

test('the first line says how many cannot be reached, who they are, and whom nobody has tested', async () => {
  const page = await ask('/people')
  expect(page.text).toContain('4 people of 4 cannot be reached')
  const channelId = await add(north.staff.worker.staffId, 'zhang@example.org')
  await add(north.staff.colleague.staffId, 'chen@example.org')
  await noteChannels(database.db, [{ channelId, at: clock.now(), result: 'sent' }])
  const now = await ask('/people')
  expect(now.text).toContain('2 people of 4 cannot be reached')
  expect(now.text).toContain('For 2 others no test was ever confirmed.')
  expect(now.text).toMatch(/E-mail · Last reached: just now/)
  // Who needs help stands first.
  expect(now.text.indexOf(north.staff.supervisor.name)).toBeLessThan(now.text.lastIndexOf(north.staff.worker.name))
})

test('a channel that this server has not set up is no refused one', async () => {
  const bare = await createTestDashboard(database.db, { kinds: ['ntfy'] })
  const { supervisor, worker } = north.staff
  const as = async (login: string) => await logIn(bare.app, { login, password: north.password })
  const read = async (url: string, cookie: string, language = 'en') =>
    (await bare.app.inject({ url, headers: { cookie: `${cookie}; shouwang_language=${language}` } })).body
  const [boss, own] = [await as(supervisor.login), await as(worker.login)]
  expect(await read('/people', boss)).toContain('Cannot be reached: not set up on this server')
  expect(await read(`/people/${worker.staffId}`, boss)).toContain('cannot be reached: this server is not set up')
  expect(await read('/me', own)).toContain('You cannot be reached: this server is not set up for your channels')
  expect(await read('/me', own, 'zh')).toContain('现在通知不到您：您的通知方式在这台服务器上都没有开通')
  for (const path of ['/people', `/people/${worker.staffId}`]) expect(await read(path, boss)).not.toContain('refused')
  await bare.app.close()
  // Those without a confirmed test are not among the unreachable.
  const zh = await dashboard.ask('/people', { as: supervisor.staffId, language: 'zh' })
  expect(zh.text).toContain('4 人中有 2 人通知不到')
  expect(zh.text).toContain('另有 2 人还没有确认收到过测试。')
})

test('a social worker sees whether, not how; nobody sees the other community', async () => {
  const page = await ask('/people', { as: north.staff.worker.staffId })
  expect(page.text).toContain('No test confirmed')
  for (const hidden of ['E-mail', 'Last reached', 'Add a volunteer', 'zhang@example.org', '/people/']) {
    const body = page.body.replaceAll('href="/people"', '')
    expect(body.includes(hidden), hidden).toBe(false)
  }
  const other = await ask('/people', { as: south.staff.supervisor.staffId })
  expect(other.text).not.toContain('north')
  const colleague = await ask(`/people/${north.staff.worker.staffId}`)
  expect(colleague.text).toContain('zhang@example.org')
  expect(colleague.text).toContain('Only they change these')
  expect(colleague.body).not.toContain('<button class="primary"')
})

test('a supervisor changes nothing of those who can log in', async () => {
  const base = `/people/${north.staff.worker.staffId}`
  const { channelId } = (await channelsOf(database.db, north.staff.worker.staffId))[0]!
  for (const [path, form] of [
    [`${base}/channels`, { kind: 'email', address: 'x@example.org' }],
    [`${base}/channels/${channelId}/remove`, {}],
    [`${base}/quiet-hours`, { end: '1' }],
    [`${base}/end`, {}],
    [`${base}/residents/${north.residents[0]!.residentId}`, {}],
  ] as const)
    expect((await ask(path, { form: { ...form } })).status, path).toBe(404)
  expect((await channelsOf(database.db, north.staff.worker.staffId)).length).toBe(1)
})

test('a volunteer is entered, given residents and a channel, is in their chain, and is forgotten when it ends', async () => {
  const path = await volunteer('示例·王阿姨')
  const staffId = idOf(path)
  const [first, second] = north.residents
  const found = await ask(`${path}?find=north 2`)
  expect(found.text).toContain(`Agreed for ${second!.name}`)
  expect(found.text).not.toContain(`Agreed for ${first!.name}`)
  expect((await ask(`${path}/residents/${first!.residentId}`, { form: {} })).status).toBe(303)
  expect((await ask(`${path}/residents/${second!.residentId}`, { form: {} })).status).toBe(303)
  // Not a resident of another community, and not twice.
  expect((await ask(`${path}/residents/${south.residents[0]!.residentId}`, { form: {} })).status).toBe(404)
  expect((await ask(`${path}/residents/${first!.residentId}`, { form: {} })).status).toBe(404)
  await ask(`${path}/channels`, { form: { kind: 'sms', address: '138 0000 0000' } })
  expect((await channelsOf(database.db, staffId)).map(({ address }) => address)).toEqual(['13800000000'])

  const neighbours = async (residentId: string) => {
    const chain = await loadChain(database.db, { residentId, severity: 'emergency', now: clock.now() })
    return chain!.steps
      .flatMap(({ people }) => people)
      .filter(({ role }) => role === 'neighbour')
      .map((each) => each.staffId)
  }
  expect(await neighbours(first!.residentId)).toEqual([staffId])
  expect(await neighbours(north.residents[2]!.residentId)).toEqual([])
  expect((await ask(path)).text).toContain('Volunteer or neighbour')
  expect((await ask('/people')).text).toContain('For 2 residents')

  await ask(`${path}/residents/${first!.residentId}/end`, { form: {} })
  expect(await neighbours(first!.residentId)).toEqual([])
  expect((await ask(path)).text).toMatch(/resident removed · .*李主管/)
  const looks = await rows('select page from access_log where resident_id = $1 order by access_id', [first!.residentId])
  expect(looks.map(({ page }) => page)).toEqual(['volunteer added', 'volunteer removed'])

  expect((await ask(`${path}/end`, { form: {} })).status).toBe(303)
  expect((await ask(path)).status).toBe(404)
  expect(await channelsOf(database.db, staffId)).toEqual([])
  expect(await neighbours(second!.residentId)).toEqual([])
  expect(await rows('select phone from staff where staff_id = $1', [staffId])).toEqual([{ phone: null }])
})

test('a volunteer of another community is nobody here', async () => {
  const path = await volunteer('示例·赵叔叔')
  const as = south.staff.supervisor.staffId
  expect((await ask(path, { as })).status).toBe(404)
  expect((await ask(`${path}/residents/${south.residents[0]!.residentId}`, { as, form: {} })).status).toBe(404)
  expect((await ask(`${path}/residents/${north.residents[2]!.residentId}`, { as, form: {} })).status).toBe(404)
  expect((await ask(`${path}/end`, { as, form: {} })).status).toBe(404)
  expect((await ask(path)).status).toBe(200)
})

test.each([
  [{ name: ' ', community: 'north-community' }, 'Please enter a name'],
  [{ name: 'x', phone: 'call me', community: 'north-community' }, 'digits only'],
  [{ name: 'x', community: 'south-community' }, 'Please choose one of your communities'],
])('what is wrong with a new volunteer is said: %o', async (form, problem) => {
  const before = await rows('select count(*) as n from staff')
  const page = await ask('/people', { form })
  expect(page.status).toBe(400)
  expect(page.text).toContain(problem)
  expect(await rows('select count(*) as n from staff')).toEqual(before)
})

test('the family is told only as far as the resident allows it, and the private page outlives it', async () => {
  const { familyMemberId } = north.family
  const { residentId } = north.residents[0]!
  const allow = (allowed: boolean) =>
    rows('update family_members set sees_alerts = $2 where family_member_id = $1', [familyMemberId, allowed])
  const family = async () => {
    const chain = await loadChain(database.db, { residentId, severity: 'emergency', now: clock.now() })
    return chain!.steps.flatMap((step) => step.family).map(({ staffId }) => staffId)
  }
  await allow(false)
  const found = await ask('/people?family=daughter-nobody')
  expect(found.text).toContain('Nobody was found')
  const listed = await ask(`/people?family=${encodeURIComponent('女儿 north')}`)
  expect(listed.text).toContain('The resident does not allow it')
  expect((await ask(`/people/family/${familyMemberId}`, { form: {} })).status).toBe(404)

  await allow(true)
  const path = await newPerson(`/people/family/${familyMemberId}`, {})
  await ask(`${path}/channels`, { form: { kind: 'email', address: 'daughter@example.org' } })
  expect(await family()).toEqual([idOf(path)])
  // She is nobody whom the community can send.
  expect((await ask(`${path}/residents/${residentId}`, { form: {} })).status).toBe(404)
  await allow(false)
  expect(await family()).toEqual([])
  expect((await ask(path)).text).toContain('The resident does not allow it: nothing is told.')
  await allow(true)
  expect((await ask(`${path}/end`, { form: {} })).status).toBe(303)
  expect(await family()).toEqual([])
  expect((await dashboard.ask(`/f/${north.family.token}`)).status).toBe(200)
  // And again: the same person, with no channel left from before.
  expect(await newPerson(`/people/family/${familyMemberId}`, {})).toBe(path)
  expect(await channelsOf(database.db, idOf(path))).toEqual([])
})

test('a person without a login can neither log in nor be anybody on a page of their own', async () => {
  const path = await volunteer('示例·无登录')
  expect((await ask('/me', { as: idOf(path) })).status).not.toBe(200)
})
