import { connectAsync } from 'mqtt'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { webhookChannel } from '../alerts/channels/webhook.js'
import { readingTopic } from '../ingest/contract.js'
import { systemClock as clock } from '../kit/clock.js'
import { gatewaySecret, registerCommunity, staffPassword, webhookSecret } from './support/community.js'
import { startTestDatabase, type TestDatabase } from './support/database.js'
import { createProcesses, eventually, freePort, type Running } from './support/processes.js'
import { startRoles } from './support/roles.js'
import { startWebhookReceiver } from './support/webhook-receiver.js'

const stopMsMax = 5_000

const processes = createProcesses()
let database: TestDatabase
let receiver: Awaited<ReturnType<typeof startWebhookReceiver>>

beforeAll(async () => {
  database = await startTestDatabase()
  receiver = await startWebhookReceiver({ secret: webhookSecret })
  await registerCommunity(database.db, {
    key: 'f',
    homes: 2,
    channelsOf: (who) => [{ kind: 'webhook', address: `${receiver.url}/${who}`, secret: webhookSecret }],
  })
})
afterAll(async () => {
  await processes.stopAll()
  await receiver?.stop()
  await database?.stop()
})

test('four processes on one database do what one process does, and each stops on Ctrl-C', async () => {
  const oneProcess = await startRoles({ db: database.db, channels: [webhookChannel({ clock })] })
  const historyOfOne = await walkToTheDoor({
    home: 'f-1',
    mqttUrl: oneProcess.mqttUrl,
    publicUrl: oneProcess.publicUrl,
  })
  await oneProcess.stop()

  const mqttPort = await freePort()
  const httpPort = await freePort()
  const mqttUrl = `mqtt://127.0.0.1:${mqttPort}`
  const publicUrl = `http://127.0.0.1:${httpPort}`
  const env = {
    DATABASE_URL: database.url,
    MQTT_PORT: String(mqttPort),
    MQTT_WS_PORT: String(await freePort()),
    EDGE_HTTP_PORT: String(await freePort()),
    ALERTS_HTTP_PORT: String(await freePort()),
    HTTP_PORT: String(httpPort),
    PUBLIC_URL: publicUrl,
    LOG_LEVEL: 'info',
  }
  const start = (entry: string, ready: string, args: string[] = []) => {
    const role = processes.start(entry, { env, args })
    return role.printed(ready).then(() => role)
  }
  const [edge, alerts, dashboard] = await Promise.all([
    start('broker/main', 'edge.listening'),
    start('alerts/main', 'alerts.started'),
    start('dashboard/main', 'dashboard.listening'),
  ])
  for (const port of [env.EDGE_HTTP_PORT, env.ALERTS_HTTP_PORT, env.HTTP_PORT]) {
    const answers = ['healthz', 'readyz', 'metrics'].map((path) => fetch(`http://127.0.0.1:${port}/${path}`))
    expect((await Promise.all(answers)).map(({ status }) => status)).toEqual([200, 200, 200])
  }
  const simulate = await start('simulators/main', '3 homes live', ['--homes', '3', '--interval', '10'])

  expect(await walkToTheDoor({ home: 'f-2', mqttUrl, publicUrl })).toEqual(historyOfOne)
  await eventually(
    'readings of the three simulated homes',
    async () => (await simulatedHomes()) === 3 || undefined,
    30_000,
  )

  const roles: [string, Running][] = Object.entries({ simulate, dashboard, alerts, edge })
  for (const [role, running] of roles) {
    const { code, ms } = await running.end('SIGINT')
    expect({ role, code, inTime: ms < stopMsMax, stderr: running.stderr() }).toEqual({
      role,
      code: 0,
      inTime: true,
      stderr: '',
    })
    console.log(`${role} stopped in ${ms} ms`)
  }
})

/** A button is pressed, the page acknowledged by its link, and the alert closed at the console: the events of its history. */
async function walkToTheDoor({ home, mqttUrl, publicUrl }: { home: string; mqttUrl: string; publicUrl: string }) {
  const options = { username: home, password: gatewaySecret(home), protocolVersion: 4, reconnectPeriod: 0 } as const
  const gateway = await connectAsync(mqttUrl, options, false)
  const press = JSON.stringify({ ts: Date.now(), event: 'pressed' })
  const startedAt = performance.now()
  await gateway.publishAsync(readingTopic(home, `${home}-button`, 'button'), press, { qos: 1 })
  await gateway.endAsync()
  const page = await eventually('the page', () =>
    receiver.requests.find(({ json }) => (json?.resident as { id: string } | undefined)?.id === home),
  )
  console.log(`${home}: page after ${(performance.now() - startedAt).toFixed(0)} ms`)
  const { alertId, url } = page.json as { alertId: string; url: string }

  const origin = { origin: publicUrl, 'sec-fetch-site': 'same-origin' }
  const form = { ...origin, 'content-type': 'application/x-www-form-urlencoded' }
  const link = `${publicUrl}${new URL(url).pathname}`
  expect((await fetch(link)).status).toBe(200)
  expect((await fetch(link, { method: 'POST', headers: origin, redirect: 'manual' })).status).toBeLessThan(400)
  const login = await fetch(`${publicUrl}/login`, {
    method: 'POST',
    headers: form,
    body: new URLSearchParams({ login: 'f-worker', password: staffPassword }),
    redirect: 'manual',
  })
  const cookie = login.headers.get('set-cookie')!.split(';')[0]!
  const actions: [string, Record<string, string>][] = [
    ['arrived', {}],
    ['close', { outcome: 'fall', note: '已送医' }],
  ]
  for (const [action, body] of actions) {
    const done = await fetch(`${publicUrl}/alerts/${alertId}/${action}`, {
      method: 'POST',
      headers: { ...form, cookie },
      body: new URLSearchParams(body),
      redirect: 'manual',
    })
    expect(done.status, action).toBe(303)
  }
  const { rows } = await database.db.query<{ kind: string; via: string; staff_id: string | null }>(
    'select kind, via, staff_id from alert_events where alert_id = $1 order by alert_event_id',
    [alertId],
  )
  expect(rows.map(({ kind }) => kind)).toEqual(['opened', 'told', 'page sent', 'acknowledged', 'arrived', 'closed'])
  return rows
}

async function simulatedHomes() {
  const { rows } = await database.db.query<{ n: number }>(
    "select count(distinct gateway_id) as n from readings join devices using (device_no) where gateway_id like 'sim-1-%'",
  )
  return rows[0]!.n
}
