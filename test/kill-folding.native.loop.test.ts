import { setTimeout as sleep } from 'node:timers/promises'
import { afterAll, beforeAll, expect, test } from 'vitest'
import type { Arrival } from '../alerts/model.js'
import { emptyState, fold } from '../alerts/rules/fold.js'
import { insertReadings } from '../db/readings.js'
import { seededRandom, whole } from '../simulators/random.js'
import { registerCommunity } from './support/community.js'
import { startTestDatabase, type TestDatabase } from './support/database.js'
import { createProcesses, eventually, freePort, seedOf } from './support/processes.js'

// SIGKILL to the alerts role while it folds: what it knows of each resident afterwards is what one fold of everything gives.
const kills = 8
const homes = 30
const processes = createProcesses()
let database: TestDatabase

beforeAll(async () => {
  database = await startTestDatabase()
  await registerCommunity(database.db, { key: 'f', homes })
  // What was handed to the rules, kept from their hands.
  await database.db.query('create table seen as select * from arrivals')
  await database.db.query(
    `create function keep() returns trigger language plpgsql as
       $$ begin insert into seen select new.*; return new; end $$`,
  )
  await database.db.query('create trigger keep after insert on arrivals for each row execute function keep()')
})
afterAll(async () => {
  await processes.stopAll()
  await database?.stop()
})

test(`killed ${kills} times while it folds: nothing is folded twice, nothing is left out`, async () => {
  const { db } = database
  const random = seededRandom(seedOf('kill-folding'), 'readings')
  const env = {
    DATABASE_URL: database.url,
    ALERTS_HTTP_PORT: String(await freePort()),
    PUBLIC_URL: 'http://localhost',
    LOG_LEVEL: 'info',
  }
  const { rows: devices } = await db.query<{ device_no: number }>(
    "select device_no from devices where kind = 'water' order by device_no",
  )
  let litres = 0
  let at = Date.now() - 20 * 3_600_000
  let stopped = false
  const feed = async () => {
    for (; !stopped; at += 60_000, litres += whole(random, 0, 8)) {
      await insertReadings(
        db,
        devices.map(({ device_no: deviceNo }) => ({
          deviceNo,
          observedAt: at,
          receivedAt: at,
          event: '',
          value: litres,
          clockWrong: false,
        })),
      )
      await sleep(5)
    }
  }
  const feeding = feed()
  const folded: number[] = []
  for (let kill = 1; kill <= kills; kill++) {
    const before = await foldedCount()
    const alerts = processes.start('alerts/main', { env })
    await eventually('something folded', async () => (await foldedCount()) > before || undefined, 30_000)
    await sleep(random() * 300)
    await alerts.end('SIGKILL')
    folded.push((await foldedCount()) - before)
  }
  stopped = true
  await feeding
  const last = processes.start('alerts/main', { env })
  await eventually('an empty queue', async () => (await queued()) === 0 || undefined, 30_000)
  expect((await last.end('SIGINT')).code).toBe(0)

  const { rows } = await db.query<{ resident_id: string; state: unknown; bodies: Arrival[][] }>(
    `select resident_id, state, (select jsonb_agg(body order by arrival_id) from seen s where s.resident_id = r.resident_id) as bodies
       from resident_state r order by resident_id`,
  )
  expect(rows).toHaveLength(homes)
  const context = { timeZone: 'Asia/Shanghai', alarmsPerMonth: 2 }
  for (const { resident_id, state, bodies } of rows) {
    const { state: expected } = fold(emptyState(), bodies.flat(), Date.now(), context)
    expect(state, `the state of ${resident_id}`).toEqual(JSON.parse(JSON.stringify(expected)))
  }
  console.log(`${kills} kills, folded per life: ${folded.join(' ')}`)
})

const count = async (sql: string) => (await database.db.query<{ n: number }>(sql)).rows[0]!.n
const queued = () => count('select count(*) as n from arrivals')
const foldedCount = () => count('select (select count(*) from seen) - (select count(*) from arrivals) as n')
