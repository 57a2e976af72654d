import { setTimeout as sleep } from 'node:timers/promises'
import { afterEach, expect, test } from 'vitest'
import { migrate } from '../db/migrate.js'
import { type Database, openDatabase } from '../db/pool.js'
import { createLog } from '../kit/log.js'
import type { Load } from './support/gateway-load.js'
import { expectLedgerToBalance } from './support/ledger.js'
import { type OwnPostgres, startOwnPostgres } from './support/own-postgres.js'
import { eventually, seedOf } from './support/processes.js'
import { type Rig, residentOfButton, startRig } from './support/rig.js'

// A PostgreSQL of the test's own: its power is cut, and its disk is full.
const buttons = 1_200
const kills = 3
const seed = seedOf('faults-postgres')
const log = createLog({ role: 'test', level: 'silent' })
const msMax = { timeout: 120_000 }
let postgres: OwnPostgres | undefined
let db: Database | undefined
let rig: Rig | undefined

afterEach(async () => {
  await rig?.stop()
  await db?.end()
  await postgres?.stop()
})

async function start({ diskBytes }: { diskBytes?: number } = {}) {
  postgres = await startOwnPostgres({ serverUrl: process.env.TEST_DATABASE_URL!, ...(diskBytes ? { diskBytes } : {}) })
  db = openDatabase({ url: postgres.url, log })
  await migrate({ db, log })
  rig = await startRig({ db, databaseUrl: postgres.url, buttons, seed })
  const loads = rig.startLoads()
  await moreAcknowledged(loads, 1)
  return { postgres, db, rig, loads }
}
const acknowledgedOf = (load: Load) => load.sent.filter(({ acknowledged }) => acknowledged).length
const moreAcknowledged = (loads: Load[], count: number) => {
  const before = loads.map(acknowledgedOf)
  return eventually(
    `${count} more acknowledgements of each gateway`,
    () => loads.every((load, i) => acknowledgedOf(load) >= before[i]! + count) || undefined,
    30_000,
  )
}
async function finish({ db, rig, loads }: { db: Database; rig: Rig; loads: Load[] }) {
  for (const load of loads) load.stop()
  await Promise.all(loads.map((load) => load.done))
  return expectLedgerToBalance({ db, loads, receiver: rig.receiver, residentOf: residentOfButton })
}

test(
  `its power cut ${kills} times under load: nothing acknowledged is lost, nothing is twice, each press is paged`,
  msMax,
  async () => {
    const { postgres, db, rig, loads } = await start()
    const logins = await rig.edgeSample('shouwang_logins_total{result="granted",role="edge"}')
    for (let kill = 1; kill <= kills; kill++) {
      await postgres.kill()
      await sleep(300)
      await postgres.start()
      await moreAcknowledged(loads, 5)
      await sleep(300)
    }
    console.log(await finish({ db, rig, loads }))
    expect(await rig.edgeSample('shouwang_logins_total{result="granted",role="edge"}'), 'logins').toBe(logins)
  },
)

test(
  'its disk full: what cannot be stored waits, is not taken for bad input, and is stored when there is room',
  msMax,
  async () => {
    const { postgres, db, rig, loads } = await start({ diskBytes: 120_000_000 })
    // Room that only quarantine has: a full disk is seldom full for every table.
    await db.query(
      `insert into quarantine (received_at, gateway_id, topic, reason, detail, payload)
     select now(), 'rig-1', 'v1/rig-1/x', 'wrong shape', repeat('x', 2000), '' from generate_series(1, 2000)`,
    )
    await db.query('delete from quarantine where quarantine_id < (select max(quarantine_id) from quarantine)')
    await db.query('vacuum quarantine')
    const { rows } = await db.query('select quarantine_id from quarantine')
    const logins = await rig.edgeSample('shouwang_logins_total{result="granted",role="edge"}')
    await postgres.fillDisk()
    await rig.edge().printed('No space left on device', 20_000)
    await sleep(4_000)
    await postgres.makeRoom()
    await moreAcknowledged(loads, 5)
    console.log(await finish({ db, rig, loads }))
    expect((await db.query('select quarantine_id from quarantine')).rows, 'quarantine').toEqual(rows)
    expect(await rig.edgeSample('shouwang_logins_total{result="granted",role="edge"}'), 'logins').toBe(logins)
  },
)
