import { randomUUID } from 'node:crypto'
import type { AedesOptions, AuthenticateError, Client } from 'aedes'
import type { Clock } from '../kit/clock.js'
import type { Log } from '../kit/log.js'
import type { BrokerMetrics } from './broker-metrics.js'
import type { Credentials, LoginResult } from './credentials.js'
import type { BrokerLimits } from './limits.js'
import type { Link } from './link.js'
import type { LogLimit } from './log-limit.js'

const connack = { identifierRejected: 2, serverUnavailable: 3, badCredentials: 4, notAuthorized: 5 } as const

/** What Aedes asks before it knows a client: `preConnect`, then `authenticate`. */
export function loginHooks({
  linkOf,
  credentials,
  limits,
  metrics,
  clock,
  log,
  logLimit,
  onGranted,
}: {
  linkOf: (client: Client) => Link | undefined
  credentials: Credentials
  limits: BrokerLimits
  metrics: BrokerMetrics
  clock: Clock
  log: Log
  logLimit: LogLimit
  /** Undefined: it may go on. */
  onGranted: (link: Link, result: Extract<LoginResult, { kind: 'granted' }>) => 'no room' | undefined
}): Required<Pick<AedesOptions, 'preConnect' | 'authenticate'>> {
  function codeOf(result: LoginResult): number | undefined {
    if (result.kind === 'granted') return undefined
    if (result.kind === 'unavailable') return connack.serverUnavailable
    const isForbidden = result.reason === 'disabled' || result.reason === 'attached'
    return isForbidden ? connack.notAuthorized : connack.badCredentials
  }

  return {
    preConnect(client, packet, done) {
      const link = linkOf(client)
      if (!link) return done(new Error('connection without a link'), false)
      link.visitor.connectArrived()
      const clientId = packet.clientId ?? ''
      if (Buffer.byteLength(clientId) > limits.clientIdBytesMax) link.refusalCode = connack.identifierRejected
      // Aedes ends whoever has the same client id: in the name of its own gateway, that is only ever an older connection
      // of the same gateway. (No gateway id contains a slash; a user name that does is refused before it matters.)
      packet.clientId = `${packet.username ?? ''}/${clientId || randomUUID()}`
      // Aedes' queue for a client that is away has no limit; whoever asks for a session is told that there is none.
      packet.clean = true
      if (packet.keepalive) packet.keepalive = Math.max(packet.keepalive, limits.keepaliveSecondsMin)
      done(null, true)
    },

    authenticate(client, username, password, done) {
      const refuse = (returnCode: number, reason: string) =>
        done(Object.assign(new Error(reason), { returnCode }) as AuthenticateError, null)
      const link = linkOf(client)
      if (!link || link.refusalCode !== undefined) {
        metrics.logins.inc({ result: 'client id rejected' })
        return refuse(link?.refusalCode ?? connack.serverUnavailable, 'client id rejected')
      }
      const { address } = link.visitor
      credentials.login({ gatewayId: username, secret: password, address }).then(
        (result) => {
          // It comes again at once, and then what is true now decides.
          const isOvertaken = result.kind === 'granted' && result.isOvertaken()
          metrics.logins.inc({
            result: isOvertaken ? 'overtaken' : result.kind === 'granted' ? 'granted' : result.reason,
          })
          if (isOvertaken) return refuse(connack.serverUnavailable, 'overtaken')
          const code = codeOf(result)
          if (result.kind !== 'granted') {
            const line = logLimit(`login ${address} ${result.reason}`)
            if (line) {
              const gatewayId = username?.slice(0, 64)
              log.warn({ gatewayId, remoteAddress: address, reason: result.reason, ...line }, 'login.refused')
            }
            return refuse(code!, result.reason)
          }
          if (link.conn.destroyed) return refuse(connack.serverUnavailable, 'connection is gone')
          link.secretHash = result.secretHash
          link.renew = result.renew
          link.checkedAtMs = clock.now().getTime()
          if (onGranted(link, result) === 'no room') return refuse(connack.serverUnavailable, 'no room')
          done(null, true)
        },
        (error: unknown) => {
          metrics.logins.inc({ result: 'failed' })
          log.error({ err: error }, 'login.failed')
          refuse(connack.serverUnavailable, 'login failed')
        },
      )
    },
  }
}
