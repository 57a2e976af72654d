import type { Clock } from '../kit/clock.js'

export type BoundedCache<V> = {
  get(key: string): V | undefined
  set(key: string, value: V): void
  delete(key: string): void
  readonly size: number
}

/**
 * Keeps what was set within the last `ttlMs`, at most `entriesMax` of it: the one set longest ago goes first. What was set
 * in the future is gone too: the clock has jumped back, and it would stay for as long as the jump was wide.
 */
export function createBoundedCache<V>({
  entriesMax,
  ttlMs,
  clock,
}: {
  entriesMax: number
  ttlMs: number
  clock: Clock
}): BoundedCache<V> {
  const entries = new Map<string, { value: V; setAt: number }>()
  return {
    get(key) {
      const entry = entries.get(key)
      if (!entry) return undefined
      const ageMs = clock.now().getTime() - entry.setAt
      if (ageMs >= 0 && ageMs < ttlMs) return entry.value
      entries.delete(key)
      return undefined
    },
    set(key, value) {
      entries.delete(key)
      entries.set(key, { value, setAt: clock.now().getTime() })
      if (entries.size > entriesMax) entries.delete(entries.keys().next().value!)
    },
    delete: (key) => void entries.delete(key),
    get size() {
      return entries.size
    },
  }
}
