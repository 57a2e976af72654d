import { mkdtemp, rm } from 'node:fs/promises'
import type { AddressInfo } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { Registry } from 'prom-client'
import { startAlerts } from '../../alerts/alerts.js'
import type { Channel } from '../../alerts/channels/channel.js'
import { startEdge } from '../../broker/edge.js'
import { createDashboard } from '../../dashboard/app.js'
import type { Database } from '../../db/pool.js'
import { openFallback } from '../../ingest/fallback.js'
import { systemClock as clock } from '../../kit/clock.js'
import { createTeardown } from '../../kit/lifecycle.js'
import { createLog } from '../../kit/log.js'
import { readSettings } from '../../kit/settings.js'
import { createSignal } from '../../kit/signal.js'

/** All roles in the test's own process, on free ports, against `db`. */
export async function startRoles({
  db,
  channels,
  edgeChannels = channels,
}: {
  db: Database
  channels: Channel[]
  /** What the edge pages with while the database is away. */
  edgeChannels?: Channel[]
}) {
  const log = createLog({ role: 'test', level: process.env.LOG_LEVEL ?? 'silent' })
  const teardown = createTeardown({ log, stopMsMax: 5_000, totalMsMax: 10_000 })
  const signal = createSignal()
  const settings = readSettings({ MQTT_PORT: '0', MQTT_WS_PORT: '0', HTTP_PORT: '0' })
  const shared = { db, clock, log, signal, teardown }
  const app = await createDashboard({
    ...shared,
    metrics: new Registry(),
    publicUrl: 'http://localhost',
    trustProxy: false,
    timeZoneDefault: 'Asia/Shanghai',
  })
  await app.listen({ host: '127.0.0.1', port: 0 })
  teardown.add('dashboard', () => app.close())
  const publicUrl = `http://127.0.0.1:${(app.server.address() as AddressInfo).port}`
  await startAlerts({ ...shared, metrics: new Registry(), channels, publicUrl, retentionDays: 396 })
  const edgeMetrics = new Registry()
  const dataDir = await mkdtemp(join(tmpdir(), 'shouwang-edge-'))
  teardown.add('data', () => rm(dataDir, { recursive: true, force: true }))
  const fallback = await openFallback({
    ...shared,
    dataDir,
    journalBytesMax: 64 * 1_048_576,
    channels: edgeChannels,
    publicUrl,
    metrics: edgeMetrics,
  })
  const { ports } = await startEdge({ ...shared, fallback, metrics: edgeMetrics, settings })
  return { publicUrl, mqttUrl: `mqtt://127.0.0.1:${ports.mqttPort}`, ports, stop: teardown.run }
}
