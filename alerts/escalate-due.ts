import { dueAlerts, escalate } from '../db/alerts.js'
import type { Database } from '../db/pool.js'
import type { Clock } from '../kit/clock.js'
import type { Log } from '../kit/log.js'
import type { Signal } from '../kit/signal.js'

const alertsMax = 100
/** An alert whose step fails (a bug) is passed over for this long, so that the others go on. */
const passOverMs = 10_000

/** Takes the steps that are due, each in a transaction of its own: one that fails or is locked keeps no other waiting. */
export function createEscalator({
  db,
  clock,
  log,
  signal,
}: {
  db: Database
  clock: Clock
  log: Log
  signal: Signal
}): () => Promise<'more' | 'idle'> {
  const passedOver = new Map<number, number>()

  return async () => {
    const now = clock.now()
    for (const [alertId, until] of passedOver) if (until <= now.getTime()) passedOver.delete(alertId)
    const due = await dueAlerts(db, { now, alertsMax, except: [...passedOver.keys()] })
    let taken = 0
    for (const alertId of due) {
      try {
        if (!(await db.transaction((tx) => escalate(tx, { alertId, now: clock.now() })))) continue
        taken++
        log.info({ alertId }, 'alert.escalated')
        signal.raise('pages')
      } catch (error) {
        passedOver.set(alertId, clock.now().getTime() + passOverMs)
        log.error({ err: error, alertId }, 'escalation.failed')
      }
    }
    if (taken > 0) signal.raise('alerts')
    return taken === alertsMax ? 'more' : 'idle'
  }
}
