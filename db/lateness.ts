import type { Queryable } from './pool.js'

/** How far behind the alerts role is, in seconds; 0 where nothing is due. */
export type Lateness = {
  escalationS: number
  pagesS: number
  arrivalsS: number
  /** Emergencies open for over a minute of which no page has reached anybody who could come. */
  untold: number
}

/** What has been due longest at `now`: a step of an alert, a page, an arrival that the rules have not seen. */
export async function measureLateness(db: Queryable, { now }: { now: Date }): Promise<Lateness> {
  const { rows } = await db.query<{
    escalation: Date | null
    pages: Date | null
    arrivals: Date | null
    untold: number
  }>(
    `select (select min(due_at) from alerts where due_at is not null) as escalation,
            (select min(greatest(next_attempt_at, held_until)) from pages where status = 'pending') as pages,
            (select received_at from arrivals order by arrival_id limit 1) as arrivals,
            (select count(*) from alerts a where a.stage = 'open' and a.severity = 'emergency' and a.opened_at < $1
                and not exists (select from pages p where p.alert_id = a.alert_id and p.status = 'sent' and not p.informs)) as untold`,
    [new Date(now.getTime() - 60_000)],
  )
  const since = (at: Date | null) => (at ? Math.max(0, (now.getTime() - at.getTime()) / 1_000) : 0)
  const { escalation, pages, arrivals, untold } = rows[0]!
  return { escalationS: since(escalation), pagesS: since(pages), arrivalsS: since(arrivals), untold }
}
