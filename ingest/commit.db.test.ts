import { Registry } from 'prom-client'
import { afterAll, beforeAll, expect, test, vi } from 'vitest'
import type { Database } from '../db/pool.js'
import { manualClock } from '../kit/clock.js'
import { createLog } from '../kit/log.js'
import { createSignal } from '../kit/signal.js'
import { registerCommunity } from '../test/support/community.js'
import { startTestDatabase, type TestDatabase } from '../test/support/database.js'
import { createCommits } from './commit.js'
import { createMemories } from './memories.js'
import { createQuarantineBudget } from './quarantine-budget.js'
import { isStorageFailure } from './storage-failure.js'
import { newWork, type Work } from './work.js'

let database: TestDatabase
const clock = manualClock(new Date('2026-06-01T04:00:00Z'))
const now = clock.now().getTime()
const deviceNo: Record<string, number> = {}

beforeAll(async () => {
  database = await startTestDatabase()
  await registerCommunity(database.db, { key: 'a', homes: 3, now: clock.now() })
  const { rows } = await database.db.query('select device_id, device_no from devices')
  for (const row of rows) deviceNo[row.device_id] = row.device_no
})
afterAll(() => database.stop())

const commitsOn = (db: Database) =>
  createCommits({
    db,
    clock,
    log: createLog({ role: 'test', level: 'silent' }),
    metrics: new Registry(),
    signal: createSignal(),
    memories: createMemories(),
    budget: createQuarantineBudget({ dropped: { inc: () => {} } as never }),
  })

/** A press, and beside it a meter reading with an event that PostgreSQL cannot store. */
function pressBesideNonsense(home: string): Work {
  const work = newWork({
    gatewayId: home,
    topic: `v1/${home}/x`,
    payload: Buffer.from('{}'),
    retain: false,
    receivedAt: clock.now(),
  })
  const common = { residentId: home, observedAt: now, receivedAt: now, clockWrong: false }
  work.alarms.push({
    ...common,
    deviceNo: deviceNo[`${home}-button`]!,
    kind: 'button',
    event: 'pressed',
    room: '',
    retained: false,
  })
  work.readings.push(
    { ...common, deviceNo: deviceNo[`${home}-water`]!, kind: 'water', event: '', value: 7 },
    { ...common, deviceNo: deviceNo[`${home}-electricity`]!, kind: 'electricity', event: 'nul \0', value: 7 },
  )
  return work
}
const rows = async (sql: string, values: unknown[]) => (await database.db.query(sql, values)).rows

test('an alarm whose message the database refuses for something beside it is judged and paged all the same', async () => {
  const commits = commitsOn(database.db)
  const work = pressBesideNonsense('a-1')
  const refusal = await commits.alarms('alarms', [work]).then(
    () => undefined,
    (error: Error) => error,
  )
  expect(refusal && !isStorageFailure(refusal)).toBe(true)
  await commits.alarmsUnjudged(work, refusal!)
  const [alert] = await rows("select reason, headline_en from alerts where resident_id = 'a-1'", [])
  expect(alert.reason).not.toHaveProperty('unjudged')
  expect(await rows("select kept from quarantine where gateway_id = 'a-1'", [])).toEqual([{ kept: true }])
  // What can be stored of the rest is.
  const stored = await rows('select value from readings join devices using (device_no) where device_id = $1', [
    'a-1-water',
  ])
  expect(stored).toEqual([{ value: 7 }])
})

test('that the storage fails meanwhile is said: the message is not acknowledged', async () => {
  const away = Object.assign(new Error('terminating connection'), { code: '57P01' })
  const db = { ...database.db, query: database.db.query.bind(database.db), transaction: () => Promise.reject(away) }
  await expect(commitsOn(db as never).alarmsUnjudged(pressBesideNonsense('a-2'), new Error('refused'))).rejects.toBe(
    away,
  )
  expect(await rows("select from alerts where resident_id = 'a-2'", [])).toEqual([])
})

test('what a gateway told beside an alarm is kept after it', async () => {
  const work = pressBesideNonsense('a-3')
  work.readings = []
  work.memory = { gatewayId: 'a-3', memory: { names: 1 }, version: now * 1_000 }
  await commitsOn(database.db).alarms('alarms', [work])
  expect(await rows("select from alerts where resident_id = 'a-3'", [])).toHaveLength(1)
  await vi.waitFor(async () =>
    expect(await rows("select dialect_memory from gateways where gateway_id = 'a-3'", [])).toEqual([
      { dialect_memory: { names: 1 } },
    ]),
  )
})
