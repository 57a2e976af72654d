import { setTimeout as sleep } from 'node:timers/promises'
import { Registry } from 'prom-client'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { startAlerts } from '../alerts/alerts.js'
import { webhookChannel } from '../alerts/channels/webhook.js'
import { type Database, openDatabase } from '../db/pool.js'
import { systemClock as clock } from '../kit/clock.js'
import { createTeardown } from '../kit/lifecycle.js'
import { createLog } from '../kit/log.js'
import { createSignal } from '../kit/signal.js'
import { seededRandom } from '../simulators/random.js'
import { registerCommunity, webhookSecret } from './support/community.js'
import { startTestDatabase, type TestDatabase } from './support/database.js'
import { type FaultyLine, startFaultyLine } from './support/faulty-line.js'
import { keepingGateway, type Load, meterMessages, pressMessages, type Sent } from './support/gateway-load.js'
import { createProcesses, eventually, freePort, type Running, seedOf } from './support/processes.js'
import { startWebhookReceiver } from './support/webhook-receiver.js'

const buttons = 400
/** Longer by hand: AWAY_SECONDS=600. The presses are spread over it. */
const awayMs = Number(process.env.AWAY_SECONDS ?? 2) * 1_000
const pressPauseMs = Math.max(150, awayMs / 150)

const processes = createProcesses()
const log = createLog({ role: 'test', level: process.env.LOG_LEVEL ?? 'silent' })
const alerts = createTeardown({ log, stopMsMax: 5_000 })
let database: TestDatabase
let line: FaultyLine
let throughLine: Database
let receiver: Awaited<ReturnType<typeof startWebhookReceiver>>

beforeAll(async () => {
  database = await startTestDatabase()
  line = await startFaultyLine({ targetUrl: database.url })
  receiver = await startWebhookReceiver({ secret: webhookSecret })
  await registerCommunity(database.db, {
    key: 'w',
    homes: 4,
    channelsOf: (who) => [{ kind: 'webhook', address: `${receiver.url}/${who}`, secret: webhookSecret }],
  })
  await database.db.query(
    `insert into residents (resident_id, community_id, name, address, time_zone, responsible_staff_id)
     select 'flat-' || n, 'w', '示例·居民 ' || n, '示例路 ' || n, 'Asia/Shanghai', 'w-worker' from generate_series(1, $1) n`,
    [buttons],
  )
  await database.db.query(
    `insert into devices (device_id, kind, gateway_id, resident_id, room, bound_at)
     select 'button-' || n, 'button', 'w-4', 'flat-' || n, '卫生间', now() from generate_series(1, $1) n`,
    [buttons],
  )
  throughLine = openDatabase({ url: line.url, log })
  await startAlerts({
    db: throughLine,
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
  await throughLine?.end()
  await line?.stop()
  await receiver?.stop()
  await database?.stop()
})

test(
  'the database goes away under load, the edge is killed meanwhile: nothing acknowledged is lost, each press is paged once, in time',
  async () => {
    const seed = seedOf('database-away')
    const mqttPort = await freePort()
    const healthPort = await freePort()
    const startEdge = async (): Promise<Running> => {
      const edge = processes.start('broker/main', {
        env: {
          DATABASE_URL: line.url,
          MQTT_PORT: String(mqttPort),
          MQTT_WS_PORT: String(await freePort()),
          EDGE_HTTP_PORT: String(healthPort),
          LOG_LEVEL: 'info',
        },
      })
      await edge.printed('edge.listening')
      return edge
    }
    const ready = async () => {
      const response = await fetch(`http://127.0.0.1:${healthPort}/readyz`)
      return { status: response.status, text: await response.text() }
    }
    let edge = await startEdge()
    const loads = startLoads(`mqtt://127.0.0.1:${mqttPort}`, seed)
    const sent = () => loads.flatMap((load) => load.sent)
    const acknowledged = () => sent().filter((reading) => reading.acknowledged)
    const more = (count: number, msMax = 20_000) => {
      const goal = acknowledged().length + count
      return eventually(`${count} more acknowledgements`, () => acknowledged().length >= goal || undefined, msMax)
    }
    await more(300)
    await eventually('a press that is paged', () => receiver.requests.length > 3 || undefined)
    expect((await ready()).status).toBe(200)

    await line.away()
    const awayAt = Date.now()
    await more(500)
    await eventually('meters in the journal', async () => (await ready()).status === 503 || undefined)
    expect((await ready()).text).toMatch(/^not ready: the database has not taken what comes for \d+ s; \d+ messages/)
    await sleep(awayMs)
    await edge.end('SIGKILL')
    edge = await startEdge()
    await more(300)
    await sleep(1_500)
    // What counts is when it was pressed: the line breaks once more where the edge was killed.
    const pressedWhileAway = pressesOf(sent()).filter(({ ts }) => ts > awayAt)
    const wasAwayMs = Date.now() - awayAt

    await line.mend()
    await eventually('the journal drained', async () => (await ready()).status === 200 || undefined, 30_000)
    await more(300)
    for (const load of loads) load.stop()
    await Promise.all(loads.map((load) => load.done))

    const stored = await storedReadings()
    const all = sent()
    const keyOf = ({ deviceId, ts }: Sent) => `${deviceId} ${ts}`
    const lost = acknowledged().filter((reading) => stored.get(keyOf(reading))?.value !== reading.value)
    expect(lost.slice(0, 5), `${lost.length} acknowledged readings are not in the database`).toEqual([])
    expect([...stored].filter(([, { times }]) => times !== 1)).toEqual([])
    const published = new Set(all.map(keyOf))
    expect([...stored.keys()].filter((key) => !published.has(key))).toEqual([])

    const presses = pressesOf(all)
    const pagesOf = await eventually(
      'a page for each press',
      () => {
        const found = pagesByResident()
        return presses.every(({ deviceId }) => found.has(residentOf(deviceId))) ? found : undefined
      },
      30_000,
    )
    // A moment for what must not come.
    await sleep(2_000)
    const { rows: opened } = await database.db.query<{ resident_id: string; alert_id: number; sent: number }>(
      `select resident_id, alert_id::int, (select count(*)::int from pages p where p.alert_id = a.alert_id and p.status = 'sent') as sent
       from alerts a where kind = 'button'`,
    )
    const alertsOf = groupBy(opened, (row) => row.resident_id)
    expect(presses.filter(({ deviceId }) => alertsOf.get(residentOf(deviceId))?.length !== 1)).toEqual([])
    const wrongId = presses.filter(({ deviceId }) => {
      const residentId = residentOf(deviceId)
      return pagesOf
        .get(residentId)!
        .some(({ json }) => Number(json?.alertId) !== alertsOf.get(residentId)![0]!.alert_id)
    })
    expect(wrongId, 'the alert that a page names is the one in the database').toEqual([])
    const twice = [...pagesByResident()].filter(
      ([, pages]) => new Set(pages.map(({ headers }) => headers['idempotency-key'])).size > 1,
    )
    expect(
      twice.map(([residentId]) => residentId),
      'told by two pages',
    ).toEqual([])

    const delays = pressedWhileAway.map(({ deviceId, ts }) => pagesOf.get(residentOf(deviceId))![0]!.arrivedMs - ts)
    delays.sort((a, b) => a - b)
    console.log(
      `away ${wasAwayMs} ms; acknowledged ${acknowledged().length} of ${all.length}; ${presses.length} presses, ${pressedWhileAway.length} while it was away: ` +
        `paged after p50 ${delays[Math.floor(delays.length / 2)]!.toFixed(1)} ms, max ${delays.at(-1)!.toFixed(0)} ms; ${receiver.requests.length} requests`,
    )
    expect(pressedWhileAway.length).toBeGreaterThan(30)
    // The last one is for the press that waited out the edge's own restart.
    expect(delays[Math.floor(delays.length * 0.9)]).toBeLessThan(2_000)
    expect((await edge.end('SIGINT')).code).toBe(0)
  },
  120_000 + awayMs,
)

function startLoads(url: string, seed: number): Load[] {
  const meter = (n: number, perMessage: number) => {
    const gatewayId = `w-${n}`
    return { url, gatewayId, next: meterMessages({ gatewayId, deviceId: `${gatewayId}-water`, perMessage }) }
  }
  const random = seededRandom(seed, 'presses')
  const deviceIds = Array.from({ length: buttons }, (_, i) => `button-${i + 1}`)
  return [
    keepingGateway({ ...meter(1, 1), window: 20, pauseMs: 20 }),
    keepingGateway({ ...meter(2, 1), window: 1, pauseMs: 5 }),
    keepingGateway({ ...meter(3, 40), window: 3, pauseMs: 100 }),
    keepingGateway({
      url,
      gatewayId: 'w-4',
      next: pressMessages({ gatewayId: 'w-4', deviceIds, random }),
      window: 2,
      pauseMs: pressPauseMs,
    }),
  ]
}

const pressesOf = (sent: Sent[]) => sent.filter(({ value }) => value === null)
const residentOf = (deviceId: string) => deviceId.replace('button', 'flat')
const pagesByResident = () =>
  groupBy(
    receiver.requests.filter(({ path }) => path.endsWith('/worker')),
    ({ json }) => (json!.resident as { id: string }).id,
  )

function groupBy<T>(items: T[], keyOf: (item: T) => string): Map<string, T[]> {
  const groups = new Map<string, T[]>()
  for (const item of items) groups.set(keyOf(item), [...(groups.get(keyOf(item)) ?? []), item])
  return groups
}

async function storedReadings() {
  const { rows } = await database.db.query<{ device_id: string; ts: string; value: number | null; times: number }>(
    `select device_id, round(extract(epoch from observed_at) * 1000)::text as ts, min(value) as value, count(*) as times
       from readings join devices using (device_no) group by 1, 2`,
  )
  return new Map(rows.map(({ device_id, ts, value, times }) => [`${device_id} ${ts}`, { value, times }]))
}
