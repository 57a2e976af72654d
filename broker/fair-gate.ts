export type FairGate = { run<T>(key: string, work: () => Promise<T>): Promise<T> }

/**
 * Runs at most `inFlightMax` at a time; the keys that wait take turns, so that one address that asks a thousand times
 * delays itself and not the others. What waits is bounded by whoever calls.
 */
export function createFairGate({ inFlightMax }: { inFlightMax: number }): FairGate {
  const waiting = new Map<string, (() => void)[]>()
  let inFlight = 0
  function next() {
    const turn = waiting.entries().next().value
    if (!turn) return
    const [key, queue] = turn
    const begin = queue.shift()!
    waiting.delete(key)
    if (queue.length > 0) waiting.set(key, queue)
    begin()
  }
  return {
    async run(key, work) {
      if (inFlight >= inFlightMax)
        await new Promise<void>((begin) => {
          const queue = waiting.get(key)
          if (queue) queue.push(begin)
          else waiting.set(key, [begin])
        })
      else inFlight++
      try {
        return await work()
      } finally {
        // A slot is handed on, not freed, when somebody waits: nobody can slip in between.
        if (waiting.size > 0) next()
        else inFlight--
      }
    },
  }
}
