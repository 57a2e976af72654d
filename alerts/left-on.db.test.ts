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
const hour = 3_600_000

beforeAll(async () => {
  database = await startTestDatabase()
  await registerCommunity(database.db, { key: 'on', homes: 2, now: start })
  const log = createLog({ role: 'test', level: 'silent' })
  work = createArrivalFolder({ db: database.db, clock, log, signal: createSignal() })
})
afterAll(() => database.stop())

/** A register that grows by so much each hour, in the `home`, from the beginning on. */
async function send(home: number, kind: 'water' | 'electricity', hourly: readonly number[], from = 0) {
  const { rows } = await database.db.query(
    'select device_no from devices where device_id = $1 and unbound_at is null',
    [`on-${home}-${kind}`],
  )
  let value = 100
  const readings = hourly.map((more, index) => {
    value += more
    const at = start.getTime() + index * hour
    return { deviceNo: rows[0].device_no, observedAt: at, receivedAt: at, event: '', value, clockWrong: false }
  })
  await insertReadings(database.db, readings.slice(from))
  clock.set(new Date(Math.max(clock.now().getTime(), readings.at(-1)!.receivedAt + 1_000)))
  for (let turn = 0; turn < 50; turn += 1) if ((await work()) === 'idle') return
}
const repeated = (times: number, value: number) => Array.from({ length: times }, () => value)

test.each([
  [1, 'electricity', 'appliance_on', [...repeated(6, 90), ...repeated(9, 2_000)], repeated(1, 90)],
  [2, 'water', 'leak_standing', repeated(50, 5), repeated(3, 0)],
] as const)('home %i, %s: %s is a warning, and one that is over by itself is no device fault', async (...row) => {
  const [home, device, kind, leftOn, over] = row
  const alerts = async () =>
    (
      await database.db.query(
        'select kind, severity, stage, outcome from alerts where resident_id = $1 and kind = $2',
        [`on-${home}`, kind],
      )
    ).rows
  await send(home, device, leftOn)
  expect(await alerts()).toEqual([{ kind, severity: 'warning', stage: 'open', outcome: null }])
  await send(home, device, [...leftOn, ...over], leftOn.length)
  expect(await alerts()).toEqual([{ kind, severity: 'warning', stage: 'closed', outcome: 'other' }])
})
