import { createHmac, randomBytes } from 'node:crypto'
import { setTimeout as sleep } from 'node:timers/promises'
import { idPattern } from '../ingest/contract.js'
import type { Clock } from '../kit/clock.js'
import type { verifySecret } from '../kit/secret-hash.js'
import { createBoundedCache } from './bounded-cache.js'
import { createFairGate } from './fair-gate.js'
import { createHeadcount } from './headcount.js'
import type { BrokerLimits } from './limits.js'
import { createLoginThrottle } from './login-throttle.js'

type Attempt = {
  userName: string
  secret: Buffer
  address: string
  hashes: string[]
  /** False: there is nobody of this name, and no hash can be the right one. */
  isKnown: boolean
}

/** Ids that no gateway can have share one name in the throttle: they would only be a way to fill it. */
const impossibleId = '?'

/**
 * Finds the hash that belongs to a secret. Each is computed once for the same (user name, secret) within `secretCacheMs`,
 * however many connections ask for it, and is known by an HMAC under a key of this process: the secret itself is not kept,
 * and a secret that was changed in the database has another HMAC.
 */
export function createSecretCheck({
  verify,
  limits,
  clock,
}: {
  verify: typeof verifySecret
  limits: BrokerLimits
  clock: Clock
}) {
  const hmacKey = randomBytes(32)
  const verified = createBoundedCache<true>({
    entriesMax: limits.secretCacheEntriesMax,
    ttlMs: limits.secretCacheMs,
    clock,
  })
  const attempts = new Map<string, Promise<string | undefined>>()
  const waiting = createHeadcount({ perKeyMax: limits.loginsWaitingPerAddressMax, totalMax: limits.loginsWaitingMax })
  const hashing = createFairGate({ inFlightMax: limits.hashesInFlightMax })
  const throttle = createLoginThrottle({
    delayMsMin: limits.failedLoginDelayMsMin,
    delayMsMax: limits.failedLoginDelayMsMax,
    pairsMax: limits.failedLoginPairsMax,
    forgetMs: limits.failedLoginForgetMs,
    clock,
  })

  /** With two hashes, both at once: that takes no longer than with one. */
  async function decide({ userName, secret, address, hashes, isKnown }: Attempt) {
    const throttledId = idPattern.test(userName) ? userName : impossibleId
    const waitMs = throttle.begin(address, throttledId)
    let outcome: 'right' | 'wrong' | 'undecided' = 'undecided'
    try {
      if (waitMs > 0) await sleep(waitMs, undefined, { ref: false })
      const given = secret.toString()
      const matches = await hashing.run(address, () => Promise.all(hashes.map((hash) => verify(given, hash))))
      const hash = isKnown ? hashes[matches.indexOf(true)] : undefined
      outcome = hash === undefined ? 'wrong' : 'right'
      return hash
    } finally {
      throttle.end(address, throttledId, outcome)
    }
  }

  /**
   * The one of `hashes` that is the secret's, with what keeps it known for another while; without a hash where none is.
   * Undefined: too many wait to be checked.
   */
  return async (attempt: Attempt): Promise<{ hash: string | undefined; renew: () => void } | undefined> => {
    const { userName, secret, address, hashes } = attempt
    const keys = hashes.map((hash) =>
      createHmac('sha256', hmacKey).update(`${userName}\0${hash}\0`).update(secret).digest('base64'),
    )
    const found = (hash: string | undefined) => ({
      hash,
      renew: () => hash !== undefined && verified.set(keys[hashes.indexOf(hash)]!, true),
    })
    const at = keys.findIndex((key) => verified.get(key))
    if (at >= 0) return found(hashes[at])
    const attemptKey = keys.join()
    let decided = attempts.get(attemptKey)
    if (!decided) {
      const leave = waiting.enter(address)
      if (!leave) return undefined
      decided = decide(attempt).finally(() => {
        attempts.delete(attemptKey)
        leave()
      })
      attempts.set(attemptKey, decided)
    }
    const outcome = found(await decided)
    outcome.renew()
    return outcome
  }
}
