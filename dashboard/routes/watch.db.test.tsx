import type { AddressInfo } from 'node:net'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { noteBeat, noteProcess, type RoundResult, recordRound } from '../../db/watch.js'
import { addMissingHomes } from '../../db/watch-homes.js'
import { openBrowser } from '../../test/support/browser.js'
import { startTestDatabase, type TestDatabase } from '../../test/support/database.js'
import { type Community, seedCommunity } from '../../test/support/fixtures.js'
import { createTestDashboard, logIn, type TestDashboard, testNow } from '../test-app.js'

const minuteMs = 60_000
const hourMs = 60 * minuteMs
const before = (ms: number) => new Date(testNow.getTime() - ms)
let database: TestDatabase
let dashboard: TestDashboard
let north: Community
let south: Community
const cookies: Record<string, string> = {}

beforeAll(async () => {
  database = await startTestDatabase()
  const { db } = database
  north = await seedCommunity(db, { key: 'north', now: testNow, residents: 3 })
  south = await seedCommunity(db, { key: 'south', now: testNow })
  await db.query(`update alerts set stage = 'closed', outcome = 'resident fine', closed_at = $1, due_at = null`, [
    testNow,
  ])
  dashboard = await createTestDashboard(db)
  for (const { key, staff, password } of [north, south])
    for (const role of ['worker', 'supervisor', 'operator'] as const)
      cookies[`${key} ${role}`] = await logIn(dashboard.app, { login: staff[role].login, password })
})
afterAll(async () => {
  await dashboard.app.close()
  await database.stop()
})

const get = async (path: string, viewer: string, language = 'en') => {
  // What is at most some seconds old is asked for anew.
  dashboard.clock.advance(61_000)
  const response = await dashboard.app.inject({
    url: path,
    headers: { cookie: `${cookies[viewer]}; shouwang_language=${language}` },
  })
  return { status: response.statusCode, body: response.body, h1: /<h1[^>]*>(.*?)<\/h1>/.exec(response.body)?.[1] }
}
const rounds = async (communityId: string, result: RoundResult, at: Date) =>
  database.db.transaction((tx) => recordRound(tx, { communityId, pressedAt: at, result, now: at }))
const came = (pageMs: number): RoundResult => ({ kind: 'came', ackedMs: 10, pageMs })
const lost: RoundResult = { kind: 'missed', why: 'no page', ackedMs: 9, detail: '' }
/** As a process that is here would note it, whatever the clock of the test says. */
const alive = async () => {
  const now = dashboard.clock.now()
  await noteProcess(database.db, {
    processId: 'p1',
    startedAt: before(26 * hourMs),
    now: new Date(now.getTime() + 61_000),
    plays: true,
    hasSwitch: true,
  })
}

test('without a watcher the operator is told so, and how to have one', async () => {
  const { h1, body } = await get('/watch', 'north operator')
  expect(h1).toBe('There is no self-check')
  expect(body).toContain('WATCH_MQTT_URL')
  expect((await get('/gateways', 'north operator')).body).toContain('Self-check: off')
  expect((await get('/gateways', 'north supervisor')).body).not.toContain('Self-check')
})

test('well, failing, stopped: the first line says which, for the communities of this operator', async () => {
  await addMissingHomes(database.db, { now: testNow, firstAt: testNow, everyMs: 180_000, homesMax: 10 })
  await alive()
  expect((await get('/watch', 'north operator')).h1).toBe('The first test alarms have not been played yet')
  for (let hour = 23; hour >= 0; hour--)
    for (const minute of [5, 25, 45])
      await rounds(
        'north-community',
        hour === 7 && minute > 5 ? lost : came(30 + hour * 7 + minute),
        before(hour * hourMs + minute * minuteMs),
      )
  await rounds('north-community', came(43), before(2 * minuteMs))
  await rounds('south-community', lost, before(minuteMs))
  await noteBeat(database.db, { processId: 'p1', now: before(20_000), failed: null })
  await alive()
  const well = await get('/watch', 'north operator')
  expect(well.h1).toBe('Shouwang is well: its test alarm comes back')
  expect(well.body).toContain('43 ms')
  expect(well.body).toMatch(/2 of \d+/)
  expect(well.body).toContain('Beats, the last one')
  expect(well.body).not.toContain('south')
  await alive()
  expect((await get('/gateways', 'north operator')).body).toContain('Self-check: well')
  const failing = await get('/watch', 'south operator')
  expect(failing.h1).toBe('The test alarm does not come back')
  expect(failing.body).toContain('no page within 10 s')
  expect((await get('/watch', 'south operator', 'zh')).h1).toBe('测试报警没有送达')
  expect((await get('/gateways', 'south operator')).body).toContain('Self-check: not well')
  await noteBeat(database.db, { processId: 'p1', now: dashboard.clock.now(), failed: 'late: pages 75 s' })
  await alive()
  const silent = await get('/watch', 'north operator')
  expect(silent.h1).toBe('The dead man’s switch is silent')
  expect(silent.body).toContain('late: pages 75 s')
  dashboard.clock.advance(10 * minuteMs)
  expect((await get('/watch', 'north operator')).h1).toBe('The self-check has stopped')
})

test('an emergency of which nobody was told comes before all that', async () => {
  const [{ residentId, devices }] = north.residents as [Community['residents'][number]]
  const { rows } = await database.db.query<{ id: number }>(
    `insert into alerts (resident_id, community_id, device_no, kind, severity, opened_at, observed_at, headline_zh, headline_en)
     values ($1, $2, $3, 'button', 'emergency', $4, $4, '', '') returning alert_id as id`,
    [residentId, north.communityId, devices.button, dashboard.clock.now()],
  )
  dashboard.clock.advance(2 * minuteMs)
  const { h1, body } = await get('/watch', 'north operator')
  expect(h1).toBe('Nobody has been told of an emergency')
  expect(body).toContain('answer-emergency')
  await database.db.query('delete from alerts where alert_id = $1', [rows[0]!.id])
})

test('the cover: gaps of the supervisor’s own communities, and one quiet line on the console', async () => {
  const { h1, body } = await get('/coverage', 'north supervisor')
  expect(h1).toMatch(/^\d+ gaps in the cover of the coming 14 days$/)
  expect(body).toContain('Steps 1, 2 and 3 of emergency, urgent and warning: nobody in all 14 days')
  expect(body).toContain('示例·李主管 north (supervisor) is out of reach: no channel is set up')
  expect(body).not.toContain('south')
  expect((await get('/coverage', 'north supervisor', 'zh')).h1).toMatch(/^未来 14 天的值守有 \d+ 处缺口$/)
  expect((await get('/', 'north supervisor')).body).toContain('gaps in the cover')
  // A social worker is not asked to fill the roster.
  expect((await get('/', 'north worker')).body).not.toContain('gaps in the cover')
  const { db } = database
  await db.query(
    `insert into staff_channels (staff_id, position, kind, address)
     select staff_id, 1, 'email', staff_id || '@example.org' from staff where staff_id like 'north-%'`,
  )
  await db.query(
    `insert into duty_shifts (community_id, staff_id, starts_at, ends_at) values ('north-community', 'north-colleague', $1, $2)`,
    [before(hourMs), new Date(testNow.getTime() + 40 * 24 * hourMs)],
  )
  expect((await get('/coverage', 'north supervisor')).h1).toBe('In the coming 14 days every step reaches somebody')
  expect((await get('/', 'north supervisor')).body).not.toContain('in the cover')
  // The same roster on a server that sends no e-mail reaches nobody.
  const mailless = await createTestDashboard(db, { kinds: ['ntfy', 'webhook'] })
  for (const [url, said] of [
    ['/coverage', 'Steps 1, 2 and 3 of emergency, urgent and warning: nobody in all 14 days'],
    ['/coverage', '示例·李主管 north (supervisor) is out of reach: this server cannot use any of their channels'],
    ['/', 'gaps in the cover'],
  ] as const) {
    const headers = { cookie: `${cookies['north supervisor']}; shouwang_language=en` }
    expect((await mailless.app.inject({ url, headers })).body).toContain(said)
  }
  await mailless.app.close()
})

test('devices to be tested: by resident, with the way to begin; each resident’s page says when', async () => {
  const list = await get('/device-tests', 'north worker')
  expect(list.h1).toBe('6 of 6 alarm devices are due for a test')
  expect(list.body).toContain('/gateways/north-gw1/devices/north-r01-button/test')
  expect(list.body).not.toContain('示例·居民 south')
  expect((await get('/', 'north worker')).body).toContain('6 alarm devices to be tested')
  expect((await get('/residents/north-r01', 'north worker')).body).toContain('never tested')
  await database.db.query(
    `insert into devices_tested select device_no, $1, 'page' from devices where resident_id like 'north-%'`,
    [testNow],
  )
  expect((await get('/device-tests', 'north worker')).h1).toBe('All alarm devices were tested within 30 days')
  expect((await get('/', 'north worker')).body).not.toContain('to be tested')
  const page = (await get('/residents/north-r01', 'north worker')).body
  expect(page).toContain('last tested ')
  expect(page).not.toContain('test is due')
})

/** Nobody's: seen by no one, counted nowhere. */
test('the synthetic resident is on no page, also where it has an alarm just now', async () => {
  const { db } = database
  const pages: [string, string][] = [
    ['/', 'north supervisor'],
    ['/?q=%E5%AE%88%E6%9C%9B', 'north supervisor'],
    ['/gateways', 'north operator'],
    ['/gateways?q=watch', 'north operator'],
    ['/devices', 'north operator'],
    ['/devices?q=watch', 'north operator'],
    ['/quarantine', 'north operator'],
    ['/people', 'north supervisor'],
    ['/numbers?community=north-community', 'north operator'],
    ['/device-tests', 'north worker'],
    ['/coverage', 'north supervisor'],
  ]
  const { rows } = await db.query<{ residentId: string; deviceNo: number; communityId: string }>(
    `select r.resident_id as "residentId", d.device_no as "deviceNo", r.community_id as "communityId"
       from residents r join devices d using (resident_id) where r.synthetic`,
  )
  expect(rows).toHaveLength(2)
  const bodies = async () => {
    const found: string[] = []
    for (const [path, viewer] of pages) {
      const { status, body } = await get(path, viewer)
      expect(status, path).toBe(200)
      for (const each of rows) expect(body.includes(each.residentId), `${path} shows ${each.residentId}`).toBe(false)
      found.push(
        body
          .replaceAll(/\d{4}-\d{2}-\d{2}T[^"]*/g, 'TIME')
          .replaceAll(/<time.*?<\/time>/g, 'TIME')
          .replaceAll(/\d\d:\d\d/g, 'CLOCK'),
      )
    }
    return found
  }
  const quiet = await bodies()
  for (const { residentId, deviceNo, communityId } of rows) {
    await db.query(
      `insert into alerts (resident_id, community_id, device_no, kind, severity, opened_at, observed_at, headline_zh, headline_en)
       values ($1, $2, $3, 'button', 'emergency', $4, $4, '自检', 'self-check')`,
      [residentId, communityId, deviceNo, dashboard.clock.now()],
    )
    await db.query(`insert into readings (device_no, observed_at, event, received_at) values ($1, $2, 'pressed', $2)`, [
      deviceNo,
      dashboard.clock.now(),
    ])
  }
  expect(await bodies()).toEqual(quiet)
  for (const { residentId } of rows)
    expect((await get(`/residents/${residentId}`, 'north supervisor')).status).toBe(404)
}, 60_000)

test('on a phone nothing has to be moved sideways, and what is pressed is 44 px high', async () => {
  const { db } = database
  await db.query('delete from devices_tested')
  await db.query('delete from duty_shifts')
  await dashboard.app.listen({ port: 0, host: '127.0.0.1' })
  const base = `http://127.0.0.1:${(dashboard.app.server.address() as AddressInfo).port}`
  const browser = await openBrowser()
  try {
    for (const [viewer, path] of [
      ['north operator', '/watch'],
      ['north supervisor', '/coverage'],
      ['north worker', '/device-tests'],
    ] as const)
      for (const language of ['zh', 'en']) {
        const context = await browser.newContext({ viewport: { width: 360, height: 740 } })
        const [name, value] = cookies[viewer]!.split('=') as [string, string]
        await context.addCookies([
          { name, value, url: base },
          { name: 'shouwang_language', value: language, url: base },
        ])
        const page = await context.newPage()
        await page.goto(base + path)
        expect(await page.locator('h1').count()).toBe(1)
        const { wide, small } = await page.evaluate(() => ({
          wide: document.documentElement.scrollWidth,
          small: [...document.querySelectorAll('main a.button, main summary')].filter(
            (each) => each.getBoundingClientRect().height < 44,
          ).length,
        }))
        expect({ path, language, wide, small }).toEqual({ path, language, wide: 360, small: 0 })
        await context.close()
      }
  } finally {
    await browser.close()
  }
}, 60_000)
