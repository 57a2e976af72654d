import { setTimeout as sleep } from 'node:timers/promises'
import pg from 'pg'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { findPageLink } from '../db/page-links.js'
import { startTestDatabase, type TestDatabase } from './support/database.js'
import { type FaultyLine, startFaultyLine } from './support/faulty-line.js'
import type { Load, Sent } from './support/gateway-load.js'
import { expectLedgerToBalance } from './support/ledger.js'
import { eventually, seedOf } from './support/processes.js'
import { type Rig, residentOfButton, startRig } from './support/rig.js'
import { pageDelays, pagesByResident, pressesOf, toldTwice } from './support/told.js'

const seed = seedOf('journal-hang')
let database: TestDatabase
let line: FaultyLine
let rig: Rig
let loads: Load[]
const faultsAt: number[] = []
beforeAll(async () => {
  database = await startTestDatabase()
  line = await startFaultyLine({ targetUrl: database.url })
  rig = await startRig({ db: database.db, databaseUrl: line.url, buttons: 900, seed })
  loads = rig.startLoads()
  await eventually('a page', () => rig.receiver.requests.length > 2 || undefined)
  // The edge learns whom to call.
  await sleep(2_000)
})
afterAll(async () => {
  for (const load of loads ?? []) load.stop()
  await line?.mend()
  await rig?.stop()
  await line?.stop()
  await database?.stop()
})
const sentOf = (some: Load[]) => some.flatMap((load) => load.sent)
const acknowledged = (some: Load[]) => sentOf(some).filter((reading) => reading.acknowledged)
const meters = () => acknowledged(loads.slice(0, 3)).length
const pressedSince = (at: number): Sent[] => pressesOf(sentOf(loads)).filter(({ ts }) => ts > at)
const drained = () => eventually('drained', async () => (await rig.edgeReady()) || undefined, 40_000)
const report = (name: string, delays: number[]) =>
  console.log(
    `${name}: ${delays.length} presses paged after p50 ${delays[delays.length >> 1]} ms, max ${delays.at(-1)} ms`,
  )

test('the receiver of pages is down while the database is away and back: pages go on from the outbox, once, and their links work', async () => {
  rig.receiver.answerWith({ status: 503 })
  await line.away()
  const at = Date.now()
  faultsAt.push(at)
  await sleep(2_500)
  await line.mend()
  await drained()
  const pressed = pressedSince(at).filter(({ ts }) => ts < Date.now() - 500)
  rig.receiver.answerWith({ status: 200 })
  const upAt = Date.now()
  const lastOf = (press: Sent) => pagesByResident(rig.receiver).get(residentOfButton(press.deviceId))?.at(-1)
  await eventually('all told', () => pressed.every((press) => lastOf(press)!.arrivedMs > upAt) || undefined, 30_000)
  expect(pressed.length).toBeGreaterThan(5)
  const { json } = lastOf(pressed[0]!)!
  const token = String(json!.url).split('/p/')[1]!
  expect(await findPageLink(database.db, { token, now: new Date() })).toMatchObject({ alertId: Number(json!.alertId) })
})

test('the database hangs for ten seconds: presses are paged within 2 s, and meters acknowledged again', async () => {
  line.hang()
  const at = Date.now()
  faultsAt.push(at)
  await sleep(7_000)
  const before = meters()
  await sleep(3_000)
  expect(meters()).toBeGreaterThan(before + 100)
  const pressed = pressedSince(at).filter(({ ts }) => ts < Date.now() - 2_000)
  await line.mend()
  await drained()
  const delays = pageDelays(rig.receiver, pressed)
  report('hanging', delays)
  expect(pressed.length).toBeGreaterThan(20)
  expect(delays.at(-1)).toBeLessThan(2_000)
})

test('another session holds the rows of a device for five seconds: nobody waits for it', async () => {
  const holder = new pg.Client({ connectionString: database.url })
  await holder.connect()
  await holder.query('begin')
  await holder.query(`select from devices where gateway_id = 'rig-4' and device_no % 3 = 0 for update`)
  const at = Date.now()
  await sleep(5_000)
  const pressed = pressedSince(at).filter(({ ts }) => ts < Date.now() - 2_000)
  await holder.query('commit')
  await holder.end()
  await drained()
  const delays = pageDelays(rig.receiver, pressed)
  report('locked', delays)
  expect(pressed.length).toBeGreaterThan(10)
  expect(delays.at(-1)).toBeLessThan(2_500)
})

test('in the end all is there once, and nobody was told twice', async () => {
  const { receiver } = rig
  for (const load of loads) load.stop()
  await Promise.all(loads.map((load) => load.done))
  console.log(await expectLedgerToBalance({ db: database.db, loads, receiver, residentOf: residentOfButton }))
  // Whose commit was under way when the line broke may have been committed: nobody can know, and it is told in doubt.
  const doubtful = pressesOf(sentOf(loads)).filter(({ ts }) => faultsAt.some((at) => ts > at - 500 && ts <= at))
  const twice = toldTwice(receiver)
  expect(twice.filter((id) => !doubtful.some(({ deviceId }) => residentOfButton(deviceId) === id))).toEqual([])
  expect(twice.length).toBeLessThanOrEqual(6)
})
