import type { Clock } from '../kit/clock.js'
import { createBoundedCache } from './bounded-cache.js'

export type LogLimit = (key: string) => { unsaid: number } | undefined

/**
 * Lets one line through per key and `everyMs`, telling how many were held back since the last one; undefined: hold this
 * one back. What is worth counting exactly has a metric.
 */
export function createLogLimit({
  everyMs,
  keysMax,
  clock,
}: {
  everyMs: number
  keysMax: number
  clock: Clock
}): LogLimit {
  const quiet = createBoundedCache<true>({ entriesMax: keysMax, ttlMs: everyMs, clock })
  const unsaid = createBoundedCache<{ lines: number }>({ entriesMax: keysMax, ttlMs: 10 * everyMs, clock })
  return (key) => {
    if (quiet.get(key)) {
      const held = unsaid.get(key)
      if (held) held.lines++
      else unsaid.set(key, { lines: 1 })
      return undefined
    }
    quiet.set(key, true)
    const held = unsaid.get(key)?.lines ?? 0
    unsaid.delete(key)
    return { unsaid: held }
  }
}
