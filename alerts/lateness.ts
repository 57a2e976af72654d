import { Gauge, type Registry } from 'prom-client'
import { type Lateness, measureLateness } from '../db/lateness.js'
import type { Queryable } from '../db/pool.js'
import { isMigrated } from '../db/readiness.js'
import type { Clock } from '../kit/clock.js'
import type { Log } from '../kit/log.js'

/** Beyond this the role is running but not doing its work. */
const lateSMax = 60

/** Shows how far behind the alerts role is, and answers whether it is ready (true, or why not): migrated, and keeping up. */
export function watchLateness({
  db,
  clock,
  log,
  metrics,
}: {
  db: Queryable
  clock: Clock
  log: Log
  metrics: Registry
}): () => Promise<true | string> {
  const measure = () => measureLateness(db, { now: clock.now() })
  // One measurement serves both gauges of a scrape; without an answer they are unknown (NaN), the other metrics are told.
  let underWay: Promise<Lateness> | undefined
  const measureForScrape = () => {
    underWay ??= measure()
      .catch((error: Error) => {
        log.warn({ error: error.message }, 'lateness.unknown')
        return { escalationS: Number.NaN, pagesS: Number.NaN, arrivalsS: Number.NaN, untold: Number.NaN }
      })
      .finally(() => {
        underWay = undefined
      })
    return underWay
  }
  new Gauge({
    name: 'shouwang_late_seconds',
    help: 'How long the oldest due work has been waiting',
    labelNames: ['work'],
    registers: [metrics],
    async collect() {
      const { escalationS, pagesS, arrivalsS } = await measureForScrape()
      this.set({ work: 'escalation' }, escalationS)
      this.set({ work: 'pages' }, pagesS)
      this.set({ work: 'arrivals' }, arrivalsS)
    },
  })
  new Gauge({
    name: 'shouwang_emergencies_untold',
    help: 'Emergencies open for over a minute of which no page has reached anybody',
    registers: [metrics],
    async collect() {
      this.set((await measureForScrape()).untold)
    },
  })
  return async () => {
    if (!(await isMigrated(db))) return 'the database lacks migrations'
    const { escalationS, pagesS, arrivalsS } = await measure()
    const late = Object.entries({ escalation: escalationS, pages: pagesS, arrivals: arrivalsS })
      .filter(([, seconds]) => seconds > lateSMax)
      .map(([work, seconds]) => `${work} ${Math.round(seconds)} s`)
    return late.length === 0 ? true : `late: ${late.join(', ')}`
  }
}
