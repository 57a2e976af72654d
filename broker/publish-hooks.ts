import type { AedesOptions, Client } from 'aedes'
import type { Clock } from '../kit/clock.js'
import type { Log } from '../kit/log.js'
import type { BrokerMetrics } from './broker-metrics.js'
import type { Link, Traffic } from './link.js'
import type { LogLimit } from './log-limit.js'
import { publishRefusal } from './topic-rights.js'

export type InboundMessage = {
  gatewayId: string
  topic: string
  payload: Buffer
  retain: boolean
  dup: boolean
  receivedAt: Date
  /** Of a publish that was too large: the size of its payload, in bytes. `payload` is then only the start of it. */
  oversizeBytes?: number | undefined
}
/** What the gateway waits for as an answer, under topics of its own: sent when its message is safe. */
export type Replies = readonly { topic: string; payload: string }[] | undefined

/**
 * `authorizePublish` is the only place before the PUBACK (and before the PUBREC of QoS 2, and it is asked about wills
 * too): here a message is handed to ingest, and only when ingest has it is Aedes let go on.
 *
 * MQTT 3.1.1 has no way to say no: an error ends the connection, and the gateway comes back with the same message. So
 * only a storage failure is an error; a topic that is not the gateway's own is acknowledged, dropped and counted.
 */
export function publishHooks({
  linkOf,
  accept,
  reply,
  heard,
  metrics,
  clock,
  log,
  logLimit,
  traffic,
  isStopping,
}: {
  linkOf: (client: Client) => Link | undefined
  accept: (message: InboundMessage) => Promise<Replies>
  reply: (link: Link, message: { topic: string; payload: string }) => void
  heard: (link: Link, gatewayId: string, atMs: number) => void
  metrics: BrokerMetrics
  clock: Clock
  log: Log
  logLimit: LogLimit
  traffic: Traffic
  isStopping: () => boolean
}): Required<Pick<AedesOptions, 'authorizePublish'>> {
  return {
    authorizePublish(client, packet, done) {
      const link = client ? linkOf(client) : undefined
      const rights = link?.rights
      const { qos, topic } = packet
      // Readers have nothing to say here; Home Assistant says all the same that it is there.
      if (link?.reader) {
        metrics.publish(qos, 'refused')
        metrics.publishRefused.inc({ reason: 'reader' })
        return queueMicrotask(() => done(null))
      }
      if (!link || rights === undefined) return done(new Error('not authenticated'))
      const { gatewayId } = rights
      // A will comes from the CONNECT packet and has no command of its own.
      const isWill = packet.cmd === undefined
      const oversizeBytes = isWill ? undefined : link.oversizeBytes
      // That the broker goes says nothing about the gateways it served.
      if (isWill && isStopping()) return done(new Error('the broker is stopping'))

      const receivedAt = clock.now()
      if (!isWill) heard(link, gatewayId, receivedAt.getTime())
      const reason = publishRefusal(rights, topic)
      if (reason) {
        metrics.publish(qos, 'refused')
        metrics.publishRefused.inc({ reason })
        const line = logLimit(`publish ${gatewayId}`)
        if (line) log.warn({ gatewayId, topic: topic.slice(0, 256), reason, ...line }, 'publish.refused')
        // Not at once: of a QoS 0 publish Aedes would be done while its parser is still in the middle of the packet, read
        // on, and parse that packet a second time.
        return queueMicrotask(() => done(null))
      }

      link.inFlight++
      traffic.inFlight++
      const payload = packet.payload as Buffer
      const { retain, dup = false } = packet
      accept({ gatewayId, topic, payload, retain, dup, receivedAt, oversizeBytes }).then(
        (replies) => {
          link.inFlight--
          traffic.inFlight--
          metrics.publish(qos, 'accepted')
          if (replies !== undefined && !isWill) for (const message of replies) reply(link, message)
          // A slow reader is for Aedes, which waits `drainMsMax` for it and then ends the connection.
          if (qos !== 1 || isWill || link.conn.writableNeedDrain) return done(null)
          link.acknowledge.add(packet.messageId!, () => {
            // It has its PUBACK: to Aedes it is a publish that wants none.
            packet.qos = 0
            done(null)
          })
        },
        (error: unknown) => {
          link.inFlight--
          traffic.inFlight--
          metrics.publish(qos, 'failed')
          const line = logLimit(`accept ${gatewayId}`)
          if (line) log.error({ err: error, gatewayId, qos, ...line }, 'publish.notStored')
          // A QoS 0 publisher waits for nothing: to end its connection would only lose more.
          if (qos === 0 && !isWill) done(null)
          else done(error instanceof Error ? error : new Error(String(error)))
        },
      )
    },
  }
}
