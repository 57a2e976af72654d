import { join } from 'node:path'
import type { Registry } from 'prom-client'
import type { Channel } from '../alerts/channels/channel.js'
import { createDirectorySource } from '../db/directory.js'
import type { Database } from '../db/pool.js'
import type { Clock } from '../kit/clock.js'
import type { Teardown } from '../kit/lifecycle.js'
import type { Log } from '../kit/log.js'
import { createDirectory, type Shelf } from './directory.js'
import type { Fallback } from './ingest.js'
import { type Journal, openJournal } from './journal/journal.js'
import { createAlertIds } from './stand-in/alert-ids.js'
import { createStandIn } from './stand-in/stand-in.js'

/**
 * What the edge has in `dataDir` for the time when the database is away: the journal, what it knows of its gateways and
 * of whom to call, and the stand-in that calls them. Does not need the database.
 * @throws StartError when the folder cannot be used
 */
export async function openFallback({
  db,
  dataDir,
  journalBytesMax,
  channels,
  publicUrl,
  clock,
  log,
  metrics,
  teardown,
}: {
  db: Database
  dataDir: string
  journalBytesMax: number
  channels: Channel[]
  publicUrl: string
  clock: Clock
  log: Log
  metrics: Registry
  teardown: Teardown
}): Promise<Fallback> {
  const journal = await openJournal({ folder: join(dataDir, 'journal'), bytesMax: journalBytesMax, log })
  teardown.add('journal', journal.close)
  const directory = createDirectory({ source: createDirectorySource(db), shelf: shelfIn(journal, log), clock, log })
  await directory.start()
  teardown.add('directory', directory.stop)
  const alertIds = createAlertIds({ db, journal, log })
  await alertIds.start()
  teardown.add('alert ids', alertIds.stop)
  const shelf = { setNote: journal.setNote }
  const takeAlertId = alertIds.take
  const standIn = createStandIn({ directory, shelf, channels, publicUrl, takeAlertId, clock, log, metrics })
  return { journal, directory, standIn, channels }
}

/** Where the directory keeps its cards: beside the messages, under names of their own. */
function shelfIn(journal: Journal, log: Log): Shelf {
  const folder = 'directory/'
  const bestEffort = (writing: Promise<void>) =>
    void writing.catch((error: Error) => log.warn({ error: error.message }, 'directory.notKept'))
  return {
    put: (key, value) => bestEffort(journal.put(`${folder}${key}`, value)),
    delete: (key) => bestEffort(journal.delete(`${folder}${key}`)),
    entries: async () =>
      (await journal.named(folder)).map(([key, value]): [string, unknown] => [key.slice(folder.length), value]),
  }
}
