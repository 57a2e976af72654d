const bucketMs = 0.1
const bucketsMax = 200_000

/** Counts times in buckets of 0.1 ms up to 20 s: as many as come, in the same memory. */
export function createLatencies() {
  const buckets = new Uint32Array(bucketsMax)
  let count = 0
  return {
    add(ms: number) {
      buckets[Math.min(bucketsMax - 1, Math.max(0, Math.floor(ms / bucketMs)))]!++
      count++
    },
    clear() {
      buckets.fill(0)
      count = 0
    },
    /** In ms, to 0.1; 0 while nothing has been counted. */
    percentile(percent: number): number {
      const wanted = (percent / 100) * count
      let seen = 0
      for (let bucket = 0; bucket < bucketsMax; bucket++) {
        seen += buckets[bucket]!
        if (seen > 0 && seen >= wanted) return (bucket + 1) * bucketMs
      }
      return 0
    },
  }
}
