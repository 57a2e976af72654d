import type { Duplex } from 'node:stream'
import type { Aedes, Client } from 'aedes'
import { type Acknowledge, createAcknowledge } from './acknowledge.js'
import type { BrokerMetrics } from './broker-metrics.js'
import type { Visitor } from './door.js'
import { guardFrames } from './frame-guard.js'
import type { BrokerLimits } from './limits.js'
import type { Reader } from './readers.js'
import { type TakenPublish, takePublishes } from './take-publishes.js'
import type { TopicRights } from './topic-rights.js'

/** One MQTT connection, as the broker's hooks see it. */
export type Link = {
  readonly conn: Duplex
  readonly visitor: Visitor
  readonly acknowledge: Acknowledge
  client: Client | undefined
  /** Whose it is: set when the login is granted, and the only proof of it. */
  gatewayId: string | undefined
  /** What it may say and hear; set with the gateway id. */
  rights: TopicRights | undefined
  /** In place of a gateway: one of the operator's own systems. */
  reader: Reader | undefined
  secretHash: string
  /** Logged in with the secret before the last one, which is no good from then on (epoch ms). */
  secretEndsAt: number | undefined
  /** Keeps the checked secret known after the connection is gone, for the reconnect. */
  renew: () => void
  /** CONNECT was bad: the CONNACK code to answer with. */
  refusalCode: number | undefined
  /** The login is through: frames after the CONNECT may pass. */
  ready: boolean
  inFlight: number
  /** While Aedes parses the stub of an oversized publish: the size of the payload it had, in bytes. */
  oversizeBytes: number | undefined
  checkedAtMs: number
  /** What it has asked for, and at which QoS (2 counts as 1: nothing is sent at more). */
  readonly subscriptions: Map<string, 0 | 1>
  lastPacketId: number
  /** Deliveries that wait for their PUBACK, by packet id. */
  awaiting: Map<number, (acknowledged: boolean) => void> | undefined
  /** Ends the connection where it does not begin to read within `drainMsMax`. */
  watchDrain(): void
}

/** What all connections have in flight together. */
export type Traffic = { inFlight: number }

/** How many more publishes a connection may hand over now. One that waits for nothing may always hand over one. */
function roomFor(link: Link, traffic: Traffic, limits: BrokerLimits): number {
  const room = limits.publishesInFlightMax - link.inFlight
  if (traffic.inFlight < limits.publishesInFlightTotalMax) return room
  return link.inFlight === 0 ? 1 : 0
}

/** What has no public place in Aedes. */
type Inside = {
  _parser: { parse(chunk: Buffer): unknown }
  _keepaliveTimer: NodeJS.Timeout | null
  /** Reads on, where there is something to read. */
  _nextBatch(): void
  waitForDrain(done: () => void): void
}

/**
 * Puts the frame guard on a connection and hands it to Aedes. Publishes at QoS 1, which is nearly all that arrives, do
 * not go through the parser and the queue of Aedes but straight to the hook that it would call, and their PUBACKs are
 * written together. Everything else is for Aedes.
 */
export function openLink({
  conn,
  visitor,
  aedes,
  limits,
  metrics,
  traffic,
  register,
  isStopping,
}: {
  conn: Duplex
  visitor: Visitor
  aedes: Aedes
  limits: BrokerLimits
  metrics: BrokerMetrics
  traffic: Traffic
  register: (link: Link) => void
  isStopping: () => boolean
}): void {
  const link: Link = {
    conn,
    visitor,
    acknowledge: createAcknowledge(conn, () => guard.held && inside?._nextBatch()),
    client: undefined,
    gatewayId: undefined,
    rights: undefined,
    reader: undefined,
    secretHash: '',
    secretEndsAt: undefined,
    renew: () => {},
    refusalCode: undefined,
    ready: false,
    inFlight: 0,
    oversizeBytes: undefined,
    checkedAtMs: 0,
    subscriptions: new Map(),
    lastPacketId: 0,
    awaiting: undefined,
    watchDrain: () => inside?.waitForDrain(() => {}),
  }
  let inside: Inside | undefined
  const guard = guardFrames({
    conn,
    packetBytesMax: limits.packetBytesMax,
    connectBytesMax: limits.connectBytesMax,
    swallowBytesMax: limits.swallowBytesMax,
    swallowMsMax: limits.swallowMsMax,
    room: () => (link.ready && !isStopping() ? roomFor(link, traffic, limits) : 0),
    take: (chunk) => (link.ready && !conn.writableNeedDrain ? takePublishes(chunk, accept) : 0),
    onBytes: metrics.bytes,
    // In the middle of a frame a gateway cannot ping; on a slow line that takes longer than its keepalive.
    onSwallow: () => inside?._keepaliveTimer?.refresh(),
  })
  register(link)
  const client = aedes.handle(conn)
  link.client = client
  inside = client as unknown as Inside
  const parser = inside._parser

  function accept(publish: TakenPublish) {
    if (conn.destroyed) return
    inside?._keepaliveTimer?.refresh()
    try {
      aedes.authorizePublish(client, publish as never, (error) => {
        if (error) client.emit('error', error)
        else if (publish.qos === 1) link.acknowledge.add(publish.messageId, () => {})
      })
    } catch (error) {
      client.emit('error', error instanceof Error ? error : new Error(String(error)))
    }
  }

  // An exception out of the parser, or out of a hook it calls, would be uncaught and end the process for everybody: here
  // it ends the connection. The parser calls the hooks before it returns, and a stub is a chunk of its own.
  const parse = parser.parse.bind(parser)
  parser.parse = (chunk) => {
    link.oversizeBytes = guard.oversizeBytesOf(chunk)
    try {
      return parse(chunk)
    } catch (error) {
      client.emit('error', error instanceof Error ? error : new Error(String(error)))
      return 0
    } finally {
      link.oversizeBytes = undefined
    }
  }
}
