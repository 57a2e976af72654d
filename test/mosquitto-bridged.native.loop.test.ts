import { setTimeout as sleep } from 'node:timers/promises'
import { connectAsync } from 'mqtt'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { seededRandom, whole } from '../simulators/random.js'
import { gatewaySecret } from './support/community.js'
import { startTestDatabase, type TestDatabase } from './support/database.js'
import { expectLedgerToBalance } from './support/ledger.js'
import { type Mosquitto, startCalmLoads, startMosquitto } from './support/mosquitto.js'
import { eventually, freePort, seedOf } from './support/processes.js'
import { buildingId, type Rig, residentOfButton, rigKey, startRig } from './support/rig.js'

const buttons = 200
const seed = seedOf('mosquitto-bridged')
const plainGateway = `${rigKey}-1`
let database: TestDatabase
let mosquitto: Mosquitto
let rig: Rig

/** A bridge is one login: one connection for each gateway that is registered. */
const bridge = (gatewayId: string, port: number, lines: string[]) => [
  `connection ${gatewayId}`,
  `address 127.0.0.1:${port}`,
  `remote_username ${gatewayId}`,
  `remote_password ${gatewaySecret(gatewayId)}`,
  'cleansession false',
  'restart_timeout 1',
  ...lines,
]

beforeAll(async () => {
  database = await startTestDatabase()
  const port = await freePort()
  const others = [2, 3].map((n) => `${rigKey}-${n}`)
  mosquitto = await startMosquitto({
    config: [
      // One as Mosquitto does it unless told otherwise: it says on $SYS that it is there, and that it is a bridge.
      ...bridge(plainGateway, port, [`topic v1/${plainGateway}/# out 1`, `topic # out 1 house/ v1/${plainGateway}/`]),
      ...others.flatMap((id) => bridge(id, port, [`topic v1/${id}/# out 1`, 'notifications_local_only true'])),
      ...bridge(buildingId, port, [`topic v1/${buildingId}/# out 1`, 'notifications false', 'try_private false']),
    ],
  })
  rig = await startRig({
    db: database.db,
    databaseUrl: database.url,
    buttons,
    seed,
    env: { MQTT_PORT: String(port) },
  })
})
afterAll(async () => {
  await rig?.stop()
  await mosquitto?.stop()
  await database?.stop()
})

test('Mosquitto bridged to Shouwang, both killed and restarted: what Mosquitto has acknowledged is stored once, each press paged', async () => {
  const random = seededRandom(seed, 'kills')
  const loads = startCalmLoads({ url: mosquitto.url, buttons, seed })
  const acknowledged = () => loads.flatMap((load) => load.sent).filter((reading) => reading.acknowledged).length
  const more = (count: number) => {
    const goal = acknowledged() + count
    return eventually(`${count} more acknowledgements`, () => acknowledged() >= goal || undefined, 20_000)
  }
  await more(300)
  await eventually('a press that is paged', () => rig.receiver.requests.length > 0 || undefined, 20_000)
  for (let round = 1; round <= 3; round++) {
    await sleep(whole(random, 100, 1_000))
    await rig.edge().end('SIGKILL')
    await more(200)
    // With the edge away all of that waits in Mosquitto: it has to bring it through its own restart.
    if (round > 1) {
      await mosquitto.end('SIGTERM')
      await mosquitto.start()
    }
    await rig.startEdge()
    await more(200)
  }
  for (const load of loads) load.stop()
  await Promise.all(loads.map((load) => load.done))
  const counts = await expectLedgerToBalance({
    db: database.db,
    loads,
    receiver: rig.receiver,
    residentOf: residentOfButton,
    msMax: 40_000,
  })
  console.log(JSON.stringify(counts))
  expect(counts.presses).toBeGreaterThan(10)
})

test('what is published elsewhere and mapped into its place is paged', async () => {
  const client = await connectAsync(mosquitto.url)
  const deviceId = `${plainGateway}-smoke`
  await client.publishAsync(`house/${deviceId}/smoke`, JSON.stringify({ ts: Date.now(), alarm: true }), { qos: 1 })
  await client.endAsync()
  const paged = () => rig.receiver.requests.some(({ json }) => json?.kind === 'smoke')
  await eventually('a page about the smoke', () => paged() || undefined, 20_000)
  expect(await quarantined()).toEqual([])
})

test('a bridge that says on $SYS that it is there is not ended for it', async () => {
  expect(await rig.edgeSample('shouwang_publish_refused_total{reason="system topic",role="edge"}')).toBeGreaterThan(0)
  const connected = rig
    .edge()
    .stdout()
    .split('\n')
    .filter((line) => line.includes('gateway.connected') && line.includes(`"${plainGateway}"`))
  expect(connected.length).toBeLessThanOrEqual(2)
})

async function quarantined() {
  const { rows } = await database.db.query('select topic, reason from quarantine')
  return rows
}
