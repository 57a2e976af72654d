import type { Arrival } from '../alerts/model.js'
import type { Queryable } from './pool.js'

export type DueResident = {
  residentId: string
  timeZone: string
  state: unknown
  arrivals: Arrival[]
  /** True where more arrivals wait than were taken: time must not run past the last one taken. */
  more: boolean
}

/**
 * Claims residents with something to fold: arrivals, or a wake-up time that has come. Their arrivals are taken out of
 * the queue in the order in which they came. Residents that another process works on are passed over.
 */
export async function claimDueResidents(
  tx: Queryable,
  p: { now: Date; residentsMax: number; arrivalsMax: number; except: string[] },
): Promise<DueResident[]> {
  const { rows: candidates } = await tx.query<{ resident_id: string }>(
    `(select resident_id from arrivals where resident_id <> all($3) group by resident_id order by min(arrival_id) limit $2)
     union
     (select resident_id from resident_state where wake_at <= $1 and resident_id <> all($3) order by wake_at limit $2)`,
    [p.now, p.residentsMax, p.except],
  )
  if (candidates.length === 0) return []
  const ids = candidates.map((row) => row.resident_id)
  await tx.query(
    `insert into resident_state (resident_id, state, folded_at)
     select resident_id, 'null', $2 from unnest($1::text[]) as c (resident_id)
      where not exists (select from resident_state s where s.resident_id = c.resident_id)
      order by resident_id on conflict do nothing`,
    [ids, p.now],
  )
  const { rows: locked } = await tx.query<{ resident_id: string; time_zone: string; state: unknown }>(
    `select s.resident_id, r.time_zone, s.state from resident_state s join residents r using (resident_id)
      where s.resident_id = any($1) order by s.resident_id for update of s skip locked`,
    [ids],
  )
  const lockedIds = locked.map((row) => row.resident_id)
  const { rows: taken } = await tx.query<{ resident_id: string; body: Arrival[] }>(
    `with taken as (
       delete from arrivals where arrival_id in (
         select arrival_id from arrivals where resident_id = any($1) order by arrival_id limit $2)
       returning arrival_id, resident_id, body)
     select resident_id, body from taken order by arrival_id`,
    [lockedIds, p.arrivalsMax],
  )
  const more = taken.length === p.arrivalsMax
  const byResident = new Map<string, Arrival[]>()
  for (const { resident_id, body } of taken) {
    const list = byResident.get(resident_id)
    if (list) list.push(...body)
    else byResident.set(resident_id, [...body])
  }
  return locked
    .map((row) => ({
      residentId: row.resident_id,
      timeZone: row.time_zone,
      state: row.state,
      arrivals: byResident.get(row.resident_id) ?? [],
      more,
    }))
    .filter((resident) => !more || resident.arrivals.length > 0)
}

/** Keeps what the rules know of residents, and when they want to look again (epoch ms, null: only when something comes). */
export async function saveStates(
  tx: Queryable,
  { states, now }: { states: { residentId: string; state: unknown; wakeAt: number | null }[]; now: Date },
): Promise<void> {
  if (states.length === 0) return
  await tx.query(
    `update resident_state s set state = f.state, wake_at = to_timestamp(f.wake_ms / 1000), folded_at = $4
       from unnest($1::text[], $2::jsonb[], $3::float8[]) as f (resident_id, state, wake_ms)
      where s.resident_id = f.resident_id`,
    [states.map((s) => s.residentId), states.map((s) => JSON.stringify(s.state)), states.map((s) => s.wakeAt), now],
  )
}
