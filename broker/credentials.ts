import { createHmac, randomBytes } from 'node:crypto'
import { setTimeout as sleep } from 'node:timers/promises'
import { idPattern } from '../ingest/contract.js'
import type { Clock } from '../kit/clock.js'
import { decoyHash, type verifySecret } from '../kit/secret-hash.js'
import { within } from '../kit/within.js'
import { createBoundedCache } from './bounded-cache.js'
import { createFairGate } from './fair-gate.js'
import { createHeadcount } from './headcount.js'
import type { BrokerLimits } from './limits.js'
import { createLoginThrottle } from './login-throttle.js'

export type GatewayCredentials = { gatewayId: string; secretHash: string; disabled: boolean }

export type LoginResult =
  | { kind: 'granted'; gateway: GatewayCredentials /** Keeps the secret known for another while. */; renew(): void }
  | { kind: 'refused'; reason: 'no credentials' | 'unknown gateway' | 'wrong secret' | 'disabled' }
  | { kind: 'unavailable'; reason: 'lookup failed' | 'too many logins' }

export type Credentials = {
  login(attempt: { gatewayId?: string | undefined; secret?: Buffer | undefined; address: string }): Promise<LoginResult>
  /** What is known of a gateway, at most `gatewayCacheMs` old. @throws when the lookup fails or takes too long */
  lookup(gatewayId: string): Promise<GatewayCredentials | undefined>
}

/** Ids that no gateway can have share one name in the throttle: they would only be a way to fill it. */
const impossibleId = '?'

/**
 * Decides about logins. A hash is computed once for the same (gateway, secret) within `secretCacheMs`, however many
 * connections ask for it, and is known by an HMAC under a key of this process: the secret itself is not kept, and a
 * secret that was changed in the database has another HMAC.
 */
export function createCredentials({
  findGateway,
  verify,
  limits,
  clock,
}: {
  findGateway: (gatewayId: string) => Promise<GatewayCredentials | undefined>
  verify: typeof verifySecret
  limits: BrokerLimits
  clock: Clock
}): Credentials {
  const hmacKey = randomBytes(32)
  const decoy = decoyHash()
  const gateways = createBoundedCache<Promise<GatewayCredentials | undefined>>({
    entriesMax: limits.gatewayCacheEntriesMax,
    ttlMs: limits.gatewayCacheMs,
    clock,
  })
  const verified = createBoundedCache<true>({
    entriesMax: limits.secretCacheEntriesMax,
    ttlMs: limits.secretCacheMs,
    clock,
  })
  const attempts = new Map<string, Promise<boolean>>()
  const waiting = createHeadcount({ perKeyMax: limits.loginsWaitingPerAddressMax, totalMax: limits.loginsWaitingMax })
  const hashing = createFairGate({ inFlightMax: limits.hashesInFlightMax })
  const throttle = createLoginThrottle({
    delayMsMin: limits.failedLoginDelayMsMin,
    delayMsMax: limits.failedLoginDelayMsMax,
    pairsMax: limits.failedLoginPairsMax,
    forgetMs: limits.failedLoginForgetMs,
    clock,
  })

  function lookup(gatewayId: string) {
    if (!idPattern.test(gatewayId)) return Promise.resolve(undefined)
    const known = gateways.get(gatewayId)
    if (known) return known
    const asked = within(limits.lookupMsMax, findGateway(gatewayId)).catch((error: unknown) => {
      gateways.delete(gatewayId)
      throw error
    })
    gateways.set(gatewayId, asked)
    return asked
  }

  async function decide(throttledId: string, secret: string, address: string, gateway: GatewayCredentials | undefined) {
    const waitMs = throttle.begin(address, throttledId)
    let outcome: 'right' | 'wrong' | 'undecided' = 'undecided'
    try {
      if (waitMs > 0) await sleep(waitMs, undefined, { ref: false })
      // An unknown gateway is checked against the decoy, so that it takes as long as a wrong secret.
      const matches = await hashing.run(address, () => verify(secret, gateway?.secretHash ?? decoy))
      outcome = matches && gateway ? 'right' : 'wrong'
      return outcome === 'right'
    } finally {
      throttle.end(address, throttledId, outcome)
    }
  }

  return {
    lookup,
    async login({ gatewayId, secret, address }) {
      if (!gatewayId || !secret) return { kind: 'refused', reason: 'no credentials' }
      const gateway = await lookup(gatewayId).catch(() => 'failed' as const)
      if (gateway === 'failed') return { kind: 'unavailable', reason: 'lookup failed' }
      const key = createHmac('sha256', hmacKey)
        .update(`${gatewayId}\0${gateway?.secretHash ?? decoy}\0`)
        .update(secret)
        .digest('base64')
      let right = verified.get(key) ?? false
      if (!right) {
        let attempt = attempts.get(key)
        if (!attempt) {
          const leave = waiting.enter(address)
          if (!leave) return { kind: 'unavailable', reason: 'too many logins' }
          const throttledId = idPattern.test(gatewayId) ? gatewayId : impossibleId
          attempt = decide(throttledId, secret.toString(), address, gateway).finally(() => {
            attempts.delete(key)
            leave()
          })
          attempts.set(key, attempt)
        }
        right = await attempt
        if (right) verified.set(key, true)
      }
      if (!gateway) return { kind: 'refused', reason: 'unknown gateway' }
      if (!right) return { kind: 'refused', reason: 'wrong secret' }
      if (gateway.disabled) return { kind: 'refused', reason: 'disabled' }
      return { kind: 'granted', gateway, renew: () => verified.set(key, true) }
    },
  }
}
