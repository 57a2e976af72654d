import { createLog } from '../../kit/log.js'
import type { Figure } from './figure.js'
import { measureAlerts } from './scale-alerts.js'
import { createScaleDatabase } from './scale-database.js'
import { measurePages } from './scale-pages.js'
import { seedCity } from './scale-seed.js'
import { size } from './scale-size.js'
import { measureStorage } from './scale-storage.js'

/**
 * The alerts role, the pages and the tables where there are 100,000 residents. Seeds a database of its own on the server
 * at `url`, which takes one to two minutes, and drops it.
 */
export async function measureScale({
  url,
  rounds,
  print,
}: {
  url: string
  rounds: number
  print: (line: string) => void
}): Promise<Figure[]> {
  const log = createLog({ role: 'bench', level: 'error' })
  const database = await createScaleDatabase({ url, log })
  const { db } = database
  try {
    print(`100,000 residents: seeding`)
    // Pages are sent nowhere: no round of the benchmark waits for one.
    const { readings, seconds } = await seedCity(db, { now: new Date(), webhookUrl: 'http://127.0.0.1:9/', print })
    const seeded: Figure = {
      part: 'city',
      name: 'seeding',
      value: seconds,
      unit: 's',
      note: `${size.residents} residents in ${size.communities} communities, ${readings} readings: ${size.days} days of hourly meters for ${size.wholeHistory} of them, 18 days every 5 min for ${size.everyFiveMinutes}, ${size.hoursOfOthers} h for the others; ${size.openAlerts} open alerts, ${size.closedAlerts} closed`,
    }
    // The pages first: what the rounds of the alerts part leave open is all in a few communities.
    const pages = await measurePages({ db, url: database.url, rounds, print })
    const alerts = await measureAlerts({ db, url: database.url, rounds, log, print })
    return [seeded, ...alerts, ...pages, ...(await measureStorage({ db, log, print }))]
  } finally {
    await database.drop()
  }
}
