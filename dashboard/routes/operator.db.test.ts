import { afterAll, beforeAll, expect, test } from 'vitest'
import { findGateway } from '../../db/gateways.js'
import { manualClock } from '../../kit/clock.js'
import { openTestDashboard } from '../../test/support/dashboard.js'
import { startTestDatabase, type TestDatabase } from '../../test/support/database.js'
import { type Community, seedCommunity } from '../../test/support/fixtures.js'

const now = new Date('2026-03-10T06:27:00Z')
let database: TestDatabase
let dashboard: Awaited<ReturnType<typeof openTestDashboard>>
let north: Community
let south: Community

const minutesAgo = (minutes: number) => new Date(now.getTime() - minutes * 60_000)
const quarantine = (
  row: Partial<Record<'gatewayId' | 'topic' | 'reason' | 'detail', string | null>> & {
    payload?: Buffer
    kept?: boolean
    at?: Date
  },
) =>
  database.db.query(
    `insert into quarantine (received_at, gateway_id, topic, reason, detail, payload, payload_bytes, kept)
     values ($1, $2, $3, $4, $5, $6, $7, $8)`,
    [
      row.at ?? minutesAgo(5),
      row.gatewayId ?? null,
      row.topic ?? 'v1/x/y/water',
      row.reason ?? 'malformed JSON',
      row.detail ?? '',
      row.payload ?? Buffer.from('{'),
      row.payload?.length ?? 1,
      row.kept ?? false,
    ],
  )
const addGateways = (communityId: string, prefix: string, count: number) =>
  database.db.query(
    `insert into gateways (gateway_id, community_id, secret_hash, label, online, online_changed_at, last_heard_at)
     select $1 || lpad(i::text, greatest(3, length(i::text)), '0'), $2, 'none', 'label ' || i, true, $4, $4 from generate_series(1, $3::int) i`,
    [prefix, communityId, count, now],
  )

beforeAll(async () => {
  database = await startTestDatabase()
  north = await seedCommunity(database.db, { key: 'north', now })
  south = await seedCommunity(database.db, { key: 'south', now })
  dashboard = await openTestDashboard({ db: database.db, clock: manualClock(now) })
})
afterAll(async () => {
  await dashboard?.close()
  await database?.stop()
})

const operator = () => north.staff.operator.staffId

test('all well is said in the first line, and an empty quarantine too', async () => {
  const en = await dashboard.ask('/gateways', { as: operator() })
  expect(en.status).toBe(200)
  expect(en.text).toContain('The gateway is connected; nothing quarantined in the last 24 h.')
  expect((await dashboard.ask('/gateways', { as: operator(), language: 'zh' })).text).toContain('1 台网关全部在线；')
  expect((await dashboard.ask('/quarantine', { as: operator() })).text).toContain('Nothing is in quarantine.')
})

test('an operator without gateways is told how to begin', async () => {
  await database.db.query(`insert into communities values ('new', '示例', 'Asia/Shanghai')`)
  await database.db.query(`insert into staff values ('new-op', '示例', 'operator', 'new-op', 'x')`)
  await database.db.query(`insert into staff_communities values ('new-op', 'new')`)
  expect((await dashboard.ask('/gateways', { as: 'new-op' })).text).toContain('No gateways are registered yet.')
  expect((await dashboard.ask('/devices', { as: 'new-op' })).text).toContain('No devices are registered yet.')
})

test('hundreds of gateways: worst first, in pages, searchable', async () => {
  await addGateways(north.communityId, 'n-', 213)
  await database.db.query(
    `update gateways set online = false, online_changed_at = $1::timestamptz - interval '1 hour' * right(gateway_id, 3)::int
      where gateway_id in ('n-011', 'n-100', 'n-213')`,
    [now],
  )
  await database.db.query(`update gateways set clock_ahead_s = 7500 where gateway_id = 'n-050'`)
  await quarantine({ gatewayId: 'n-050', reason: 'time absurd' })
  const first = await dashboard.ask('/gateways', { as: operator() })
  expect(first.text).toContain('3 of 214 gateways silent; 1 clock wrong; 1 message quarantined in the last 24 h.')
  expect(first.text).toContain('2 h 5 min ahead')
  const listed = [...first.body.matchAll(/<a href="\/gateways\/([^"]+)"/g)].map((match) => match[1])
  expect(listed).toHaveLength(50)
  expect(listed.slice(0, 4)).toEqual(['n-213', 'n-100', 'n-011', 'n-050'])
  expect(first.text).toContain('Page 1 of 5')
  const last = await dashboard.ask('/gateways?page=5', { as: operator() })
  expect([...last.body.matchAll(/<a href="\/gateways\/([^"]+)"/g)]).toHaveLength(14)
  const found = await dashboard.ask('/gateways?q=N-21', { as: operator() })
  expect([...found.body.matchAll(/<a href="\/gateways\/([^"]+)"/g)].map((match) => match[1])).toEqual(
    expect.arrayContaining(['n-210', 'n-213']),
  )
  expect((await dashboard.ask('/gateways?q=%25', { as: operator() })).text).toContain('No gateway fits this search.')
  expect((await dashboard.ask('/gateways?page=-3&q=', { as: operator() })).status).toBe(200)
})

test('a gateway has its devices and its quarantine; residents appear by id, never by name', async () => {
  await database.db.query(
    `insert into readings (device_no, observed_at, received_at, value, battery) values ($1, $2, $2, 1, 0.42)`,
    [north.residents[0]!.devices.water, minutesAgo(3)],
  )
  const pages = await Promise.all(
    [`/gateways/${north.gatewayId}`, '/devices', '/gateways', '/quarantine'].map((path) =>
      dashboard.ask(path, { as: operator() }),
    ),
  )
  for (const { status, body } of pages) {
    expect(status).toBe(200)
    for (const { name } of north.residents) expect(body).not.toContain(name)
  }
  const { text } = pages[0]!
  expect(text).toContain(
    `Water meter ${north.residents[0]!.residentId} ${north.residents[0]!.residentId}-water · Last reading 3 min ago, 14:24 · Battery 42 %`,
  )
  expect(text).toContain('nothing received yet')
})

test('quarantine: reasons in words, payloads as text or hexadecimal, nothing comes alive', async () => {
  await quarantine({
    gatewayId: north.gatewayId,
    topic: 'v1/<script>alert(1)</script>',
    reason: 'wrong shape',
    detail: 'litres: <b>expected</b> number',
    payload: Buffer.from('{"litres":"<script>alert(2)</script>"}'),
  })
  await quarantine({ reason: 'not UTF-8', payload: Buffer.from('ff00fe', 'hex'), gatewayId: north.gatewayId })
  await quarantine({ reason: 'register ran backwards', kept: true, gatewayId: north.gatewayId })
  await quarantine({ reason: 'a code of tomorrow' })
  const { text, body } = await dashboard.ask('/quarantine', { as: operator() })
  for (const words of [
    'Fields are missing or of the wrong type',
    'Not text: binary data',
    'ff 00 fe',
    'a code of tomorrow',
  ])
    expect(text).toContain(words)
  expect(text).toContain('The register ran backwards')
  expect(text).toContain('The reading was kept all the same')
  expect(text).toContain('unknown gateway')
  expect(body).not.toMatch(/<script>|<b>/)
  const zh = await dashboard.ask('/quarantine', { as: operator(), language: 'zh' })
  for (const words of ['字段缺失或类型不对', '表数倒走', '读数本身已保留', '未知网关']) expect(zh.text).toContain(words)
})

test('quarantine is filtered by gateway and reason, and goes on page by page', async () => {
  const only = await dashboard.ask(`/quarantine?gateway=${north.gatewayId}&reason=not+UTF-8`, { as: operator() })
  expect([...only.body.matchAll(/class="topic"/g)]).toHaveLength(1)
  expect((await dashboard.ask('/quarantine?gateway=nobody', { as: operator() })).text).toContain('fits this filter')
  for (let i = 0; i < 60; i++)
    await quarantine({ gatewayId: north.gatewayId, reason: 'unknown device', topic: `t/${i}` })
  const first = await dashboard.ask('/quarantine?reason=unknown+device', { as: operator() })
  expect(first.text).toContain('t/59')
  expect(first.text).not.toContain('t/9 ')
  const older = /href="(\/quarantine\?[^"]*before=[^"]*)"/.exec(first.body)![1]!.replaceAll('&amp;', '&')
  const second = await dashboard.ask(older, { as: operator() })
  expect(second.text).toContain('t/9 ')
  expect([...second.body.matchAll(/class="topic"/g)]).toHaveLength(10)
  expect(second.text).toContain('Newest')
})

test("another community's gateways, devices and quarantine do not exist; messages of no gateway are everybody's", async () => {
  await quarantine({ gatewayId: south.gatewayId, reason: 'unknown device', topic: 'v1/south-secret/x/water' })
  for (const path of ['/gateways', '/devices', '/quarantine', `/quarantine?gateway=${south.gatewayId}`]) {
    const { body } = await dashboard.ask(path, { as: operator() })
    expect(body, path).not.toContain('south-secret')
    expect(body, path).not.toContain(`/gateways/${south.gatewayId}`)
    expect(body, path).not.toContain(south.residents[0]!.residentId)
  }
  expect((await dashboard.ask(`/gateways/${south.gatewayId}`, { as: operator() })).status).toBe(404)
  const own = await dashboard.ask('/quarantine', { as: south.staff.operator.staffId })
  expect(own.body).toContain('south-secret')
  expect(own.text).toContain('a code of tomorrow')
})

test.each(['/devices', '/quarantine'])('%s is for operators only', async (path) => {
  expect((await dashboard.ask(path, { as: north.staff.worker.staffId })).status).toBe(404)
  expect((await dashboard.ask(path, { as: north.staff.supervisor.staffId })).status).toBe(404)
  expect((await dashboard.ask(path)).status).toBe(303)
})

test('a gateway that is connected and sends nothing, one never seen, and one switched off are told apart', async () => {
  await database.db.query(`update gateways set last_heard_at = $1 where gateway_id = 'n-001'`, [minutesAgo(300)])
  await database.db.query(
    `update gateways set online = false, last_heard_at = null, online_changed_at = null where gateway_id = 'n-002'`,
  )
  await database.db.query(`update gateways set disabled_at = $1 where gateway_id = 'n-003'`, [now])
  const conditionOf = async (gatewayId: string) => {
    return (await findGateway(database.db, { communityIds: [north.communityId], now, gatewayId }))!.condition
  }
  expect(await conditionOf('n-001')).toBe('idle')
  expect(await conditionOf('n-002')).toBe('never')
  expect(await conditionOf('n-003')).toBe('disabled')
  expect(await conditionOf('n-004')).toBe('well')
  expect((await dashboard.ask('/gateways', { as: operator() })).text).toContain(
    '1 never connected; 1 connected without sending',
  )
})

test('where there are thousands of gateways their numbers are remembered for 5 s, however often the page is asked for', async () => {
  const many = await seedCommunity(database.db, { key: 'many', now })
  await addGateways(many.communityId, 'm-', 5_100)
  const clock = manualClock(now)
  const city = await openTestDashboard({ db: database.db, clock })
  const first = async () => (await city.ask('/gateways', { as: many.staff.operator.staffId })).text
  expect(await first()).toContain('All 5101 gateways are connected')
  await database.db.query(
    `update gateways set online = false, online_changed_at = $1::timestamptz - interval '1 hour' where gateway_id = 'm-077'`,
    [now],
  )
  expect(await first()).toContain('All 5101 gateways are connected')
  clock.advance(5_000)
  const later = await first()
  expect(later).toContain('1 of 5101 gateways silent')
  expect(later).toContain('Page 1 of 103')
  const devices = (await city.ask('/devices', { as: many.staff.operator.staffId })).text
  expect(devices).toMatch(/\d+ devices; those whose gateway is away first/)
  await city.close()
})
