import type { ResidentState } from '../alerts/rules/state.js'
import { containing } from './contains.js'
import type { Queryable } from './pool.js'

export type ResidentRow = {
  residentId: string
  name: string
  address: string
  timeZone: string
  /** What the rules know; null before the first reading. */
  state: ResidentState | null
  openAlerts: number
  /** The end of an away mode that has not been ended; it may have passed. */
  awayUntil: Date | null
}

type Scope = { communityIds: string[]; search: string }

const present = 'r.community_id = any($1) and r.left_at is null'
/** What is looked for is at $2, in small letters, with its own % and _ taken as they are. */
const found = 'r.search_text like $2'
// As an array, so that each is looked up: the planner would rather go through 100,000 residents for 300 of them.
const needing = "array(select distinct resident_id from alerts where closed_at is null and severity <> 'notice')"

/**
 * Residents of these communities, those with open alerts first, then by name, with what the rules know of each; `search`
 * looks in name and address. Only those with open alerts are sorted: the others are read in the order of an index.
 */
export async function listResidents(
  db: Queryable,
  p: Scope & { offset: number; rowsMax: number },
): Promise<ResidentRow[]> {
  const parameters = p.search === '' ? [p.communityIds] : [p.communityIds, containing(p.search)]
  const scope = p.search === '' ? present : `${present} and ${found}`
  const next = `$${parameters.length + 1}`
  const ordered = 'order by r.name, r.resident_id'
  const first = await db.query<{ id: string }>(
    `select resident_id as id from residents r where ${scope} and resident_id = any(${needing}) ${ordered}`,
    parameters,
  )
  const ids = first.rows.map(({ id }) => id)
  const page = ids.slice(p.offset, p.offset + p.rowsMax)
  if (page.length < p.rowsMax) {
    const others = await db.query<{ id: string }>(
      `select resident_id as id from residents r where ${scope} and resident_id <> all(${next}) ${ordered}
       limit ${Number(p.rowsMax - page.length)} offset ${Number(Math.max(0, p.offset - ids.length))}`,
      [...parameters, ids],
    )
    page.push(...others.rows.map(({ id }) => id))
  }
  const { rows } = await db.query(
    `select r.resident_id as "residentId", r.name, r.address, r.time_zone as "timeZone", s.state,
            (select count(*)::int from alerts a
              where a.resident_id = r.resident_id and a.closed_at is null and a.severity <> 'notice') as "openAlerts",
            (select a.until_at from absences a where a.resident_id = r.resident_id and a.ended_at is null) as "awayUntil"
       from unnest($1::text[]) with ordinality as page (resident_id, place)
            join residents r using (resident_id) left join resident_state s using (resident_id)
      order by place`,
    [page],
  )
  return rows as ResidentRow[]
}

/** How many residents `listResidents` goes through. */
export async function countResidents(db: Queryable, { communityIds, search }: Scope): Promise<number> {
  const { rows } = await db.query<{ total: number }>(
    `select count(*)::int as total from residents r where ${search === '' ? present : `${present} and ${found}`}`,
    search === '' ? [communityIds] : [communityIds, containing(search)],
  )
  return rows[0]!.total
}
