import { dueAlerts, escalate } from '../db/alerts.js'
import type { Database } from '../db/pool.js'
import type { Clock } from '../kit/clock.js'
import type { Log } from '../kit/log.js'
import type { Signal } from '../kit/signal.js'

const alertsMax = 100
/** Steps in one transaction: one by one, with a commit for each, 1,000 that are due together take twice as long. */
const togetherMax = 10
/** Transactions at once: of the pool's 8 connections some are left for the outbox and the rules. */
const transactionsMax = 4
/** An alert whose step fails (a bug) is passed over for this long, so that the others go on. */
const passOverMs = 10_000

/**
 * Takes the steps that are due, the most urgent first, a few in one transaction. Where one of those fails, each of them
 * is taken in a transaction of its own: one that fails or is locked keeps no other waiting.
 */
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

  /** Returns the alerts whose step was taken. */
  const takeSteps = (alertIds: number[]) =>
    db.transaction(async (tx) => {
      const taken: number[] = []
      for (const alertId of alertIds) if (await escalate(tx, { alertId, now: clock.now() })) taken.push(alertId)
      return taken
    })

  async function takeAlone(alertId: number): Promise<number[]> {
    try {
      return await takeSteps([alertId])
    } catch (error) {
      passedOver.set(alertId, clock.now().getTime() + passOverMs)
      log.error({ err: error, alertId }, 'escalation.failed')
      return []
    }
  }

  async function takeTogether(alertIds: number[]): Promise<number> {
    const taken = await takeSteps(alertIds).catch(async () => {
      const each: number[] = []
      for (const alertId of alertIds) each.push(...(await takeAlone(alertId)))
      return each
    })
    for (const alertId of taken) log.info({ alertId }, 'alert.escalated')
    if (taken.length > 0) signal.raise('pages')
    return taken.length
  }

  return async () => {
    const now = clock.now()
    for (const [alertId, until] of passedOver) if (until <= now.getTime()) passedOver.delete(alertId)
    const due = await dueAlerts(db, { now, alertsMax, except: [...passedOver.keys()] })
    let taken = 0
    const walk = async () => {
      for (let next = due.splice(0, togetherMax); next.length > 0; next = due.splice(0, togetherMax))
        taken += await takeTogether(next)
    }
    await Promise.all(Array.from({ length: transactionsMax }, walk))
    if (taken > 0) signal.raise('alerts')
    return taken === alertsMax ? 'more' : 'idle'
  }
}
