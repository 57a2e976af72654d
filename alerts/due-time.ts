import type { Queryable } from '../db/pool.js'
import { findWatermark } from '../db/presence.js'
import type { Clock } from '../kit/clock.js'
import type { Log } from '../kit/log.js'

/** A due time is looked at this much later, so that what arrived before it is committed by then. */
const settleMs = 1_000
/** An edge beats every 10 s. */
const beatMsMax = 20_000
/** However much an edge still holds, time goes on after this: people must not be unwatched for its sake. */
const holdMsMax = 10 * 60_000
const lookMsMin = 1_000

/**
 * Up to when the rules may let time pass: now, or where an edge still holds what came to it (the database was away), only
 * up to there. Else a home whose readings are on their way would look silent.
 */
export function createDueTime({ db, clock, log }: { db: Queryable; clock: Clock; log: Log }): () => Promise<Date> {
  let watermark: number | null = null
  let heldSince: number | null = null
  let lookedAt = Number.NEGATIVE_INFINITY

  return async () => {
    const now = clock.now().getTime()
    if (Math.abs(now - lookedAt) >= lookMsMin) {
      watermark = (await findWatermark(db, { beatBefore: new Date(now - beatMsMax) }))?.getTime() ?? null
      lookedAt = now
      if (watermark === null) heldSince = null
      else if (heldSince === null || heldSince > now) {
        heldSince = now
        log.warn({ lagMs: now - watermark }, 'folding.held: an edge has not handed over yet what came to it')
      }
    }
    const held = watermark !== null && heldSince !== null && now - heldSince < holdMsMax
    return new Date(Math.min(now - settleMs, held ? watermark! : Number.POSITIVE_INFINITY))
  }
}
