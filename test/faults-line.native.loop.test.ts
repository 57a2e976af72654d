import { setTimeout as sleep } from 'node:timers/promises'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { seededRandom } from '../simulators/random.js'
import { startTestDatabase, type TestDatabase } from './support/database.js'
import { type FaultyLine, startFaultyLine } from './support/faulty-line.js'
import type { Load } from './support/gateway-load.js'
import { expectLedgerToBalance } from './support/ledger.js'
import { eventually, seedOf } from './support/processes.js'
import { type Rig, residentOfButton, startRig } from './support/rig.js'

// The line to the database breaks in every way that a line can, while gateways publish and press.
/** The commit does not arrive; it arrives, and its answer does not; an answer, of a commit or of anything else, is lost. */
const kindsOfCut = ['the commit', 'the way back', 'its answer'] as const
type Cut = (typeof kindsOfCut)[number]
const seed = seedOf('faults-line')
let database: TestDatabase
let line: FaultyLine
let rig: Rig
const granted = () => rig.edgeSample('shouwang_logins_total{result="granted",role="edge"}')

beforeAll(async () => {
  database = await startTestDatabase()
  line = await startFaultyLine({ targetUrl: database.url })
  rig = await startRig({ db: database.db, databaseUrl: line.url, buttons: 1_200, seed })
})
afterAll(async () => {
  await rig?.stop()
  await line?.stop()
  await database?.stop()
})

const acknowledgedOf = (loads: Load[]) => loads.flatMap((load) => load.sent).filter((reading) => reading.acknowledged)
const acknowledgedByEach = (loads: Load[]) =>
  eventually(
    'an acknowledgement of each',
    () => loads.every((load) => load.sent.some(({ acknowledged }) => acknowledged)) || undefined,
  )
const allLoads: Load[] = []

async function finish(loads: Load[]) {
  for (const load of loads) load.stop()
  await Promise.all(loads.map((load) => load.done))
  allLoads.push(...loads)
}

test('cut in the middle of commits, before they arrive and before their answer does: no gateway notices', async () => {
  const random = seededRandom(seed, 'cuts')
  const loads = rig.startLoads()
  await acknowledgedByEach(loads)
  const before = await granted()
  const cuts: Cut[] = []
  let calmUntil = 0
  line.judge((bytes, from) => {
    if (Date.now() < calmUntil) return 'pass'
    const cut = kindsOfCut[cuts.length % kindsOfCut.length]!
    if ((from === 'server') !== (cut === 'its answer')) return 'pass'
    if (from === 'client' && !bytes.includes('commit') && !bytes.includes('insert into readings')) return 'pass'
    calmUntil = Date.now() + 50 + random() * 150
    cuts.push(cut)
    return cut === 'the way back' ? 'cutAfter' : 'cut'
  })
  await sleep(5_000)
  line.judge()
  await finish(loads)
  console.log(`${cuts.length} cuts`)
  expect(cuts.length).toBeGreaterThan(15)
  expect(await granted(), 'logins').toBe(before)
})

test('away for four seconds: nobody is turned away, and all goes on at its return', async () => {
  const loads = rig.startLoads()
  await acknowledgedByEach(loads)
  const before = await granted()
  await line.away()
  await sleep(4_000)
  await line.mend()
  const atReturn = acknowledgedOf(loads).length
  await eventually('acknowledgements', () => acknowledgedOf(loads).length > atReturn + 100 || undefined)
  await finish(loads)
  expect(await granted(), 'logins').toBe(before)
})

test('hanging for three seconds: what waited is sent again once the line is back, and no gateway notices', async () => {
  const loads = rig.startLoads()
  await acknowledgedByEach(loads)
  const before = await granted()
  line.hang()
  const atHang = acknowledgedOf(loads).length
  await sleep(3_000)
  await line.mend()
  await eventually('acknowledgements', () => acknowledgedOf(loads).length > atHang + 100 || undefined)
  await finish(loads)
  expect(await granted(), 'logins').toBe(before)
})

test('after all of that: what was acknowledged is stored, once, and each press has one alert and was paged', async () => {
  const { receiver } = rig
  console.log(await expectLedgerToBalance({ db: database.db, loads: allLoads, receiver, residentOf: residentOfButton }))
})
