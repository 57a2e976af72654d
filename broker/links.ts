import type { EventEmitter } from 'node:events'
import type { Duplex } from 'node:stream'
import { setTimeout as sleep } from 'node:timers/promises'
import type { Aedes, Client } from 'aedes'
import type { Clock } from '../kit/clock.js'
import type { Log } from '../kit/log.js'
import type { BrokerMetrics } from './broker-metrics.js'
import type { Credentials } from './credentials.js'
import type { Visitor } from './door.js'
import { FrameError } from './frame-guard.js'
import type { BrokerLimits } from './limits.js'
import { type Link, openLink, type Traffic } from './link.js'
import type { LogLimit } from './log-limit.js'
import { createRollCall, type Presence } from './roll-call.js'

const pollMs = 10

/** All open connections: whose they are, who is present, and what becomes of them when the broker stops. */
export function createLinks({
  presence,
  credentials,
  limits,
  clock,
  log,
  logLimit,
  metrics,
}: {
  presence: Presence
  credentials: Credentials
  limits: BrokerLimits
  clock: Clock
  log: Log
  logLimit: LogLimit
  metrics: BrokerMetrics
}) {
  const byConn = new WeakMap<object, Link>()
  const traffic: Traffic = { inFlight: 0 }
  const granted = new Set<Link>()
  const rollCall = createRollCall({ presence })
  let stopping = false
  const isStopping = () => stopping
  const linkOf = (client: Client) => byConn.get(client.conn)

  function closed(link: Link) {
    const { gatewayId } = link
    if (gatewayId === undefined || !granted.delete(link)) return
    link.renew()
    rollCall.leave(gatewayId)
    log.info({ gatewayId }, 'gateway.disconnected')
  }

  /** A gateway that was disabled, or whose secret was changed, does not stay for as long as it keeps its line open. */
  function recheck(link: Link, gatewayId: string) {
    credentials.lookup(gatewayId).then(
      (gateway) => {
        if (gateway && !gateway.disabled && gateway.secretHash === link.secretHash) return
        log.warn({ gatewayId }, 'gateway.rightsWithdrawn')
        link.conn.destroy()
      },
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

    open({ visitor, conn, aedes }: { visitor: Visitor; conn: Duplex; aedes: Aedes }) {
      const register = (link: Link) => {
        byConn.set(conn, link)
        conn.once('close', () => closed(link))
      }
      openLink({ conn, visitor, aedes, limits, metrics, traffic, register, isStopping })
    },

    granted(link: Link, gatewayId: string) {
      link.gatewayId = gatewayId
      link.visitor.authenticate()
      granted.add(link)
      rollCall.enter(gatewayId)
    },

    listenTo(aedes: Aedes) {
      aedes.on('clientReady', (client) => {
        const link = linkOf(client)
        if (!link || link.gatewayId === undefined || link.conn.destroyed) return
        link.ready = true
        rollCall.ready(link.gatewayId)
        log.info({ gatewayId: link.gatewayId }, 'gateway.connected')
      })
      aedes.on('ping', (_packet, client) => {
        const link = linkOf(client)
        if (link?.gatewayId !== undefined) heard(link, link.gatewayId, clock.now().getTime())
      })
      aedes.on('unsubscribe', (filters, client) => {
        const link = linkOf(client)
        for (const filter of filters) link?.subscriptions.delete(filter)
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
