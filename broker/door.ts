import type { Socket } from 'node:net'
import type { Log } from '../kit/log.js'
import { addressKey } from './address-key.js'
import type { BrokerMetrics, Transport } from './broker-metrics.js'
import { createHeadcount } from './headcount.js'
import type { BrokerLimits } from './limits.js'
import type { LogLimit } from './log-limit.js'

/** A connection on its way in: it has a limited time to say who it is, and counts against its address until then. */
export type Visitor = {
  readonly raw: Socket
  readonly address: string
  readonly transport: Transport
  readonly authenticated: boolean
  connectArrived(): void
  authenticate(): void
}
export type Door = { enter(raw: Socket, transport: Transport): Visitor | undefined; closeAll(): void }

/**
 * Where every transport comes in, as plain TCP, before a TLS or WebSocket handshake costs anything. One clock runs from
 * accept to CONNECT and another from CONNECT to the login's end, whatever lies between.
 */
export function createDoor({
  limits,
  log,
  logLimit,
  metrics,
}: {
  limits: BrokerLimits
  log: Log
  logLimit: LogLimit
  metrics: BrokerMetrics
}): Door {
  const unauthenticated = createHeadcount({
    perKeyMax: limits.unauthenticatedPerAddressMax,
    totalMax: limits.unauthenticatedMax,
  })
  const inside = new Set<Socket>()

  function turnAway(raw: Socket, reason: string, address: string) {
    metrics.connectionsRefused.inc({ reason })
    const line = logLimit(`${reason} ${address}`)
    if (line) log.warn({ remoteAddress: address, reason, ...line }, 'connection.refused')
    raw.destroy()
  }

  return {
    enter(raw, transport) {
      raw.on('error', (error) => log.debug({ transport, error: error.message }, 'connection.error'))
      // A peer that is already gone has no address any more.
      if (raw.remoteAddress === undefined) {
        raw.destroy()
        return undefined
      }
      const address = addressKey(raw.remoteAddress)
      const leave = unauthenticated.enter(address)
      if (!leave) {
        turnAway(raw, 'too many unauthenticated', address)
        return undefined
      }
      let authenticated = false
      let timer = setTimeout(() => turnAway(raw, 'no CONNECT in time', address), limits.connectMsMax)
      inside.add(raw)
      metrics.connections.inc({ transport, state: 'unauthenticated' })
      raw.once('close', () => {
        clearTimeout(timer)
        leave()
        inside.delete(raw)
        metrics.connections.dec({ transport, state: authenticated ? 'authenticated' : 'unauthenticated' })
      })
      return {
        raw,
        address,
        transport,
        get authenticated() {
          return authenticated
        },
        connectArrived() {
          clearTimeout(timer)
          timer = setTimeout(() => turnAway(raw, 'login took too long', address), limits.loginMsMax)
        },
        authenticate() {
          if (raw.destroyed) return
          clearTimeout(timer)
          leave()
          authenticated = true
          metrics.connections.dec({ transport, state: 'unauthenticated' })
          metrics.connections.inc({ transport, state: 'authenticated' })
        },
      }
    },
    closeAll() {
      for (const raw of inside) raw.destroy()
    },
  }
}
