const tickMs = 50

/**
 * Calls `late` after `ms` in which this process was awake to take an answer, unless the returned function was called
 * before. While it is too busy to look, the answer may lie there already: that time does not count.
 */
export function waitAtMost(ms: number, late: () => void): () => void {
  let left = ms
  let lookedAt = performance.now()
  const timer = setInterval(() => {
    const now = performance.now()
    left -= Math.min(now - lookedAt, 2 * tickMs)
    lookedAt = now
    if (left > 0) return
    clearInterval(timer)
    late()
  }, tickMs)
  return () => clearInterval(timer)
}
