/**
 * Remembers what `load` gave for the same ids for at most `ageMsMax`, and asks once for many who ask together. Bounded:
 * a deployment has few sets of communities.
 */
export function createRecent<T>({
  ageMsMax,
  load,
  keysMax = 200,
}: {
  ageMsMax: number
  load: (ids: string[], now: Date) => Promise<T>
  keysMax?: number
}): (ids: string[], now: Date) => Promise<T> {
  const known = new Map<string, { atMs: number; value: Promise<T> }>()
  return (ids, now) => {
    const key = JSON.stringify(ids)
    const nowMs = now.getTime()
    const before = known.get(key)
    if (before && Math.abs(nowMs - before.atMs) < ageMsMax) return before.value
    if (known.size >= keysMax) known.clear()
    const value = load(ids, now)
    known.set(key, { atMs: nowMs, value })
    // A failure is the caller's to handle; it is only not remembered.
    value.catch(() => known.delete(key))
    return value
  }
}
