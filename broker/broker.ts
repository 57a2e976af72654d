import type { Duplex } from 'node:stream'
import { Aedes } from 'aedes'
import type { Registry } from 'prom-client'
import type { Clock } from '../kit/clock.js'
import type { Log } from '../kit/log.js'
import { verifySecret } from '../kit/secret-hash.js'
import { createBrokerMetrics } from './broker-metrics.js'
import { createCredentials, type GatewayCredentials } from './credentials.js'
import { createDeliver, type Delivery, type Outbound } from './deliver.js'
import { createDoor, type Visitor } from './door.js'
import { keepsNothing } from './keeps-nothing.js'
import { type BrokerLimits, defaultLimits } from './limits.js'
import { createLinks } from './links.js'
import { createLogLimit } from './log-limit.js'
import { loginHooks } from './login-hooks.js'
import { type InboundMessage, publishHooks, type Replies } from './publish-hooks.js'
import { createReaders, type Onward, type Reader } from './readers.js'
import { createRightsWatch, type RightsSource } from './rights-watch.js'
import type { Presence } from './roll-call.js'
import { subscribeHooks } from './subscribe-hooks.js'
import { openTransports, type Transports } from './transports.js'

export type { Delivery, GatewayCredentials, InboundMessage, Onward, Outbound, Presence, Reader, RightsSource }

export type Broker = {
  /** @throws StartError naming the setting when a port cannot be had or a certificate is bad */
  start(): Promise<Transports['ports']>
  /** Takes no more connections, lets commits in flight be acknowledged, and ends what is open; under 2 s. */
  stop(): Promise<void>
  /** Whether any client of a gateway is connected to this process. */
  isConnected(gatewayId: string): boolean
  /**
   * Sends a message to the clients of one gateway that are connected to this process and have asked for its topic, at
   * QoS 1 where they asked for that. Resolves with what became of it, within `deliveryMsMax`; never rejects.
   */
  publishTo(gatewayId: string, message: Outbound): Promise<Delivery>
  /** Publishes to readers; with `retain` also to those that come later, until an empty payload clears it. */
  publishOnward(topic: string, payload: string | Buffer, options?: { retain?: boolean }): Onward
}

export type BrokerDeps = {
  findGateway(gatewayId: string): Promise<GatewayCredentials | undefined>
  /**
   * Resolves when the message is committed or quarantined: the PUBACK may leave, and the answers that its gateway waits
   * for, if any. Rejects only on storage failure.
   */
  accept(message: InboundMessage): Promise<Replies>
  presence: Presence
  /** Without it a revoked secret is noticed when its gateway is next heard, after up to `recheckMs`. */
  rights?: RightsSource | undefined
  /** The operator's own systems. */
  readers?: readonly Reader[] | undefined
  clock: Clock
  log: Log
  metrics: Registry
  host: string
  mqttPort: number
  tls?: { port: number; certFile: string; keyFile: string } | undefined
  wsPort?: number | undefined
  limits?: Partial<BrokerLimits> | undefined
  /** Replaced where hashes are counted. */
  verify?: typeof verifySecret | undefined
}

/**
 * The MQTT broker: Aedes behind a door, a frame guard and the rights of gateways. Does nothing until `start()`.
 * @throws StartError where a reader is to hear more than readers may
 */
export function createBroker(deps: BrokerDeps): Broker {
  const { clock, log } = deps
  const limits: BrokerLimits = { ...defaultLimits, ...deps.limits }
  const metrics = createBrokerMetrics({ metrics: deps.metrics })
  const logLimit = createLogLimit({ everyMs: 60_000, keysMax: 10_000, clock })
  const readers = createReaders({ readers: deps.readers ?? [], limits, metrics, log })
  const credentials = createCredentials({
    findGateway: deps.findGateway,
    findReader: readers.find,
    verify: deps.verify ?? verifySecret,
    limits,
    clock,
  })
  const door = createDoor({ limits, log, logLimit, metrics })
  const links = createLinks({ presence: deps.presence, credentials, readers, limits, clock, log, logLimit, metrics })
  const deliver = createDeliver({ linksOf: links.of, limits, metrics })
  const rightsWatch = createRightsWatch({
    source: deps.rights ?? noRights,
    forget: credentials.forget,
    isConnected: (gatewayId) => links.of(gatewayId).length > 0,
    judge: links.changed,
    sweep: links.endSecrets,
    pollMs: limits.rightsPollMs,
    log,
  })
  const { linkOf, traffic, isStopping } = links
  let aedes: Aedes | undefined
  let transports: Transports | undefined
  const openLinks = (to: Aedes) => (visitor: Visitor, conn: Duplex) => links.open({ visitor, conn, aedes: to })

  function createAedes() {
    const broker = new Aedes({
      persistence: keepsNothing(),
      connectTimeout: limits.connectMsMax,
      drainTimeout: limits.drainMsMax,
      // MQTT 3.1 allowed 23 characters; ours carry the gateway's name in front.
      maxClientsIdLength: limits.connectBytesMax,
      // Slots are numbers here, at most one for each of the 65,535 packet ids: nothing to bound.
      maxInflightInbound: 0,
      ...loginHooks({ linkOf, credentials, limits, metrics, clock, log, logLimit, onGranted: links.granted }),
      ...publishHooks({
        linkOf,
        accept: deps.accept,
        reply: deliver.reply,
        heard: links.heard,
        metrics,
        traffic,
        clock,
        log,
        logLimit,
        isStopping,
      }),
      ...subscribeHooks({ linkOf, readers, limits, metrics, log, logLimit }),
    })
    // Aedes ends a connection for a topic of over 100 levels, to keep it from its matcher, which throws. Such a topic
    // never gets there: nothing is routed. So it can be quarantined.
    Object.assign(broker, { maxTopicLevels: limits.packetBytesMax })
    // What a gateway says goes to ingest and to nobody else, and what is said to one is written to its connections: nothing
    // is left to route. That spares the matching, and no filter, however it is granted, can bring anybody a message.
    const ignore = (...args: unknown[]) => (args.at(-1) as ((error: null) => void) | undefined)?.(null)
    const ignoreFilter = (_filter: string, _deliver: unknown, done?: () => void) => done?.()
    Object.assign(broker, { publish: ignore, subscribe: ignoreFilter, unsubscribe: ignoreFilter })
    links.listenTo(broker)
    return broker
  }

  async function stop() {
    transports?.close()
    transports = undefined
    links.beginStop()
    await rightsWatch.stop()
    await links.drained(limits.stopMsMax)
    door.closeAll()
    const closing = aedes
    aedes = undefined
    if (closing) await new Promise<void>((resolve) => closing.close(resolve))
  }

  return {
    async start() {
      await rightsWatch.start()
      aedes = createAedes()
      await aedes.listen()
      const open = openLinks(aedes)
      try {
        transports = await openTransports({ addresses: deps, door, limits, log, metrics, open })
        return transports.ports
      } catch (error) {
        await stop()
        throw error
      }
    },

    stop,

    isConnected: links.isConnected,
    publishTo: deliver.publishTo,
    publishOnward: readers.publish,
  }
}

const noRights: RightsSource = {
  changedSince: async () => ({ cursor: '', gatewayIds: [] }),
  rightsOf: async () => [],
}
