export type Acknowledgements = {
  /** A message that has come; call what is returned when it is safe. */
  add(messageId: number): () => void
}

type Waiting = { messageId: number; safe: boolean }

/**
 * PUBACKs in the order in which the messages came, as MQTT wants them, whichever is safe first. `send` gets those that can
 * leave, together.
 */
export function inOrder(send: (messageIds: number[]) => void): Acknowledgements {
  let waiting: Waiting[] = []
  let first = 0
  function release() {
    const ids: number[] = []
    while (first < waiting.length && waiting[first]!.safe) ids.push(waiting[first++]!.messageId)
    // Not one by one: shifting each of thousands would copy the others each time.
    if (first > 1_000 || first === waiting.length) {
      waiting = waiting.slice(first)
      first = 0
    }
    send(ids)
  }
  return {
    add(messageId) {
      const entry = { messageId, safe: false }
      waiting.push(entry)
      return () => {
        entry.safe = true
        if (waiting[first] === entry) release()
      }
    },
  }
}
