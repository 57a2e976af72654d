import { afterAll, beforeAll, beforeEach, expect, test } from 'vitest'
import { manualClock } from '../kit/clock.js'
import { createLog } from '../kit/log.js'
import { registerCommunity } from '../test/support/community.js'
import { startTestDatabase, type TestDatabase } from '../test/support/database.js'
import { emptyState, type ResidentState } from './rules/fold.js'
import { createWeeklyReports } from './weekly-report.js'

/** Monday, 07:50 in Shanghai. */
const monday = new Date('2027-01-04T07:50:00+08:00')
const minuteMs = 60_000
const dayMs = 86_400_000
let database: TestDatabase
let clock: ReturnType<typeof manualClock>
let reports: () => Promise<void>

const newReports = () =>
  createWeeklyReports({ db: database.db, clock, log: createLog({ role: 'test', level: 'silent' }) })

beforeAll(async () => {
  database = await startTestDatabase()
  for (const key of ['w', 'v']) await registerCommunity(database.db, { key, homes: 3, now: monday })
})
afterAll(() => database.stop())
beforeEach(async () => {
  const { db } = database
  for (const table of ['messages', 'weekly_reports', 'resident_state']) await db.query(`delete from ${table}`)
  await db.query(
    `update residents set left_at = null, responsible_staff_id = community_id || '-worker' where not synthetic`,
  )
  await db.query('update staff set disabled_at = null')
  clock = manualClock(new Date(monday.getTime() + 10 * minuteMs))
  reports = newReports()
})

const nightsOf = (at: number): NonNullable<ResidentState['nights']> => ({
  ...{ from: at, until: at, visits: 0, usedAt: 0, homeAt: 0, lost: false, run: 5, sum: 0 },
  counts: [...Array.from({ length: 56 }, (_, night) => night % 2), 3, 2, 4, 3, 3],
  told: { at, usual: 50, risen: 300 },
})
const weeksOf = (at: number): NonNullable<ResidentState['weeks']> => ({
  ...{ day: 0, from: at, until: at, hours: 0, hour: 0, vagueMs: 0, lost: false, kinds: 'water', days: [], weeks: [] },
  fall: { at, usual: 80, fallen: 60 },
})
async function save(residentId: string, found: Partial<ResidentState>) {
  await database.db.query(
    `insert into resident_state (resident_id, state, folded_at) values ($1, $2, $3)
     on conflict (resident_id) do update set state = excluded.state`,
    [residentId, JSON.stringify({ ...emptyState(), ...found }), monday],
  )
}
const told = async () =>
  (
    await database.db.query<{
      to: string
      text: string
      zh: string
      lines: { en: string; zh: string }[]
      path: string
    }>(
      `select staff_id as to, text_en as text, text_zh as zh, lines, path from messages where kind = 'weekly report'
        order by created_at, staff_id`,
    )
  ).rows
const sunday = monday.getTime() - dayMs
const risen = '示例·居民 w-1: Out of bed 3.0 times a night over the last 5 nights (00:00 to 05:00); usual is 0.5.'
const fallen = '示例·居民 w-1: Water used in 6.0 hours of the day over the last 4 weeks; usual was 8.0 (25 % less).'

test('one message on Monday morning to each worker with the residents who have changed, once, by however many processes', async () => {
  await save('w-1', { nights: nightsOf(sunday), weeks: weeksOf(sunday - dayMs) })
  await save('w-2', { weeks: { ...weeksOf(sunday), fall: null }, nights: { ...nightsOf(sunday), told: null } })
  await save('v-3', { weeks: weeksOf(sunday) })
  clock.set(monday)
  await reports()
  expect(await told()).toEqual([])
  clock.advance(10 * minuteMs)
  await Promise.all([reports(), newReports()(), newReports()()])
  await newReports()()
  const messages = await told()
  expect(messages.map(({ to, text, path }) => [to, text, path]).sort()).toEqual([
    [
      'v-worker',
      '示例社区 v: over the last weeks the habits of 1 resident have changed. Not urgent: look in when you can.',
      '/residents/v-3',
    ],
    [
      'w-worker',
      '示例社区 w: over the last weeks the habits of 1 resident have changed. Not urgent: look in when you can.',
      '/residents/w-1',
    ],
  ])
  const mine = messages.find(({ to }) => to === 'w-worker')!
  expect(mine.lines.map(({ en }) => en)).toEqual([risen, fallen])
  expect(mine.lines.map(({ zh }) => zh)).toEqual([
    '示例·居民 w-1：近 5 夜平均每夜离床 3.0 次（0 点至 5 点），平时 0.5 次。',
    '示例·居民 w-1：近 4 周平均每天有 6.0 个小时用水，此前通常 8.0 个小时（少了 25%）。',
  ])
})

test('nothing when nothing has changed; what was told is not told again, what is found later is, in the next week', async () => {
  await save('w-2', {})
  await reports()
  expect(await told()).toEqual([])
  await save('w-1', { nights: nightsOf(monday.getTime() + dayMs) })
  await reports()
  clock.advance(dayMs)
  await reports()
  expect(await told()).toEqual([])
  clock.advance(6 * dayMs)
  await reports()
  expect(await told()).toHaveLength(1)
  clock.advance(7 * dayMs)
  await reports()
  expect(await told()).toHaveLength(1)
})

test('a Monday on which nobody ran is made good for on Tuesday, not in the evening', async () => {
  await save('w-1', { nights: nightsOf(sunday) })
  clock.set(new Date('2027-01-04T20:00:00+08:00'))
  await reports()
  expect(await told()).toEqual([])
  clock.set(new Date('2027-01-05T08:00:00+08:00'))
  await reports()
  expect(await told()).toHaveLength(1)
})

test('for whom nobody is responsible, or somebody who has gone, the supervisor is told; who has left is not told of', async () => {
  for (const id of ['w-1', 'w-2', 'w-3']) await save(id, { nights: nightsOf(sunday) })
  await database.db.query(`update residents set responsible_staff_id = null where resident_id = 'w-1'`)
  await database.db.query(`update residents set left_at = now() where resident_id = 'w-3'`)
  await database.db.query(`update staff set disabled_at = now() where staff_id = 'w-worker'`)
  await reports()
  const [message, ...others] = await told()
  expect([message!.to, message!.path, message!.lines.length, others]).toEqual(['w-supervisor', '/', 2, []])
  expect(message!.zh).toBe('示例社区 w：近几周有 2 位居民的生活规律有变化，不是紧急情况，方便时看看。')
})

test('a report that fails takes no week', async () => {
  await save('w-1', { nights: nightsOf(sunday) })
  await database.db.query('alter table messages rename to messages_away')
  await reports()
  await database.db.query('alter table messages_away rename to messages')
  await reports()
  expect(await told()).toHaveLength(1)
})

test('a week that was told by a clock which ran a year ahead keeps nobody from hearing of this one', async () => {
  await save('w-2', {})
  clock.advance(364 * dayMs)
  await reports()
  clock.advance(-364 * dayMs)
  await save('w-1', { nights: nightsOf(sunday) })
  await Promise.all([reports(), newReports()()])
  expect(await told()).toHaveLength(1)
  clock.advance(7 * dayMs)
  await save('w-1', { nights: nightsOf(monday.getTime() + dayMs) })
  await reports()
  expect(await told()).toHaveLength(2)
})
