import { afterAll, beforeAll, expect, test } from 'vitest'
import type { Arrival, EpochMs } from '../../alerts/model.js'
import { instantOf, wallOf } from '../../alerts/roster-time.js'
import { emptyState, foldInto } from '../../alerts/rules/fold.js'
import { manualClock } from '../../kit/clock.js'
import { openTestDashboard } from '../../test/support/dashboard.js'
import { startTestDatabase, type TestDatabase } from '../../test/support/database.js'
import { type Community, seedCommunity } from '../../test/support/fixtures.js'

/** A Tuesday, 14:27 in Shanghai. */
const now = new Date('2026-03-10T06:27:00Z')
const hour = 3_600_000
const timeZone = 'Asia/Shanghai'
const context = { timeZone, alarmsPerMonth: 2 }
let database: TestDatabase
let dashboard: Awaited<ReturnType<typeof openTestDashboard>>
let north: Community
let south: Community

/** What the rules know after so many days of an hourly meter; `daysAgo` counts back from today. */
async function live(
  index: number,
  days: number,
  p: { visits: (daysAgo: number) => number; hours: (daysAgo: number) => number; alarmsPerMonth?: null },
) {
  const { residentId, devices } = north.residents[index]!
  const today = wallOf(now.getTime(), timeZone).day
  const readings: Arrival[] = []
  let value = 0
  const add = (at: EpochMs) => {
    const { day, minute } = wallOf(at - 1, timeZone)
    const clock = Math.floor(minute / 60)
    const daysAgo = today - day
    if (clock < p.visits(daysAgo) || (clock >= 7 && clock < 7 + p.hours(daysAgo))) value += 3 + ((day + clock) % 4)
    const base = { type: 'reading' as const, kind: 'water' as const, deviceNo: devices.water, event: '' }
    readings.push({ ...base, observedAt: at, receivedAt: at, value })
  }
  for (let at = instantOf(today - days, 0, timeZone); at <= now.getTime(); at += hour) add(at)
  const state = emptyState()
  foldInto(state, readings, now.getTime(), p.alarmsPerMonth === null ? { timeZone, alarmsPerMonth: null } : context, [])
  await database.db.query(
    `insert into resident_state (resident_id, state, folded_at) values ($1, $2, $3)
     on conflict (resident_id) do update set state = excluded.state`,
    [residentId, JSON.stringify(state), now],
  )
}

beforeAll(async () => {
  database = await startTestDatabase()
  north = await seedCommunity(database.db, { key: 'north', now, residents: 6 })
  south = await seedCommunity(database.db, { key: 'south', now })
  dashboard = await openTestDashboard({ db: database.db, clock: manualClock(now) })
  await live(0, 250, { visits: (ago) => (ago < 12 ? 3 : 1 + (ago % 2)), hours: (ago) => (ago < 45 ? 6 : 9) })
  const isAway = (ago: number) => ago >= 60 && ago < 74
  await live(1, 250, { visits: (ago) => (isAway(ago) ? 0 : 1), hours: (ago) => (isAway(ago) ? 0 : 9) })
  await live(2, 30, { visits: () => 1, hours: () => 9 })
  await live(3, 250, { visits: () => 1, hours: () => 9, alarmsPerMonth: null })
})
afterAll(async () => {
  await dashboard?.close()
  await database?.stop()
})

const ask = (index: number, language: 'zh' | 'en' = 'en') =>
  dashboard.ask(`/residents/${north.residents[index]!.residentId}`, { as: north.staff.worker.staffId, language })
const section = (text: string, from: string, to: string) => text.slice(text.indexOf(from), text.indexOf(to))

test('what has changed comes first, with its numbers and when it was found, in both languages', async () => {
  const en = section((await ask(0)).text, 'The last weeks', 'Hours of the day with use')
  expect(en).toMatch(
    /^The last weeks 2 things have changed: Water used in 3\.0 of the 5 hours from 00:00 to 05:00 over the last 1\d nights; usual is 1\.5\. Found \d days ago, .* Water used in 7\.\d hours of the day over the last 4 weeks; usual was 10\.5 \(\d\d % less\)\. Found \d\d days ago/,
  )
  const zh = section((await ask(0, 'zh')).text, '近几周的变化', '每天用水用电的小时数')
  expect(zh).toContain('有 2 项变化：')
  expect(zh).toMatch(/近 \d+ 夜平均每夜有 3\.0 个小时用过水（0 点至 5 点），平时 1\.5 个小时。发现于/)
  expect(zh).toMatch(/近 4 周平均每天有 \d+\.\d 个小时用水，此前通常 1\d\.\d 个小时（少了 \d+%）。/)
})

test('where nothing has changed it says so, and how it is; weeks that are not known stay so', async () => {
  const { text, body } = await ask(1)
  const part = section(text, 'The last weeks', 'Hours of the day with use')
  expect(part).toContain('No change found in the last weeks.')
  expect(part).toContain('Water used in 1.0 of the 5 hours from 00:00 to 05:00 over the last 7 nights; usual is 1.0.')
  expect(part).toContain('Water used in 10.0 hours of the day over the last 4 weeks; usual is 10.0.')
  // Of 35 weeks the last 26 are drawn; the newest ended on Sunday.
  expect(text).toMatch(/2 Mar – 8 Mar 10\.0 23 Feb – 1 Mar 10\.0/)
  expect(section(text, '2 Mar – 8 Mar', 'Water today')).toContain('unknown')
  expect(body.match(/<rect class="hit"/g)!.length).toBeGreaterThan(0)
  expect(body).not.toMatch(/style=/)
})

test('too early to say, and how much is missing', async () => {
  const part = section((await ask(2)).text, 'The last weeks', 'Hours of the day with use')
  expect(part).toContain('It is too early to say whether anything changes.')
  expect(part).toContain('Nights: 30 of 56 known.')
  expect(part).toContain('Days: 4 weeks known.')
  expect((await ask(2, 'zh')).text).toContain('夜间：已了解 30 夜，满 56 夜后开始逐夜比较。')
})

test('nothing where nothing is learned, or nothing was heard; nobody else sees it', async () => {
  expect((await ask(3)).text).not.toContain('The last weeks')
  expect((await ask(4)).text).not.toContain('The last weeks')
  const path = `/residents/${north.residents[0]!.residentId}`
  expect((await dashboard.ask(path, { as: south.staff.worker.staffId })).status).toBe(404)
})
