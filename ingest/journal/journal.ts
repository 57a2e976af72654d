import { mkdir } from 'node:fs/promises'
import { ClassicLevel } from 'classic-level'
import { StartError } from '../../kit/lifecycle.js'
import type { Log } from '../../kit/log.js'

/** What waits in the journal: emergencies and all other messages are kept, and drained, apart. */
export type JournalRange = 'alarms' | 'meters'
export type JournalEntry = { seq: number; value: Buffer }

/** The journal holds as much as it may: for meter readings the storage ends here. */
export class JournalFull extends Error {}

export type Journal = {
  /**
   * Resolves with the entry's number when it is on the disk (synced); `note` is kept beside it. @throws JournalFull for
   * meters at `bytesMax`, and the disk's own error
   */
  append(range: JournalRange, value: Buffer, note?: unknown): Promise<number>
  /** Replaces the note of an alarm. Survives the process, not a power cut. */
  setNote(seq: number, note: unknown): Promise<void>
  /** The alarms that have a note, oldest first. */
  notes(): Promise<{ seq: number; note: unknown }[]>
  /** The oldest entries of a range, in the order in which they came: at least one where there is one. */
  oldest(range: JournalRange, limits: { entriesMax: number; bytesMax: number }): Promise<JournalEntry[]>
  /** Forgets entries, and their notes. */
  remove(range: JournalRange, entries: JournalEntry[]): Promise<void>
  waiting(range: JournalRange): number
  /** What the entries take, in bytes, about. */
  bytes(): number
  /** What else is kept under names, undefined to forget it; survives the process, not a power cut. */
  keep(values: [key: string, value: unknown][]): Promise<void>
  named(prefix: string): Promise<[key: string, value: unknown][]>
  close(): Promise<void>
}

type Level = ClassicLevel<string, Buffer>
type Write = { type: 'put'; key: string; value: Buffer } | { type: 'del'; key: string }

const ranges: JournalRange[] = ['alarms', 'meters']
const numberOf = (key: string) => Number(key.slice(key.indexOf('/') + 1))
const keyOf = (folder: string, seq: number) => `${folder}/${String(seq).padStart(16, '0')}`
const within = (folder: string) => ({ gte: `${folder}/`, lt: `${folder}0` })
const asJson = (value: unknown) => Buffer.from(JSON.stringify(value))
const fromJson = (value: Uint8Array): unknown => JSON.parse(Buffer.from(value).toString())

/**
 * The edge's own store-and-forward journal on disk, in `folder`; one process at a time.
 *
 * On LevelDB, by classic-level: a write-ahead log that is made for appending and for deleting from the front, atomic
 * synced batches, checksums, and binaries for all platforms inside of the npm package (N-API: any Node from 18 on). Its
 * file does not grow for ever as a B-tree's would, and an interrupted write is cut off at the next opening.
 * @throws StartError when the folder cannot be used
 */
export async function openJournal({
  folder,
  bytesMax,
  log,
}: {
  folder: string
  bytesMax: number
  log: Log
}): Promise<Journal> {
  const open = async (): Promise<Level> => {
    await mkdir(folder, { recursive: true, mode: 0o700 })
    const level: Level = new ClassicLevel(folder, { keyEncoding: 'utf8', valueEncoding: 'buffer' })
    await level.open()
    return level
  }
  let level = await open().catch((error: Error & { cause?: { code?: string } }) => {
    const locked = error.cause?.code === 'LEVEL_LOCKED'
    const why = locked ? 'another process uses it' : String(error.cause ?? error.message)
    throw new StartError(`setting DATA_DIR: the journal in ${folder} cannot be opened: ${why}`)
  })
  const first: Record<JournalRange, number> = { alarms: 0, meters: 0 }
  const next: Record<JournalRange, number> = { alarms: 0, meters: 0 }
  const onTheWay: Record<JournalRange, number> = { alarms: 0, meters: 0 }
  let bytes = 0
  for (const range of ranges) {
    const [oldest] = await level.keys({ ...within(range), limit: 1 }).all()
    const [newest] = await level.keys({ ...within(range), limit: 1, reverse: true }).all()
    if (oldest === undefined || newest === undefined) continue
    first[range] = numberOf(oldest)
    next[range] = numberOf(newest) + 1
    bytes += await level.approximateSize(within(range).gte, within(range).lt)
  }

  let queue: { writes: Write[]; done: () => void; fail: (error: Error) => void }[] = []
  let writing: Promise<void> | undefined

  /** Group commit: what comes in while the disk syncs goes into the next batch. */
  function write(writes: Write[]): Promise<void> {
    const written = new Promise<void>((done, fail) => void queue.push({ writes, done, fail }))
    writing ??= writeAll().finally(() => {
      writing = undefined
    })
    return written
  }
  async function writeAll() {
    while (queue.length > 0) {
      const taken = queue
      queue = []
      try {
        await level.batch(
          taken.flatMap(({ writes }) => writes),
          { sync: true },
        )
        for (const { done } of taken) done()
      } catch (error) {
        for (const { fail } of taken) fail(error as Error)
        log.error({ error: reasonOf(error) }, 'journal.writeFailed')
        await reopen()
      }
    }
  }
  /** After a failed write LevelDB refuses all others until it is opened anew. */
  async function reopen() {
    await level.close().catch(() => undefined)
    level = await open().catch((error) => {
      log.error({ error: reasonOf(error) }, 'journal.reopenFailed')
      return level
    })
  }

  return {
    async append(range, value, note) {
      if (range === 'meters' && bytes + value.length > bytesMax)
        throw new JournalFull(`the journal is full: ${bytesMax} bytes`)
      const seq = next[range]++
      onTheWay[range]++
      bytes += value.length
      const writes: Write[] = [{ type: 'put', key: keyOf(range, seq), value }]
      if (note !== undefined) writes.push({ type: 'put', key: keyOf('notes', seq), value: asJson(note) })
      try {
        await write(writes)
        return seq
      } catch (error) {
        bytes -= value.length
        throw error
      } finally {
        onTheWay[range]--
      }
    },
    setNote: (seq, note) => level.put(keyOf('notes', seq), asJson(note)),
    notes: async () =>
      (await level.iterator(within('notes')).all()).map(([key, value]) => ({
        seq: numberOf(key),
        note: fromJson(value),
      })),
    async oldest(range, { entriesMax, bytesMax: chunkBytesMax }) {
      const entries: JournalEntry[] = []
      let taken = 0
      // Numbers whose write failed are nobody's: nothing waits where nothing is found and nothing is on its way.
      const end = onTheWay[range] === 0 ? next[range] : first[range]
      for await (const [key, value] of level.iterator({ gte: keyOf(range, first[range]), lt: within(range).lt })) {
        entries.push({ seq: numberOf(key), value })
        taken += value.length
        if (entries.length >= entriesMax || taken >= chunkBytesMax) break
      }
      if (entries.length === 0) first[range] = Math.max(first[range], end)
      return entries
    },
    async remove(range, entries) {
      const last = entries.at(-1)
      if (!last) return
      bytes = Math.max(0, bytes - entries.reduce((sum, { value }) => sum + value.length, 0))
      // Known from here on even where the disk refuses: what is drained twice is stored once.
      first[range] = last.seq + 1
      if (first.alarms === next.alarms && first.meters === next.meters) bytes = 0
      const writes = entries.flatMap(({ seq }): Write[] => [
        { type: 'del', key: keyOf(range, seq) },
        ...(range === 'alarms' ? [{ type: 'del' as const, key: keyOf('notes', seq) }] : []),
      ])
      await level.batch(writes).catch((error) => log.error({ error: reasonOf(error) }, 'journal.removeFailed'))
    },
    waiting: (range) => next[range] - first[range],
    bytes: () => bytes,
    keep: (values) =>
      level.batch(
        values.map(([name, value]): Write => {
          const key = `named/${name}`
          return value === undefined ? { type: 'del', key } : { type: 'put', key, value: asJson(value) }
        }),
      ),
    named: async (prefix) => {
      const from = `named/${prefix}`
      const found = await level.iterator({ gte: from, lt: `${from}\uffff` }).all()
      return found.map(([key, value]) => [key.slice('named/'.length), fromJson(value)])
    },
    async close() {
      await writing
      await level.close()
    },
  }
}

const reasonOf = (error: unknown) => {
  const { message, cause } = error as Error
  return cause instanceof Error ? `${message}: ${cause.message}` : message
}
