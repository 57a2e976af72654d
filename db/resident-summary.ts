import type { ResidentState } from '../alerts/rules/state.js'
import type { Queryable } from './pool.js'

/**
 * How residents are, in numbers: who is away, of whom else nothing is known now, who has used nothing, and the oldest newest
 * use of the others.
 */
export type ResidentSummary = {
  residents: number
  away: number
  unknown: number
  idle: number
  oldestUseAt: Date | null
}

/** States folded before their knowledge was kept are looked at one by one, up to so many; a reading of each ends that. */
const statesMax = 1_000

/**
 * The residents of these communities in numbers, as of `now`, and the states (null: never heard of) of those whose
 * knowledge is not kept yet, who are counted in `residents` alone.
 */
export async function summariseResidents(
  db: Queryable,
  { communityIds, now }: { communityIds: string[]; now: Date },
): Promise<{ summary: ResidentSummary; states: (ResidentState | null)[] }> {
  const { rows } = await db.query<ResidentSummary & { kept: number }>(
    `select count(*)::int as residents, count(k.resident_id)::int as kept,
            count(*) filter (where word = 'away')::int as away,
            count(*) filter (where word = 'not used')::int as idle, count(*) filter (where word = 'unknown')::int as unknown,
            min(k.last_use_at) filter (where word = 'used') as "oldestUseAt"
       from residents r left join resident_knowledge k using (resident_id)
            left join absences a on a.resident_id = r.resident_id and a.ended_at is null and a.until_at > $2
            cross join lateral (select case when a.resident_id is not null and k.resident_id is not null then 'away'
                                            when holds_until <= $2 then 'unknown' else knowledge end as word) w
      where r.community_id = any($1) and r.left_at is null`,
    [communityIds, now],
  )
  const { kept, ...summary } = rows[0]!
  if (kept === summary.residents) return { summary, states: [] }
  const { rows: others } = await db.query<{ state: ResidentState | null }>(
    `select s.state from residents r left join resident_knowledge k using (resident_id) left join resident_state s using (resident_id)
      where r.community_id = any($1) and r.left_at is null and k.resident_id is null limit ${statesMax}`,
    [communityIds],
  )
  const unseen = summary.residents - kept - others.length
  return { summary: { ...summary, unknown: summary.unknown + unseen }, states: others.map(({ state }) => state) }
}
