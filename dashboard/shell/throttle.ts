/** Counts attempts per key in windows of `perMs`; bounded: beyond `keysMax` the oldest key is forgotten. */
export type Throttle = {
  /** Counts one attempt. True while the key has had at most `hitsMax` in this window. */
  take(key: string, now: Date): boolean
}

export function createThrottle({
  hitsMax,
  perMs,
  keysMax = 20_000,
}: {
  hitsMax: number
  perMs: number
  keysMax?: number
}): Throttle {
  const windows = new Map<string, { startedMs: number; hits: number }>()
  return {
    take: (key, now) => {
      const nowMs = now.getTime()
      const known = windows.get(key)
      if (known && nowMs - known.startedMs < perMs) return ++known.hits <= hitsMax
      windows.delete(key)
      const oldest = windows.keys().next()
      if (windows.size >= keysMax && !oldest.done) windows.delete(oldest.value)
      windows.set(key, { startedMs: nowMs, hits: 1 })
      return true
    },
  }
}

/** An IPv6 customer owns at least a /64: it counts as one address. */
export const addressKey = (ip: string) =>
  ip.includes(':') && !ip.includes('.') ? ip.split(':').slice(0, 4).join(':') : ip
