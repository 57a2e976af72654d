import { randomUUID } from 'node:crypto'
import type { Registry } from 'prom-client'
import { findGateway } from '../db/gateway-registry.js'
import type { Database } from '../db/pool.js'
import { createIngest } from '../ingest/ingest.js'
import type { Clock } from '../kit/clock.js'
import type { Teardown } from '../kit/lifecycle.js'
import type { Log } from '../kit/log.js'
import type { Settings } from '../kit/settings.js'
import type { Signal } from '../kit/signal.js'
import { createBroker } from './broker.js'

/** The edge role: the broker, with ingest behind it in the same process, so that a PUBACK can wait for the commit. */
export async function startEdge({
  db,
  settings,
  clock,
  log,
  metrics,
  signal,
  teardown,
}: {
  db: Database
  settings: Settings
  clock: Clock
  log: Log
  metrics: Registry
  signal: Signal
  teardown: Teardown
}) {
  const ingest = createIngest({ db, clock, log, metrics, signal, edgeId: randomUUID() })
  await ingest.start()
  teardown.add('ingest', ingest.stop)
  const { TLS_CERT_FILE: certFile, TLS_KEY_FILE: keyFile } = settings
  const broker = createBroker({
    findGateway: (gatewayId) => findGateway(db, gatewayId),
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
  return ports
}
