import { setTimeout as sleep } from 'node:timers/promises'
import { connectAsync } from 'mqtt'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { seededRandom, whole } from '../simulators/random.js'
import { startTestDatabase, type TestDatabase } from './support/database.js'
import { type FaultyLine, startFaultyLine } from './support/faulty-line.js'
import { expectLedgerToBalance } from './support/ledger.js'
import { type Mosquitto, startCalmLoads, startMosquitto } from './support/mosquitto.js'
import { eventually, seedOf } from './support/processes.js'
import { type Rig, residentOfButton, rigKey, startRig } from './support/rig.js'

const kills = 5
const awayMs = 2_500
const buttons = 200
const seed = seedOf('mosquitto-attached')
let database: TestDatabase
let line: FaultyLine
let mosquitto: Mosquitto
let rig: Rig

beforeAll(async () => {
  database = await startTestDatabase()
  line = await startFaultyLine({ targetUrl: database.url })
  mosquitto = await startMosquitto()
  rig = await startRig({
    db: database.db,
    databaseUrl: line.url,
    buttons,
    seed,
    env: { ATTACH_URL: mosquitto.url },
  })
  await database.db.query(`update gateways set via = 'attached' where starts_with(gateway_id, $1)`, [`${rigKey}-`])
  await database.db.query(
    `insert into gateways (gateway_id, community_id, secret_hash, label, dialect, base_topics, via)
     values ('bridge', $1, '', '示例·桥', 'zigbee2mqtt', array['zigbee2mqtt'], 'attached'),
            ('plug', $1, '', '示例·插座', 'tasmota', array['tele/plug-7', 'stat/plug-7'], 'attached')`,
    [rigKey],
  )
  // It would see that after 15 s.
  await rig.edge().end('SIGINT')
  await rig.startEdge()
  await rig.edge().printed('attach.subscribed')
})
afterAll(async () => {
  await rig?.stop()
  await mosquitto?.stop()
  await line?.stop()
  await database?.stop()
})

test('attached to Mosquitto, the edge killed again and again, Mosquitto restarted, the database away: what Mosquitto has acknowledged is stored once', async () => {
  const random = seededRandom(seed, 'kills')
  const loads = startCalmLoads({ url: mosquitto.url, buttons, seed })
  const acknowledged = () => loads.flatMap((load) => load.sent).filter((reading) => reading.acknowledged).length
  const more = (count: number) => {
    const goal = acknowledged() + count
    return eventually(`${count} more acknowledgements`, () => acknowledged() >= goal || undefined, 20_000)
  }
  await more(300)
  for (let kill = 1; kill <= kills; kill++) {
    await sleep(whole(random, 200, 1_000))
    await rig.edge().end('SIGKILL')
    await more(100)
    await rig.startEdge()
    if (kill === 2) {
      await line.away()
      await sleep(awayMs)
      await line.mend()
    }
    if (kill === 4) {
      await mosquitto.end('SIGTERM')
      await mosquitto.start()
    }
  }
  await more(300)
  for (const load of loads) load.stop()
  await Promise.all(loads.map((load) => load.done))
  const counts = await expectLedgerToBalance({
    db: database.db,
    loads,
    receiver: rig.receiver,
    residentOf: residentOfButton,
    msMax: 40_000,
  })
  expectOnePageEach()
  console.log(`${kills} kills: ${JSON.stringify(counts)}`)
  expect(counts.presses).toBeGreaterThan(20)
  expect(await online('rig-1', 'rig-2', 'rig-3', 'rig-4')).toEqual([true, true, true, true])
})

test('a Zigbee2MQTT and a Tasmota that already speak to Mosquitto are understood, and come and go as they say', async () => {
  const client = await connectAsync(mosquitto.url)
  const say = (topic: string, payload: unknown, retain = false) =>
    client.publishAsync(topic, typeof payload === 'string' ? payload : JSON.stringify(payload), { qos: 1, retain })
  await say('zigbee2mqtt/bridge/state', { state: 'online' }, true)
  await say('zigbee2mqtt/bridge/devices', [smokeAlarm], true)
  await say('tele/plug-7/LWT', 'Online', true)
  await say('tele/plug-7/SENSOR', { Time: '2026-01-01T00:00:00', ENERGY: { Total: 12.5, Power: 40 } })
  await eventually('both online', async () => (await online('bridge', 'plug')).join() === 'true,true' || undefined)
  const [smoke] = await eventually('the smoke alarm announced', async () => {
    const found = await announced('bridge', 'smoke')
    return found.length > 0 ? found : undefined
  })
  await eventually('the socket announced', async () => (await announced('plug', 'electricity')).length > 0 || undefined)
  await database.db.query(
    `insert into devices (device_id, kind, gateway_id, resident_id, room, bound_at)
     values ($1, 'smoke', 'bridge', 'flat-1', '厨房', now())`,
    [smoke],
  )
  await sleep(1_500)
  await say('zigbee2mqtt/厨房/烟感', { smoke: true, battery: 90 })
  const paged = () => rig.receiver.requests.some(({ json }) => json?.kind === 'smoke')
  await eventually('a page about the smoke', () => paged() || undefined)

  await say('zigbee2mqtt/bridge/state', { state: 'offline' }, true)
  await say('tele/plug-7/LWT', 'Offline', true)
  await eventually('both offline', async () => (await online('bridge', 'plug')).join() === 'false,false' || undefined)
  await client.endAsync()
})

const smokeAlarm = {
  ieee_address: '0x00124b0000000001',
  type: 'EndDevice',
  friendly_name: '厨房/烟感',
  supported: true,
  disabled: false,
  definition: {
    vendor: 'Example',
    model: 'X-1',
    description: 'Smoke detector',
    options: [],
    exposes: [{ type: 'binary', name: 'smoke', property: 'smoke', value_on: true, value_off: false, access: 1 }],
  },
}

async function announced(gatewayId: string, kind: string): Promise<string[]> {
  const { rows } = await database.db.query<{ device_id: string }>(
    'select device_id from announced_devices where gateway_id = $1 and kind = $2',
    [gatewayId, kind],
  )
  return rows.map(({ device_id }) => device_id)
}

async function online(...gatewayIds: string[]): Promise<boolean[]> {
  const { rows } = await database.db.query<{ online: boolean }>(
    'select online from gateways where gateway_id = any($1) order by gateway_id',
    [gatewayIds],
  )
  return rows.map((row) => row.online)
}

/** Whatever is delivered again: nobody is told of one alert by two pages. */
function expectOnePageEach() {
  const keysOf = new Map<unknown, Set<unknown>>()
  for (const { path, json, headers } of rig.receiver.requests)
    if (path.endsWith('/worker'))
      keysOf.set(json!.alertId, (keysOf.get(json!.alertId) ?? new Set()).add(headers['idempotency-key']))
  expect([...keysOf].filter(([, keys]) => keys.size > 1)).toEqual([])
}
