import { StartError, type Teardown } from '../kit/lifecycle.js'
import type { Log } from '../kit/log.js'
import { startLoop } from '../kit/loop.js'
import type { Settings } from '../kit/settings.js'
import type { Signal } from '../kit/signal.js'
import { startEmbedded } from './embedded/start.js'
import { migrate } from './migrate.js'
import { listenForNotifications } from './notifications.js'
import { type Database, openDatabase } from './pool.js'

const migratePauseMs = 2_000

type Tools = { settings: Settings; signal: Signal; log: Log; teardown: Teardown }

/**
 * The database that the settings name, migrated: the one at DATABASE_URL, or the embedded one in DATA_DIR, which is
 * started or, where it runs already, joined.
 * @throws StartError when it cannot be reached
 */
export async function connectDatabase(tools: Tools): Promise<Database> {
  const db = await nameDatabase(tools)
  await prepareDatabase({ ...tools, db })
  return db
}

/** The same database, but nothing is asked of it yet: it may be away. The embedded one is started. */
export async function nameDatabase({ settings, signal, log, teardown }: Tools): Promise<Database> {
  if (!settings.DATABASE_URL)
    log.info({ dataDir: settings.DATA_DIR }, 'database.embedded: DATABASE_URL is not set, for trying out only')
  const url = settings.DATABASE_URL ?? (await embeddedUrl(settings, teardown))
  const db = openDatabase({ url, log })
  teardown.add('database connections', db.end)
  // The embedded database delivers no notifications; there everything runs in one process and raises the signal itself.
  if (settings.DATABASE_URL) teardown.add('notifications', listenForNotifications({ url, signal, log }).stop)
  return db
}

/**
 * Migrates the database. Where it is away and `mayWait`, that is done as soon as it is back.
 * @throws StartError when it cannot be used
 */
export async function prepareDatabase({
  db,
  settings,
  log,
  teardown,
  mayWait = false,
}: Tools & { db: Database; mayWait?: boolean }): Promise<void> {
  try {
    await migrate({ db, log })
  } catch (error) {
    const from = settings.DATABASE_URL ? 'DATABASE_URL' : 'DATA_DIR'
    const why = `setting ${from}: the database cannot be used: ${(error as Error).message || String(error)}`
    if (!mayWait) throw new StartError(why)
    log.error({ error: why }, 'database.away: started without it')
    let done = false
    const work = async () => {
      if (!done) await migrate({ db, log })
      done = true
      return 'idle' as const
    }
    teardown.add('migration', startLoop({ name: 'migration', work, pauseMs: migratePauseMs, log }).stop)
  }
}

async function embeddedUrl(settings: Settings, teardown: Teardown): Promise<string> {
  const embedded = await startEmbedded({ dataDir: settings.DATA_DIR })
  teardown.add('embedded database', embedded.stop)
  return embedded.url
}
