import type { ClassicLevel } from 'classic-level'
import type { Log } from '../../kit/log.js'

export type Level = ClassicLevel<string, Buffer>
export type Write = { type: 'put'; key: string; value: Buffer } | { type: 'del'; key: string }
type Options = {
  /** Resolved when it is on the disk. */
  sync?: boolean
  /** Keys that must not be found later when this write fails. */
  fresh?: string[]
  /** Lets all others go first. */
  later?: boolean
}
type Waiting = { writes: Write[]; options: Options; done: () => void; fail: (error: Error) => void }

export type Writer = Awaited<ReturnType<typeof createWriter>>

/**
 * Writes to LevelDB one batch after the other, each as large as what came in meanwhile (group commit), in the order in
 * which it came.
 *
 * After a failed write, synced or not, the log may end within a record, and what is written behind that is acknowledged
 * and not found after a restart (seen: 40 of 40 lost). So it is opened anew before anything else is written.
 */
export async function createWriter({ open, log }: { open: () => Promise<Level>; log: Log }) {
  let level = await open()
  const urgent: Waiting[] = []
  const later: Waiting[] = []
  let writing: Promise<void> | undefined
  let torn = false
  let closed = false
  /** Of writes that failed: one whose sync failed may be on the disk all the same, and is nobody's. */
  let doubtful: string[] = []

  function write(writes: Write[], options: Options = {}): Promise<void> {
    if (closed) return Promise.reject(new Error('the journal is closed'))
    const written = new Promise<void>(
      (done, fail) => void (options.later ? later : urgent).push({ writes, options, done, fail }),
    )
    writing ??= writeAll()
    return written
  }
  async function writeAll() {
    while (urgent.length + later.length > 0) await writeOnce(urgent.length > 0 ? urgent.splice(0) : later.splice(0, 1))
    writing = undefined
  }
  async function writeOnce(taken: Waiting[]) {
    try {
      if (torn) await reopen()
      const undone = doubtful.map((key): Write => ({ type: 'del', key }))
      doubtful.push(...taken.flatMap(({ options }) => options.fresh ?? []))
      await level.batch([...undone, ...taken.flatMap(({ writes }) => writes)], {
        sync: taken.some(({ options }) => options.sync),
      })
      doubtful = []
      for (const { done } of taken) done()
    } catch (error) {
      torn = true
      log.error({ error: reasonOf(error) }, 'journal.writeFailed')
      for (const { fail } of taken) fail(error as Error)
    }
  }
  async function reopen() {
    await level.close().catch(() => undefined)
    level = await open()
    const found = await level.getMany(doubtful)
    doubtful = doubtful.filter((_, index) => found[index] !== undefined)
    torn = false
  }

  return {
    /** Rejects with the disk's own error. */
    write,
    /** For reading. @throws the disk's own error where it could not be opened again */
    level: async (): Promise<Level> => {
      if (level.status !== 'open') await write([])
      return level
    },
    close: async () => {
      closed = true
      await writing
      await level.close()
    },
  }
}

export const reasonOf = (error: unknown): string => {
  const { message, cause } = error as Error
  return cause instanceof Error ? `${message}: ${cause.message}` : message
}
