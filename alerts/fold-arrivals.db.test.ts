import { afterAll, beforeAll, expect, test } from 'vitest'
import { insertReadings } from '../db/readings.js'
import { manualClock } from '../kit/clock.js'
import { createLog } from '../kit/log.js'
import { createSignal } from '../kit/signal.js'
import { registerCommunity } from '../test/support/community.js'
import { startTestDatabase, type TestDatabase } from '../test/support/database.js'
import { createArrivalFolder } from './fold-arrivals.js'

let database: TestDatabase
let work: () => Promise<'more' | 'idle'>
const start = new Date('2026-06-01T00:00:00Z')
const clock = manualClock(start)
const minute = 60_000
const homes = 12

beforeAll(async () => {
  database = await startTestDatabase()
  await registerCommunity(database.db, { key: 'f', homes, now: start })
  work = createArrivalFolder({
    db: database.db,
    clock,
    log: createLog({ role: 'test', level: 'silent' }),
    signal: createSignal(),
  })
})
afterAll(() => database.stop())

const rows = async (sql: string, values: unknown[] = []) => (await database.db.query(sql, values)).rows
const drain = async () => {
  for (let i = 0; i < 50; i++) if ((await work()) === 'idle') return
  throw new Error('never idle')
}
const water = async (home: number, at: number, litres: number) => {
  const [{ device_no: deviceNo }] = await rows(
    'select device_no from devices where device_id = $1 and unbound_at is null',
    [`f-${home}-water`],
  )
  await insertReadings(database.db, [
    { deviceNo, observedAt: at, receivedAt: at, event: '', value: litres, clockWrong: false },
  ])
}

test('a resident who cannot be folded keeps nobody else waiting, however often it is tried', async () => {
  await database.db.query(
    "insert into resident_state (resident_id, state, wake_at, folded_at) values ('f-1', '{\"version\":1}', $1, $1)",
    [start],
  )
  for (let home = 1; home <= homes; home++) await water(home, start.getTime(), 100)
  clock.advance(5_000)
  await drain()
  expect(await rows('select resident_id from arrivals')).toEqual([{ resident_id: 'f-1' }])
  const folded = await rows("select resident_id from resident_state where jsonb_array_length(state -> 'meters') = 1")
  expect(folded).toHaveLength(homes - 1)
  await database.db.query("update resident_state set state = 'null' where resident_id = 'f-1'")
  clock.advance(61_000)
  await drain()
  expect(await rows('select from arrivals')).toEqual([])
})

test('silence is found at its own time though nothing more arrives, and use closes the alert', async () => {
  const at = (minutes: number) => start.getTime() + minutes * minute
  for (let m = 5; m <= 12 * 60 + 10; m += 5) await water(2, at(m), 100)
  clock.set(new Date(at(12 * 60 + 12)))
  await drain()
  const [alert] = await rows("select * from alerts where resident_id = 'f-2' and kind = 'silent_12h'")
  expect(alert).toMatchObject({ severity: 'urgent', stage: 'open' })
  expect(Math.abs(alert.opened_at.getTime() - at(12 * 60)) / minute).toBeLessThan(10)
  await water(2, at(12 * 60 + 15), 130)
  clock.set(new Date(at(12 * 60 + 16)))
  await drain()
  expect((await rows('select stage, outcome from alerts where alert_id = $1', [alert.alert_id]))[0]).toEqual({
    stage: 'closed',
    outcome: 'resident fine',
  })
})

test('a device that was moved away is not missed where it was', async () => {
  const from = clock.now().getTime()
  for (let m = 0; m < 120; m += 5) await water(3, from + m * minute, 200 + m)
  clock.advance(115 * minute + 2_000)
  await drain()
  await database.db.query("update devices set unbound_at = $1 where device_id = 'f-3-water'", [clock.now()])
  const movedAt = clock.now()
  clock.advance(24 * 60 * minute)
  await drain()
  expect(await rows("select kind from alerts where resident_id = 'f-3' and opened_at > $1", [movedAt])).toEqual([])
  expect((await rows("select wake_at from resident_state where resident_id = 'f-3'"))[0].wake_at).toBeNull()
})

test('homes that fall silent together have one notice each, with its history, and each is closed when its home is back', async () => {
  const silent = [5, 6, 7, 8]
  const from = clock.now().getTime()
  for (const home of silent) for (let m = 0; m <= 130; m += 5) await water(home, from + m * minute, 300 + m)
  clock.advance(131 * minute)
  await drain()
  const before = clock.now()
  // What came and went before is too long ago to be the same.
  await rows("update alerts set closed_at = closed_at - interval '2 days' where closed_at is not null")
  clock.advance(30 * minute)
  await drain()
  await drain()
  const notices = () =>
    rows(
      `select resident_id, kind, severity, stage, due_at, array(select e.kind from alert_events e where e.alert_id = a.alert_id order by alert_event_id) as events
         from alerts a where opened_at > $1 and resident_id = any($2) order by resident_id, alert_id`,
      [before, silent.map((home) => `f-${home}`)],
    )
  const notice = { kind: 'gateway_offline', severity: 'notice', stage: 'open', due_at: null, events: ['opened'] }
  expect(await notices()).toEqual(silent.map((home) => ({ resident_id: `f-${home}`, ...notice })))

  // One comes back and falls silent again, all in one fold: it is the same notice, and what cleared it does not clear it again.
  const back = clock.now().getTime()
  await water(5, back, 400)
  clock.advance(2 * 60 * minute)
  await drain()
  const again = await notices()
  expect(again.filter(({ resident_id: id }) => id === 'f-5').map(({ stage, events }) => [stage, events])).toEqual([
    ['open', ['opened', 'cleared', 'closed', 'opened again']],
  ])
  expect(again).toHaveLength(silent.length)

  // Silent and back before anybody looked: opened and closed in one fold, in this order.
  await water(5, clock.now().getTime(), 410)
  clock.advance(2_000)
  await drain()
  clock.advance(24 * 60 * minute)
  await water(5, clock.now().getTime() - 2_000, 420)
  await drain()
  const own = (await notices()).filter(({ resident_id: id }) => id === 'f-5')
  const ended = ['cleared', 'closed']
  expect(own.map(({ stage, events }) => [stage, events])).toEqual([
    ['closed', ['opened', ...ended, 'opened again', ...ended, 'opened again', ...ended]],
  ])
})
