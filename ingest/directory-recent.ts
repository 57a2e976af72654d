/**
 * Answers that hold for `ttlMs`, at most `entriesMax` of them: the one given longest ago goes first. One from the future
 * is none: the clock has jumped back.
 */
export function createRecent<V>({ entriesMax, ttlMs }: { entriesMax: number; ttlMs: number }) {
  const entries = new Map<string, { value: V; at: number }>()
  return {
    /** @param now epoch ms */
    get(key: string, now: number): V | undefined {
      const entry = entries.get(key)
      if (entry && entry.at <= now && now - entry.at <= ttlMs) return entry.value
      entries.delete(key)
      return undefined
    },
    set(key: string, value: V, now: number): void {
      entries.delete(key)
      entries.set(key, { value, at: now })
      if (entries.size > entriesMax) entries.delete(entries.keys().next().value!)
    },
    get size() {
      return entries.size
    },
  }
}
