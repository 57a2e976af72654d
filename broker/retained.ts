/** What a topic costs beside its own characters and its payload. */
const entryBytes = 200

export type Retained = {
  /** Keeps the newest of a topic; an empty payload clears it. False: there is no room for one more. */
  keep(topic: string, payload: Buffer): boolean
  get(topic: string): Buffer | undefined
  /** What is kept while one walks through it. */
  topics(): IterableIterator<string>
  readonly entries: number
  readonly bytes: number
}

/**
 * The newest of each topic, at most `entriesMax` and about `bytesMax` of them. When it is full what is new is refused: to
 * forget an older one would be to say that it was never there.
 */
export function createRetained({ entriesMax, bytesMax }: { entriesMax: number; bytesMax: number }): Retained {
  const kept = new Map<string, Buffer>()
  let bytes = 0
  const sizeOf = (topic: string, payload: Buffer) => entryBytes + 2 * topic.length + payload.length
  return {
    keep(topic, payload) {
      const old = kept.get(topic)
      const without = bytes - (old ? sizeOf(topic, old) : 0)
      if (payload.length === 0) {
        kept.delete(topic)
        bytes = without
        return true
      }
      const size = sizeOf(topic, payload)
      if (without + size > bytesMax || (!old && kept.size >= entriesMax)) return false
      // A copy: a small one may lie in a large chunk.
      kept.set(topic, Buffer.from(payload))
      bytes = without + size
      return true
    },
    get: (topic) => kept.get(topic),
    topics: () => kept.keys(),
    get entries() {
      return kept.size
    },
    get bytes() {
      return bytes
    },
  }
}
