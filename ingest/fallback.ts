import { join } from 'node:path'
import { Gauge, type Registry } from 'prom-client'
import type { Channel } from '../alerts/channels/channel.js'
import { createDirectorySource } from '../db/directory.js'
import type { Database } from '../db/pool.js'
import type { Clock } from '../kit/clock.js'
import type { Teardown } from '../kit/lifecycle.js'
import type { Log } from '../kit/log.js'
import { createDirectory, type Directory } from './directory.js'
import type { Fallback } from './ingest.js'
import { openJournal } from './journal/journal.js'
import { createShelf } from './journal/shelf.js'
import { createAlertIds } from './stand-in/alert-ids.js'
import { createStandIn } from './stand-in/stand-in.js'

/** A gateway of a building with 100 homes fills 20 MB in a day; a mad one must not fill the journal for all. */
const gatewayShareMax = 0.02
const gatewayShareBytesMin = 4 * 1_048_576

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
  const cards = createShelf({ journal, log })
  cards.start()
  teardown.add('shelf', cards.stop)
  const directory = createDirectory({ source: createDirectorySource(db), shelf: cards, clock, log })
  await directory.start()
  teardown.add('directory', directory.stop)
  measureDirectory({ directory, clock, metrics })
  const alertIds = createAlertIds({ db, journal, log })
  await alertIds.start()
  teardown.add('alert ids', alertIds.stop)
  const shelf = { setNote: journal.setNote }
  const takeAlertId = alertIds.take
  const standIn = createStandIn({ directory, shelf, channels, publicUrl, takeAlertId, clock, log, metrics })
  return {
    journal,
    shareBytesMax: Math.max(journalBytesMax * gatewayShareMax, gatewayShareBytesMin),
    directory,
    standIn,
    channels,
  }
}

function measureDirectory({ directory, clock, metrics }: { directory: Directory; clock: Clock; metrics: Registry }) {
  new Gauge({
    name: 'shouwang_directory_gateways',
    help: 'Gateways that the edge knows without asking the database',
    registers: [metrics],
    collect() {
      this.set(directory.sizes().gateways)
    },
  })
  new Gauge({
    name: 'shouwang_directory_age_seconds',
    help: 'How old what the edge knows of rosters and channels is; -1 before it knows anything',
    registers: [metrics],
    collect() {
      const at = directory.refreshedAt()
      this.set(at === undefined ? -1 : (clock.now().getTime() - at) / 1_000)
    },
  })
}
