import { afterAll, beforeAll, expect, test } from 'vitest'
import { manualClock } from '../../kit/clock.js'
import { openTestDashboard } from '../../test/support/dashboard.js'
import { startTestDatabase, type TestDatabase } from '../../test/support/database.js'
import { type Community, seedAlert, seedCommunity } from '../../test/support/fixtures.js'
import { foldReadings, insertReadings, readRegister } from '../../test/support/usage.js'

/** 14:27 in Shanghai. */
const now = new Date('2026-03-10T06:27:00Z')
const clock = manualClock(now)
const hour = 3_600_000
const evil = '<img src=x onerror=alert(1)>&"\''
let database: TestDatabase
let dashboard: Awaited<ReturnType<typeof openTestDashboard>>
let north: Community
let south: Community

beforeAll(async () => {
  database = await startTestDatabase()
  const { db } = database
  north = await seedCommunity(db, { key: 'north', now, residents: 4 })
  south = await seedCommunity(db, { key: 'south', now })
  dashboard = await openTestDashboard({ db, clock })

  // The first uses 5 L every hour, with an outage of three hours the day before in which 12 L were used.
  const first = north.residents[0]!
  const outage = { from: now.getTime() - 30 * hour, until: now.getTime() - 27 * hour }
  const register = (at: number) =>
    1_000 + 5 * Math.floor(at / hour) - 5 * Math.floor((now.getTime() - 20 * 24 * hour) / hour)
  const water = readRegister({
    deviceNo: first.devices.water,
    kind: 'water',
    from: now.getTime() - 16 * 24 * hour,
    to: now.getTime(),
    stepMin: 10,
    register,
    battery: 0.15,
  }).filter(({ at }) => at <= outage.from || at >= outage.until)
  await insertReadings(db, water)
  await foldReadings(db, { residentId: first.residentId, readings: water, now })

  // The second was last heard at 09:42, then the gateway fell silent.
  const second = north.residents[1]!
  const early = readRegister({
    deviceNo: second.devices.water,
    kind: 'water',
    from: now.getTime() - 48 * hour,
    to: Date.parse('2026-03-10T01:45:00Z'),
    stepMin: 5,
    register,
  })
  await insertReadings(db, early)
  await foldReadings(db, { residentId: second.residentId, readings: early, now })
  await db.query(
    `insert into gateways (gateway_id, community_id, secret_hash, online, online_changed_at, last_heard_at)
     values ('north-gw2', $1, 'none', false, '2026-03-10T01:45:00Z', '2026-03-10T01:45:00Z')`,
    [north.communityId],
  )
  await db.query(`update devices set gateway_id = 'north-gw2' where resident_id = $1`, [second.residentId])

  // The third has names that would like to be more than text; the fourth has nothing at all.
  await db.query('update residents set name = $2, address = $2, health_note = $2, phone = $2 where resident_id = $1', [
    north.residents[2]!.residentId,
    evil,
  ])
  await db.query('delete from devices where resident_id = $1', [north.residents[3]!.residentId])
  await seedAlert(db, {
    communityId: north.communityId,
    residentId: first.residentId,
    kind: 'silent_12h',
    openedAt: new Date(now.getTime() - 50 * hour),
    stage: 'closed',
    outcome: 'resident fine',
    handledBy: north.staff.worker.staffId,
  })
})
afterAll(async () => {
  await dashboard?.close()
  await database?.stop()
})

const path = (index: number, of = north) => `/residents/${of.residents[index]!.residentId}`
const worker = () => north.staff.worker.staffId
const supervisor = () => north.staff.supervisor.staffId

test('the first line says what is known and how fresh that is, in both languages', async () => {
  const en = await dashboard.ask(path(0), { as: worker() })
  expect(en.status).toBe(200)
  expect(en.headers['cache-control']).toBe('no-store')
  expect(en.text).toMatch(
    /Used Water or electricity was used \d+ min ago, 14:\d\d ; readings are complete until 14:\d\d\./,
  )
  const zh = await dashboard.ask(path(0), { as: worker(), language: 'zh' })
  expect(zh.text).toMatch(/有使用 最近一次用水或用电： \d+ 分钟前，14:\d\d ；读数完整到 14:\d\d。/)
})

test('a silent gateway makes it unknown, since when and why, never unused', async () => {
  const en = await dashboard.ask(path(1), { as: worker() })
  expect(en.text).toContain('Unknown Unknown since 09:42: the gateway is silent.')
  expect(en.text).toContain('offline for 4 h 42 min')
  const zh = await dashboard.ask(path(1), { as: worker(), language: 'zh' })
  expect(zh.text).toContain('09:42 起情况不明：网关没有消息。')
  expect(zh.text).toContain('离线，已 4 小时 42 分钟')
})

test('a resident without devices, or without a reading yet, is unknown with the reason', async () => {
  expect((await dashboard.ask(path(3), { as: worker() })).text).toContain('Unknown: no devices are installed here yet.')
  expect((await dashboard.ask(path(3), { as: worker(), language: 'zh' })).text).toContain('家中还没有安装设备')
  const noReading = await dashboard.ask(path(2), { as: worker() })
  expect(noReading.text).toContain('Unknown: no readings have arrived yet.')
  expect(noReading.text).toContain('nothing known')
})

test('charts tell hours, and what was used while nobody listened stays out of them', async () => {
  const { text, body } = await dashboard.ask(path(0), { as: worker() })
  expect(text).toContain('Water today, L per hour')
  expect(text).toContain('13:00–14:00 5 L')
  expect(text).toMatch(/yesterday 08:\d\d – 11:\d\d: 15 L used meanwhile, hour unknown/)
  expect(body).not.toMatch(/: 1[5-9] L</)
  expect(body.match(/strip-row/g)!.length).toBeGreaterThanOrEqual(15)
  expect(body).not.toMatch(/style=|<script(?![^>]*src=)/)
})

test('contact, devices, alerts with their outcome, and the looks are there', async () => {
  const { text, body } = await dashboard.ask(path(0), { as: worker() })
  for (const part of ['101 室', '1001#', '示例·门卫', '听力不好，敲门要用力', '示例·女儿 north', 'Battery 15 %'])
    expect(text).toContain(part)
  expect(body).toContain('href="tel:00000001001"')
  expect(text).toContain('Open alerts Emergency')
  expect(text).toMatch(/Resident is fine · 2 days ago/)
  expect(text).toContain('示例·张社工 north (Social worker) · resident page · just now')
})

test('each look is on record; a page that refreshes itself is one look', async () => {
  const looks = async () => {
    const { rows } = await database.db.query<{ looks: number }>(
      `select sum(looks)::int as looks from access_log where resident_id = $1 and staff_id = $2`,
      [north.residents[1]!.residentId, north.staff.colleague.staffId],
    )
    return rows[0]!.looks
  }
  const as = north.staff.colleague.staffId
  await dashboard.ask(path(1), { as })
  expect(await looks()).toBe(1)
  await dashboard.ask(path(1), { as, refresh: true })
  expect(await looks()).toBe(1)
  await dashboard.ask(path(1), { as })
  expect(await looks()).toBe(2)
})

test('names are text, whatever they contain', async () => {
  const { body } = await dashboard.ask(path(2), { as: worker() })
  expect(body).not.toContain('<img')
  expect(body).toContain('&lt;img src=x onerror=alert(1)>&amp;')
})

test.each([
  ['a social worker of another community', () => south.staff.worker.staffId],
  ['a supervisor of another community', () => south.staff.supervisor.staffId],
  ['the operator of this one', () => north.staff.operator.staffId],
])('for %s the resident does not exist, and no look is recorded', async (_, as) => {
  const count = async () => (await database.db.query('select count(*)::int as n from access_log')).rows[0]!.n
  const before = await count()
  const { status, text } = await dashboard.ask(path(0), { as: as() })
  expect(status).toBe(404)
  expect(text).not.toContain(north.residents[0]!.name)
  expect(await count()).toBe(before)
})

test('nobody who is not logged in sees a resident', async () => {
  expect((await dashboard.ask(path(0))).status).toBe(303)
})

test('a resident who has left does not exist any more', async () => {
  const { residentId } = south.residents[1]!
  await database.db.query('update residents set left_at = $2 where resident_id = $1', [residentId, now])
  expect((await dashboard.ask(path(1, south), { as: south.staff.worker.staffId })).status).toBe(404)
})

test('the supervisor issues a private link, shown once; the one before stops working; revoking ends it', async () => {
  const base = `${path(0)}/family/${north.family.familyMemberId}`
  expect((await dashboard.ask(`/f/${north.family.token}`)).status).toBe(200)
  const issued = await dashboard.ask(`${base}/link`, { as: supervisor(), form: {} })
  expect(issued.status).toBe(200)
  const link = /https:\/\/shouwang\.example(\/f\/[A-Za-z0-9_-]{43})"/.exec(issued.body)![1]!
  expect((await dashboard.ask(`/f/${north.family.token}`)).status).toBe(404)
  expect((await dashboard.ask(link)).status).toBe(200)
  const page = await dashboard.ask(path(0), { as: supervisor() })
  expect(page.body).not.toContain(link)
  expect(page.text).toContain('issued a private link')
  const { rows } = await database.db.query('select token_hash::text as hash from family_links')
  expect(JSON.stringify(rows)).not.toContain(link.slice(3))
  expect((await dashboard.ask(`${base}/revoke`, { as: supervisor(), form: {} })).status).toBe(303)
  expect((await dashboard.ask(link)).status).toBe(404)
})

test.each([
  ['a social worker', () => north.staff.worker.staffId],
  ['the operator', () => north.staff.operator.staffId],
  ['a supervisor of another community', () => south.staff.supervisor.staffId],
])('%s cannot issue or revoke a link', async (_, as) => {
  for (const what of ['link', 'revoke']) {
    const url = `${path(0)}/family/${north.family.familyMemberId}/${what}`
    expect((await dashboard.ask(url, { as: as(), form: {} })).status).toBe(404)
  }
})

test("a supervisor cannot reach another resident's family through an own resident", async () => {
  const url = `${path(0)}/family/${south.family.familyMemberId}/link`
  expect((await dashboard.ask(url, { as: supervisor(), form: {} })).status).toBe(404)
  expect((await dashboard.ask(`/f/${south.family.token}`)).status).toBe(200)
})
