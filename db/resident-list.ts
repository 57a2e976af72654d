import type { ResidentState } from '../alerts/rules/state.js'
import type { Queryable } from './pool.js'

export type ResidentRow = {
  residentId: string
  name: string
  address: string
  timeZone: string
  /** What the rules know; null before the first reading. */
  state: ResidentState | null
  openAlerts: number
}

/** Residents of these communities, those with open alerts first, then by name, with what the rules know of each; `search` looks in name and address. */
export async function listResidents(
  db: Queryable,
  p: { communityIds: string[]; search: string; offset: number; rowsMax: number },
): Promise<{ residents: ResidentRow[]; total: number }> {
  const like = `%${p.search.replace(/[\\%_]/g, '\\$&')}%`
  const scope = `r.community_id = any($1) and r.left_at is null and (r.name ilike $2 or r.address ilike $2)`
  const [{ rows }, counted] = await Promise.all([
    db.query(
      `select * from (
       select r.resident_id as "residentId", r.name, r.address, r.time_zone as "timeZone", s.state,
              (select count(*)::int from alerts a
               where a.resident_id = r.resident_id and a.closed_at is null and a.severity <> 'notice') as "openAlerts"
       from residents r left join resident_state s using (resident_id)
       where ${scope}) listed
       order by "openAlerts" = 0, name, "residentId" limit $3 offset $4`,
      [p.communityIds, like, p.rowsMax, p.offset],
    ),
    db.query<{ total: number }>(`select count(*) as total from residents r where ${scope}`, [p.communityIds, like]),
  ])
  return { residents: rows as ResidentRow[], total: counted.rows[0]?.total ?? 0 }
}

/** What the rules know of each resident of these communities; null for one never heard of. */
export async function listResidentStates(
  db: Queryable,
  { communityIds }: { communityIds: string[] },
): Promise<(ResidentState | null)[]> {
  const { rows } = await db.query<{ state: ResidentState | null }>(
    `select s.state from residents r left join resident_state s using (resident_id)
     where r.community_id = any($1) and r.left_at is null`,
    [communityIds],
  )
  return rows.map(({ state }) => state)
}
