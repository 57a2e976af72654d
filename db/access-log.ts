import type { Queryable } from './pool.js'

/** Looks of one viewer at one page within this time are one row. */
const sameLookMs = 5 * 60_000

export type Viewer = { staffId: string; familyMemberId?: never } | { familyMemberId: string; staffId?: never }

/**
 * Puts a look at a resident on record: who, at which page, when. Looks within 5 min of the last one are counted in one
 * row; a `refresh` by the browser's own timer is the same look going on and does not count again.
 */
export async function recordLook(
  db: Queryable,
  p: { residentId: string; page: string; now: Date; refresh?: boolean } & Viewer,
): Promise<void> {
  const viewer = [p.residentId, p.staffId ?? null, p.familyMemberId ?? null, p.page, p.now]
  const { rowCount } = await db.query(
    `update access_log set last_at = greatest(last_at, $5::timestamptz), looks = looks + $7::int
     where access_id = (
       select access_id from access_log
       where resident_id = $1 and staff_id is not distinct from $2::text
         and family_member_id is not distinct from $3::text and page = $4 and last_at > $6
       order by last_at desc limit 1)`,
    [...viewer, new Date(p.now.getTime() - sameLookMs), p.refresh ? 0 : 1],
  )
  if (rowCount === 0)
    await db.query(
      `insert into access_log (resident_id, staff_id, family_member_id, page, first_at, last_at)
       values ($1, $2, $3, $4, $5, $5)`,
      viewer,
    )
}

export type Look = { name: string; who: 'staff' | 'family'; page: string; firstAt: Date; lastAt: Date; looks: number }

/** Who looked at this resident, newest first. The caller has checked that the viewer may see the resident. */
export async function listLooks(
  db: Queryable,
  { residentId, rowsMax = 50 }: { residentId: string; rowsMax?: number },
): Promise<Look[]> {
  const { rows } = await db.query(
    `select coalesce(s.name, f.name) as name, case when l.staff_id is null then 'family' else 'staff' end as who,
            l.page, l.first_at as "firstAt", l.last_at as "lastAt", l.looks
     from access_log l left join staff s using (staff_id) left join family_members f using (family_member_id)
     where l.resident_id = $1 order by l.last_at desc, l.access_id desc limit $2`,
    [residentId, rowsMax],
  )
  return rows as Look[]
}
