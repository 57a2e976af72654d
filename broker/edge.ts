import { randomUUID } from 'node:crypto'
import { join } from 'node:path'
import type { Registry } from 'prom-client'
import { createRightsSource } from '../db/gateway-rights.js'
import type { Database } from '../db/pool.js'
import { createAttach } from '../ingest/attach/attach.js'
import { startCommandLoop } from '../ingest/commands/loop.js'
import { createIngest, type Fallback } from '../ingest/ingest.js'
import { createOperatorNotice } from '../ingest/operator-notice.js'
import type { Clock } from '../kit/clock.js'
import type { Teardown } from '../kit/lifecycle.js'
import type { Log } from '../kit/log.js'
import type { Settings } from '../kit/settings.js'
import type { Signal } from '../kit/signal.js'
import { type Broker, createBroker } from './broker.js'
import { withFreshCards } from './fresh-cards.js'
import { homeAssistantReader } from './onward/home-assistant-login.js'
import { createOnward } from './onward/onward.js'

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
  const { TLS_CERT_FILE: certFile, TLS_KEY_FILE: keyFile, HOME_ASSISTANT_SECRET: homeAssistantSecret } = settings
  const broker = createBroker({
    findGateway: directory.findGateway,
    accept: ingest.accept,
    presence: ingest.presence,
    rights: withFreshCards(createRightsSource(db), directory),
    readers: homeAssistantSecret ? [await homeAssistantReader(homeAssistantSecret)] : [],
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
  const attach = await attachTo(settings.ATTACH_URL)
  const isConnected: Broker['isConnected'] = (id) => broker.isConnected(id) || (attach?.isConnected(id) ?? false)
  const publishTo: Broker['publishTo'] = (id, message) =>
    attach?.isAttached(id) ? attach.publishTo(id, message) : broker.publishTo(id, message)
  const commands = startCommandLoop({ db, isConnected, publishTo, clock, log, metrics, signal })
  teardown.add('commands', commands.stop)
  if (homeAssistantSecret) {
    const { HOME_ASSISTANT_COMMUNITIES: communityIds = [], HOME_ASSISTANT_LANGUAGE: language } = settings
    const publish = (topic: string, payload: string) =>
      broker.publishOnward(topic, payload, { retain: true }).kind === 'published'
    const onward = createOnward({ db, communityIds, language, publish, clock, log })
    onward.start()
    teardown.add('onward', onward.stop)
  }
  log.info(ports, 'edge.listening')
  return { ports, journalState: ingest.journalState }

  /** To a broker that already runs, where there is one. */
  async function attachTo(url: string | undefined) {
    if (!url) return undefined
    const { ATTACH_NAME: name, ATTACH_SESSIONS: sessions, DATA_DIR } = settings
    const attach = createAttach({
      db,
      settings: { url, name, sessions },
      file: join(DATA_DIR, 'attach.json'),
      accept: ingest.accept,
      presence: ingest.attachedPresence,
      clock,
      log,
      metrics,
    })
    await attach.start()
    teardown.add('attach', attach.stop)
    return attach
  }
}
