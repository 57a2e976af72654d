import { afterAll, beforeAll, expect, test } from 'vitest'
import type { Arrival } from '../../alerts/model.js'
import { keepSilenceBudget } from '../../db/silence-budget.js'
import { manualClock } from '../../kit/clock.js'
import { openTestDashboard } from '../../test/support/dashboard.js'
import { startTestDatabase, type TestDatabase } from '../../test/support/database.js'
import { type Community, seedAlert, seedCommunity } from '../../test/support/fixtures.js'
import { seedLivedHome } from '../../test/support/lived.js'

/** A Tuesday, 14:05 in Shanghai. */
const now = new Date('2026-03-10T06:05:00Z')
const clock = manualClock(now)
const hour = 3_600_000
const t = now.getTime()
let database: TestDatabase
let dashboard: Awaited<ReturnType<typeof openTestDashboard>>
let home: Community

beforeAll(async () => {
  database = await startTestDatabase()
  home = await seedCommunity(database.db, { key: 'home', now })
  dashboard = await openTestDashboard({ db: database.db, clock })
})
afterAll(async () => {
  await dashboard?.close()
  await database?.stop()
})

type Home = {
  days?: number
  alarmsPerMonth?: number | null
  quiet?: readonly (readonly [number, number])[]
  heardUntil?: number
  words?: Arrival[]
}

async function live({ days = 60, alarmsPerMonth = 2, ...more }: Home) {
  const { db } = database
  await db.query("delete from alert_events where alert_id in (select alert_id from alerts where kind like 'silen%')")
  await db.query("delete from alerts where kind like 'silen%'")
  await db.query('delete from readings')
  await keepSilenceBudget(db, { alarmsPerMonth, now })
  const { residentId, devices } = home.residents[0]!
  const own = { residentId, communityId: home.communityId, deviceNo: devices.water, now }
  await seedLivedHome(db, { ...own, days, alarmsPerMonth, ...more })
  const pages = await Promise.all(
    (['en', 'zh'] as const).map((language) =>
      dashboard.ask(`/residents/${residentId}`, { as: home.staff.worker.staffId, language }),
    ),
  )
  return { en: pages[0]!.text, zh: pages[1]!.text, body: pages[0]!.body }
}

const quietSince = (hours: number) => [[t - hours * hour, t + hour]] as const

test('learned: how long it has been silent, what is usual, and when the home would be asked', async () => {
  const { en, zh, body } = await live({ quiet: quietSince(1.5) })
  expect(en).toMatch(
    /Silent for \d h( \d+ min)? \(since 1\d:\d\d; readings reach 14:00\)\. A silence that begins like this normally lasts at most \d+ h( \d+ min)?\. If nothing is heard by [^.]+, the home is asked first, and then somebody is paged\./,
  )
  expect(zh).toMatch(
    /已安静 \d 小时.*（自 1\d:\d\d 起，读数到 14:00）。这个时段开始的安静，平时最多 .*还没有动静，会先问一声家里，再通知人。/,
  )
  expect(en).toMatch(/Learned from \d+ silences/)
  expect(zh).toMatch(/由近几个月 \d+ 段 2 小时以上的安静得出/)
  expect(en).toMatch(/Silences of 2 h and more today: .*from yesterday 2\d:\d\d on/)
  expect(body.match(/class="line-usual"/g)).toHaveLength(24)
  expect(en.match(/\d\d:00–\d\d:00 \d+ h( \d+ min)? (\d+ h( \d+ min)?|1 day)/g)!.length).toBeGreaterThanOrEqual(24)
})

test('up a moment ago: since when, and no silence of no seconds', async () => {
  const { en, zh } = await live({
    quiet: quietSince(1.5),
    words: [{ type: 'spoken', at: t - 20_000, receivedAt: t - 20_000 }],
  })
  expect(en).toMatch(/Last active: 14:04\. A silence that begins like this normally lasts at most /)
  expect(zh).toMatch(/最近一次有动静：14:04。这个时段开始的安静，平时最多 /)
  expect(en).not.toContain('Silent for')
})

test('one false alarm a month pages at once, and the page says so', async () => {
  const { en, zh } = await live({ quiet: quietSince(1.5), alarmsPerMonth: 1 })
  expect(en).toMatch(/If nothing is heard by [^.]+, an alert opens\./)
  expect(zh).toContain('还没有动静，会发出预警。')
})

test('an alert is open: it is said, in amber, and counted', async () => {
  const { en, zh, body } = await live({ quiet: quietSince(7) })
  expect(en).toMatch(/That is longer than its limit of \d+ h( \d+ min)?: an alert about it was raised\./)
  expect(zh).toMatch(/已超过界线（\d+ 小时( \d+ 分钟)?），预警已经发出。/)
  expect(body).toContain('present-long')
  expect(en).toMatch(/In the last 30 days \d+ alerts? came from this line/)
})

test('learning: the day, and the fixed rule with its own time', async () => {
  const young = await live({ days: 2 })
  expect(young.en).toContain('Getting to know the routine: day 3 of 14. Until then the fixed rule of 12 h stands.')
  expect(young.en).toMatch(/No use to speak of for .* At 12 h, that is at .*, an alert opens\./)
  expect(young.zh).toContain('正在了解作息：第 3 天，共 14 天。')
  expect(young.body).not.toContain('line-limit')
  const blending = await live({ days: 18 })
  expect(blending.en).toContain('Day 19 of 28: the line is on its way from the fixed 12 h')
  expect(blending.zh).toContain('第 19 天，共 28 天')
})

test('off: only the fixed rules, and nothing of a line', async () => {
  const { en, zh, body } = await live({ alarmsPerMonth: null })
  expect(en).toContain('No routine is learned in this installation')
  expect(zh).toContain('没有开启作息学习')
  expect(body).not.toContain('line-limit')
})

test('offline: not known, hatched, never a silence', async () => {
  const { en, zh, body } = await live({ heardUntil: t - 5 * hour })
  expect(en).toContain('Not known now: readings reach 09:00')
  expect(zh).toContain('现在情况不明：读数只到 09:00')
  expect(body).toContain('present-unknown')
  expect(en).not.toMatch(/Silent for|No use to speak of/)
})

test('away: until when', async () => {
  const from = t - 4 * hour
  const { en, zh } = await live({
    quiet: quietSince(5),
    words: [{ type: 'away', from, until: t + 24 * hour, receivedAt: from }],
  })
  expect(en).toMatch(/Away until 11 Mar, 14:05: silence is not counted meanwhile\./)
  expect(zh).toMatch(/已设为外出，到 .* 为止，这段时间不计安静。/)
  expect(en).not.toMatch(/Silent for|No use to speak of/)
})

test('nothing known at all: no line, no silence', async () => {
  const { residentId } = home.residents[1]!
  const { text } = await dashboard.ask(`/residents/${residentId}`, { as: home.staff.worker.staffId })
  expect(text).toContain('no routine can be learned, and no silence is counted')
})

test('of many alerts about silence the last ten are listed', async () => {
  const { residentId } = home.residents[1]!
  for (let index = 0; index < 14; index += 1)
    await seedAlert(database.db, {
      residentId,
      communityId: home.communityId,
      kind: 'silence_unusual',
      openedAt: new Date(t - index * 24 * hour),
      stage: 'closed',
      reason: { since: t - index * 24 * hour - 5 * hour },
    })
  const { body, text } = await dashboard.ask(`/residents/${residentId}`, { as: home.staff.worker.staffId })
  expect(body.match(/class="line silence-alert"/g)).toHaveLength(10)
  expect(text).toContain('The last 10 are shown.')
})

test('the family is told 12 h only while that is the rule, and never a number of the line', async () => {
  const url = `/f/${home.family.token}`
  // Up for two days, then still since yesterday evening.
  await live({ days: 3, quiet: quietSince(19) })
  expect((await dashboard.ask(url)).text).toContain('After 12 hours without any use the station is alerted.')
  await live({ quiet: quietSince(19) })
  const [en, zh] = [await dashboard.ask(url), await dashboard.ask(url, { language: 'zh' })]
  expect(en.text).toContain('longer than is usual at that hour, somebody looks into it')
  expect(en.text).not.toContain('12 hours')
  expect(zh.text).toContain('安静得比平时这个时段久，就会有人过问')
  expect(zh.text).not.toContain('12 小时')
  expect(en.body).not.toContain('line-limit')
  await live({ alarmsPerMonth: null, quiet: quietSince(19) })
  expect((await dashboard.ask(url)).text).toContain('After 12 hours')
})
