import { randomBytes, scryptSync } from 'node:crypto'
import { setTimeout as sleep } from 'node:timers/promises'
import { connectAsync } from 'mqtt'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { readingTopic } from '../ingest/contract.js'
import { registerCommunity, webhookSecret } from './support/community.js'
import { startTestDatabase, type TestDatabase } from './support/database.js'
import { createProcesses, eventually, freePort } from './support/processes.js'
import { minuteMs } from './support/storm-homes.js'
import { startWebhookReceiver } from './support/webhook-receiver.js'

/** The embedded database has one session, and takes single readings ten times slower. */
const isNative = process.env.TEST_DATABASE_URL !== undefined
const gateways = isNative ? 2_000 : 300
/** There a page waits until the commit before it is through the one session: 0.6 to 1.0 s on two idle cores. */
const firePagedMsMax = isNative ? 1_000 : 3_000
/** Homes where the water ran when the power went; in the second half of them it has been off for 25 min now. */
const taps = 20
const backlogMinutes = 60
/** A fire breaks out when this share of the gateways has not finished yet. */
const fireAtLeft = [0.9, 0.7, 0.5, 0.3]
/** The last gateways are where it burns: they have power all the time, and no second connection. */
const cutOff = gateways - fireAtLeft.length
const secret = 'invented-storm-secret'

const processes = createProcesses()
let database: TestDatabase
let receiver: Awaited<ReturnType<typeof startWebhookReceiver>>

beforeAll(async () => {
  database = await startTestDatabase()
  receiver = await startWebhookReceiver({ secret: webhookSecret })
  await registerCommunity(database.db, {
    key: 's',
    homes: 1,
    channelsOf: () => [{ kind: 'webhook', address: receiver.url, secret: webhookSecret }],
  })
  const salt = randomBytes(16)
  // A machine's secret of full strength may be hashed cheaply; the storm is about readings.
  const hash = scryptSync(secret, salt, 32, { N: 1_024, r: 8, p: 1 })
  await database.db.query(
    `insert into residents (resident_id, community_id, name, address, time_zone, responsible_staff_id)
     select 'home-' || n, 's', '示例·居民 ' || n, '示例路 ' || n, 'Asia/Shanghai', 's-worker' from generate_series(1, $1) n`,
    [gateways],
  )
  await database.db.query(
    `insert into gateways (gateway_id, community_id, secret_hash)
     select 'storm-' || n, 's', $2 from generate_series(1, $1) n`,
    [gateways, `scrypt$1024$8$1$${salt.toString('base64')}$${hash.toString('base64')}`],
  )
  await database.db.query(
    `insert into devices (device_id, kind, gateway_id, resident_id, bound_at)
     select 'storm-' || n || '-' || kind, kind, 'storm-' || n, 'home-' || n, now() - interval '1 day'
       from generate_series(1, $1) n, unnest(array['water', 'smoke']) kind`,
    [gateways],
  )
})
afterAll(async () => {
  await processes.stopAll()
  await receiver?.stop()
  await database?.stop()
})

test('after a power cut all gateways come back at once, each with an hour of backlog: nothing is lost, nothing is paged that is over, and a fire is paged within a second', async () => {
  const mqttPort = await freePort()
  const env = { DATABASE_URL: database.url, LOG_LEVEL: 'warn' }
  const edge = processes.start('broker/main', {
    env: {
      ...env,
      LOG_LEVEL: 'info',
      MQTT_PORT: String(mqttPort),
      MQTT_WS_PORT: String(await freePort()),
      EDGE_HTTP_PORT: String(await freePort()),
    },
  })
  await edge.printed('edge.listening')
  const alerts = processes.start('alerts/main', {
    env: { ...env, LOG_LEVEL: 'info', ALERTS_HTTP_PORT: String(await freePort()) },
  })
  await alerts.printed('alerts.started')
  const now = Math.floor(Date.now() / minuteMs) * minuteMs
  const come = (count: number, from: number, to: number, singles: boolean) => {
    const storm = { gateways: count, taps, now, from, to, singles, port: mqttPort, secret }
    return processes.start('test/support/storm-main', { args: [JSON.stringify(storm)] })
  }

  // Before the cut everybody was there.
  await come(gateways, 150, backlogMinutes + 1, false).printed('done', 60_000)
  const alarms = await Promise.all(
    fireAtLeft.map(async (share, i) => {
      const gatewayId = `storm-${gateways - i}`
      const options = { clientId: gatewayId, username: gatewayId, password: secret, protocolVersion: 4 as const }
      return { share, gatewayId, client: await connectAsync(`mqtt://127.0.0.1:${mqttPort}`, options) }
    }),
  )

  const stormAt = performance.now()
  const storm = come(cutOff, backlogMinutes, 1, true)
  const fires: number[] = []
  await Promise.all(
    alarms.map(async ({ share, gatewayId, client }) => {
      const left = await storm.printed(`left ${Math.floor((gateways * share) / 10) * 10 - 10}\n`.trim(), 90_000)
      fires.push(Number(left.split(' ')[1]))
      const payload = JSON.stringify({ ts: Date.now(), alarm: true })
      await client.publishAsync(readingTopic(gatewayId, `${gatewayId}-smoke`, 'smoke'), payload, { qos: 1 })
      await client.endAsync()
    }),
  )
  const [, connections] = (await storm.printed('done', 90_000)).split(' ')
  const stormMs = performance.now() - stormAt

  const { rows: counts } = await database.db.query<{ n: number; homes: number }>(
    `select count(*)::int as n, count(distinct device_no)::int as homes from readings join devices using (device_no)
      where kind = 'water' and observed_at > to_timestamp($1 / 1000.0)`,
    [now - (backlogMinutes + 0.5) * minuteMs],
  )
  expect(counts[0]).toEqual({ n: cutOff * backlogMinutes, homes: cutOff })
  await eventually('all folded', async () => (await waitingArrivals()) === 0 || undefined, 60_000)

  const pages = await eventually('the fires are paged', () =>
    pagesOf('smoke').length >= fireAtLeft.length ? pagesOf('smoke') : undefined,
  )
  const delays = pages
    .map(({ arrivedMs, json }) => arrivedMs - Date.parse(String(json!.observedAt)))
    .sort((a, b) => a - b)
  await eventually('the taps are looked at', async () => (await opened()).length >= taps || undefined, 30_000)
  // A moment for what must not come.
  await sleep(2_000)
  console.log(
    `${cutOff} gateways, ${cutOff * backlogMinutes} readings acknowledged in ${(stormMs / 1_000).toFixed(1)} s over ${connections} connections; ` +
      `fires paged after ${delays.map((ms) => ms.toFixed(0)).join(', ')} ms with ${fires.join(', ')} gateways still sending`,
  )
  // Where the tap still runs somebody is told, which shows that the others were looked at too.
  expect(await opened()).toEqual(range(taps).map((n) => ({ kind: 'water_running', resident_id: `home-${n}` })))
  expect(fires.every((stillSending) => stillSending > 0)).toBe(true)
  // One of four may meet a neighbour on the test's machine.
  expect(delays.at(-2)).toBeLessThan(firePagedMsMax)
  expect(delays.at(-1)).toBeLessThan(2.5 * firePagedMsMax)
})

const range = (count: number) => Array.from({ length: count }, (_, i) => i + 1)
const opened = async () =>
  (
    await database.db.query<{ kind: string; resident_id: string }>(
      `select kind, resident_id from alerts where severity <> 'notice' and kind <> 'smoke'
        order by length(resident_id), resident_id`,
    )
  ).rows
const pagesOf = (kind: string) => receiver.requests.filter(({ json }) => json?.kind === kind)

async function waitingArrivals() {
  const { rows } = await database.db.query<{ n: number }>('select count(*)::int as n from arrivals')
  return rows[0]!.n
}
