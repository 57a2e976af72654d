import { openDatabase } from '../../db/pool.js'
import { createLog } from '../../kit/log.js'
import { startTestDatabase } from '../support/database.js'

/**
 * A database for simulations. It need not wait for the disk: here only simulated processes die, and on the native one
 * that wait was a third of a run.
 */
export async function startSimulationDatabase() {
  const database = await startTestDatabase()
  if (!database.native) return database
  const url = new URL(database.url)
  url.searchParams.set('options', '-c synchronous_commit=off')
  const db = openDatabase({ url: url.href, log: createLog({ role: 'simulation', level: 'silent' }) })
  return {
    ...database,
    db,
    stop: async () => {
      await db.end()
      await database.stop()
    },
  }
}
