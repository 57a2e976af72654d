import { randomUUID } from 'node:crypto'
import type { Registry } from 'prom-client'
import type { Database } from '../db/pool.js'
import { createIngest, type Fallback } from '../ingest/ingest.js'
import { createOperatorNotice } from '../ingest/operator-notice.js'
import type { Clock } from '../kit/clock.js'
import type { Teardown } from '../kit/lifecycle.js'
import type { Log } from '../kit/log.js'
import type { Settings } from '../kit/settings.js'
import type { Signal } from '../kit/signal.js'
import { createBroker } from './broker.js'

/**
 * The edge role: the broker, with ingest behind it in the same process, so that a PUBACK can wait for the commit.
 * `fallback`: what it goes on with while the database is away; see openFallback.
 */
export async function startEdge({
  db,
  fallback,
  settings,
  clock,
  log,
  metrics,
  signal,
  teardown,
}: {
  db: Database
  fallback: Fallback
  settings: Settings
  clock: Clock
  log: Log
  metrics: Registry
  signal: Signal
  teardown: Teardown
}) {
  const ingest = createIngest({ db, fallback, clock, log, metrics, signal, edgeId: randomUUID() })
  teardown.add('ingest', ingest.stop)
  await ingest.start()
  const { directory, channels } = fallback
  const operatorNotice = createOperatorNotice({ state: ingest.journalState, directory, channels, clock, log })
  operatorNotice.start()
  teardown.add('operator notice', operatorNotice.stop)
  const { TLS_CERT_FILE: certFile, TLS_KEY_FILE: keyFile } = settings
  const broker = createBroker({
    findGateway: directory.findGateway,
    accept: ingest.accept,
    presence: ingest.presence,
    clock,
    log,
    metrics,
    host: settings.HOST,
    mqttPort: settings.MQTT_PORT,
    wsPort: settings.MQTT_WS_PORT,
    tls: certFile && keyFile ? { port: settings.MQTTS_PORT, certFile, keyFile } : undefined,
  })
  const ports = await broker.start()
  teardown.add('broker', broker.stop)
  log.info(ports, 'edge.listening')
  return { ports, journalState: ingest.journalState }
}
