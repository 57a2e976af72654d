import { generate } from 'mqtt-packet'
import { contractVersion } from '../ingest/contract.js'
import { StartError } from '../kit/lifecycle.js'
import type { Log } from '../kit/log.js'
import type { BrokerMetrics } from './broker-metrics.js'
import type { BrokerLimits } from './limits.js'
import type { Link } from './link.js'
import { createRetained } from './retained.js'
import { filterCovers, filterMatches, hasWildcard, isTopicFilter, isTopicName } from './topic-filter.js'

/**
 * A login for one of the operator's own systems (Home Assistant): it may hear what lies under `filters`, and say nothing.
 * A gateway of the same name could not log in. `secretHash` as `hashSecret` makes it.
 */
export type Reader = { userName: string; secretHash: string; filters: readonly string[] }

export type Onward = { kind: 'published'; readers: number } | { kind: 'refused'; reason: 'topic' | 'full' }

export type Readers = {
  find(userName: string): Reader | undefined
  /** False: there are too many. */
  enter(link: Link): boolean
  leave(link: Link): void
  maySubscribe(reader: Reader, filter: string): boolean
  /** The granted filters of a SUBSCRIBE: what is kept under them is sent, as the reader takes it. */
  subscribed(link: Link, filters: string[]): void
  unsubscribed(link: Link, filters: string[]): void
  /** To all readers that have asked for it. `retain`: and to those that come later; an empty payload clears that. */
  publish(topic: string, payload: string | Buffer, options?: { retain?: boolean }): Onward
}

/** Where gateways speak, and what is not for sale: neither published onward nor granted to a reader. */
const isPrivate = (topic: string) => topic.startsWith('$') || topic.split('/', 1)[0] === contractVersion

/**
 * What Shouwang publishes for others, at QoS 0: who loses something has lost the connection too, and gets all that is kept
 * when it is back. For the same reason a reader that does not keep up is cut off, not served with gaps.
 *
 * @throws StartError where a reader is to hear what is private, or everything
 */
export function createReaders({
  readers,
  limits,
  metrics,
  log,
}: {
  readers: readonly Reader[]
  limits: BrokerLimits
  metrics: BrokerMetrics
  log: Log
}): Readers {
  for (const { userName, filters } of readers) {
    const bad = filters.find((filter) => !isTopicFilter(filter) || isPrivate(filter) || /^[#+]/.test(filter))
    if (bad !== undefined) throw new StartError(`reader ${userName}: "${bad}" cannot be granted to a reader`)
  }
  const byName = new Map(readers.map((reader) => [reader.userName, reader]))
  const retained = createRetained({ entriesMax: limits.retainedEntriesMax, bytesMax: limits.retainedBytesMax })
  /** The patterns among its subscriptions, of each connection; the others are found by their topic. */
  const present = new Map<Link, Set<string>>()
  /** What is still to be sent of what is kept, of each connection. */
  const replays = new Map<Link, Iterator<string>[]>()

  const isAskedFor = (link: Link, patterns: Set<string>, topic: string) => {
    if (link.subscriptions.has(topic)) return true
    for (const pattern of patterns) if (filterMatches(pattern, topic)) return true
    return false
  }

  function send(link: Link, topic: string, payload: Buffer, retain: boolean): boolean {
    return link.conn.write(generate({ cmd: 'publish', topic, payload, qos: 0, retain, dup: false }))
  }

  function* keptUnder(filter: string): Generator<string> {
    if (!hasWildcard(filter)) yield filter
    else for (const topic of retained.topics()) if (filterMatches(filter, topic)) yield topic
  }

  /** Until its socket is full, and on from there when it is empty again. A value is read when it is its turn. */
  function replay(link: Link) {
    const queue = replays.get(link)
    while (queue && queue.length > 0 && !link.conn.destroyed) {
      const { done, value: topic } = queue[0]!.next()
      if (done) queue.shift()
      else {
        const payload = retained.get(topic)
        if (!payload || send(link, topic, payload, true)) continue
        link.watchDrain()
        link.conn.once('drain', () => replay(link))
        return
      }
    }
    replays.delete(link)
  }

  function publish(topic: string, payload: Buffer, retain: boolean): Onward {
    if (!isTopicName(topic) || isPrivate(topic)) return { kind: 'refused', reason: 'topic' }
    if (retain && !retained.keep(topic, payload)) return { kind: 'refused', reason: 'full' }
    let count = 0
    for (const [link, patterns] of present) {
      if (!link.ready || link.conn.destroyed || !isAskedFor(link, patterns, topic)) continue
      if (link.conn.writableLength > limits.readerBytesMax) {
        metrics.readersDropped.inc()
        log.warn({ reader: link.reader?.userName }, 'reader.tooSlow')
        link.conn.destroy()
        continue
      }
      if (!send(link, topic, payload, false)) link.watchDrain()
      count++
    }
    return { kind: 'published', readers: count }
  }

  return {
    find: (userName) => byName.get(userName),
    enter(link) {
      if (present.size >= limits.readerConnectionsMax) return false
      present.set(link, new Set())
      metrics.readers.inc()
      return true
    },
    leave(link) {
      replays.delete(link)
      if (present.delete(link)) metrics.readers.dec()
    },
    maySubscribe: ({ filters }, filter) =>
      isTopicFilter(filter) && filters.some((granted) => filterCovers(granted, filter)),
    subscribed(link, filters) {
      const patterns = present.get(link)
      if (!patterns) return
      for (const filter of filters) if (hasWildcard(filter)) patterns.add(filter)
      const waiting = replays.get(link)
      if (!waiting) replays.set(link, filters.map(keptUnder))
      else waiting.push(...filters.map(keptUnder))
      if (!waiting) replay(link)
      // One who asks without end and does not read.
      else if (waiting.length > limits.readerSubscriptionsMax) link.conn.destroy()
    },
    unsubscribed(link, filters) {
      const patterns = present.get(link)
      for (const filter of filters) patterns?.delete(filter)
    },
    publish(topic, payload, { retain = false } = {}) {
      const outcome = publish(topic, Buffer.from(payload), retain)
      if (outcome.kind === 'refused') metrics.onwardRefused.inc({ reason: outcome.reason })
      return outcome
    },
  }
}
