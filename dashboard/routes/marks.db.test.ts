import { afterAll, beforeAll, beforeEach, expect, test } from 'vitest'
import { createArrivalFolder } from '../../alerts/fold-arrivals.js'
import type { ResidentState } from '../../alerts/rules/fold.js'
import { lineHours } from '../../alerts/rules/line-view.js'
import type { MarkEffect } from '../../alerts/rules/mark-effect.js'
import { gapAt } from '../../alerts/rules/marks.js'
import { actOnAlert, undoLast } from '../../db/alert-actions.js'
import { dropClosedAlerts } from '../../db/maintenance.js'
import { findMark } from '../../db/marks.js'
import { keepSilenceBudget } from '../../db/silence-budget.js'
import { manualClock } from '../../kit/clock.js'
import { createLog } from '../../kit/log.js'
import { createSignal } from '../../kit/signal.js'
import { openTestDashboard } from '../../test/support/dashboard.js'
import { startTestDatabase, type TestDatabase } from '../../test/support/database.js'
import { type Community, seedAlert, seedCommunity } from '../../test/support/fixtures.js'
import { seedLivedHome } from '../../test/support/lived.js'

/** A Tuesday, 14:00 in Shanghai. */
const start = new Date('2026-03-10T06:00:00Z')
const clock = manualClock(start)
const hour = 3_600_000
const day = 24 * hour
const context = { timeZone: 'Asia/Shanghai', alarmsPerMonth: 2 }
let database: TestDatabase
let dashboard: Awaited<ReturnType<typeof openTestDashboard>>
let home: Community
let other: Community
let alertId: number
let fold: () => Promise<'more' | 'idle'>

beforeAll(async () => {
  database = await startTestDatabase()
  const { db } = database
  home = await seedCommunity(db, { key: 'home', now: start, residents: 3 })
  other = await seedCommunity(db, { key: 'other', now: start })
  dashboard = await openTestDashboard({ db, clock })
  const log = createLog({ role: 'test', level: 'silent' })
  fold = createArrivalFolder({ db, alarmsPerMonth: 2, clock, log, signal: createSignal() })
  await keepSilenceBudget(db, { alarmsPerMonth: 2, now: start })
})
afterAll(async () => {
  await dashboard?.close()
  await database?.stop()
})

const resident = () => home.residents[0]!
const worker = () => home.staff.worker.staffId
const yesterday = start.getTime() - 29 * hour
/** 09:00 to 16:00 yesterday. */
const quiet = [[yesterday, yesterday + 7 * hour]] as const

beforeEach(async () => {
  const { db } = database
  clock.set(start)
  await db.query('delete from arrivals')
  await db.query("delete from alert_marks where alert_id in (select alert_id from alerts where kind like 'silen%')")
  await db.query("delete from alert_events where alert_id in (select alert_id from alerts where kind like 'silen%')")
  await db.query("delete from alerts where kind like 'silen%'")
  const { alertIds } = await seedLivedHome(db, {
    residentId: resident().residentId,
    communityId: home.communityId,
    deviceNo: resident().devices.water,
    now: start,
    days: 60,
    alarmsPerMonth: 2,
    quiet,
  })
  alertId = alertIds.at(-1)!
})

const stored = async () =>
  (await database.db.query('select state from resident_state where resident_id = $1', [resident().residentId])).rows[0]!
    .state as ResidentState
const limits = (state: ResidentState) => lineHours(state, start.getTime(), context).map(({ limitMs }) => limitMs)
const words = async () =>
  (
    await database.db.query<{ body: { type: string; verdict?: string }[] }>(
      'select body from arrivals order by arrival_id',
    )
  ).rows.flatMap(({ body }) => body.filter(({ type }) => type === 'mark').map(({ verdict }) => verdict))
const mark = (verdict: string, { as = worker(), id = alertId, back = 'alert' } = {}) =>
  dashboard.ask(`/alerts/${id}/mark`, { as, form: { verdict, back } })
const page = (language: 'en' | 'zh' = 'en') =>
  dashboard.ask(`/residents/${resident().residentId}`, { as: worker(), language })
const alertPage = (language: 'en' | 'zh' = 'en') => dashboard.ask(`/alerts/${alertId}`, { as: worker(), language })
const events = async () =>
  (
    await database.db.query("select kind, staff_id, detail from alert_events where alert_id = $1 and kind = 'marked'", [
      alertId,
    ])
  ).rows as { kind: string; staff_id: string; detail: { verdict: string; effect?: MarkEffect } }[]
const drain = async () => {
  for (let turn = 0; turn < 20; turn += 1) if ((await fold()) === 'idle') return
  throw new Error('never idle')
}

test('marked false in one tap: on record, handed to the rules, and the line is then what the page said it would be', async () => {
  const before = limits(await stored())
  expect((await page()).text).toContain('Yes, something was wrong No, a false alarm')
  const answer = await mark('false', { back: 'resident' })
  expect(answer.status).toBe(303)
  expect(answer.headers.location).toBe(`/residents/${resident().residentId}#silence-alerts`)
  expect(await words()).toEqual(['false'])
  expect(await events()).toMatchObject([{ staff_id: worker(), detail: { verdict: 'false' } }])
  const { effect } = (await findMark(database.db, { alertId }))!
  await drain()
  const after = limits(await stored())
  expect(effect!.afterMs).toBeGreaterThanOrEqual(effect!.beforeMs)
  expect(effect!.longer).toBe(after.filter((limit, index) => limit > before[index]!).length)
  expect(effect!.longer).toBeGreaterThan(0)
  expect(effect!.shorter).toBe(after.filter((limit, index) => limit < before[index]!).length)
  const en = await page()
  expect(en.text).toContain('示例·张社工 home marked it as a false alarm, just now')
  expect(en.text).toMatch(
    /limit for a silence that begins like it (went from \d+ h( \d+ min)? to|stays at) \d+ h( \d+ min)?( for now)?; over today/,
  )
  const zh = await alertPage('zh')
  expect(zh.text).toContain('示例·张社工 home 标记为“误报”，')
  expect(zh.text).toMatch(
    /像这样开始的安静，界线(由 \d+ 小时( \d+ 分钟)?改为|暂时不变，仍是) \d+ 小时( \d+ 分钟)?；今天各时段中，\d+ 个放宽/,
  )
  // In its history as well.
  expect(zh.text).toContain('示例·张社工 home 标记：误报。')
})

test('marked true: that silence no longer counts; said otherwise and taken back, the rules follow', async () => {
  const was = await stored()
  const since = Number(
    (await database.db.query('select reason from alerts where alert_id = $1', [alertId])).rows[0]!.reason.since,
  )
  const own = gapAt(was.routine!, since, context.timeZone)!
  const gaps = ({ routine }: ResidentState) => routine!.gaps.filter((gap) => gap === own).length
  await mark('true')
  await drain()
  expect(gaps(await stored())).toBe(0)
  await mark('false', { as: home.staff.colleague.staffId })
  await drain()
  expect(gaps(await stored())).toBe(2)
  expect((await alertPage()).text).toContain('示例·陈社工 home marked it as a false alarm')
  await mark('none')
  await drain()
  expect(gaps(await stored())).toBe(1)
  expect((await alertPage()).text).toContain('Was this alert right? Yes, something was wrong No, a false alarm')
  expect((await events()).map(({ detail }) => detail.verdict)).toEqual(['true', 'false', 'none'])
})

test('said otherwise before the rules have heard the first: what each changes is told as it will be', async () => {
  await mark('true')
  const asTrue = (await findMark(database.db, { alertId }))!.effect!
  await mark('none')
  const back = (await events()).at(-1)!.detail.effect!
  expect(asTrue.afterMs).toBeLessThan(asTrue.beforeMs)
  expect([back.beforeMs, back.afterMs]).toEqual([asTrue.afterMs, asTrue.beforeMs])
})

test('the same said twice is said once; what is no word is refused', async () => {
  await mark('true')
  await mark('true')
  await mark('none')
  await mark('none')
  expect(await words()).toEqual(['true', 'none'])
  expect((await mark('perhaps')).status).toBe(400)
  expect(await words()).toHaveLength(2)
})

test('for 30 days, and no longer; of an open alert at any time', async () => {
  const old = new Date(start.getTime() - 30 * day - hour)
  await database.db.query('update alerts set opened_at = $2 where alert_id = $1', [alertId, old])
  const late = await mark('false')
  expect(late.headers.location).toBe(`/alerts/${alertId}?problem=mark-late`)
  expect((await dashboard.ask(String(late.headers.location), { as: worker() })).text).toContain('Nothing was changed.')
  expect((await alertPage()).body).not.toContain(`/alerts/${alertId}/mark"`)
  expect(await words()).toEqual([])
  await database.db.query(
    "update alerts set stage = 'open', closed_at = null, outcome = null, opened_at = $2 where alert_id = $1",
    [alertId, old],
  )
  expect((await mark('false')).headers.location).toBe(`/alerts/${alertId}#mark`)
  const { stage } = (await database.db.query('select stage from alerts where alert_id = $1', [alertId])).rows[0]!
  expect(stage).toBe('open')
})

test('only alerts about silence, and only by staff of the community who care for residents', async () => {
  const button = await mark('false', { id: home.alertId })
  expect(button.headers.location).toBe(`/alerts/${home.alertId}?problem=mark-kind`)
  const running = await seedAlert(database.db, {
    communityId: home.communityId,
    residentId: resident().residentId,
    kind: 'water_running',
    openedAt: start,
    reason: { since: start.getTime() - 2 * hour },
  })
  expect((await mark('false', { id: running })).headers.location).toBe(`/alerts/${running}?problem=mark-kind`)
  for (const as of [other.staff.worker.staffId, other.staff.supervisor.staffId, home.staff.operator.staffId])
    expect((await mark('false', { as })).status).toBe(404)
  expect((await dashboard.ask(`/alerts/${alertId}/mark`, { form: { verdict: 'false' } })).status).toBe(303)
  expect((await mark('false', { id: 999_999_999 })).status).toBe(404)
  expect(await words()).toEqual([])
})

test.each(['fall', 'illness', 'resident fine'] as const)('closed as %s', async (outcome) => {
  const { db } = database
  await db.query("update alerts set stage = 'open', closed_at = null, outcome = null where alert_id = $1", [alertId])
  const act = { alertId, staffId: worker(), via: 'console' as const, now: clock.now() }
  await actOnAlert(db, { ...act, action: { kind: 'close', outcome, note: '' } })
  const found = await findMark(db, { alertId })
  if (outcome === 'resident fine') {
    expect(found).toBeNull()
    expect(await words()).toEqual([])
    return
  }
  expect(found).toMatchObject({ verdict: 'true', byClosing: true })
  expect((await alertPage()).text).toContain('Right: 示例·张社工 home closed it as an emergency')
  expect(await undoLast(db, act)).toEqual({ kind: 'done' })
  expect(await findMark(db, { alertId })).toBeNull()
  expect(await words()).toEqual(['true', 'none'])
})

test('an emergency closed as a fall marks the alerts about silence of the day before it, and taking that back unmarks them', async () => {
  const { db } = database
  const { residentId } = resident()
  await db.query('update alerts set opened_at = $2 where alert_id = $1', [
    alertId,
    new Date(start.getTime() - 5 * hour),
  ])
  const older = await seedAlert(db, {
    residentId,
    communityId: home.communityId,
    kind: 'silence_unusual',
    openedAt: new Date(start.getTime() - 25 * hour),
    stage: 'closed',
    outcome: 'resident fine',
    reason: { since: start.getTime() - 30 * hour },
  })
  const pressed = await seedAlert(db, { residentId, communityId: home.communityId, kind: 'button', openedAt: start })
  const act = { alertId: pressed, staffId: worker(), via: 'console' as const, now: clock.now() }
  await actOnAlert(db, { ...act, action: { kind: 'close', outcome: 'fall', note: '' } })
  expect(await findMark(db, { alertId })).toMatchObject({ verdict: 'true', byClosing: true })
  expect(await findMark(db, { alertId: older })).toBeNull()
  expect(await findMark(db, { alertId: pressed })).toBeNull()
  await undoLast(db, { ...act, now: new Date(start.getTime() + 30_000) })
  expect(await findMark(db, { alertId })).toBeNull()
  expect(await words()).toEqual(['true', 'none'])
  await db.query("update alerts set stage = 'closed', closed_at = opened_at, outcome = 'test' where alert_id = $1", [
    pressed,
  ])
})

test('taking a closing back leaves what a person had marked', async () => {
  const { db } = database
  await db.query("update alerts set stage = 'open', closed_at = null, outcome = null where alert_id = $1", [alertId])
  await mark('true')
  const act = { alertId, staffId: worker(), via: 'console' as const, now: clock.now() }
  await actOnAlert(db, { ...act, action: { kind: 'close', outcome: 'fall', note: '' } })
  await undoLast(db, act)
  expect(await findMark(db, { alertId })).toMatchObject({ verdict: 'true', byClosing: false })
  expect(await words()).toEqual(['true'])
})

test('an alert that is dropped takes its mark along', async () => {
  await mark('true')
  await dropClosedAlerts(database.db, { closedBefore: new Date(start.getTime() + day) })
  expect((await database.db.query('select from alert_marks')).rowCount).toBe(0)
})

test('the alert of the learned line shows why it came, with its numbers and the line; one of 12 h does not', async () => {
  const en = await alertPage()
  expect(en.text).toMatch(
    /Why it came Silence since yesterday \d\d:\d\d had lasted \d h.*\. Silences that begin like it normally last at most/,
  )
  expect(en.body).toContain('class="line-limit"')
  expect(en.text).toContain('Silence normally lasts at most (min)')
  expect((await alertPage('zh')).text).toMatch(/为什么预警 自昨天 \d\d:\d\d 起已安静 \d 小时/)
  const fixed = await seedAlert(database.db, {
    communityId: home.communityId,
    residentId: resident().residentId,
    kind: 'silent_12h',
    openedAt: start,
    reason: { since: start.getTime() - 12 * hour },
  })
  const page = await dashboard.ask(`/alerts/${fixed}`, { as: worker() })
  expect(page.text).toContain('Was this alert right?')
  expect(page.text).not.toContain('Why it came')
  expect((await dashboard.ask(`/alerts/${home.alertId}`, { as: worker() })).text).not.toContain('Was this alert right?')
})

test('what the rules stumble over keeps nobody from marking, or closing what was an emergency', async () => {
  await database.db.query('update resident_state set state = \'{"version": 1}\' where resident_id = $1', [
    resident().residentId,
  ])
  expect((await mark('false')).status).toBe(303)
  expect(await events()).toMatchObject([{ detail: { verdict: 'false' } }])
  await database.db.query('update alerts set stage = $2, closed_at = null where alert_id = $1', [alertId, 'open'])
  const close = { kind: 'close' as const, outcome: 'fall' as const, note: '' }
  const by = { alertId, staffId: worker(), via: 'console' as const, now: clock.now() }
  expect(await actOnAlert(database.db, { ...by, action: close })).toEqual({ kind: 'done' })
  expect(await findMark(database.db, { alertId })).toMatchObject({ verdict: 'true', effect: null })
})
