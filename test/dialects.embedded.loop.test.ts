import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { connect, type MqttClient } from 'mqtt'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { registerDocument } from '../db/register/document.js'
import { register } from '../db/register/register.js'
import type { ReadingKind } from '../ingest/contract.js'
import { nativeDeviceId } from '../ingest/dialects/native-id.js'
import { registerCommunity, webhookSecret } from './support/community.js'
import { startTestDatabase, type TestDatabase } from './support/database.js'
import { type FaultyLine, startFaultyLine } from './support/faulty-line.js'
import { createProcesses, eventually, freePort, type Running } from './support/processes.js'
import { startWebhookReceiver, type WebhookReceiver } from './support/webhook-receiver.js'

const processes = createProcesses()
const clients: MqttClient[] = []
const smoke = '0x00158d0000000001'
const sos = '0x00158d0000000002'
const meter = '0x00158d0000000003'
const productBase = '/sys/a1Kl8ExampleK/gateway-07'
let database: TestDatabase
let line: FaultyLine
let receiver: WebhookReceiver
let dataDir: string
let edge: Running
let env: Record<string, string>

beforeAll(async () => {
  database = await startTestDatabase()
  line = await startFaultyLine({ targetUrl: database.url })
  receiver = await startWebhookReceiver({ secret: webhookSecret })
  await registerCommunity(database.db, {
    key: 'z',
    homes: 3,
    channelsOf: (who) => [{ kind: 'webhook', address: `${receiver.url}/${who}`, secret: webhookSecret }],
  })
  const device = (native: string, kind: ReadingKind, home: number, gateway = 'bridge') => ({
    ...{ native, kind, gateway, resident: `z-${home}`, room: '厨房' },
  })
  const document = registerDocument.parse({
    gateways: [
      {
        ...{ id: 'bridge', community: 'z', secret: secretOf('bridge') },
        dialect: 'zigbee2mqtt',
        baseTopics: ['zigbee2mqtt'],
      },
      { ...{ id: 'alink', community: 'z', secret: secretOf('alink') }, dialect: 'aliyun', baseTopics: [productBase] },
    ],
    devices: [
      device(smoke, 'smoke', 1),
      device(sos, 'button', 2),
      device(meter, 'water', 1),
      device('a1Kl8ExampleK/gateway-07', 'smoke', 3, 'alink'),
    ],
  })
  await register(database.db, { document, timeZoneDefault: 'Asia/Shanghai', now: new Date() })
  dataDir = await mkdtemp(join(tmpdir(), 'shouwang-dialects-'))
  env = {
    DATABASE_URL: line.url,
    DATA_DIR: dataDir,
    MQTT_PORT: String(await freePort()),
    MQTT_WS_PORT: String(await freePort()),
    EDGE_HTTP_PORT: String(await freePort()),
    PUBLIC_URL: 'http://localhost',
    LOG_LEVEL: 'info',
  }
  await startEdge()
})
afterAll(async () => {
  for (const client of clients) await client.endAsync(true)
  await processes.stopAll()
  await receiver?.stop()
  await line?.stop()
  await database?.stop()
  if (dataDir) await rm(dataDir, { recursive: true, force: true })
})

function secretOf(gatewayId: string) {
  return `invented-secret-of-${gatewayId}`
}
async function startEdge() {
  edge = processes.start('broker/main', { env })
  await edge.printed('edge.listening')
}

/** A client as the gateway's own program has it: it keeps what is not acknowledged and sends it again. */
function connectGateway(gatewayId: string) {
  const client = connect(`mqtt://127.0.0.1:${env.MQTT_PORT}`, {
    ...{ clientId: gatewayId, username: gatewayId, password: secretOf(gatewayId) },
    ...{ protocolVersion: 4, reconnectPeriod: 50, connectTimeout: 3_000, reconnectOnConnackError: true },
  })
  client.on('error', () => undefined)
  clients.push(client)
  const received: { topic: string; json: Record<string, unknown> }[] = []
  client.on('message', (topic, payload) => received.push({ topic, json: JSON.parse(payload.toString()) }))
  /** Resolves when it is acknowledged. */
  const say = async (topic: string, body: unknown, retain = false) => {
    const payload = typeof body === 'string' ? body : JSON.stringify(body)
    for (;;) {
      const safe = await client.publishAsync(topic, payload, { qos: 1, retain }).then(
        () => true,
        () => false,
      )
      if (safe) return
      await sleep(50)
    }
  }
  return { client, received, say }
}

const expose = (type: string, name: string, more: object) => ({ type, name, property: name, access: 1, ...more })
const described = (ieee_address: string, friendly_name: string, description: string, exposes: object[]) => ({
  ...{ ieee_address, type: 'EndDevice', friendly_name, supported: true, disabled: false },
  definition: { vendor: 'Beispiel', model: 'X-1', description, exposes, options: [] },
})
const bridgeDevices = [
  described(smoke, '厨房烟感', 'Smoke detector', [expose('binary', 'smoke', { value_on: true, value_off: false })]),
  described(sos, 'sos', 'SOS button', [expose('enum', 'action', { values: ['emergency'] })]),
  described(meter, 'meter', 'Water meter', [expose('numeric', 'water_consumed', { unit: 'm³' })]),
]
const rows = async <T extends Record<string, unknown>>(sql: string, values: unknown[] = []) =>
  (await database.db.query<T>(sql, values)).rows
const litres = async () =>
  (
    await rows<{ value: number }>(
      'select value from readings join devices using (device_no) where device_id = $1 order by value',
      [nativeDeviceId('bridge', meter, 'water')],
    )
  ).map(({ value }) => value)
const pagesOf = (home: number) =>
  receiver.requests.filter(
    ({ path, json }) => path.endsWith('/worker') && (json!.resident as { id: string }).id === `z-${home}`,
  )
const isReady = async () => (await fetch(`http://127.0.0.1:${env.EDGE_HTTP_PORT}/readyz`)).status === 200

test('a fire and a call over Zigbee2MQTT while the database is away: paged in time and once, though the edge is killed', async () => {
  const { say } = connectGateway('bridge')
  const alink = connectGateway('alink')
  await say('zigbee2mqtt/bridge/state', { state: 'online' }, true)
  await say('zigbee2mqtt/bridge/devices', bridgeDevices, true)
  // It knows by now who lives there and who is called, and has that on its shelf.
  await say('zigbee2mqtt/meter', { water_consumed: 1, last_seen: new Date().toISOString() })
  await say('zigbee2mqtt/厨房烟感', { smoke: false, last_seen: new Date().toISOString() })
  await say('zigbee2mqtt/sos', { action: '', last_seen: new Date().toISOString() })
  await eventually('the first reading', async () => (await litres()).length === 1 || undefined)
  const replyTopic = `${productBase}/thing/event/property/post_reply`
  await alink.client.subscribeAsync(replyTopic, { qos: 1 })
  const ask = (id: string, params: object) =>
    alink.say(`${productBase}/thing/event/property/post`, {
      id,
      version: '1.0',
      params,
      method: 'thing.event.property.post',
    })
  await ask('1', { SmokeSensorState: 0 })
  await eventually('its answer', () => alink.received.some(({ json }) => json.id === '1') || undefined)
  // The shelf is written once a second.
  await sleep(3_000)

  await line.away()
  // Names and units as they were told before.
  const fireAt = Date.now()
  await say('zigbee2mqtt/厨房烟感', { smoke: true, last_seen: new Date(fireAt).toISOString() })
  const [fire] = await eventually('the fire told', () => (pagesOf(1).length > 0 ? pagesOf(1) : undefined))
  await say('zigbee2mqtt/meter', { water_consumed: 2, last_seen: new Date().toISOString() })
  await ask('2', { SmokeSensorState: 0 })
  await eventually('an answer from the journal', () => alink.received.some(({ json }) => json.id === '2') || undefined)

  await edge.end('SIGKILL')
  await startEdge()
  const callAt = Date.now()
  await say('zigbee2mqtt/sos', { action: 'emergency', last_seen: new Date(callAt).toISOString() })
  const [call] = await eventually('the call told', () => (pagesOf(2).length > 0 ? pagesOf(2) : undefined))
  await say('zigbee2mqtt/meter', { water_consumed: 3, last_seen: new Date().toISOString() })
  // As it does: the alarm stands, and is said again.
  await say('zigbee2mqtt/厨房烟感', { smoke: true, last_seen: new Date().toISOString() })

  await line.mend()
  await eventually('the journal drained', async () => (await isReady()) || undefined, 20_000)
  await say('zigbee2mqtt/meter', { water_consumed: 4, last_seen: new Date().toISOString() })
  await eventually('all that was acknowledged', async () => (await litres()).length === 4 || undefined)
  await sleep(1_000)

  expect(await litres()).toEqual([1_000, 2_000, 3_000, 4_000])
  const alerts = await rows<{ resident_id: string; kind: string; sent: number }>(
    `select resident_id, kind, (select count(*)::int from pages p where p.alert_id = a.alert_id and status = 'sent') as sent
       from alerts a order by resident_id`,
  )
  expect(alerts).toEqual([
    { resident_id: 'z-1', kind: 'smoke', sent: expect.any(Number) },
    { resident_id: 'z-2', kind: 'button', sent: expect.any(Number) },
  ])
  for (const home of [1, 2])
    expect(new Set(pagesOf(home).map(({ headers }) => headers['idempotency-key'])).size, `told twice: z-${home}`).toBe(
      1,
    )
  expect(await rows(`select reason, detail from quarantine`)).toEqual([])
  const delays = { fire: Math.round(fire!.arrivedMs - fireAt), call: Math.round(call!.arrivedMs - callAt) }
  console.log(`told after ms: ${JSON.stringify(delays)}`)
  // The call came to an edge that had just been started.
  expect(delays.fire).toBeLessThan(2_000)
  expect(delays.call).toBeLessThan(2_000)
  expect(alink.received.map(({ topic, json }) => [topic, json.id, json.code])).toEqual([
    [replyTopic, '1', 200],
    [replyTopic, '2', 200],
  ])
  expect((await edge.end('SIGINT')).code).toBe(0)
})
