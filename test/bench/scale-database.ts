import { migrate } from '../../db/migrate.js'
import { type Database, openDatabase } from '../../db/pool.js'
import type { Log } from '../../kit/log.js'
import { createNative } from '../support/database.js'

/** A migrated database of the benchmark's own on the server at `url`; `drop` ends it. */
export async function createScaleDatabase({
  url,
  log,
}: {
  url: string
  log: Log
}): Promise<{ db: Database; url: string; drop(): Promise<void> }> {
  const own = await createNative(url, 'scale')
  const db = openDatabase({ url: own.url, log })
  await migrate({ db, log })
  return {
    db,
    url: own.url,
    drop: async () => {
      await db.end()
      await own.drop()
    },
  }
}
