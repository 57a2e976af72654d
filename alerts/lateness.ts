import { Gauge, type Registry } from 'prom-client'
import { measureLateness } from '../db/lateness.js'
import type { Queryable } from '../db/pool.js'
import { isMigrated } from '../db/readiness.js'
import type { Clock } from '../kit/clock.js'

/** Beyond this the role is running but not doing its work. */
const lateSMax = 60

/** Shows how far behind the alerts role is, and answers whether it is ready: migrated, and keeping up. */
export function watchLateness({
  db,
  clock,
  metrics,
}: {
  db: Queryable
  clock: Clock
  metrics: Registry
}): () => Promise<boolean> {
  const gauge = new Gauge({
    name: 'shouwang_late_seconds',
    help: 'How long the oldest due work has been waiting',
    labelNames: ['work'],
    registers: [metrics],
    async collect() {
      // Without an answer the lateness is unknown (NaN), and the other metrics are still told.
      const late = await measureLateness(db, { now: clock.now() }).catch(() => undefined)
      this.set({ work: 'escalation' }, late?.escalationS ?? Number.NaN)
      this.set({ work: 'pages' }, late?.pagesS ?? Number.NaN)
      this.set({ work: 'arrivals' }, late?.arrivalsS ?? Number.NaN)
    },
  })
  gauge.reset()
  new Gauge({
    name: 'shouwang_emergencies_untold',
    help: 'Emergencies open for over a minute of which no page has reached anybody',
    registers: [metrics],
    async collect() {
      this.set((await measureLateness(db, { now: clock.now() }).catch(() => undefined))?.untold ?? Number.NaN)
    },
  })
  return async () => {
    if (!(await isMigrated(db))) return false
    const { escalationS, pagesS, arrivalsS } = await measureLateness(db, { now: clock.now() })
    return Math.max(escalationS, pagesS, arrivalsS) <= lateSMax
  }
}
