import type { Duplex } from 'node:stream'
import type { Aedes, Client } from 'aedes'
import type { BrokerMetrics } from './broker-metrics.js'
import type { Visitor } from './door.js'
import { guardFrames } from './frame-guard.js'
import type { BrokerLimits } from './limits.js'

/** One MQTT connection, as the broker's hooks see it. */
export type Link = {
  readonly conn: Duplex
  readonly visitor: Visitor
  client: Client | undefined
  /** Whose it is: set when the login is granted, and the only proof of it. */
  gatewayId: string | undefined
  secretHash: string
  /** Keeps the checked secret known after the connection is gone, for the reconnect. */
  renew: () => void
  /** CONNECT was bad: the CONNACK code to answer with. */
  refusalCode: number | undefined
  /** The login is through: frames after the CONNECT may pass. */
  ready: boolean
  inFlight: number
  checkedAtMs: number
  readonly subscriptions: Set<string>
}

type Parser = { parse(chunk: Buffer): unknown }

/** Puts the frame guard on a connection and hands it to Aedes. */
export function openLink({
  conn,
  visitor,
  aedes,
  limits,
  metrics,
  register,
  isStopping,
}: {
  conn: Duplex
  visitor: Visitor
  aedes: Aedes
  limits: BrokerLimits
  metrics: BrokerMetrics
  register: (link: Link) => void
  isStopping: () => boolean
}): void {
  const link: Link = {
    conn,
    visitor,
    client: undefined,
    gatewayId: undefined,
    secretHash: '',
    renew: () => {},
    refusalCode: undefined,
    ready: false,
    inFlight: 0,
    checkedAtMs: 0,
    subscriptions: new Set(),
  }
  guardFrames({
    conn,
    packetBytesMax: limits.packetBytesMax,
    connectBytesMax: limits.connectBytesMax,
    room: () => (link.ready && !isStopping() ? limits.publishesInFlightMax - link.inFlight : 0),
    onBytes: metrics.bytes,
  })
  register(link)
  const client = aedes.handle(conn)
  link.client = client
  // An exception out of the parser, or out of a hook it calls, would be uncaught and end the process for everybody: here
  // it ends the connection. Aedes has no public place for this.
  const parser = (client as unknown as { _parser: Parser })._parser
  const parse = parser.parse.bind(parser)
  parser.parse = (chunk) => {
    try {
      return parse(chunk)
    } catch (error) {
      client.emit('error', error instanceof Error ? error : new Error(String(error)))
      return 0
    }
  }
}
