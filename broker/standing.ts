import type { Clock } from '../kit/clock.js'
import type { Log } from '../kit/log.js'
import type { BrokerMetrics } from './broker-metrics.js'
import { type GatewayCredentials, secretEnd } from './credentials.js'
import type { Link } from './link.js'
import { sameRights, topicRights } from './topic-rights.js'

/** Whether those who are in may stay: by what their gateway may do now, and for as long as their secret is good. */
export function createStanding({ clock, log, metrics }: { clock: Clock; log: Log; metrics: BrokerMetrics }) {
  /** Those that came in with the secret before the last one. */
  const ending = new Set<Link>()

  function withdraw(link: Link) {
    metrics.rightsWithdrawn.inc()
    log.warn({ gatewayId: link.gatewayId }, 'gateway.rightsWithdrawn')
    link.conn.destroy()
  }

  function setEnd(link: Link, end: number) {
    link.secretEndsAt = Number.isFinite(end) ? end : undefined
    if (link.secretEndsAt === undefined) ending.delete(link)
    else ending.add(link)
  }

  return {
    /** The end of an overlap that came while its secret was checked is seen at the next sweep. */
    enter(link: Link, gateway: GatewayCredentials) {
      const now = clock.now().getTime()
      link.gatewayId = gateway.gatewayId
      link.rights = topicRights(gateway)
      setEnd(link, secretEnd(gateway, link.secretHash, now) ?? now)
    },

    leave: (link: Link) => void ending.delete(link),

    /** A connection keeps the rights that it came with, and gets others by coming again. Undefined: its gateway is gone. */
    judge(link: Link, gateway: GatewayCredentials | undefined) {
      const end = gateway && secretEnd(gateway, link.secretHash, clock.now().getTime())
      const isGood = end !== undefined && !gateway!.disabled && !gateway!.attached
      if (isGood && link.rights && sameRights(link.rights, topicRights(gateway!))) setEnd(link, end)
      else withdraw(link)
    },

    /** Ends those whose secret has had its time. */
    sweep() {
      const now = clock.now().getTime()
      for (const link of [...ending]) if (link.secretEndsAt !== undefined && now >= link.secretEndsAt) withdraw(link)
    },
  }
}
