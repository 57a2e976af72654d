import { afterAll, beforeAll, expect, test } from 'vitest'
import { manualClock } from '../../kit/clock.js'
import { openTestDashboard } from '../../test/support/dashboard.js'
import { startTestDatabase, type TestDatabase } from '../../test/support/database.js'
import { type Community, seedAlert, seedCommunity } from '../../test/support/fixtures.js'
import { foldReadings, insertReadings, readRegister } from '../../test/support/usage.js'

/** 14:27 in Shanghai. */
const now = new Date('2026-03-10T06:27:00Z')
const hour = 3_600_000
const clock = manualClock(now)
let database: TestDatabase
let dashboard: Awaited<ReturnType<typeof openTestDashboard>>
let home: Community

beforeAll(async () => {
  database = await startTestDatabase()
  const { db } = database
  home = await seedCommunity(db, { key: 'home', now })
  await seedCommunity(db, { key: 'other', now })
  dashboard = await openTestDashboard({ db, clock })
  await live()
})
afterAll(async () => {
  await dashboard?.close()
  await database?.stop()
})

const residentId = () => home.residents[0]!.residentId
const url = () => `/f/${home.family.token}`
const closeAlerts = () =>
  database.db.query(
    `update alerts set stage = 'closed', outcome = 'resident fine', closed_at = $1::timestamptz - interval '2 days',
            opened_at = $1::timestamptz - interval '2 days' where resident_id = $2`,
    [now, residentId()],
  )

/** 137 L an hour, until a few minutes ago. */
async function live() {
  const readings = readRegister({
    deviceNo: home.residents[0]!.devices.water,
    kind: 'water',
    from: now.getTime() - 9 * 24 * hour,
    to: now.getTime(),
    stepMin: 5,
    register: (at) => Math.round((137 * (at - now.getTime() + 400 * hour)) / hour),
  })
  await insertReadings(database.db, readings)
  await foldReadings(database.db, { residentId: residentId(), readings, now })
}

test('an open alert comes first: what it is, and who is on the way since when', async () => {
  await database.db.query(`update alerts set stage = 'en_route', handled_by = $2 where alert_id = $1`, [
    home.alertId,
    home.staff.worker.staffId,
  ])
  await database.db.query(
    `insert into alert_events (alert_id, at, kind, staff_id) values ($1, $2::timestamptz - interval '3 min', 'en_route', $3)`,
    [home.alertId, now, home.staff.worker.staffId],
  )
  const zh = await dashboard.ask(url(), { language: 'zh' })
  expect(zh.text).toMatch(/家里有情况 呼叫按钮被按下了。 .*示例·张社工 home 正在赶去，出发时间： 3 分钟前，14:24/)
  const en = await dashboard.ask(url())
  expect(en.text).toMatch(/The call button was pressed\. .*示例·张社工 home is on the way; set out 3 min ago, 14:24/)
  // Beside an emergency nothing is green.
  expect(en.body).not.toContain('known-used')
})

test('somebody who may not see alerts does not', async () => {
  await database.db.query('update family_members set sees_alerts = false, sees_week = false')
  const { text } = await dashboard.ask(url())
  expect(text).not.toContain('call button')
  expect(text).not.toContain('alert')
  expect(text).not.toContain('7 days')
  await database.db.query('update family_members set sees_alerts = true, sees_week = true')
})

test('one line answers, with how fresh that is, in both languages', async () => {
  await closeAlerts()
  const en = await dashboard.ask(url())
  expect(en.status).toBe(200)
  expect(en.text).toContain(`How is ${home.residents[0]!.name}?`)
  expect(en.text).toMatch(/Up and about \d+ min ago, 14:2\d/)
  const zh = await dashboard.ask(url(), { language: 'zh' })
  expect(zh.text).toMatch(/家里有动静： \d+ 分钟前，14:2\d/)
  expect(zh.text).toContain('最近 7 天')
})

test('never a raw reading: no litres, no watts, no hours of use', async () => {
  for (const language of ['en', 'zh'] as const) {
    const { body, text } = await dashboard.ask(url(), { language })
    expect(text).not.toMatch(/\d\s*(L|Wh|kWh|m³|升|度)\b/)
    expect(text).not.toMatch(/137|\d\d:00–/)
    expect(body).not.toContain('strip')
  }
})

test('it shows nothing of anybody else, and nothing that only the station should know', async () => {
  const { text, body } = await dashboard.ask(url(), { language: 'zh' })
  const secrets = [
    '示例路',
    '101 室',
    '1001#',
    '门卫',
    '听力',
    '000-0000-1001',
    home.residents[1]!.name,
    'other',
    '/residents/',
  ]
  for (const secret of secrets) expect(body + text, secret).not.toContain(secret)
})

test('the link is no key to anything else', async () => {
  for (const path of [
    '/',
    `/residents/${residentId()}`,
    '/gateways',
    '/quarantine',
    '/devices',
    `/alerts/${home.alertId}`,
  ]) {
    const { status, text } = await dashboard.ask(path)
    expect(status, path).toBe(303)
    expect(text, path).not.toContain(home.residents[0]!.name)
  }
})

test('nothing on the way keeps it, finds it or learns of it', async () => {
  const { headers, body } = await dashboard.ask(url())
  expect(headers['cache-control']).toBe('no-store')
  expect(headers['x-robots-tag']).toBe('noindex, nofollow')
  expect(headers['referrer-policy']).toMatch(/^(same-origin|no-referrer)$/)
  expect(body).toContain('name="robots" content="noindex')
})

test('the look is on record as the family member', async () => {
  const { rows } = await database.db.query(
    `select page from access_log where resident_id = $1 and family_member_id = $2`,
    [residentId(), home.family.familyMemberId],
  )
  expect(rows[0]).toEqual({ page: 'family' })
})

test('a day on which something happened is marked; tests and notices are not', async () => {
  const { text } = await dashboard.ask(url())
  expect(text.match(/There was an alert/g)).toHaveLength(1)
  for (const [kind, outcome] of [
    ['button', 'test'],
    ['battery_low', 'device fault'],
  ] as const)
    await seedAlert(database.db, {
      communityId: home.communityId,
      residentId: residentId(),
      kind,
      openedAt: new Date(now.getTime() - 100 * hour),
      stage: 'closed',
      outcome,
    })
  expect((await dashboard.ask(url())).text.match(/There was an alert/g)).toHaveLength(1)
})

test('a silent gateway is said as unknown, with since when; nothing then says that all is well', async () => {
  await database.db.query(`update gateways set online = false, online_changed_at = $1 where gateway_id = $2`, [
    new Date('2026-03-10T05:40:00Z'),
    home.gatewayId,
  ])
  const { rows } = await database.db.query<{ state: { meters: { coveredTo: number; reach: { heardAt: number } }[] } }>(
    'select state from resident_state where resident_id = $1',
    [residentId()],
  )
  clock.set(new Date(now.getTime() + 3 * hour))
  const zh = await dashboard.ask(url(), { language: 'zh' })
  expect(zh.text).toMatch(/现在还不知道 家里的网关从 14:\d\d 起没有消息。/)
  expect(zh.text).not.toContain('家里有动静')
  expect(zh.body).not.toContain('known-used')
  const en = await dashboard.ask(url())
  expect(en.text).toMatch(/Not known at the moment The gateway at home has sent nothing since 14:\d\d\./)
  expect(rows).toHaveLength(1)
  clock.set(now)
})

test('used long ago is told by its time and not in green; at night it says so', async () => {
  await database.db.query('update gateways set online = true where gateway_id = $1', [home.gatewayId])
  const night = new Date('2026-03-10T19:27:00Z') // 03:27
  const readings = readRegister({
    deviceNo: home.residents[0]!.devices.water,
    kind: 'water',
    from: now.getTime() - 9 * 24 * hour,
    to: night.getTime(),
    stepMin: 5,
    register: (at) => (20 * Math.min(at, Date.parse('2026-03-10T13:00:00Z'))) / hour,
  })
  await foldReadings(database.db, { residentId: residentId(), readings, now: night })
  clock.set(night)
  const { text, body } = await dashboard.ask(url())
  expect(text).toMatch(/Last up and about 6 h \d+ min ago, yesterday 2[01]:\d\d/)
  expect(text).toContain('It is night there now.')
  expect(body).not.toContain('known-used')
  clock.set(now)
})

test('a resident of whom nothing was ever heard is unknown', async () => {
  await database.db.query('delete from resident_state where resident_id = $1', [residentId()])
  expect((await dashboard.ask(url())).text).toContain('Not known at the moment Nothing has arrived from this home yet.')
})

test('unknown, malformed and revoked links read the same', async () => {
  const unknown = await dashboard.ask(`/f/${'A'.repeat(43)}`)
  const malformed = await dashboard.ask('/f/x')
  await database.db.query('update family_links set revoked_at = $1 where family_member_id = $2', [
    now,
    home.family.familyMemberId,
  ])
  const revoked = await dashboard.ask(url())
  for (const answer of [unknown, malformed, revoked]) {
    expect(answer.status).toBe(404)
    expect(answer.text).toBe(unknown.text)
    expect(answer.text).not.toContain('居民')
  }
  expect((await dashboard.ask(url(), { language: 'zh' })).text).toContain('链接无效或已经收回')
})

test('guessing is slowed down per address', async () => {
  const statuses: number[] = []
  for (let guess = 0; guess < 30; guess++)
    statuses.push((await dashboard.ask(`/f/guess-${guess}`, { address: '203.0.113.7' })).status)
  expect(statuses.slice(0, 20)).toEqual(Array(20).fill(404))
  expect(statuses.at(-1)).toBe(429)
  expect((await dashboard.ask('/f/x', { address: '203.0.113.8' })).status).toBe(404)
})
