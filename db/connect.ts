import { StartError, type Teardown } from '../kit/lifecycle.js'
import type { Log } from '../kit/log.js'
import type { Settings } from '../kit/settings.js'
import type { Signal } from '../kit/signal.js'
import { startEmbedded } from './embedded/start.js'
import { migrate } from './migrate.js'
import { listenForNotifications } from './notifications.js'
import { type Database, openDatabase } from './pool.js'

/**
 * The database that the settings name, migrated: the one at DATABASE_URL, or the embedded one in DATA_DIR, which is
 * started or, where it runs already, joined.
 * @throws StartError when it cannot be reached
 */
export async function connectDatabase({
  settings,
  signal,
  log,
  teardown,
}: {
  settings: Settings
  signal: Signal
  log: Log
  teardown: Teardown
}): Promise<Database> {
  if (!settings.DATABASE_URL)
    log.info({ dataDir: settings.DATA_DIR }, 'database.embedded: DATABASE_URL is not set, for trying out only')
  const url = settings.DATABASE_URL ?? (await embeddedUrl(settings, teardown))
  const db = openDatabase({ url, log })
  teardown.add('database connections', db.end)
  try {
    await migrate({ db, log })
  } catch (error) {
    const from = settings.DATABASE_URL ? 'DATABASE_URL' : 'DATA_DIR'
    throw new StartError(`setting ${from}: the database cannot be used: ${(error as Error).message || String(error)}`)
  }
  // The embedded database delivers no notifications; there everything runs in one process and raises the signal itself.
  if (settings.DATABASE_URL) teardown.add('notifications', listenForNotifications({ url, signal, log }).stop)
  return db
}

async function embeddedUrl(settings: Settings, teardown: Teardown): Promise<string> {
  const embedded = await startEmbedded({ dataDir: settings.DATA_DIR })
  teardown.add('embedded database', embedded.stop)
  return embedded.url
}
