import { idPattern } from '../ingest/contract.js'
import type { Clock } from '../kit/clock.js'
import { decoyHash, type verifySecret } from '../kit/secret-hash.js'
import { within } from '../kit/within.js'
import { createBoundedCache } from './bounded-cache.js'
import type { BrokerLimits } from './limits.js'
import type { Reader } from './readers.js'
import { createSecretCheck } from './secret-check.js'

export type GatewayCredentials = {
  gatewayId: string
  secretHash: string
  /** The secret before this one, which goes on working until then (epoch ms). */
  secretHashBefore?: string | null | undefined
  secretBeforeUntil?: number | null | undefined
  disabled: boolean
  /** It speaks to another broker: nobody may log in here in its name. */
  attached?: boolean | undefined
  /** `v1` where it is missing. */
  dialect?: string | undefined
  /** Where it may speak beside `v1/{gatewayId}/`. */
  baseTopics?: readonly string[] | undefined
}

export type LoginResult =
  | {
      kind: 'granted'
      as: { kind: 'gateway'; gateway: GatewayCredentials } | { kind: 'reader'; reader: Reader }
      /** The one of its secrets' hashes that it knew. */
      secretHash: string
      /** Keeps the secret known for another while. */
      renew(): void
      /** What was decided on may have changed since. */
      isOvertaken(): boolean
    }
  | { kind: 'refused'; reason: 'no credentials' | 'unknown gateway' | 'wrong secret' | 'disabled' | 'attached' }
  | { kind: 'unavailable'; reason: 'lookup failed' | 'too many logins' }

export type Credentials = {
  login(attempt: { gatewayId?: string | undefined; secret?: Buffer | undefined; address: string }): Promise<LoginResult>
  /** What is known of a gateway, at most `gatewayCacheMs` old. @throws when the lookup fails or takes too long */
  lookup(gatewayId: string): Promise<GatewayCredentials | undefined>
  /** What these gateways may do has changed: nothing that was known before decides. */
  forget(gatewayIds: readonly string[]): void
}

/** When the secret with this hash stops opening the door for a gateway (epoch ms; Infinity: not foreseen); undefined: it does not. */
export function secretEnd(gateway: GatewayCredentials, secretHash: string, now: number): number | undefined {
  if (secretHash === gateway.secretHash) return Number.POSITIVE_INFINITY
  const { secretHashBefore, secretBeforeUntil } = gateway
  return secretHash === secretHashBefore && secretBeforeUntil && now < secretBeforeUntil ? secretBeforeUntil : undefined
}

/** Decides about logins, by what was found out about gateways up to `gatewayCacheMs` ago, unless that was forgotten since. */
export function createCredentials({
  findGateway,
  findReader = () => undefined,
  verify,
  limits,
  clock,
}: {
  findGateway: (gatewayId: string) => Promise<GatewayCredentials | undefined>
  findReader?: (userName: string) => Reader | undefined
  verify: typeof verifySecret
  limits: BrokerLimits
  clock: Clock
}): Credentials {
  const decoy = decoyHash()
  const gateways = createBoundedCache<Promise<GatewayCredentials | undefined>>({
    entriesMax: limits.gatewayCacheEntriesMax,
    ttlMs: limits.gatewayCacheMs,
    clock,
  })
  const checkSecret = createSecretCheck({ verify, limits, clock })
  /** When gateways were last forgotten, as a count: a login that is under way then is overtaken. */
  const forgotten = createBoundedCache<number>({
    entriesMax: limits.gatewayCacheEntriesMax,
    ttlMs: 2 * limits.loginMsMax,
    clock,
  })
  let forgets = 0
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

  const hashesOf = (gateway: GatewayCredentials) =>
    [gateway.secretHash, gateway.secretHashBefore].filter(
      (hash): hash is string =>
        typeof hash === 'string' && secretEnd(gateway, hash, clock.now().getTime()) !== undefined,
    )

  return {
    lookup,
    forget(gatewayIds) {
      forgets++
      for (const gatewayId of gatewayIds) {
        gateways.delete(gatewayId)
        forgotten.set(gatewayId, forgets)
      }
    },
    async login({ gatewayId: userName, secret, address }) {
      if (!userName || !secret) return { kind: 'refused', reason: 'no credentials' }
      let begunAt = forgets
      const isOvertaken = () => (forgotten.get(userName) ?? 0) > begunAt
      const reader = findReader(userName)
      const find = () => (reader ? undefined : lookup(userName).catch(() => 'failed' as const))
      let gateway = await find()
      if (gateway === 'failed') return { kind: 'unavailable', reason: 'lookup failed' }
      // An unknown gateway is checked against the decoy, so that it takes as long as a wrong secret.
      const hashes = reader ? [reader.secretHash] : gateway ? hashesOf(gateway) : [decoy]
      const isKnown = Boolean(reader ?? gateway)
      const match = await checkSecret({ userName, secret, address, hashes, isKnown })
      if (!match) return { kind: 'unavailable', reason: 'too many logins' }
      const { hash: secretHash, renew } = match
      const granted = { kind: 'granted', renew, isOvertaken } as const
      if (reader && secretHash !== undefined) return { ...granted, as: { kind: 'reader', reader }, secretHash }
      if (!gateway) return { kind: 'refused', reason: reader ? 'wrong secret' : 'unknown gateway' }
      if (secretHash === undefined) return { kind: 'refused', reason: 'wrong secret' }
      if (isOvertaken()) {
        begunAt = forgets
        gateway = await find()
        if (gateway === 'failed') return { kind: 'unavailable', reason: 'lookup failed' }
        if (!gateway || secretEnd(gateway, secretHash, clock.now().getTime()) === undefined)
          return { kind: 'refused', reason: 'wrong secret' }
      }
      if (gateway.disabled) return { kind: 'refused', reason: 'disabled' }
      if (gateway.attached) return { kind: 'refused', reason: 'attached' }
      return { ...granted, as: { kind: 'gateway', gateway }, secretHash }
    },
  }
}
