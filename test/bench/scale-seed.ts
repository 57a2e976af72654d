import type { Database, Queryable } from '../../db/pool.js'
import { seedAlerts } from './scale-alerts-past.js'
import { seedPeople, seedStates } from './scale-people.js'
import { seedReadings } from './scale-readings.js'

/** Fills a migrated database with the city. Returns how many readings it has and how long that took (s). */
export async function seedCity(
  db: Database,
  { now, webhookUrl, print }: { now: Date; webhookUrl: string; print: (line: string) => void },
): Promise<{ readings: number; seconds: number }> {
  const startedAt = performance.now()
  let last = startedAt
  const done = (what: string) => {
    print(`  seeded ${what} in ${((performance.now() - last) / 1_000).toFixed(1)} s`)
    last = performance.now()
  }
  const readings = await db.patiently(async (client: Queryable) => {
    await client.query('set synchronous_commit = off')
    await seedPeople(client, { now, webhookUrl })
    done('people')
    await seedStates(client, { now })
    done('states')
    await seedAlerts(client, { now })
    done('alerts')
    const rows = await seedReadings(client, { now })
    done(`${rows} readings`)
    // What autovacuum would have done by then.
    await client.query('vacuum analyze')
    done('statistics')
    return rows
  })
  return { readings, seconds: (performance.now() - startedAt) / 1_000 }
}
