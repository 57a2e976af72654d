import type { Duplex } from 'node:stream'
import { Aedes } from 'aedes'
import type { Registry } from 'prom-client'
import type { Clock } from '../kit/clock.js'
import type { Log } from '../kit/log.js'
import { verifySecret } from '../kit/secret-hash.js'
import { createBrokerMetrics } from './broker-metrics.js'
import { createCommandSender } from './commands.js'
import { createCredentials, type GatewayCredentials } from './credentials.js'
import { createDoor, type Visitor } from './door.js'
import { keepsNothing } from './keeps-nothing.js'
import { type BrokerLimits, defaultLimits } from './limits.js'
import { createLinks } from './links.js'
import { createLogLimit } from './log-limit.js'
import { loginHooks } from './login-hooks.js'
import { type InboundMessage, publishHooks } from './publish-hooks.js'
import type { Presence } from './roll-call.js'
import { subscribeHooks } from './subscribe-hooks.js'
import { openTransports, type Transports } from './transports.js'

export type { GatewayCredentials, InboundMessage, Presence }

export type Broker = {
  /** @throws StartError naming the setting when a port cannot be had or a certificate is bad */
  start(): Promise<Transports['ports']>
  /** Takes no more connections, lets commits in flight be acknowledged, and ends what is open; under 2 s. */
  stop(): Promise<void>
  /** Sends a command to the connected clients of a gateway. @throws when none is connected to this process */
  publishCommand(gatewayId: string, deviceId: string, payload: string | Buffer): Promise<void>
}

export type BrokerDeps = {
  findGateway(gatewayId: string): Promise<GatewayCredentials | undefined>
  /** Resolves when the message is committed or quarantined: the PUBACK may leave. Rejects only on storage failure. */
  accept(message: InboundMessage): Promise<void>
  presence: Presence
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

/** The MQTT broker: Aedes behind a door, a frame guard and the rights of gateways. Does nothing until `start()`. */
export function createBroker(deps: BrokerDeps): Broker {
  const { clock, log } = deps
  const limits: BrokerLimits = { ...defaultLimits, ...deps.limits }
  const metrics = createBrokerMetrics({ metrics: deps.metrics })
  const logLimit = createLogLimit({ everyMs: 60_000, keysMax: 10_000, clock })
  const credentials = createCredentials({
    findGateway: deps.findGateway,
    verify: deps.verify ?? verifySecret,
    limits,
    clock,
  })
  const door = createDoor({ limits, log, logLimit, metrics })
  const links = createLinks({ presence: deps.presence, credentials, limits, clock, log, logLimit, metrics })
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
        heard: links.heard,
        metrics,
        traffic,
        clock,
        log,
        logLimit,
        isStopping,
      }),
      ...subscribeHooks({ linkOf, limits, metrics, log, logLimit }),
    })
    // Aedes ends a connection for a topic of over 100 levels, to keep it from its matcher, which throws. Such a topic
    // never gets there: publishes of gateways are not routed and deep filters are not granted. So it can be quarantined.
    Object.assign(broker, { maxTopicLevels: limits.packetBytesMax })
    // What a gateway says goes to ingest and to nobody else: spares the matching and storing for each publish. Only what
    // the broker itself says (commands) is routed.
    const route = broker.publish.bind(broker) as (...args: unknown[]) => void
    const publish = (packet: unknown, ...rest: unknown[]) => {
      const [client, done] = rest
      if (client && typeof client === 'object') (done as (error: null) => void)(null)
      else route(packet, ...rest)
    }
    Object.assign(broker, { publish })
    links.listenTo(broker)
    return broker
  }

  async function stop() {
    transports?.close()
    transports = undefined
    links.beginStop()
    await links.drained(limits.stopMsMax)
    door.closeAll()
    const closing = aedes
    aedes = undefined
    if (closing) await new Promise<void>((resolve) => closing.close(resolve))
  }

  return {
    async start() {
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

    publishCommand: createCommandSender({
      isConnected: links.isConnected,
      aedes: () => aedes,
    }),
  }
}
