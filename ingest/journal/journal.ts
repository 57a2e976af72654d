import { mkdir } from 'node:fs/promises'
import { ClassicLevel } from 'classic-level'
import { StartError } from '../../kit/lifecycle.js'
import type { Log } from '../../kit/log.js'
import { createWriter, type Level, reasonOf, type Write } from './writer.js'

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
  /** Replaces the note of an alarm that waits. Survives the process, not a power cut. */
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

/** Cards in one write: an emergency waits for one such write at most. */
const cardsMax = 500

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
  const writer = await createWriter({ open, log }).catch((error: Error & { cause?: { code?: string } }) => {
    const locked = error.cause?.code === 'LEVEL_LOCKED'
    const why = locked ? 'another process uses it' : String(error.cause ?? error.message)
    throw new StartError(`setting DATA_DIR: the journal in ${folder} cannot be opened: ${why}`)
  })
  const first: Record<JournalRange, number> = { alarms: 0, meters: 0 }
  const next: Record<JournalRange, number> = { alarms: 0, meters: 0 }
  const onTheWay: Record<JournalRange, number> = { alarms: 0, meters: 0 }
  let bytes = 0
  const opened = await writer.level()
  for (const range of ranges) {
    const [oldest] = await opened.keys({ ...within(range), limit: 1 }).all()
    const [newest] = await opened.keys({ ...within(range), limit: 1, reverse: true }).all()
    if (oldest === undefined || newest === undefined) continue
    first[range] = numberOf(oldest)
    next[range] = numberOf(newest) + 1
    bytes += await opened.approximateSize(within(range).gte, within(range).lt)
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
        await writer.write(writes, { sync: true, fresh: writes.map(({ key }) => key) })
        return seq
      } catch (error) {
        bytes -= value.length
        throw error
      } finally {
        onTheWay[range]--
      }
    },
    setNote: async (seq, note) => {
      if (seq >= first.alarms) await writer.write([{ type: 'put', key: keyOf('notes', seq), value: asJson(note) }])
    },
    notes: async () =>
      (await (await writer.level()).iterator(within('notes')).all()).map(([key, value]) => ({
        seq: numberOf(key),
        note: fromJson(value),
      })),
    async oldest(range, { entriesMax, bytesMax: chunkBytesMax }) {
      const level = await writer.level()
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
      await writer
        .write(writes, { fresh: writes.map(({ key }) => key) })
        .catch((error) => log.error({ error: reasonOf(error) }, 'journal.removeFailed'))
    },
    waiting: (range) => next[range] - first[range],
    bytes: () => bytes,
    keep: async (values) => {
      const writes = values.map(([name, value]): Write => {
        const key = `named/${name}`
        return value === undefined ? { type: 'del', key } : { type: 'put', key, value: asJson(value) }
      })
      const pieces: Promise<void>[] = []
      for (let at = 0; at < writes.length; at += cardsMax)
        pieces.push(writer.write(writes.slice(at, at + cardsMax), { later: true }))
      await Promise.all(pieces)
    },
    named: async (prefix) => {
      const from = `named/${prefix}`
      const level = await writer.level()
      const found = await level.iterator({ gte: from, lt: `${from}\uffff` }).all()
      return found.map(([key, value]) => [key.slice('named/'.length), fromJson(value)])
    },
    close: writer.close,
  }
}
