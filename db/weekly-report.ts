import type { Queryable } from './pool.js'

/**
 * Takes the report of the week that begins on `weekOf` (a Monday, YYYY-MM-DD, local) for the caller, in whose transaction it
 * is told. Null: it was taken, by this process or another. `since`: when the one before it was; null where there was none.
 */
export async function takeWeek(
  tx: Queryable,
  { communityId, weekOf, now }: { communityId: string; weekOf: string; now: Date },
): Promise<{ since: Date | null } | null> {
  const { rows } = await tx.query<{ doneAt: Date }>(
    'select done_at as "doneAt" from weekly_reports where community_id = $1',
    [communityId],
  )
  // Of two processes that come at once, one waits here for the other, and then changes nothing. A report of tomorrow or later
  // was told by a clock that has jumped back since, and keeps nobody from this one.
  const { rowCount } = await tx.query(
    `insert into weekly_reports as w (community_id, week_of, done_at) values ($1, $2, $3)
     on conflict (community_id) do update set week_of = excluded.week_of, done_at = excluded.done_at
       where w.week_of < excluded.week_of or w.done_at > excluded.done_at + interval '1 day'`,
    [communityId, weekOf, now],
  )
  const doneAt = rows[0]?.doneAt ?? null
  return rowCount === 1 ? { since: doneAt && doneAt < now ? doneAt : null } : null
}

/** A resident whose nights or weeks have changed, as far as the rules have found; `staffId`: who is responsible, and there. */
export type ChangedResident = { residentId: string; name: string; staffId: string | null; state: unknown }

/** The residents of a community about whose nights or weeks something is told now. */
export async function listChangedResidents(db: Queryable, communityId: string): Promise<ChangedResident[]> {
  const { rows } = await db.query<ChangedResident>(
    `select r.resident_id as "residentId", r.name, s.staff_id as "staffId", k.state
       from residents r
       join resident_state k using (resident_id)
       left join staff s on s.staff_id = r.responsible_staff_id and s.disabled_at is null
      where r.community_id = $1 and r.left_at is null and not r.synthetic
        and (jsonb_typeof(k.state #> '{nights,told}') = 'object' or jsonb_typeof(k.state #> '{weeks,fall}') = 'object')
      order by r.name, r.resident_id`,
    [communityId],
  )
  return rows
}
