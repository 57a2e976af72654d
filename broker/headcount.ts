export type Headcount = {
  /** Counts one more under `key`, and returns how to uncount it (once); undefined when it is full. */
  enter(key: string): (() => void) | undefined
}

/** How many are inside, by key and in total. Holds only the keys that have somebody inside. */
export function createHeadcount({ perKeyMax, totalMax }: { perKeyMax: number; totalMax: number }): Headcount {
  const inside = new Map<string, number>()
  let total = 0
  return {
    enter(key) {
      const before = inside.get(key) ?? 0
      if (before >= perKeyMax || total >= totalMax) return undefined
      inside.set(key, before + 1)
      total++
      let left = false
      return () => {
        if (left) return
        left = true
        total--
        const now = inside.get(key)! - 1
        if (now > 0) inside.set(key, now)
        else inside.delete(key)
      }
    },
  }
}
