import { setTimeout as sleep } from 'node:timers/promises'
import { Registry } from 'prom-client'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { startAlerts } from '../alerts/alerts.js'
import { webhookChannel } from '../alerts/channels/webhook.js'
import { systemClock as clock } from '../kit/clock.js'
import { createTeardown } from '../kit/lifecycle.js'
import { createLog } from '../kit/log.js'
import { createSignal } from '../kit/signal.js'
import { seededRandom, whole } from '../simulators/random.js'
import { registerCommunity, webhookSecret } from './support/community.js'
import { startTestDatabase, type TestDatabase } from './support/database.js'
import {
  forgetfulGateway,
  keepingGateway,
  type Load,
  meterMessages,
  pressMessages,
  type Sent,
} from './support/gateway-load.js'
import { createProcesses, eventually, freePort, seedOf } from './support/processes.js'
import { startWebhookReceiver } from './support/webhook-receiver.js'

const kills = 20
/** Of them so many hit the edge while it starts. */
const killsAtStart = 3
const buttonsPerGateway = 600

const processes = createProcesses()
const log = createLog({ role: 'test', level: process.env.LOG_LEVEL ?? 'silent' })
const alerts = createTeardown({ log, stopMsMax: 5_000 })
let database: TestDatabase
let receiver: Awaited<ReturnType<typeof startWebhookReceiver>>

beforeAll(async () => {
  database = await startTestDatabase()
  receiver = await startWebhookReceiver({ secret: webhookSecret })
  await registerCommunity(database.db, {
    key: 'k',
    homes: 5,
    channelsOf: (who) => [{ kind: 'webhook', address: `${receiver.url}/${who}`, secret: webhookSecret }],
  })
  // k-4 and k-5 are gateways of a building: a call button in each of its flats.
  await database.db.query(
    `insert into residents (resident_id, community_id, name, address, time_zone, responsible_staff_id)
     select 'flat-' || g || '-' || n, 'k', '示例·居民 ' || g || '-' || n, '示例路 ' || g || '-' || n, 'Asia/Shanghai', 'k-worker'
       from generate_series(4, 5) g, generate_series(1, $1) n`,
    [buttonsPerGateway],
  )
  await database.db.query(
    `insert into devices (device_id, kind, gateway_id, resident_id, room, bound_at)
     select 'button-' || g || '-' || n, 'button', 'k-' || g, 'flat-' || g || '-' || n, '卫生间', now()
       from generate_series(4, 5) g, generate_series(1, $1) n`,
    [buttonsPerGateway],
  )
  await startAlerts({
    db: database.db,
    channels: [webhookChannel({ clock })],
    publicUrl: 'http://localhost',
    retentionDays: 396,
    clock,
    log,
    metrics: new Registry(),
    signal: createSignal(),
    teardown: alerts,
  })
})
afterAll(async () => {
  await processes.stopAll()
  await alerts.run()
  await receiver?.stop()
  await database?.stop()
})

test('killed 20 times while gateways publish: what was acknowledged is there, once, and each press is alerted and paged', async () => {
  const seed = seedOf('kill-edge')
  const random = seededRandom(seed, 'kill-edge')
  const mqttPort = await freePort()
  const env = {
    DATABASE_URL: database.url,
    MQTT_PORT: String(mqttPort),
    MQTT_WS_PORT: String(await freePort()),
    EDGE_HTTP_PORT: String(await freePort()),
    LOG_LEVEL: 'info',
  }
  const loads = startLoads(`mqtt://127.0.0.1:${mqttPort}`, seed)
  const sent = () => loads.flatMap((load) => load.sent)
  const acknowledged = () => sent().filter((reading) => reading.acknowledged)

  const startedAt = Date.now()
  const atStart = new Set(Array.from({ length: killsAtStart }, () => whole(random, 2, kills)))
  const lives: number[] = []
  for (let kill = 1; kill <= kills; kill++) {
    const before = acknowledged().length
    const edge = processes.start('broker/main', { env })
    if (atStart.has(kill)) await sleep(random() * 800)
    else {
      await eventually('an acknowledgement', () => acknowledged().length > before || undefined, 30_000)
      await sleep(random() * 700)
    }
    expect(await edge.end('SIGKILL')).toMatchObject({ signal: 'SIGKILL' })
    lives.push(acknowledged().length - before)
  }
  const killedMs = Date.now() - startedAt
  const edge = processes.start('broker/main', { env })
  await edge.printed('edge.listening')
  for (const load of loads) load.stop()
  await Promise.all(loads.map((load) => load.done))

  const stored = await storedReadings()
  const all = sent()
  const presses = all.filter(({ value }) => value === null)
  const unsure = presses.filter((press) => !press.acknowledged)
  const keyOf = ({ deviceId, ts }: Sent) => `${deviceId} ${ts}`
  const published = new Map(all.map((reading) => [keyOf(reading), reading]))

  const lost = acknowledged().filter((reading) => stored.get(keyOf(reading))?.value !== reading.value)
  expect(lost.slice(0, 5), `${lost.length} acknowledged readings are not in the database`).toEqual([])
  const twice = [...stored].filter(([, { times }]) => times !== 1)
  expect(twice.slice(0, 5), 'stored more than once').toEqual([])
  const invented = [...stored.keys()].filter((key) => !published.has(key))
  expect(invented.slice(0, 5), 'stored, but never published').toEqual([])

  const alertsOf = await alertsByDevice()
  const wrong = presses.filter((press) => {
    const count = alertsOf.get(press.deviceId)?.length ?? 0
    return press.acknowledged ? count !== 1 : count > 1 || (count === 1) !== stored.has(keyOf(press))
  })
  expect(wrong.slice(0, 5), 'presses without exactly one alert').toEqual([])

  const alertIds = [...alertsOf.values()].flat()
  await eventually(
    'a delivered page for each alert',
    async () => undeliveredOf(alertIds).length === 0 || undefined,
    30_000,
  )
  expect(receiver.requests.every((request) => request.signatureValid)).toBe(true)

  console.log(
    `${lives.length} kills in ${(killedMs / 1_000).toFixed(1)} s, ${(Date.now() - startedAt) / 1_000} s in all; acknowledged ${acknowledged().length} of ${all.length} readings, ` +
      `per life ${lives.join(' ')}; ${presses.length} presses, ${unsure.length} never acknowledged (${unsure.filter((p) => stored.has(keyOf(p))).length} of them stored); ` +
      `${loads.reduce((n, load) => n + load.resent, 0)} messages sent again; ${alertIds.length} alerts, ${receiver.requests.length} pages`,
  )
  // The test proves something only where the kills hit an edge that was at work, and a line that lost acknowledgements.
  expect(lives.filter((count) => count > 0).length).toBeGreaterThanOrEqual(kills - killsAtStart)
  expect(unsure.length).toBeGreaterThan(0)
  expect((await edge.end('SIGINT')).code).toBe(0)
})

function startLoads(url: string, seed: number): Load[] {
  const buttons = (gateway: number) => Array.from({ length: buttonsPerGateway }, (_, i) => `button-${gateway}-${i + 1}`)
  const meter = (n: number, perMessage: number) => {
    const gatewayId = `k-${n}`
    return { url, gatewayId, next: meterMessages({ gatewayId, deviceId: `${gatewayId}-water`, perMessage }) }
  }
  const building = (n: number) => {
    const gatewayId = `k-${n}`
    const random = seededRandom(seed, 'presses', n)
    return { url, gatewayId, next: pressMessages({ gatewayId, deviceIds: buttons(n), random }) }
  }
  return [
    keepingGateway({ ...meter(1, 1), window: 20, pauseMs: 5 }),
    keepingGateway({ ...meter(2, 1), window: 1, pauseMs: 1 }),
    keepingGateway({ ...meter(3, 40), window: 3, pauseMs: 40 }),
    keepingGateway({ ...building(4), window: 3, pauseMs: 15 }),
    forgetfulGateway({ ...building(5), window: 3, pauseMs: 15 }),
  ]
}

async function storedReadings() {
  const { rows } = await database.db.query<{ device_id: string; ts: string; value: number | null; times: number }>(
    `select device_id, round(extract(epoch from observed_at) * 1000)::text as ts, min(value) as value, count(*) as times
       from readings join devices using (device_no) group by 1, 2`,
  )
  return new Map(rows.map(({ device_id, ts, value, times }) => [`${device_id} ${ts}`, { value, times }]))
}

async function alertsByDevice() {
  const { rows } = await database.db.query<{ device_id: string; alert_ids: number[] }>(
    `select device_id, array_agg(alert_id::int) as alert_ids from alerts join devices using (device_no) where alerts.kind = 'button' group by 1`,
  )
  return new Map(rows.map((row) => [row.device_id, row.alert_ids]))
}

function undeliveredOf(alertIds: number[]) {
  const delivered = new Set(receiver.requests.map(({ json }) => Number(json?.alertId)))
  return alertIds.filter((alertId) => !delivered.has(alertId))
}
