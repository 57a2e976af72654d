import { type ScheduledTask, schedule } from 'node-cron'
import { compressOldReadings, dropOldReadings, dropOldRows, refreshRollups } from '../db/maintenance.js'
import type { Database } from '../db/pool.js'
import { dropGatewaysOfDeadEdges } from '../db/presence.js'
import { dropOldWatch } from '../db/watch.js'
import type { Clock } from '../kit/clock.js'
import type { Log } from '../kit/log.js'
import { createNeighbours } from './neighbours.js'
import { createMornings } from './watch/mornings.js'
import { createWeeklyReports } from './weekly-report.js'

/** An edge beats every 10 s; after this without a beat its gateways are no longer called online. */
const deadEdgeMs = 60_000
const nightly = '17 3 * * *'
const hourly = '23 * * * *'
const everyMinute = '* * * * *'
const everyTenMinutes = '*/10 * * * *'

/**
 * Periodic work. Nothing here carries state, and each job may run in several processes or not at all for a while:
 * the next run makes good for it.
 */
export function startMaintenance({
  db,
  retentionDays,
  alarmsPerMonth,
  channelKinds,
  clock,
  log,
}: {
  db: Database
  retentionDays: number
  alarmsPerMonth: number | null
  /** What this server can send through. */
  channelKinds: readonly string[]
  clock: Clock
  log: Log
}): { stop(): Promise<void> } {
  const job = (name: string, cron: string, work: () => Promise<unknown>): ScheduledTask =>
    schedule(
      cron,
      () =>
        work().then(
          (outcome) => log.debug({ job: name, outcome }, 'job.done'),
          (error: unknown) => log.error({ err: error, job: name }, 'job.failed'),
        ),
      { name, noOverlap: true },
    )
  const jobs = [
    job('presence', everyMinute, () => {
      const now = clock.now()
      return dropGatewaysOfDeadEdges(db, { now, staleBefore: new Date(now.getTime() - deadEdgeMs) })
    }),
    job('mornings', everyTenMinutes, createMornings({ db, channelKinds, clock, log })),
    job('weekly reports', everyTenMinutes, createWeeklyReports({ db, clock, log })),
    job('neighbours', nightly, createNeighbours({ db, alarmsPerMonth, clock })),
    job('rollups', hourly, () => refreshRollups(db, { now: clock.now() })),
    job('compression', nightly, () => compressOldReadings(db, { now: clock.now() })),
    job('retention of readings', nightly, () => dropOldReadings(db, { now: clock.now(), retentionDays })),
    job('retention of test alarms', hourly, () => dropOldWatch(db, { now: clock.now() })),
    job('retention', nightly, () => dropOldRows(db, { now: clock.now(), retentionDays })),
  ]
  return {
    stop: async () => {
      await Promise.all(jobs.map((task) => task.destroy()))
    },
  }
}
