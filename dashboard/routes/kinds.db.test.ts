import { afterAll, beforeAll, expect, test } from 'vitest'
import { type AlertKind, type Arrival, type DeviceKind, deviceKinds, severityOf } from '../../alerts/model.js'
import { emptyState, fold } from '../../alerts/rules/fold.js'
import { insertReadings } from '../../db/readings.js'
import { manualClock } from '../../kit/clock.js'
import { openTestDashboard } from '../../test/support/dashboard.js'
import { startTestDatabase, type TestDatabase } from '../../test/support/database.js'
import { type Community, seedAlert, seedCommunity } from '../../test/support/fixtures.js'

/** 14:27 in Shanghai. */
const now = new Date('2026-03-10T06:27:00Z')
const at = (time: string) => Date.parse(`2026-03-${time}:00+08:00`)
const minute = 60_000
let database: TestDatabase
let dashboard: Awaited<ReturnType<typeof openTestDashboard>>
let home: Community
const clock = manualClock(now)

beforeAll(async () => {
  database = await startTestDatabase()
  home = await seedCommunity(database.db, { key: 'home', now, residents: 4 })
  dashboard = await openTestDashboard({ db: database.db, clock })
})
afterAll(async () => {
  await dashboard?.close()
  await database?.stop()
})

const residentId = (index: number) => home.residents[index]!.residentId
const worker = () => home.staff.worker.staffId
const page = (index: number, language: 'zh' | 'en') =>
  dashboard.ask(`/residents/${residentId(index)}`, { as: worker(), language }).then(({ text }) => text)

async function addDevice(index: number, kind: DeviceKind): Promise<number> {
  const { rows } = await database.db.query<{ device_no: number }>(
    `insert into devices (device_id, kind, gateway_id, resident_id, room, bound_at) values ($1, $2, $3, $4, '', $5)
     returning device_no`,
    [`${residentId(index)}-${kind}`, kind, home.gatewayId, residentId(index), new Date(at('01T00:00'))],
  )
  return rows[0]!.device_no
}
/** The home has these devices and no others. */
const clearHome = (index: number) =>
  database.db.query(
    `with gone as (delete from alerts where resident_id = $1 and not exists (select from pages p where p.alert_id = alerts.alert_id))
     delete from devices where resident_id = $1 and not exists (select from alerts a where a.device_no = devices.device_no)`,
    [residentId(index)],
  )
async function know(index: number, arrivals: Arrival[]) {
  const zone = { timeZone: 'Asia/Shanghai', alarmsPerMonth: null }
  const { state } = fold(emptyState(), arrivals, now.getTime(), zone)
  await database.db.query(
    `insert into resident_state (resident_id, state, folded_at) values ($1, $2, $3)
     on conflict (resident_id) do update set state = $2`,
    [residentId(index), JSON.stringify(state), now],
  )
}
const says = (deviceNo: number, kind: DeviceKind, event: string, time: number): Arrival => ({
  type: 'reading',
  deviceNo,
  kind,
  event,
  observedAt: time,
  receivedAt: time,
})

test('every kind has its name on the page of a resident and in the list of devices, in both languages', async () => {
  for (const kind of deviceKinds.filter((each) => !(each in home.residents[1]!.devices))) await addDevice(1, kind)
  const zh = await page(1, 'zh')
  for (const name of ['水表', '电表', '呼叫按钮', '烟雾报警器', '燃气报警器']) expect(zh).toContain(name)
  for (const name of ['一氧化碳报警器', '水浸传感器', '人体感应器', '门磁', '床垫传感器', '语音面板'])
    expect(zh).toContain(name)
  const en = await page(1, 'en')
  for (const name of [
    'Carbon monoxide alarm',
    'Water leak sensor',
    'Motion sensor',
    'Door sensor',
    'Bed sensor',
    'Voice panel',
  ])
    expect(en).toContain(name)
  const list = (language: 'zh' | 'en') =>
    dashboard.ask('/devices', { as: home.staff.operator.staffId, language }).then(({ text }) => text)
  expect(await list('zh')).toContain('水浸传感器')
  expect(await list('en')).toContain('Carbon monoxide')
  expect(await list('en')).not.toContain('undefined')
})

test('every kind of alert has words for the family, and an alert page with what could hurt the one who goes', async () => {
  const wanted: [AlertKind, string, string][] = [
    ['co', '一氧化碳报警器响了。', 'The carbon monoxide alarm went off.'],
    ['voice', '有人用语音求助。', 'Help was called by voice.'],
    ['leak', '地面上有积水。', 'Water was found on the floor.'],
  ]
  for (const [kind, zh, en] of wanted) {
    const { communityId } = home
    const alertId = await seedAlert(database.db, { communityId, residentId: residentId(0), kind, openedAt: now })
    const family = (language: 'zh' | 'en') =>
      dashboard.ask(`/f/${home.family.token}`, { language }).then(({ text }) => text)
    expect(await family('zh')).toContain(zh)
    expect(await family('en')).toContain(en)
    const { rows } = await database.db.query('select severity from alerts where alert_id = $1', [alertId])
    expect(rows[0].severity).toBe(severityOf[kind])
    if (kind === 'voice') continue
    const alert = await dashboard.ask(`/alerts/${alertId}`, { as: worker(), language: 'zh' })
    expect(alert.text).toContain(kind === 'co' ? '无色无味' : '积水可能带电')
  }
})

test('the history tells of an alarm from memory and of “I’m fine”, and the numbers of a battery that is empty', async () => {
  const { communityId } = home
  const reason = { suspect: true, battery: 0.03 }
  const alertId = await seedAlert(database.db, {
    communityId,
    residentId: residentId(0),
    kind: 'smoke',
    openedAt: now,
    reason,
  })
  for (const kind of ['verify', 'fine'])
    await database.db.query('insert into alert_events (alert_id, at, kind) values ($1, $2, $3)', [alertId, now, kind])
  const alert = (language: 'zh' | 'en') =>
    dashboard.ask(`/alerts/${alertId}`, { as: worker(), language }).then(({ text }) => text)
  expect(await alert('zh')).toMatch(/重发了之前的报警：请核实.*居民在语音面板上报了平安/)
  expect(await alert('zh')).toContain('电量将尽，可能误报')
  expect(await alert('en')).toMatch(/said again from memory.*to be verified.*“I’m fine” was said/)
})

test('a home with sensors alone: seen lately, then unknown, never “not used”', async () => {
  await clearHome(2)
  const motion = await addDevice(2, 'motion')
  expect(await page(2, 'zh')).toContain('情况不明：还没有收到读数')
  await know(2, [says(motion, 'motion', 'motion', at('10T14:02'))])
  expect(await page(2, 'zh')).toContain('最近一次感应到活动： 25 分钟前，14:02 。')
  expect(await page(2, 'en')).toContain('Movement was seen 25 min ago, 14:02 .')
  await know(2, [says(motion, 'motion', 'motion', at('10T09:00'))])
  const zh = await page(2, 'zh')
  expect(zh).toContain('情况不明：近来没有感应到活动，家中也没有水表或电表可以参考。')
  expect(zh).toMatch(/此前最近一次感应到活动： .*09:00/)
  await database.db.query("update gateways set online = false, online_changed_at = '2026-03-10T04:00:00Z'")
  expect(await page(2, 'en')).toContain('Unknown: the gateway is silent since 12:00.')
  await database.db.query('update gateways set online = true')
})

test('a silence that began with movement says so, beside what the meters tell', async () => {
  const { water } = home.residents[1]!.devices
  const readings = Array.from({ length: 14 * 12 }, (_, i): Arrival => {
    const time = now.getTime() - 14 * 60 * minute + i * 5 * minute
    return { ...says(water, 'water', '', time), type: 'reading', value: 100 } as Arrival
  })
  await know(1, [says(99, 'motion', 'motion', now.getTime() - 13 * 60 * minute), ...readings].sort(byTime))
  expect(await page(1, 'en')).toMatch(
    /No water or electricity used since 01:27 \(13 h\), when movement was last seen; readings/,
  )
  expect(await page(1, 'zh')).toMatch(/01:27 起没有用水用电（已 13 小时）（最后一次感应到活动）；读数/)
})
const byTime = (a: Arrival, b: Arrival) => a.receivedAt - b.receivedAt

test('last night: how long in bed and how often up, breath and heart for staff; the family sees it if she lets them', async () => {
  expect(await page(0, 'zh')).not.toContain('昨夜作息')
  const bed = await addDevice(0, 'bed')
  const nothing = await page(0, 'zh')
  expect(nothing).toContain('昨夜作息 情况不明：昨夜没有收到床垫传感器的数据。')
  const family = async (language: 'zh' | 'en') => (await dashboard.ask(`/f/${home.family.token}`, { language })).text
  expect(await family('zh')).toContain('昨夜的情况不知道：床垫传感器没有消息。')
  const inBed = (time: number) =>
    time >= at('09T22:10') && time < at('10T06:40') && !(time >= at('10T02:00') && time < at('10T02:20'))
  await insertReadings(
    database.db,
    Array.from({ length: 6 * 19 }, (_, i) => {
      const time = at('09T17:00') + i * 10 * minute
      const lies = inBed(time)
      const measured = lies ? { value: i % 2 ? 12 : 17, rate: i % 2 ? 55 : 68 } : {}
      return {
        deviceNo: bed,
        observedAt: time,
        receivedAt: time,
        event: lies ? 'in' : 'out',
        clockWrong: false,
        ...measured,
      }
    }),
  )
  const zh = await page(0, 'zh')
  expect(zh).toContain('在床 8 小时 10 分钟（')
  expect(zh).toMatch(/22:10 至 .*06:40），中间起床 1 次。 呼吸每分钟 12–17 次，心率每分钟 55–68 次。/)
  const en = await page(0, 'en')
  expect(en).toMatch(
    /In bed for 8 h 10 min, from .*22:10 to .*06:40; got up 1 time in between\. Breathing 12–17 per min, heart 55–68/,
  )
  expect(await family('zh')).toMatch(/昨夜 在床 8 小时 10 分钟/)
  expect(await family('zh')).not.toContain('心率')
  await database.db.query('update family_members set sees_week = false')
  expect(await family('zh')).not.toContain('昨夜')
})

test('a night of which a part is unknown says so, and how the bed was when it was heard last', async () => {
  await clearHome(3)
  const bed = await addDevice(3, 'bed')
  await insertReadings(
    database.db,
    Array.from({ length: 60 }, (_, i) => {
      const time = at('09T20:00') + i * 5 * minute
      const event = time >= at('09T23:00') ? 'in' : 'out'
      return { deviceNo: bed, observedAt: time, receivedAt: time, event, clockWrong: false }
    }),
  )
  const zh = await page(3, 'zh')
  expect(zh).toMatch(
    /在床 1 小时 55 分钟（.*23:00 起）。 最后一次收到数据时在床上： .*00:55 。 有 13 小时 5 分钟 情况不明/,
  )
})
