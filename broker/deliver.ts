import { generate } from 'mqtt-packet'
import { waitAtMost } from '../kit/wait-at-most.js'
import type { BrokerMetrics } from './broker-metrics.js'
import type { BrokerLimits } from './limits.js'
import type { Link } from './link.js'
import { filterMatches, isTopicName } from './topic-filter.js'

/** What is sent to a gateway, under a topic of its own. */
export type Outbound = { topic: string; payload: string | Buffer; qos?: 0 | 1 | undefined }

/**
 * What became of it. `acknowledged` is false where the gateway had asked for QoS 0: it was handed to its connection, and
 * nothing says more. `no answer`: it may have arrived all the same.
 */
export type Delivery =
  | { kind: 'delivered'; acknowledged: boolean }
  | { kind: 'not connected' }
  | { kind: 'not subscribed' }
  | { kind: 'no answer' }

export type Deliver = {
  /** To the clients of one gateway that are connected here and have asked for the topic; there is no queue for others. */
  publishTo(gatewayId: string, message: Outbound): Promise<Delivery>
  /** To the one who asked, else to its gateway's other connections. At QoS 0: who misses an answer asks again. */
  reply(link: Link, message: Outbound): void
}

type Outcome = Extract<Delivery, { kind: 'delivered' | 'no answer' }>
type Settle = (outcome: Outcome) => void

const packetIdMax = 65_535

/**
 * All that leaves for gateways. Aedes routes nothing, so that what a topic matches can never decide who gets a message:
 * the gateway is named, and its subscriptions say only whether, and at which QoS.
 */
export function createDeliver({
  linksOf,
  limits,
  metrics,
}: {
  linksOf: (gatewayId: string) => readonly Link[]
  limits: BrokerLimits
  metrics: BrokerMetrics
}): Deliver {
  function subscribersOf(gatewayId: string, topic: string) {
    const ready = linksOf(gatewayId).filter((link) => link.ready && !link.conn.destroyed)
    if (ready.length === 0) return { kind: 'not connected' } as const
    const subscribed = isTopicName(topic) ? ready.filter((link) => qosOf(link, topic) !== undefined) : []
    return subscribed.length === 0 ? ({ kind: 'not subscribed' } as const) : { kind: 'subscribed' as const, subscribed }
  }

  /** Who does not read has `drainMsMax` to begin; what is sent meanwhile finds no room. */
  function write(link: Link, { topic, payload, qos = 1 }: Outbound, settle: Settle = () => {}): boolean {
    const wanted = Math.min(qos, qosOf(link, topic) ?? 0)
    const hasRoom =
      link.conn.writableLength <= limits.deliverBytesMax &&
      (wanted === 0 || (link.awaiting?.size ?? 0) < limits.deliveriesInFlightMax)
    if (!hasRoom) {
      settle({ kind: 'no answer' })
      return false
    }
    const packet = { cmd: 'publish', topic, payload, retain: false, dup: false } as const
    const isWritten =
      wanted === 1
        ? link.conn.write(generate({ ...packet, qos: 1, messageId: awaitAcknowledgement(link, settle) }))
        : link.conn.write(generate({ ...packet, qos: 0 }), (error) =>
            settle(error ? { kind: 'no answer' } : { kind: 'delivered', acknowledged: false }),
          )
    if (!isWritten) link.watchDrain()
    return true
  }

  /** Returns the packet id that is waited for. */
  function awaitAcknowledgement(link: Link, settle: Settle): number {
    const messageId = nextPacketId(link)
    const stopWaiting = waitAtMost(limits.deliveryMsMax, () => end(false))
    const end = (acknowledged: boolean) => {
      stopWaiting()
      link.awaiting?.delete(messageId)
      settle(acknowledged ? { kind: 'delivered', acknowledged } : { kind: 'no answer' })
    }
    link.awaiting ??= new Map()
    link.awaiting.set(messageId, end)
    return messageId
  }

  const count = <T extends Delivery>(delivery: T): T => {
    metrics.deliveries.inc({ result: delivery.kind })
    return delivery
  }

  return {
    async publishTo(gatewayId, message) {
      const found = subscribersOf(gatewayId, message.topic)
      if (found.kind !== 'subscribed') return count(found)
      return count(await firstAcknowledged(found.subscribed, (link, settle) => write(link, message, settle)))
    },

    reply(link, { topic, payload }) {
      const message = { topic, payload, qos: 0 } as const
      const isOpen = link.ready && !link.conn.destroyed
      if (isOpen && isTopicName(topic) && qosOf(link, topic) !== undefined)
        metrics.replies.inc({ result: write(link, message) ? 'sent' : 'dropped' })
      else if (link.gatewayId !== undefined) {
        const found = subscribersOf(link.gatewayId, topic)
        const sent = found.kind === 'subscribed' && found.subscribed.some((other) => write(other, message))
        metrics.replies.inc({ result: sent ? 'sent' : found.kind === 'subscribed' ? 'dropped' : found.kind })
      }
    },
  }
}

/** The best outcome of several connections, as soon as none can be better. */
const firstAcknowledged = (links: Link[], begin: (link: Link, settle: Settle) => void): Promise<Outcome> =>
  new Promise((resolve) => {
    let left = links.length
    let best: Outcome = { kind: 'no answer' }
    for (const link of links)
      begin(link, (outcome) => {
        if (outcome.kind === 'delivered' && (best.kind === 'no answer' || outcome.acknowledged)) best = outcome
        if (--left === 0 || (best.kind === 'delivered' && best.acknowledged)) resolve(best)
      })
  })

/** The highest QoS at which a connection has asked for a topic; undefined: it has not. */
function qosOf(link: Link, topic: string): 0 | 1 | undefined {
  let highest: 0 | 1 | undefined
  for (const [filter, qos] of link.subscriptions)
    if ((highest === undefined || qos > highest) && filterMatches(filter, topic)) {
      if (qos === 1) return 1
      highest = 0
    }
  return highest
}

/** Ours alone: nothing else is sent to gateways at QoS 1. At most `deliveriesInFlightMax` of them are waited for. */
export function nextPacketId(link: Pick<Link, 'lastPacketId' | 'awaiting'>): number {
  do link.lastPacketId = link.lastPacketId >= packetIdMax ? 1 : link.lastPacketId + 1
  while (link.awaiting?.has(link.lastPacketId))
  return link.lastPacketId
}
