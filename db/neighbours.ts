import type { Queryable } from './pool.js'

export type HomeState = { residentId: string; timeZone: string; state: unknown }

/** Communities with residents whose routine began after `since`, and those residents. */
export async function youngHomes(
  db: Queryable,
  { since, residentsMax }: { since: Date; residentsMax: number },
): Promise<Map<string, string[]>> {
  const { rows } = await db.query<{ communityId: string; residentId: string }>(
    `select community_id as "communityId", resident_id as "residentId"
       from resident_state s join residents r using (resident_id)
      where r.left_at is null and not r.synthetic and (s.state -> 'routine' ->> 'firstAt')::float8 > $1
      order by community_id, resident_id limit $2`,
    [since.getTime(), residentsMax],
  )
  const homes = new Map<string, string[]>()
  for (const { communityId, residentId } of rows)
    homes.set(communityId, [...(homes.get(communityId) ?? []), residentId])
  return homes
}

/** What the rules know of residents of a community whose routine began before `before`: at most `residentsMax` of them. */
export async function learnedHomes(
  db: Queryable,
  { communityId, before, residentsMax }: { communityId: string; before: Date; residentsMax: number },
): Promise<HomeState[]> {
  const { rows } = await db.query<HomeState>(
    `select resident_id as "residentId", r.time_zone as "timeZone", s.state
       from resident_state s join residents r using (resident_id)
      where r.community_id = $1 and r.left_at is null and not r.synthetic
        and (s.state -> 'routine' ->> 'firstAt')::float8 <= $2
      order by resident_id limit $3`,
    [communityId, before.getTime(), residentsMax],
  )
  return rows
}
