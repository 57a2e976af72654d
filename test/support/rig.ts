import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import type { Database } from '../../db/pool.js'
import { seededRandom } from '../../simulators/random.js'
import { registerCommunity, webhookSecret } from './community.js'
import { keepingGateway, type Load, meterMessages, pressMessages } from './gateway-load.js'
import { createProcesses, freePort, type Running } from './processes.js'
import { startWebhookReceiver, type WebhookReceiver } from './webhook-receiver.js'

export type Rig = {
  mqttUrl: string
  receiver: WebhookReceiver
  edge(): Running
  alerts(): Running
  /** Started by `startRig`; again after they were killed. Resolve when the role says that it is up. */
  startEdge(): Promise<void>
  startAlerts(): Promise<void>
  /** One sample of the edge, such as `shouwang_logins_total{result="granted",role="edge"}`; 0 when there is none. */
  edgeSample(name: string): Promise<number>
  edgeReady(): Promise<boolean>
  /**
   * Four gateways that keep all they send: single readings with many and with one on their way, arrays of 40, and presses.
   * What they send is new each time: also to those of an earlier call.
   */
  startLoads(): Load[]
  stop(): Promise<void>
}

/** Flats of the building that gateway `${rigKey}-4` serves, with a call button each. */
export const rigKey = 'rig'
export const buildingId = `${rigKey}-4`
export const residentOfButton = (deviceId: string) => deviceId.replace('button', 'flat')

/**
 * The edge and the alerts role as processes of their own against `databaseUrl` (a faulty line, say), a community of four
 * gateways, the fourth in a building with `buttons` call buttons, and the phone that their pages go to. `db` reaches the
 * same database without the fault.
 */
export async function startRig({
  db,
  databaseUrl,
  buttons,
  seed,
  env: given = {},
}: {
  db: Database
  databaseUrl: string
  buttons: number
  seed: number
  env?: Record<string, string>
}): Promise<Rig> {
  const receiver = await startWebhookReceiver({ secret: webhookSecret })
  await registerCommunity(db, {
    key: rigKey,
    homes: 4,
    channelsOf: (who) => [{ kind: 'webhook', address: `${receiver.url}/${who}`, secret: webhookSecret }],
  })
  await db.query(
    `insert into residents (resident_id, community_id, name, address, time_zone, responsible_staff_id)
     select 'flat-' || n, $1, '示例·居民 ' || n, '示例路 ' || n, 'Asia/Shanghai', $1 || '-worker'
       from generate_series(1, $2) n`,
    [rigKey, buttons],
  )
  await db.query(
    `insert into devices (device_id, kind, gateway_id, resident_id, room, bound_at)
     select 'button-' || n, 'button', $1, 'flat-' || n, '卫生间', now() from generate_series(1, $2) n`,
    [buildingId, buttons],
  )
  const processes = createProcesses()
  const dataDir = await mkdtemp(join(tmpdir(), 'shouwang-rig-'))
  const mqttPort = await freePort()
  const env = {
    DATABASE_URL: databaseUrl,
    DATA_DIR: dataDir,
    MQTT_PORT: String(mqttPort),
    MQTT_WS_PORT: String(await freePort()),
    EDGE_HTTP_PORT: String(await freePort()),
    ALERTS_HTTP_PORT: String(await freePort()),
    PUBLIC_URL: 'http://localhost',
    LOG_LEVEL: 'info',
    ...given,
  }
  let edge: Running
  let alerts: Running
  const startEdge = async () => {
    edge = processes.start('broker/main', { env })
    await edge.printed('edge.listening')
  }
  const startAlerts = async () => {
    alerts = processes.start('alerts/main', { env })
    await alerts.printed('alerts.started')
  }
  const meter = (n: number, perMessage: number) => {
    const gatewayId = `${rigKey}-${n}`
    return { gatewayId, next: meterMessages({ gatewayId, deviceId: `${gatewayId}-water`, perMessage }) }
  }
  const deviceIds = Array.from({ length: buttons }, (_, i) => `button-${i + 1}`)
  const random = seededRandom(seed, 'presses')
  const gateways = [
    { ...meter(1, 1), window: 20, pauseMs: 10 },
    { ...meter(2, 1), window: 1, pauseMs: 5 },
    { ...meter(3, 40), window: 3, pauseMs: 40 },
    {
      gatewayId: buildingId,
      next: pressMessages({ gatewayId: buildingId, deviceIds, random }),
      window: 3,
      pauseMs: 100,
    },
  ]
  const mqttUrl = `mqtt://127.0.0.1:${mqttPort}`
  const ask = (path: string) => fetch(`http://127.0.0.1:${env.EDGE_HTTP_PORT}/${path}`)
  await Promise.all([startEdge(), startAlerts()])
  return {
    mqttUrl,
    startLoads: () => gateways.map((gateway) => keepingGateway({ url: mqttUrl, ...gateway })),
    receiver,
    edge: () => edge,
    alerts: () => alerts,
    startEdge,
    startAlerts,
    edgeSample: async (name) => {
      const text = await (await ask('metrics')).text()
      return Number(
        text
          .split('\n')
          .find((line) => line.startsWith(`${name} `))
          ?.split(' ')
          .at(-1) ?? 0,
      )
    },
    edgeReady: async () => (await ask('readyz')).status === 200,
    stop: async () => {
      await processes.stopAll()
      await receiver.stop()
      await rm(dataDir, { recursive: true, force: true })
    },
  }
}
