import type { Queryable } from './pool.js'

/** A resident of these communities; undefined for anybody else. */
export async function findResidentIn(
  db: Queryable,
  { residentId, communityIds }: { residentId: string; communityIds: string[] },
): Promise<{ residentId: string; communityId: string; name: string; timeZone: string } | undefined> {
  const { rows } = await db.query<{ residentId: string; communityId: string; name: string; timeZone: string }>(
    `select resident_id as "residentId", community_id as "communityId", name, time_zone as "timeZone" from residents
      where resident_id = $1 and community_id = any($2) and left_at is null`,
    [residentId, communityIds],
  )
  return rows[0]
}

/** What these people are called. */
export async function staffNames(db: Queryable, staffIds: string[]): Promise<Map<string, string>> {
  const { rows } = await db.query<{ staffId: string; name: string }>(
    'select staff_id as "staffId", name from staff where staff_id = any($1)',
    [[...new Set(staffIds)]],
  )
  return new Map(rows.map(({ staffId, name }) => [staffId, name]))
}
