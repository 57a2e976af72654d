import { join } from 'node:path'
import { Registry } from 'prom-client'
import type { Channel } from '../../alerts/channels/channel.js'
import { createDirectorySource } from '../../db/directory.js'
import type { Database } from '../../db/pool.js'
import { createDirectory } from '../../ingest/directory.js'
import type { Fallback } from '../../ingest/ingest.js'
import { decodeMessage } from '../../ingest/journal/entry.js'
import { type Journal, openJournal } from '../../ingest/journal/journal.js'
import { createShelf } from '../../ingest/journal/shelf.js'
import { createAlertIds } from '../../ingest/stand-in/alert-ids.js'
import type { StandInAlert } from '../../ingest/stand-in/record.js'
import { createStandIn } from '../../ingest/stand-in/stand-in.js'
import type { Log } from '../../kit/log.js'
import { chance, type Random, whole } from '../../simulators/random.js'
import { type Life, liveAs } from './life.js'
import type { VirtualTime } from './virtual-time.js'

const bytesMax = 50_000_000
const operationsPerDeath = 400
const standInPollMs = 250
const never = new Promise<never>(() => undefined)

/** What the simulation knows of the journal on disk, which outlives the edges that use it. */
export type JournalBooks = {
  /** Messages that are in it, by topic and payload. */
  messages: Set<string>
  alarms: number
  /** What stand-ins have handed over to be committed, the newest last. */
  handedOver: StandInAlert[]
}
export const newBooks = (): JournalBooks => ({ messages: new Set(), alarms: 0, handedOver: [] })
export const messageKey = (topic: string, payload: Buffer | string) => `${topic} ${payload.toString()}`

export type EdgeFallback = { fallback: Fallback; standInLife: Life }

/**
 * As `openFallback` of the edge, with a real journal in `folder`. An operation on it takes virtual milliseconds, and now
 * and then the process dies before or after it.
 */
export async function openEdgeFallback({
  time,
  life,
  db,
  folder,
  channels,
  random,
  log,
  books,
  mayDie,
}: {
  time: VirtualTime
  life: Life
  db: Database
  folder: string
  channels: Channel[]
  random: Random
  log: Log
  books: JournalBooks
  mayDie: () => boolean
}): Promise<EdgeFallback> {
  const onDisk = await time.busy(() => openJournal({ folder: join(folder, 'journal'), bytesMax, log }))
  const standInLife = time.newLife(`${life.name} stand-in`, [standInPollMs])
  // Before anything can kill it: the next edge opens the same folder.
  life.died.catch(async () => {
    standInLife.kill()
    await time.busy(onDisk.close)
  })
  /** A dead process hears nothing any more. */
  async function operate<T>(work: () => Promise<T>): Promise<T> {
    await Promise.race([time.sleep(whole(random, 0, 4)), life.died.catch(() => never)])
    const dies = () => mayDie() && chance(random, 1 / operationsPerDeath)
    if (dies()) life.kill()
    if (!life.alive) return never
    const result = await time.busy(work)
    if (dies()) life.kill()
    return life.alive ? result : never
  }
  const keyOf = (value: Buffer) => {
    const { topic, payload } = decodeMessage(value)
    return messageKey(topic, payload)
  }
  const journal: Journal = {
    ...onDisk,
    append: (range, value, note) =>
      operate(async () => {
        const seq = await onDisk.append(range, value, note)
        books.messages.add(keyOf(value))
        if (range === 'alarms') books.alarms++
        return seq
      }),
    setNote: (seq, note) => operate(() => onDisk.setNote(seq, note)),
    notes: () => operate(onDisk.notes),
    oldest: (range, limits) => operate(() => onDisk.oldest(range, limits)),
    remove: (range, entries) =>
      operate(async () => {
        await onDisk.remove(range, entries)
        for (const { value } of entries) books.messages.delete(keyOf(value))
        if (range === 'alarms') books.alarms -= entries.length
      }),
    keep: (values) => operate(() => onDisk.keep(values)),
    named: (prefix) => operate(() => onDisk.named(prefix)),
  }
  const { clock } = time
  const shelf = createShelf({ journal, log })
  shelf.start()
  const directory = createDirectory({ source: createDirectorySource(db), shelf, clock, log })
  await directory.start()
  const alertIds = createAlertIds({ db, journal, log })
  await alertIds.start()
  const standIn = createStandIn({
    directory,
    shelf: { setNote: journal.setNote },
    channels,
    publicUrl: 'http://localhost',
    takeAlertId: alertIds.take,
    clock,
    log,
    metrics: new Registry(),
  })
  return {
    fallback: {
      journal,
      shareBytesMax: bytesMax,
      directory,
      channels,
      standIn: {
        ...standIn,
        // Its loop polls by itself, so that it can be woken by itself.
        start: () => liveAs(standInLife, standIn.start),
        handOver: async (rows) => {
          const alerts = await standIn.handOver(rows)
          books.handedOver.push(...alerts)
          return alerts
        },
      },
    },
    standInLife,
  }
}
