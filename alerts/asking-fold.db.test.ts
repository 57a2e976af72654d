import { afterAll, beforeAll, expect, test } from 'vitest'
import { undoLast } from '../db/alert-actions.js'
import { spokeWithResident } from '../db/ask-answers.js'
import { insertReadings } from '../db/readings.js'
import { manualClock } from '../kit/clock.js'
import { createLog } from '../kit/log.js'
import { createSignal } from '../kit/signal.js'
import { registerCommunity } from '../test/support/community.js'
import { startTestDatabase, type TestDatabase } from '../test/support/database.js'
import { createEscalator } from './escalate-due.js'
import { createArrivalFolder } from './fold-arrivals.js'
import { emptyState, fold } from './rules/fold.js'
import { hour, meter, minute, monday7 } from './rules/scene.test-support.js'

const day = 24 * hour
const learnedDays = 45
const collapseAt = monday7 + learnedDays * day + 8 * hour
const every = 10 * minute
const context = { timeZone: 'Asia/Shanghai', alarmsPerMonth: 2 }
const log = createLog({ role: 'test', level: 'silent' })
const signal = createSignal()
const clock = manualClock(new Date(collapseAt))
let database: TestDatabase
let deviceNo: number
let litres: number

beforeAll(async () => {
  database = await startTestDatabase()
  await registerCommunity(database.db, {
    key: 'k',
    now: clock.now(),
    channelsOf: (who) => [{ kind: 'email', address: `${who}@example.org` }],
  })
  const [{ device_no }] = await rows("select device_no from devices where device_id = 'k-1-water'")
  deviceNo = device_no
  // Every hour and a half by day, the minute and the amount by the day and the hour.
  const isUse = (at: number) => {
    const h = ((at - monday7) / hour + 7) % 24
    return h >= 7 && h < 22 && Math.floor(at / every) % 9 === Math.floor(at / day) % 5
  }
  const life = meter('water', { from: monday7, to: collapseAt, every }, (at) => (isUse(at) ? 6 * hour : 0) / every).map(
    (reading) => ({ ...reading, deviceNo }),
  )
  litres = life.at(-1)!.value!
  const { state, wakeAt } = fold(emptyState(), life, collapseAt, context)
  await database.db.query(
    'insert into resident_state (resident_id, state, wake_at, folded_at) values ($1, $2, $3, $4)',
    ['k-1', state, wakeAt === null ? null : new Date(wakeAt), clock.now()],
  )
})
afterAll(() => database?.stop())

const rows = async (sql: string, values: unknown[] = []) => (await database.db.query(sql, values)).rows
/** One reading every ten minutes; each look is that of a process which has just been started. */
async function live(untilMs: number, value: () => number) {
  while (clock.now().getTime() < untilMs) {
    clock.advance(every)
    const at = clock.now().getTime()
    const reading = { deviceNo, observedAt: at, receivedAt: at, event: '' as const, value: value(), clockWrong: false }
    await insertReadings(database.db, [reading])
    clock.advance(1_000)
    const work = createArrivalFolder({ db: database.db, alarmsPerMonth: 2, clock, log, signal })
    while ((await work()) !== 'idle');
    await createEscalator({ db: database.db, clock, log, signal })()
  }
}
const silences = () =>
  rows(
    `select alert_id as id, stage, outcome, round(extract(epoch from asked_until - opened_at) / 60)::int as minutes,
            (select count(*)::int from pages p where p.alert_id = a.alert_id) as pages,
            array(select e.kind from alert_events e where e.alert_id = a.alert_id order by alert_event_id) as events
       from alerts a where kind = 'silence_unusual' order by alert_id`,
  )

test('the learned line asks first: use settles it without a page, and silence is paged half an hour later', async () => {
  const untilAsked = async () => {
    const before = (await silences()).length
    for (let h = 0; h < 12 && (await silences()).length === before; h++)
      await live(clock.now().getTime() + hour / 2, () => litres)
    return (await silences()).at(-1)
  }
  expect(await untilAsked()).toMatchObject({ stage: 'open', minutes: 30, pages: 0, events: ['opened', 'asked'] })
  litres += 5
  await live(clock.now().getTime() + every, () => litres)
  expect((await silences())[0]).toMatchObject({
    stage: 'closed',
    outcome: 'resident fine',
    pages: 0,
    events: ['opened', 'asked', 'cleared', 'closed'],
  })
  const again = await untilAsked()
  expect(again).toMatchObject({ stage: 'open', minutes: 30, pages: 0 })
  await live(clock.now().getTime() + 40 * minute, () => litres)
  const [, paged] = await silences()
  expect(paged).toMatchObject({ id: again!.id, stage: 'open', events: ['opened', 'asked', 'unanswered', 'told'] })
  expect(paged!.pages).toBeGreaterThan(0)
})

test('a call taken back before the rules have heard of it is no sign of life: the alert is asked about again', async () => {
  await database.db.query(
    "update alerts set stage = 'closed', outcome = 'test', closed_at = opened_at, due_at = null where closed_at is null",
  )
  litres += 5
  await live(clock.now().getTime() + every, () => litres)
  const asked = () => silences().then((all) => all.filter(({ stage }) => stage === 'open'))
  for (let h = 0; h < 24 && (await asked()).length === 0; h++)
    await live(clock.now().getTime() + hour / 2, () => litres)
  const [{ id: alertId }] = (await asked()) as [{ id: number }]
  const by = { alertId, staffId: 'k-worker', via: 'console' as const }
  expect(await spokeWithResident(database.db, { ...by, now: clock.now() })).toEqual({ kind: 'done' })
  clock.advance(20_000)
  expect(await undoLast(database.db, { ...by, now: clock.now() })).toEqual({ kind: 'done' })
  await live(clock.now().getTime() + every, () => litres)
  expect(await asked()).toHaveLength(1)
  await live(clock.now().getTime() + 40 * minute, () => litres)
  expect((await asked())[0]!.pages).toBeGreaterThan(0)
})
