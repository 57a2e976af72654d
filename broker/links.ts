import type { EventEmitter } from 'node:events'
import type { Duplex } from 'node:stream'
import { setTimeout as sleep } from 'node:timers/promises'
import type { Aedes, Client } from 'aedes'
import type { Clock } from '../kit/clock.js'
import type { Log } from '../kit/log.js'
import type { BrokerMetrics } from './broker-metrics.js'
import type { Credentials, GatewayCredentials, LoginResult } from './credentials.js'
import type { Visitor } from './door.js'
import { FrameError } from './frame-guard.js'
import type { BrokerLimits } from './limits.js'
import { type Link, openLink, type Traffic } from './link.js'
import type { LogLimit } from './log-limit.js'
import type { Readers } from './readers.js'
import { createRollCall, type Presence } from './roll-call.js'
import { createStanding } from './standing.js'

const pollMs = 10

/** All open connections: whose they are, who is present, and what becomes of them when the broker stops. */
export function createLinks({
  presence,
  credentials,
  readers,
  limits,
  clock,
  log,
  logLimit,
  metrics,
}: {
  presence: Presence
  credentials: Credentials
  readers: Readers
  limits: BrokerLimits
  clock: Clock
  log: Log
  logLimit: LogLimit
  metrics: BrokerMetrics
}) {
  const byConn = new WeakMap<object, Link>()
  const traffic: Traffic = { inFlight: 0 }
  const granted = new Set<Link>()
  const standing = createStanding({ clock, log, metrics })
  const rollCall = createRollCall<Link>({ presence })
  let stopping = false
  const isStopping = () => stopping
  const linkOf = (client: Client) => byConn.get(client.conn)

  function closed(link: Link) {
    const { gatewayId } = link
    if (link.reader) {
      readers.leave(link)
      log.info({ reader: link.reader.userName }, 'reader.disconnected')
    }
    for (const end of [...(link.awaiting?.values() ?? [])]) end(false)
    if (gatewayId === undefined || !granted.delete(link)) return
    standing.leave(link)
    link.renew()
    rollCall.leave(gatewayId, link)
    log.info({ gatewayId }, 'gateway.disconnected')
  }

  /** A gateway that was disabled, or whose secret was changed, does not stay for as long as it keeps its line open. */
  function recheck(link: Link, gatewayId: string) {
    credentials.lookup(gatewayId).then(
      (gateway) => standing.judge(link, gateway),
      (error: Error) => log.debug({ gatewayId, error: error.message }, 'gateway.recheckFailed'),
    )
  }

  function heard(link: Link, gatewayId: string, atMs: number) {
    presence.heard(gatewayId)
    // Absolute, for a clock that jumped back an hour: nobody stays an hour longer for it.
    if (Math.abs(atMs - link.checkedAtMs) < limits.recheckMs) return
    link.checkedAtMs = atMs
    recheck(link, gatewayId)
  }

  function failed(client: Client, error: Error) {
    const gatewayId = linkOf(client)?.gatewayId
    if (error instanceof FrameError) {
      const { fault, claimedBytes } = error
      metrics.framesRefused.inc({ reason: fault })
      const line = logLimit(`frame ${gatewayId ?? ''}`)
      if (line) log.warn({ gatewayId, fault, claimedBytes, ...line }, 'frame.refused')
    } else log.debug({ gatewayId, error: error.message }, 'client.error')
  }

  return {
    linkOf,
    traffic,
    isStopping,
    heard,
    isConnected: rollCall.isPresent,
    of: rollCall.of,

    /** What a gateway may do has changed, or it is gone. */
    changed(gatewayId: string, now: GatewayCredentials | undefined) {
      for (const link of rollCall.of(gatewayId)) if (!link.conn.destroyed) standing.judge(link, now)
    },

    endSecrets: standing.sweep,

    open({ visitor, conn, aedes }: { visitor: Visitor; conn: Duplex; aedes: Aedes }) {
      const register = (link: Link) => {
        byConn.set(conn, link)
        conn.once('close', () => closed(link))
      }
      openLink({ conn, visitor, aedes, limits, metrics, traffic, register, isStopping })
    },

    granted(link: Link, { as }: Extract<LoginResult, { kind: 'granted' }>): 'no room' | undefined {
      if (as.kind === 'reader') {
        link.reader = as.reader
        if (!readers.enter(link)) return 'no room'
        link.visitor.authenticate()
        return undefined
      }
      const { gateway } = as
      standing.enter(link, gateway)
      link.visitor.authenticate()
      granted.add(link)
      rollCall.enter(gateway.gatewayId, link)
      return undefined
    },

    listenTo(aedes: Aedes) {
      aedes.on('clientReady', (client) => {
        const link = linkOf(client)
        if (!link || link.conn.destroyed) return
        if (link.reader) {
          link.ready = true
          log.info({ reader: link.reader.userName }, 'reader.connected')
        }
        if (link.gatewayId === undefined) return
        link.ready = true
        rollCall.ready(link.gatewayId)
        log.info({ gatewayId: link.gatewayId }, 'gateway.connected')
      })
      aedes.on('ping', (_packet, client) => {
        const link = linkOf(client)
        if (link?.gatewayId !== undefined) heard(link, link.gatewayId, clock.now().getTime())
      })
      aedes.on('subscribe', (subscriptions, client) => {
        const link = linkOf(client)
        // 128, where it was refused.
        const granted = subscriptions.filter(({ qos }) => qos <= 2).map(({ topic }) => topic)
        if (link?.reader) readers.subscribed(link, granted)
      })
      aedes.on('unsubscribe', (filters, client) => {
        const link = linkOf(client)
        for (const filter of filters) link?.subscriptions.delete(filter)
        if (link?.reader) readers.unsubscribed(link, filters)
      })
      // Aedes' types know the packet that was sent; it is the one that keeps-nothing.ts hands back.
      aedes.on('ack', (packet: { messageId?: number } | undefined, client: Client) => {
        const { messageId } = packet ?? {}
        if (messageId !== undefined) linkOf(client)?.awaiting?.get(messageId)?.(true)
      })
      aedes.on('clientError', failed)
      aedes.on('connectionError', failed)
      // Without a listener an error event ends the process.
      const emitter: EventEmitter = aedes
      emitter.on('error', (error: Error) => log.error({ err: error }, 'aedes.error'))
    },

    beginStop() {
      stopping = true
    },

    /** Resolves when no publish waits for its commit, or after `msMax`. */
    async drained(msMax: number) {
      for (let waitedMs = 0; waitedMs < msMax; waitedMs += pollMs) {
        if (![...granted].some((link) => link.inFlight > 0)) break
        await sleep(pollMs)
      }
      // The last acknowledgements are written one turn of the loop after the commit.
      if (granted.size > 0) await sleep(pollMs)
    },
  }
}
