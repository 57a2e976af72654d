import { setTimeout as sleep } from 'node:timers/promises'
import { afterAll, afterEach, beforeAll, expect, test } from 'vitest'
import { type Database, openDatabase } from '../db/pool.js'
import { createLog } from '../kit/log.js'
import { startTestDatabase, type TestDatabase } from './support/database.js'
import { type FaultyLine, startFaultyLine } from './support/faulty-line.js'
import type { Load } from './support/gateway-load.js'
import { expectLedgerToBalance } from './support/ledger.js'
import { eventually, seedOf } from './support/processes.js'
import { type Rig, residentOfButton, startRig } from './support/rig.js'

// Statements that get no answer: they wait for a session that hangs, or their connection died without a word.
/** After so long without a statement a session loses its transaction, and its locks. */
const idleInTransactionMs = 10_000
/** A statement's deadline on the server is 8 s, on our side 9 s. */
const deadlineMs = 9_000
const msMax = 120_000
const seed = seedOf('faults-hang')
let database: TestDatabase
let other: Database
let letGo: () => Promise<unknown> = async () => undefined
let line: FaultyLine
let rig: Rig
const allLoads: Load[] = []
let loads: Load[] = []

beforeAll(async () => {
  database = await startTestDatabase()
  other = openDatabase({ url: database.url, log: createLog({ role: 'test', level: 'silent' }) })
  line = await startFaultyLine({ targetUrl: database.url })
  rig = await startRig({ db: database.db, databaseUrl: line.url, buttons: 1_200, seed })
})
afterEach(async () => {
  await letGo()
  for (const load of loads) load.stop()
  await Promise.all(loads.map((load) => load.done))
}, msMax)
afterAll(async () => {
  await rig?.stop()
  await line?.stop()
  await other?.end()
  await database?.stop()
})

async function startLoads() {
  loads = rig.startLoads()
  allLoads.push(...loads)
  await moreAcknowledged(loads, 1)
}
const acknowledgedOf = (load: Load) => load.sent.filter(({ acknowledged }) => acknowledged).length
/** Resolves with how long it took, in ms. */
async function moreAcknowledged(of: Load[], count: number) {
  const before = of.map(acknowledgedOf)
  const startedAt = performance.now()
  await eventually(
    `${count} more acknowledgements of each gateway`,
    () => of.every((load, i) => acknowledgedOf(load) >= before[i]! + count) || undefined,
    30_000,
  )
  return performance.now() - startedAt
}

/** Another process of ours takes the next readings of gateways for itself, and hangs: whoever inserts them waits for it. */
async function hold(gateways: number[]) {
  let release = () => {}
  const released = new Promise<void>((resolve) => {
    release = resolve
  })
  let held = () => {}
  const holding = new Promise<void>((resolve) => {
    held = resolve
  })
  const transaction = other.transaction(async (tx) => {
    for (const n of gateways)
      await tx.query(
        `insert into readings (device_no, observed_at, received_at, event)
         select device_no, to_timestamp($2::float8 / 1000) + n * interval '0.1 s', now(), ''
           from devices, generate_series(1, 5000) n where device_id = $1 on conflict do nothing`,
        [`rig-${n}-water`, loads[n - 1]!.sent.at(-1)!.ts],
      )
    held()
    await released
    throw new Error('it is rolled back')
  })
  letGo = () => {
    release()
    return transaction.catch(() => undefined)
  }
  await holding
  for (const n of gateways)
    await eventually(`gateway ${n} waits`, async () => {
      const before = acknowledgedOf(loads[n - 1]!)
      await sleep(300)
      return acknowledgedOf(loads[n - 1]!) === before || undefined
    })
}

test(
  'one commit that waits for a session which hangs: the other gateways go on beside it',
  async () => {
    await startLoads()
    await hold([2])
    const others = loads.filter((_, i) => i !== 1)
    const ms = [await moreAcknowledged(others, 3), await moreAcknowledged(others, 3), await moreAcknowledged(others, 3)]
    await letGo()
    await moreAcknowledged(loads, 3)
    console.log(`others waited ${Math.max(...ms).toFixed(0)} ms`)
    expect(Math.max(...ms)).toBeLessThan(3_000)
  },
  msMax,
)

test(
  'every commit waits for a session which hangs: presses go on, and once it is ended the meters do',
  async () => {
    await startLoads()
    await hold([2, 3])
    const pressesMs = await moreAcknowledged(loads.slice(3), 3)
    const metersMs = await moreAcknowledged(loads.slice(0, 3), 3)
    console.log(`presses waited ${pressesMs.toFixed(0)} ms, meters ${metersMs.toFixed(0)} ms`)
    expect(pressesMs).toBeLessThan(3_000)
    expect(metersMs).toBeLessThan(idleInTransactionMs + 8_000)
  },
  msMax,
)

test(
  'connections that died without a word, as behind a firewall: they are given up, and new ones carry on',
  async () => {
    await startLoads()
    line.freeze()
    const ms = await moreAcknowledged(loads, 5)
    console.log(`given up after ${ms.toFixed(0)} ms`)
    expect(ms).toBeLessThan(2 * deadlineMs + 3_000)
  },
  msMax,
)

test(
  'after all of that: what was acknowledged is stored, once, and each press has one alert and was paged',
  async () => {
    const { receiver } = rig
    console.log(
      await expectLedgerToBalance({ db: database.db, loads: allLoads, receiver, residentOf: residentOfButton }),
    )
  },
  msMax,
)
