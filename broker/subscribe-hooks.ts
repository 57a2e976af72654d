import type { AedesOptions, Client } from 'aedes'
import type { Log } from '../kit/log.js'
import type { BrokerMetrics } from './broker-metrics.js'
import type { BrokerLimits } from './limits.js'
import type { Link } from './link.js'
import type { LogLimit } from './log-limit.js'
import { mayReceive, maySubscribe } from './topic-rights.js'

/** A gateway hears its own commands and nothing else. A refused filter is answered with 128, the connection stays. */
export function subscribeHooks({
  linkOf,
  limits,
  metrics,
  log,
  logLimit,
}: {
  linkOf: (client: Client) => Link | undefined
  limits: BrokerLimits
  metrics: BrokerMetrics
  log: Log
  logLimit: LogLimit
}): Required<Pick<AedesOptions, 'authorizeSubscribe' | 'authorizeForward'>> {
  return {
    authorizeSubscribe(client, subscription, done) {
      const link = linkOf(client)
      const gatewayId = link?.gatewayId
      const { topic } = subscription
      const room = link && (link.subscriptions.has(topic) || link.subscriptions.size < limits.subscriptionsMax)
      if (link && gatewayId !== undefined && room && maySubscribe(gatewayId, topic)) {
        link.subscriptions.add(topic)
        return done(null, subscription)
      }
      metrics.subscribeRefused.inc()
      const line = logLimit(`subscribe ${gatewayId}`)
      if (line) log.warn({ gatewayId, topic: topic.slice(0, 256), ...line }, 'subscribe.refused')
      done(null, null)
    },

    authorizeForward(client, packet) {
      const gatewayId = linkOf(client)?.gatewayId
      return gatewayId !== undefined && mayReceive(gatewayId, packet.topic) ? packet : null
    },
  }
}
