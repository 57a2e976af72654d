import type { Clock } from '../kit/clock.js'
import { createBoundedCache } from './bounded-cache.js'

export type LoginThrottle = {
  /** How long this attempt must wait before it is looked at, in ms. Each `begin` is followed by an `end`. */
  begin(address: string, gatewayId: string): number
  end(address: string, gatewayId: string, outcome: 'right' | 'wrong' | 'undecided'): void
}

/**
 * Slows guessing: the wait doubles with each failure of the pair (address, gateway id). The pair, because gateways share
 * their carrier's address and must not pay for a neighbour; and because somebody who fails with a gateway's id elsewhere
 * must not keep that gateway out. Attempts still undecided count as failures, or a thousand guesses at once would all
 * be the first.
 */
export function createLoginThrottle({
  delayMsMin,
  delayMsMax,
  pairsMax,
  forgetMs,
  clock,
}: {
  delayMsMin: number
  delayMsMax: number
  pairsMax: number
  forgetMs: number
  clock: Clock
}): LoginThrottle {
  const pairs = createBoundedCache<{ failures: number; undecided: number }>({
    entriesMax: pairsMax,
    ttlMs: forgetMs,
    clock,
  })
  const keyOf = (address: string, gatewayId: string) => `${address} ${gatewayId}`
  return {
    begin(address, gatewayId) {
      const key = keyOf(address, gatewayId)
      const pair = pairs.get(key) ?? { failures: 0, undecided: 0 }
      const before = pair.failures + pair.undecided++
      pairs.set(key, pair)
      return before === 0 ? 0 : Math.min(delayMsMax, delayMsMin * 2 ** Math.min(before - 1, 20))
    },
    end(address, gatewayId, outcome) {
      const key = keyOf(address, gatewayId)
      const pair = pairs.get(key)
      if (!pair) return
      pair.undecided--
      if (outcome === 'wrong') pair.failures++
      if (outcome === 'right') pair.failures = 0
      if (pair.failures + pair.undecided > 0) pairs.set(key, pair)
      else pairs.delete(key)
    },
  }
}
