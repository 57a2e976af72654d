import type { Queryable } from '../../db/pool.js'
import { reserveAlertIds } from '../../db/stand-in.js'
import type { Log } from '../../kit/log.js'
import { type Loop, startLoop } from '../../kit/loop.js'
import type { Journal } from '../journal/journal.js'
import type { StandInAlert } from './record.js'

/** So many alerts a stand-in can open while the database is away, with the ids that they will have in it. */
const reservedMin = 2_500
const reservedCount = 5_000
/** So many alerts may be in the journal before the note of their ids is. */
const lagMax = 200
const refillPauseMs = 60_000
const idsKey = 'alert-ids'
const usedKey = 'alert-ids-used'

const idOf = ({ alertId }: StandInAlert) => alertId

/** Ids of alerts that were set aside for this edge, kept in its journal: none is ever used twice. */
export function createAlertIds({
  db,
  journal,
  log,
}: {
  db: Queryable
  journal: Pick<Journal, 'keep' | 'named' | 'notes'>
  log: Log
}) {
  let ids: number[] = []
  let used = 0
  let loop: Loop | undefined

  const keep = (values: [key: string, value: unknown][]) =>
    journal.keep(values).catch((error: Error) => log.error({ error: error.message }, 'alertIds.notKept'))

  async function refill(): Promise<'idle'> {
    if (ids.length - used > reservedMin) return 'idle'
    const fresh = await reserveAlertIds(db, { count: reservedCount })
    ids = [...ids.slice(used), ...fresh]
    used = 0
    await keep([
      [usedKey, 0],
      [idsKey, ids],
    ])
    return 'idle'
  }

  return {
    /** Null where none are left. */
    take: (): number | null => {
      const id = ids[used]
      if (id === undefined) return null
      used++
      void keep([[usedKey, used]])
      return id
    },
    start: async () => {
      const kept = new Map(await journal.named('alert-ids'))
      ids = (kept.get(idsKey) as number[] | undefined) ?? []
      used = (kept.get(usedKey) as number | undefined) ?? 0
      // A kill may have come between an alert and the note of how many are used.
      const inJournal = new Set((await journal.notes()).flatMap(({ note }) => (note as StandInAlert[]).map(idOf)))
      while (ids.slice(used, used + lagMax).some((id) => inJournal.has(id))) used++
      loop = startLoop({ name: 'alert ids', work: refill, pauseMs: refillPauseMs, log })
    },
    stop: async () => {
      await loop?.stop()
    },
  }
}
