import { askNext, failedAsks } from '../db/asks.js'
import type { Database } from '../db/pool.js'
import type { Clock } from '../kit/clock.js'
import type { Log } from '../kit/log.js'
import type { Signal } from '../kit/signal.js'

const alertsMax = 100
/** An alert whose next way fails (a bug) is passed over for this long: its page is due in its own time. */
const passOverMs = 60_000

/**
 * Looks after what is being asked: where a device is away, cannot, or says nothing, or a call task does not leave, the
 * next way is tried at once, and a person paged when none is left. What is due is a row; any number of processes may look.
 */
export function createAskWatch({
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
    const failed = await failedAsks(db, { now, alertsMax, except: [...passedOver.keys()] })
    let taken = 0
    for (const alertId of failed) {
      try {
        if (!(await db.transaction((tx) => askNext(tx, { alertId, now: clock.now() })))) continue
        taken += 1
        log.info({ alertId }, 'ask.next')
      } catch (error) {
        passedOver.set(alertId, clock.now().getTime() + passOverMs)
        log.error({ err: error, alertId }, 'ask.failed')
      }
    }
    if (taken > 0) for (const name of ['alerts', 'commands', 'messages'] as const) signal.raise(name)
    return taken === alertsMax ? 'more' : 'idle'
  }
}
