import { setTimeout as sleep } from 'node:timers/promises'
import { connectAsync } from 'mqtt'
import { afterAll, beforeAll, expect, onTestFinished, test } from 'vitest'
import { gatewaySecret, registerCommunity, webhookSecret } from './support/community.js'
import { startTestDatabase, type TestDatabase } from './support/database.js'
import { type FaultyLine, startFaultyLine } from './support/faulty-line.js'
import type { Load, Sent } from './support/gateway-load.js'
import { expectLedgerToBalance } from './support/ledger.js'
import { eventually, freePort, seedOf } from './support/processes.js'
import { type Rig, residentOfButton, startRig } from './support/rig.js'
import { pageDelays, pressesOf, toldTwice } from './support/told.js'

const seed = seedOf('journal-limit')
let database: TestDatabase
let line: FaultyLine
beforeAll(async () => {
  database = await startTestDatabase()
  line = await startFaultyLine({ targetUrl: database.url })
})
afterAll(async () => {
  await line?.stop()
  await database?.stop()
})

async function start(env: Record<string, string>) {
  await database.db.query('truncate communities, readings, arrivals, alerts, quarantine cascade')
  await database.db.query('truncate staff, gateways cascade')
  const EDGE_HTTP_PORT = String(await freePort())
  const rig: Rig = await startRig({
    db: database.db,
    databaseUrl: line.url,
    buttons: 700,
    seed,
    env: { ...env, EDGE_HTTP_PORT },
  })
  const ready = async () => (await fetch(`http://127.0.0.1:${EDGE_HTTP_PORT}/readyz`)).text()
  // A gateway of its own, which the edge has met before.
  await registerCommunity(database.db, {
    key: 'q',
    channelsOf: (who) => [{ kind: 'webhook', address: `${rig.receiver.url}/${who}`, secret: webhookSecret }],
  })
  const loads = rig.startLoads()
  const extra = await connectAsync(rig.mqttUrl, {
    clientId: 'q-1',
    username: 'q-1',
    password: gatewaySecret('q-1'),
    protocolVersion: 4,
    reconnectPeriod: 50,
  })
  extra.on('error', () => undefined)
  const publish = (kind: string, body: unknown) =>
    extra.publishAsync(`v1/q-1/q-1-${kind}/${kind}`, JSON.stringify(body), { qos: 1 })
  await publish('water', { ts: Date.now(), litres: 1 })
  const finish = async () => {
    for (const load of loads) load.stop()
    await Promise.all(loads.map((load) => load.done))
  }
  onTestFinished(async () => {
    await line.mend()
    for (const load of loads) load.stop()
    await extra.endAsync(true)
    await rig.stop()
  })
  const balance = async () => {
    await database.db.query(
      `delete from readings using devices where readings.device_no = devices.device_no and gateway_id = 'q-1'`,
    )
    return expectLedgerToBalance({ db: database.db, loads, receiver: rig.receiver, residentOf: residentOfButton })
  }
  await eventually(
    'an acknowledgement of each',
    () => loads.every((load) => acknowledged([load]).length > 5) || undefined,
  )
  await eventually('a page', () => rig.receiver.requests.length > 2 || undefined)
  return { rig, loads, publish, ready, finish, balance }
}
const sentOf = (loads: Load[]) => loads.flatMap((load) => load.sent)
const acknowledged = (loads: Load[]) => sentOf(loads).filter((reading) => reading.acknowledged)
const meters = (readings: Sent[]) => readings.filter(({ value }) => value !== null)

test('at its limit the journal takes no more meter readings, and all emergencies; what was withheld comes in later', async () => {
  const { rig, loads, publish, ready, finish, balance } = await start({ JOURNAL_MB_MAX: '1' })
  await line.away()
  const awayAt = Date.now()
  const from = awayAt - 7 * 86_400_000
  const backlog = (n: number) =>
    Array.from({ length: 1_000 }, (_, i) => ({ ts: from + (n * 1_000 + i) * 1_000, litres: n + i / 1_000 }))
  const withheld = Promise.all(Array.from({ length: 40 }, (_, n) => publish('water', backlog(n))))
  await eventually('full', async () => (await ready()).includes('it is full') || undefined, 20_000)
  await sleep(500)
  const fullAt = Date.now()
  const metersBefore = meters(acknowledged(loads.slice(2, 3))).length
  const pressesBefore = pressesOf(acknowledged(loads)).length
  await sleep(4_000)
  expect(meters(acknowledged(loads.slice(2, 3))).length - metersBefore, 'arrays acknowledged').toBeLessThan(200)
  expect(pressesOf(acknowledged(loads)).length - pressesBefore).toBeGreaterThan(20)
  const pressed = pressesOf(sentOf(loads)).filter(({ ts }) => ts > awayAt && ts < Date.now() - 2_000)
  expect(rig.edge().stderr()).toBe('')
  await line.mend()
  await eventually('drained', async () => (await ready()).startsWith('ready') || undefined, 30_000)
  await finish()
  await withheld
  const counts = await balance()
  expect(counts.acknowledged).toBe(counts.sent)
  const delays = pageDelays(rig.receiver, pressed)
  console.log(
    `full after ${fullAt - awayAt} ms`,
    counts,
    `paged p50 ${delays[delays.length >> 1]} max ${delays.at(-1)}`,
  )
  expect(delays.at(-1)).toBeLessThan(2_000)
  expect(toldTwice(rig.receiver)).toEqual([])
})
