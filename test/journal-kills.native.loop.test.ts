import { setTimeout as sleep } from 'node:timers/promises'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { seededRandom } from '../simulators/random.js'
import { startTestDatabase, type TestDatabase } from './support/database.js'
import { type FaultyLine, startFaultyLine } from './support/faulty-line.js'
import { expectLedgerToBalance } from './support/ledger.js'
import { eventually, seedOf } from './support/processes.js'
import { type Rig, residentOfButton, startRig } from './support/rig.js'
import { pagesByResident, pressesOf, toldTwice } from './support/told.js'

const kills = 20
const seed = seedOf('journal-kills')
let database: TestDatabase
let line: FaultyLine
let rig: Rig
beforeAll(async () => {
  database = await startTestDatabase()
  line = await startFaultyLine({ targetUrl: database.url })
  rig = await startRig({ db: database.db, databaseUrl: line.url, buttons: 400, seed })
})
afterAll(async () => {
  await rig?.stop()
  await line?.stop()
  await database?.stop()
})

test('the edge is killed twenty times while the database is away: nothing acknowledged is lost, nobody is told twice but where the kill came between', async () => {
  const random = seededRandom(seed, 'kills')
  const { receiver } = rig
  const loads = rig.startLoads()
  await eventually('a page', () => receiver.requests.length > 2 || undefined)
  await sleep(1_500)
  await line.away()
  const awayAt = Date.now()
  /** When a page had just arrived before a kill: it may have been sent and not noted. */
  const killedAt: number[] = []
  for (let n = 0; n < kills; n++) {
    const before = receiver.requests.length
    if (n % 2 === 0)
      await eventually('a page more', () => receiver.requests.length > before || undefined, 5_000).catch(
        () => undefined,
      )
    else await sleep(100 + random() * 700)
    killedAt.push(Date.now())
    await rig.edge().end('SIGKILL')
    await rig.startEdge()
  }
  await line.mend()
  await eventually('drained', async () => (await rig.edgeReady()) || undefined, 30_000)
  for (const load of loads) load.stop()
  await Promise.all(loads.map((load) => load.done))
  const counts = await expectLedgerToBalance({ db: database.db, loads, receiver, residentOf: residentOfButton })
  await sleep(1_000)
  // What a killed edge had committed before is news to the next one: the load sends it again, acknowledged or not.
  const before = new Set(
    pressesOf(loads.flatMap((load) => load.sent))
      .filter(({ ts }) => ts < awayAt)
      .map(({ deviceId }) => residentOfButton(deviceId)),
  )
  const twice = toldTwice(receiver).filter((residentId) => !before.has(residentId))
  const again = [...pagesByResident(receiver)]
    .filter(([id, pages]) => !before.has(id) && pages.length > 1)
    .map(([, pages]) => pages)
  console.log(counts, `${again.length} told again by the same page, ${twice.length} by two`)
  expect(twice).toEqual([])
  const unexplained = again.filter((pages) =>
    pages.slice(0, -1).some(({ arrivedMs }) => !killedAt.some((at) => at > arrivedMs - 50 && at < arrivedMs + 1_000)),
  )
  expect(unexplained.map((pages) => pages.map(({ arrivedMs }) => arrivedMs))).toEqual([])
  expect(again.length).toBeLessThanOrEqual(kills)
  const { rows } = await database.db.query<{ resident_id: string; alert_id: number }>(
    `select resident_id, alert_id from alerts where kind = 'button'`,
  )
  const idOf = new Map(rows.map((row) => [row.resident_id, String(row.alert_id)]))
  const wrong = [...pagesByResident(receiver)].filter(
    ([id, pages]) => !before.has(id) && pages.some(({ json }) => json?.alertId !== idOf.get(id)),
  )
  expect(wrong, 'a page names the alert that the database has').toEqual([])
})
