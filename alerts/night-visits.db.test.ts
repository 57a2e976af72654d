import { afterAll, beforeAll, expect, test } from 'vitest'
import { manualClock } from '../kit/clock.js'
import { createLog } from '../kit/log.js'
import { createSignal } from '../kit/signal.js'
import { registerCommunity } from '../test/support/community.js'
import { startTestDatabase, type TestDatabase } from '../test/support/database.js'
import { createArrivalFolder } from './fold-arrivals.js'
import type { ReadingArrival } from './model.js'
import { instantOf, wallOf } from './roster-time.js'
import { createWeeklyReports } from './weekly-report.js'

const timeZone = 'Asia/Shanghai'
const hourMs = 3_600_000
/** A Monday. */
const firstDay = Date.UTC(2026, 0, 5) / 86_400_000
const at = (day: number, minute = 0) => instantOf(firstDay + day, minute, timeZone)
const clock = manualClock(new Date(at(0)))
const log = createLog({ role: 'test', level: 'silent' })
let database: TestDatabase
let deviceNo = 0
let litres = 0

beforeAll(async () => {
  database = await startTestDatabase()
  await registerCommunity(database.db, { key: 'n', now: new Date(at(0)) })
  const [device] = await rows(`select device_no from devices where device_id = 'n-1-water'`)
  deviceNo = device.device_no
})
afterAll(() => database.stop())

const rows = async (sql: string, values: unknown[] = []) => (await database.db.query(sql, values)).rows
const folder = () => createArrivalFolder({ db: database.db, alarmsPerMonth: 2, clock, log, signal: createSignal() })

/** Hourly readings of so many days, up `visits` times a night, taken by two folders in turn. */
async function live(days: [from: number, to: number], visits: number) {
  const readings: ReadingArrival[] = []
  for (let time = at(days[0]) + hourMs; time <= at(days[1]); time += hourMs) {
    const { day, minute } = wallOf(time - 1, timeZone)
    const hour = Math.floor(minute / 60)
    if ((hour >= 1 && hour < 1 + visits) || (hour >= 7 && hour < 15)) litres += 3 + ((day + hour) % 4)
    const base = { type: 'reading' as const, kind: 'water' as const, deviceNo, event: '' }
    readings.push({ ...base, observedAt: time, receivedAt: time, value: litres })
  }
  for (let from = 0; from < readings.length; from += 100) {
    const part = readings.slice(from, from + 100)
    await database.db.query('insert into arrivals (resident_id, received_at, entries, body) values ($1, $2, $3, $4)', [
      'n-1',
      new Date(part[0]!.receivedAt),
      part.length,
      JSON.stringify(part),
    ])
  }
  clock.set(new Date(at(days[1]) + 5_000))
  const folders = [folder(), folder()]
  for (let turn = 0; turn < 50; turn += 1) if ((await folders[turn % 2]!()) === 'idle') return
  throw new Error('never idle')
}
const notices = () =>
  rows(
    `select kind, severity, stage, outcome, headline_zh as zh, headline_en as en from alerts
      where kind = 'night_visits' order by opened_at`,
  )

test('more visits at night are a notice that pages nobody; the responsible worker reads of it on Monday', async () => {
  await live([0, 60], 1)
  expect(await notices()).toEqual([])
  await live([60, 69], 3)
  expect(await notices()).toEqual([
    {
      kind: 'night_visits',
      severity: 'notice',
      stage: 'open',
      outcome: null,
      en: 'Water used in 3.0 of the 5 hours from 00:00 to 05:00 over the last 6 nights; usual is 1.0.',
      zh: '近 6 夜平均每夜有 3.0 个小时用过水（0 点至 5 点），平时 1.0 个小时。',
    },
  ])
  expect(await rows(`select from pages p join alerts a using (alert_id) where a.kind = 'night_visits'`)).toEqual([])
  const tell = createWeeklyReports({ db: database.db, clock, log })
  // 2026-03-16, a Monday.
  await live([69, 70], 3)
  clock.set(new Date(at(70, 9 * 60)))
  await Promise.all([tell(), tell()])
  const told = await rows(`select staff_id, lines -> 0 ->> 'en' as line from messages where kind = 'weekly report'`)
  expect(told).toEqual([
    {
      staff_id: 'n-worker',
      line: '示例·居民 n-1: Water used in 3.0 of the 5 hours from 00:00 to 05:00 over the last 10 nights; usual is 1.0.',
    },
  ])
})

test('the notice closes by itself when the nights are as usual again', async () => {
  await live([70, 80], 1)
  expect(await notices()).toMatchObject([{ stage: 'closed', outcome: 'other' }])
  const [{ detail }] = await rows(
    `select e.detail from alert_events e join alerts a using (alert_id) where a.kind = 'night_visits' order by e.at desc limit 1`,
  )
  expect(JSON.stringify(detail)).toContain('as usual again')
})
