import { afterAll, beforeAll, beforeEach, expect, test } from 'vitest'
import { recordAnswers } from '../../db/command-answers.js'
import { claimCommands, recordCommandSent } from '../../db/command-queue.js'
import { manualClock } from '../../kit/clock.js'
import { openTestDashboard } from '../../test/support/dashboard.js'
import { startTestDatabase, type TestDatabase } from '../../test/support/database.js'
import { type Community, seedCommunity } from '../../test/support/fixtures.js'

/** 14:27 in Shanghai. */
const now = new Date('2026-03-10T06:27:00Z')
const minute = 60_000
const evil = '<img src=x onerror=alert(1)>"\''
const clock = manualClock(now)
let database: TestDatabase
let dashboard: Awaited<ReturnType<typeof openTestDashboard>>
let north: Community
let south: Community
let home: string
let speaker: string
let valve: string

beforeAll(async () => {
  database = await startTestDatabase()
  const { db } = database
  north = await seedCommunity(db, { key: 'north', now })
  south = await seedCommunity(db, { key: 'south', now })
  home = `/residents/${north.residents[0]!.residentId}`
  const { rows } = await db.query<{ device_no: number }>(
    `insert into devices (device_id, kind, gateway_id, resident_id, room, bound_at)
     values ('north-voice', 'voice', $1, $2, '客厅', $3) returning device_no`,
    [north.gatewayId, north.residents[0]!.residentId, now],
  )
  speaker = String(rows[0]!.device_no)
  valve = String(north.residents[0]!.devices.water)
  dashboard = await openTestDashboard({ db, clock })
})
afterAll(async () => {
  await dashboard?.close()
  await database?.stop()
})
beforeEach(async () => {
  clock.set(now)
  await database.db.query('delete from commands')
})

const worker = () => north.staff.worker.staffId
const colleague = () => north.staff.colleague.staffId
const see = (path: string, as = worker(), language: 'zh' | 'en' = 'en') => dashboard.ask(path, { as, language })
const post = (path: string, form: Record<string, string> = {}, as = worker()) => dashboard.ask(path, { as, form })
const say = (text: string, language = 'yue') =>
  post(`${home}/commands`, { device: speaker, command: 'prompt', text, language })
const askValve = async () =>
  String((await post(`${home}/commands`, { device: valve, command: 'close valve' })).headers.location)
const claimAll = () =>
  claimCommands(database.db, { gatewayIds: [north.gatewayId], now: clock.now(), leaseMs: 10_000, rowsMax: 10 })
const looksOf = async (page: string) =>
  (await database.db.query('select staff_id from access_log where page = $1', [page])).rows.map((row) => row.staff_id)

test('the resident page offers what each device can be asked, in both languages', async () => {
  const en = await see(home)
  for (const words of ['Ask the home', 'Voice panel, 客厅', 'Say something', 'Ring the chime', 'Light on', 'Self-test'])
    expect(en.text).toContain(words)
  expect(en.text).toContain('Ask for the valve to be closed')
  expect(en.text).toContain('Nothing has been asked of this home yet.')
  const zh = await see(home, worker(), 'zh')
  for (const words of ['对家中设备下指令', '语音提示', '响铃', '申请关阀', '粤语']) expect(zh.text).toContain(words)
  // The second home has no speaker: nobody is offered one.
  const second = await see(`/residents/${north.residents[1]!.residentId}`)
  expect(second.text).not.toContain('Say something')
})

test('a prompt: asked, on its way, done, with who asked; its language is offered first the next time', async () => {
  const answer = await say(`  您好 ${evil}\n请开门 `)
  expect(answer.status).toBe(303)
  expect(answer.headers.location).toBe(`${home}#ask-home`)
  let page = await see(home)
  expect(page.text).toContain(`Say “您好 ${evil} 请开门” (Cantonese) Being sent`)
  expect(page.text).toContain(`asked by ${north.staff.worker.name}`)
  expect(page.body).not.toContain('<img')
  expect(page.body).toMatch(/<option[^>]* selected[^>]*>Cantonese|<option selected[^>]*value="yue"/)
  await database.db.query('update gateways set online = false where gateway_id = $1', [north.gatewayId])
  expect((await see(home)).text).toContain('Waits for the gateway, which is offline')
  await database.db.query('update gateways set online = true where gateway_id = $1', [north.gatewayId])

  const [claimed] = await claimAll()
  await recordCommandSent(database.db, { commandId: claimed!.commandId, now })
  expect((await see(home)).text).toContain('The gateway has it; the device has not answered yet')
  clock.advance(6 * minute)
  expect((await see(home)).text).toContain('The device never answered. It may have been done or not')
  await recordAnswers(database.db, [
    {
      commandId: claimed!.commandId,
      gatewayId: north.gatewayId,
      deviceId: 'north-voice',
      result: 'done',
      detail: '',
      receivedAt: now.getTime(),
    },
  ])
  page = await see(home, worker(), 'zh')
  expect(page.text).toContain('设备回报：已完成')
  expect(await looksOf('command asked')).toContain(worker())
})

test('what a device of another dialect was asked ends with its gateway, and the page says so', async () => {
  await database.db.query(`update gateways set dialect = 'generic' where gateway_id = $1`, [north.gatewayId])
  try {
    expect((await see(home)).text).toContain('No device in this home can be asked anything.')
    expect((await say('您好')).headers.location).toContain('asked=cannot')
    expect((await see(`${home}?asked=cannot`)).text).toContain('This device cannot do that.')
  } finally {
    await database.db.query(`update gateways set dialect = 'v1' where gateway_id = $1`, [north.gatewayId])
  }
})

test('the valve: the one who asked cannot confirm, a colleague finds it on the console and does', async () => {
  const path = await askValve()
  expect(path).toMatch(/^\/commands\/[0-9a-f-]{36}$/)
  const mine = await see(path)
  expect(mine.text).toContain('Close the valve?')
  expect(mine.text).toContain('You have asked for this.')
  expect(mine.body).not.toContain(`${path}/confirm`)
  expect((await post(`${path}/confirm`)).headers.location).toContain('problem=same')
  expect(await claimAll()).toEqual([])

  const console = await see('/', colleague(), 'zh')
  expect(console.text).toContain('等待另一位同事确认')
  expect(console.body).toContain(path)
  expect((await see('/', south.staff.worker.staffId)).body).not.toContain(path)
  const theirs = await see(path, colleague(), 'zh')
  for (const words of ['确定关阀吗？', north.residents[0]!.name, '示例路 north 1 号', '水表', '确认关阀'])
    expect(theirs.text).toContain(words)
  expect((await post(`${path}/confirm`, {}, colleague())).headers.location).toBe(path)
  const [claimed] = await claimAll()
  expect(claimed).toMatchObject({ command: { name: 'close valve' } })
  const row = await see(home)
  expect(row.text).toContain(`asked by ${north.staff.worker.name} · confirmed by ${north.staff.colleague.name}`)
  expect(await looksOf('command confirmed')).toEqual([colleague()])
  expect((await post(`${path}/confirm`, {}, north.staff.supervisor.staffId)).headers.location).toContain(
    'problem=refused',
  )
  expect((await see('/', colleague(), 'zh')).text).not.toContain('等待另一位同事确认')
})

test('nobody of another community, no operator and no visitor can look, ask or decide', async () => {
  const path = await askValve()
  const outsiders = [south.staff.worker, south.staff.supervisor, north.staff.operator, south.staff.operator]
  for (const { staffId } of outsiders) {
    expect((await see(path, staffId)).status).toBe(404)
    for (const step of ['confirm', 'cancel']) expect((await post(`${path}/${step}`, {}, staffId)).status).toBe(404)
    const form = { device: speaker, command: 'chime' }
    expect((await post(`${home}/commands`, form, staffId)).status).toBe(404)
    // Through a home of their own neither.
    const own = `/residents/${south.residents[0]!.residentId}/commands`
    expect((await post(own, form, staffId)).status).toBe(404)
  }
  expect((await dashboard.ask(path)).headers.location).toContain('/login')
  expect((await database.db.query('select state from commands')).rows).toEqual([{ state: 'waiting' }])
})

test('a valve that nobody confirmed in time is over, and says why', async () => {
  const path = await askValve()
  clock.advance(10 * minute)
  expect((await post(`${path}/confirm`, {}, colleague())).headers.location).toContain('problem=refused')
  const page = await see(`${path}?problem=refused`, colleague())
  expect(page.text).toContain('Given up: nobody confirmed it in time')
  expect(page.text).toContain('Nothing was changed')
  expect(page.body).not.toContain(`${path}/confirm`)
})

test('it can be taken back, and who did so is told', async () => {
  const path = await askValve()
  expect((await post(`${path}/cancel`, {}, colleague())).headers.location).toBe(path)
  expect((await see(path)).text).toContain(`taken back by ${north.staff.colleague.name}`)
  expect((await see(home)).text).toContain(`taken back by ${north.staff.colleague.name}`)
})

test('forms that make no sense change nothing', async () => {
  expect((await say('   ')).headers.location).toContain('asked=text')
  expect((await say('长'.repeat(201))).headers.location).toContain('asked=text')
  expect((await say('您好', 'klingon')).status).toBe(400)
  for (const form of [
    {},
    { device: speaker },
    { device: speaker, command: 'open door' },
    { device: speaker, command: 'led' },
    { device: '0', command: 'chime' },
    { device: '99999999999', command: 'chime' },
  ])
    expect((await post(`${home}/commands`, form)).status).toBe(400)
  expect((await post(`${home}/commands`, { device: '2147483647', command: 'chime' })).status).toBe(404)
  expect((await post(`${home}/commands`, { device: speaker, command: 'close valve' })).headers.location).toContain(
    'asked=cannot',
  )
  expect((await database.db.query('select from commands')).rowCount).toBe(0)
})
