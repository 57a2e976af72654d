import type { EpochMs } from '../../alerts/model.js'
import type { Queryable } from '../../db/pool.js'
import { seededRandom, whole } from '../../simulators/random.js'
import type { VirtualTime } from './virtual-time.js'

/** When the loops of the alerts role have something to do next (epoch ms); null: only when something comes. */
export type DueWork = { foldAt: EpochMs | null; escalateAt: EpochMs | null; sendAt: EpochMs | null }

/** A wake-up time is looked at a second later: see the folder's own settling time. */
const settleMs = 1_000

/** Asks the database itself, past all faults: what the polling of the real loops would find in time. */
export async function findDueWork(db: Queryable): Promise<DueWork> {
  const { rows } = await db.query<{
    wake: Date | null
    arrived: Date | null
    due: Date | null
    send: Date | null
  }>(
    `select (select min(wake_at) from resident_state where wake_at is not null) as wake,
            (select received_at from arrivals order by arrival_id limit 1) as arrived,
            (select min(due_at) from alerts where due_at is not null) as due,
            (select min(greatest(case when attempts > 0 then next_attempt_at else created_at end, claimed_until, held_until))
               from pages where status = 'pending') as send`,
  )
  const { wake, arrived, due, send } = rows[0]!
  const wakeAt = wake === null ? null : wake.getTime() + settleMs
  return {
    foldAt: arrived !== null ? Math.min(arrived.getTime(), wakeAt ?? arrived.getTime()) : wakeAt,
    escalateAt: due?.getTime() ?? null,
    sendAt: send?.getTime() ?? null,
  }
}

/** Has the database asked a moment later what is due, once for all who want to know, and tells the roles. */
export function createLook({
  seed,
  time,
  find,
  roles,
}: {
  seed: number
  time: VirtualTime
  find: () => Promise<DueWork>
  roles: { due: (work: DueWork) => void }[]
}): () => void {
  const random = seededRandom(seed, 'look')
  let looking = false
  return () => {
    if (looking) return
    looking = true
    // Within the polling pause of the outbox.
    time.after(whole(random, 1, 200), async () => {
      looking = false
      const due = await find()
      for (const role of roles) role.due(due)
    })
  }
}
