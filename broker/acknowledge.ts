import type { Duplex } from 'node:stream'

const pubackBytes = 4
const pubackFirst = 0x40
const pubackRest = 0x02

export type Acknowledge = {
  /** `messageId` is acknowledged, and `done` called after it, with what else is acknowledged in this turn. */
  add(messageId: number, done: () => void): void
}

/**
 * Writes the PUBACKs of one connection: those of one commit in one write. Aedes would write each in three pieces and wait
 * a turn of the loop after it. `flushed` is called after each write.
 */
export function createAcknowledge(conn: Duplex, flushed: () => void): Acknowledge {
  let ids: number[] = []
  let dones: (() => void)[] = []
  function flush() {
    const acknowledged = ids
    const finish = dones
    ids = []
    dones = []
    if (conn.destroyed) return
    conn.write(framesOf(acknowledged))
    for (const done of finish) done()
    flushed()
  }
  return {
    add(messageId, done) {
      // All that one commit has settled is added in the same run of microtasks, before this one comes.
      if (ids.length === 0) queueMicrotask(flush)
      ids.push(messageId)
      dones.push(done)
    },
  }
}

function framesOf(ids: number[]): Buffer {
  const frames = Buffer.allocUnsafe(pubackBytes * ids.length)
  let at = 0
  for (const id of ids) {
    frames[at] = pubackFirst
    frames[at + 1] = pubackRest
    at = frames.writeUInt16BE(id, at + 2)
  }
  return frames
}
