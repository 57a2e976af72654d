import { afterAll, beforeAll, expect, test } from 'vitest'
import { manualClock } from '../kit/clock.js'
import { createLog } from '../kit/log.js'
import { createSignal } from '../kit/signal.js'
import { startTestDatabase, type TestDatabase } from '../test/support/database.js'
import { type Community, seedAlert, seedCommunity } from '../test/support/fixtures.js'
import { createEscalator } from './escalate-due.js'

let database: TestDatabase
let c: Community
const now = new Date('2026-06-01T00:00:00Z')
const clock = manualClock(now)
const count = 25

beforeAll(async () => {
  database = await startTestDatabase()
  c = await seedCommunity(database.db, { key: 'e', now, residents: count })
  await database.db.query('update alerts set due_at = null')
})
afterAll(() => database.stop())

test('of steps that are due together, one that fails keeps no other waiting', async () => {
  const { db } = database
  const alertIds: number[] = []
  for (const { residentId, devices } of c.residents)
    alertIds.push(
      await seedAlert(db, {
        communityId: c.communityId,
        residentId,
        deviceNo: devices.water,
        kind: 'water_running',
        openedAt: now,
        headline: { zh: '示例', en: 'Invented' },
      }),
    )
  await db.query('update alerts set due_at = $2 where alert_id = any($1)', [alertIds, now])
  const poisoned = alertIds[7]!
  await db.query(
    `create function refuse() returns trigger language plpgsql as $$ begin raise exception 'refused'; end $$`,
  )
  await db.query(
    `create trigger refuse before update on alerts for each row when (new.alert_id = ${poisoned}) execute function refuse()`,
  )
  const escalate = createEscalator({
    db,
    clock,
    log: createLog({ role: 'test', level: 'silent' }),
    signal: createSignal(),
  })
  const due = async () =>
    (await db.query<{ alert_id: number }>('select alert_id from alerts where due_at <= $1', [clock.now()])).rows.map(
      ({ alert_id }) => alert_id,
    )
  await escalate()
  expect(await due()).toEqual([poisoned])

  await db.query('drop trigger refuse on alerts')
  await escalate()
  expect(await due()).toEqual([poisoned])
  clock.advance(11_000)
  await escalate()
  expect(await due()).toEqual([])
})
