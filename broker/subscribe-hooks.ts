import type { AedesOptions, Client } from 'aedes'
import type { Log } from '../kit/log.js'
import type { BrokerMetrics } from './broker-metrics.js'
import type { BrokerLimits } from './limits.js'
import type { Link } from './link.js'
import type { LogLimit } from './log-limit.js'
import type { Readers } from './readers.js'
import { subscriptionOf } from './topic-rights.js'

/**
 * Who may ask for what. A refused filter is answered with 128, the connection stays. What is granted is only noted: what is
 * sent under it, and to whom, is for deliver.ts and readers.ts; Aedes forwards nothing.
 */
export function subscribeHooks({
  linkOf,
  readers,
  limits,
  metrics,
  log,
  logLimit,
}: {
  linkOf: (client: Client) => Link | undefined
  readers: Pick<Readers, 'maySubscribe'>
  limits: BrokerLimits
  metrics: BrokerMetrics
  log: Log
  logLimit: LogLimit
}): Required<Pick<AedesOptions, 'authorizeSubscribe' | 'authorizeForward'>> {
  function judge({ rights, reader, subscriptions }: Link, filter: string) {
    const max = reader ? limits.readerSubscriptionsMax : limits.subscriptionsMax
    if (!subscriptions.has(filter) && subscriptions.size >= max) return 'refused'
    if (reader) return readers.maySubscribe(reader, filter) ? 'granted' : 'refused'
    return rights ? subscriptionOf(rights, filter) : 'refused'
  }

  return {
    authorizeSubscribe(client, subscription, done) {
      const link = linkOf(client)
      const { topic, qos } = subscription
      const judgement = link ? judge(link, topic) : 'refused'
      if (judgement === 'granted') link!.subscriptions.set(topic, qos > 0 ? 1 : 0)
      if (judgement !== 'refused') return done(null, subscription)
      const gatewayId = link?.gatewayId
      metrics.subscribeRefused.inc()
      const line = logLimit(`subscribe ${gatewayId}`)
      if (line) log.warn({ gatewayId, topic: topic.slice(0, 256), ...line }, 'subscribe.refused')
      done(null, null)
    },

    authorizeForward: () => null,
  }
}
