import type { Queryable } from './pool.js'

/** A look a second never sees more; after a long time without one it reads no history. */
const eventsMax = 5_000
/** Events are numbered before they are committed: one that comes later may have a lower number than one already seen. */
const lateEvents = 200

/** Without those of synthetic residents, which nobody is shown; `newestOfAll` with them. */
export type NewestEvents = { newest: number; newestOfEmergency: number; newestOfAll: number }

/**
 * The numbers of the newest event of any alert and of the newest of an emergency, as far as those may have come since
 * `seen`, the newest of all; 0: none such.
 */
export async function findNewestEvents(db: Queryable, { seen }: { seen: number }): Promise<NewestEvents> {
  const last = await db.query<{ newest: number }>('select coalesce(max(alert_event_id), 0) as newest from alert_events')
  const { newest } = last.rows[0]!
  // With the number as a parameter the planner knows how few events come after it, and does not go through all alerts.
  const { rows } = await db.query<Omit<NewestEvents, 'newestOfAll'>>(
    `select coalesce(max(e.alert_event_id), 0) as newest,
            coalesce(max(e.alert_event_id) filter (where a.severity = 'emergency'), 0) as "newestOfEmergency"
       from alert_events e join alerts a using (alert_id) join residents r using (resident_id)
      where e.alert_event_id > $1 and not r.synthetic`,
    [Math.max(seen - lateEvents, newest - eventsMax)],
  )
  return { ...rows[0]!, newestOfAll: newest }
}
