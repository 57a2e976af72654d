import type { Arrival, Knowledge } from '../alerts/model.js'
import type { Flows } from '../alerts/rules/flows.js'
import type { Queryable } from './pool.js'

export type DueResident = {
  residentId: string
  timeZone: string
  state: unknown
  /** The devices that are bound to the resident now; none once the resident has left. */
  deviceNos: number[]
  arrivals: Arrival[]
  /** True where more arrivals wait than were taken: time must not run past the last one taken. */
  more: boolean
}

/**
 * Claims residents with something to fold: a wake-up time that has come, or arrivals. Their arrivals are taken out of
 * the queue in the order in which they came, about `entriesMax` in all. Residents that another process works on are
 * passed over. `only` claims one resident, if it is free.
 */
export async function claimDueResidents(
  tx: Queryable,
  p: { now: Date; residentsMax: number; entriesMax: number; except: string[]; only?: string | undefined },
): Promise<DueResident[]> {
  const woken = p.only === undefined ? await lockWoken(tx, p) : []
  const { rows: heads } = await tx.query<{ resident_id: string }>(
    p.only === undefined
      ? `select resident_id from (
           select resident_id, arrival_id from arrivals where resident_id <> all($1) order by arrival_id limit $2 * 10) a
          group by resident_id order by min(arrival_id) limit $2`
      : 'select resident_id from residents where resident_id <> all($1) and resident_id = $3 limit $2',
    p.only === undefined ? [p.except, p.residentsMax] : [p.except, p.residentsMax, p.only],
  )
  const ids = heads.map((row) => row.resident_id).filter((id) => !woken.some((row) => row.resident_id === id))
  await tx.query(
    `insert into resident_state (resident_id, state, folded_at)
     select resident_id, 'null', $2 from unnest($1::text[]) as c (resident_id)
      where not exists (select from resident_state s where s.resident_id = c.resident_id)
      order by resident_id on conflict do nothing`,
    [ids, p.now],
  )
  const { rows: arrivedFor } = await tx.query<Locked>(
    `${lockState} where s.resident_id = any($1) order by s.resident_id for no key update of s skip locked`,
    [ids],
  )
  const locked = [...woken, ...arrivedFor]
  if (locked.length === 0) return []
  const { rows: arrived } = await tx.query<{ resident_id: string; body: Arrival[] | null }>(
    `with mine as (
       select arrival_id, resident_id, sum(entries) over (order by arrival_id) - entries < $2 as fits
         from arrivals where resident_id = any($1)
     ), taken as (
       delete from arrivals a using mine where a.arrival_id = mine.arrival_id and fits
       returning a.arrival_id, a.resident_id, a.body
     )
     select resident_id, body from (
       select arrival_id, resident_id, body from taken
       union all select max(arrival_id), resident_id, null from mine where not fits group by resident_id
     ) t order by arrival_id`,
    [locked.map((row) => row.resident_id), p.entriesMax],
  )
  const due = locked.map((row) => ({
    residentId: row.resident_id,
    timeZone: row.time_zone,
    state: row.state,
    deviceNos: row.device_nos,
    arrivals: [] as Arrival[],
    more: false,
  }))
  const byId = new Map(due.map((resident) => [resident.residentId, resident]))
  for (const { resident_id, body } of arrived) {
    const resident = byId.get(resident_id)!
    if (body === null) resident.more = true
    else for (const arrival of body) resident.arrivals.push(arrival)
  }
  return due.filter(({ more, arrivals }) => !more || arrivals.length > 0)
}

type Locked = { resident_id: string; time_zone: string; state: unknown; device_nos: number[] }

const lockState = `
  select s.resident_id, r.time_zone, s.state,
         array(select device_no from devices d
                where d.resident_id = s.resident_id and unbound_at is null and r.left_at is null) as device_nos
    from resident_state s join residents r using (resident_id)`

/** The limit counts those that are free, so that rows which somebody else holds do not hide the ones behind them. */
async function lockWoken(tx: Queryable, p: { now: Date; residentsMax: number; except: string[] }): Promise<Locked[]> {
  const { rows } = await tx.query<Locked>(
    `${lockState} where s.wake_at <= $1 and s.resident_id <> all($3)
      order by s.wake_at limit $2 for no key update of s skip locked`,
    [p.now, p.residentsMax, p.except],
  )
  return rows
}

export type FoldedState = {
  residentId: string
  state: unknown
  wakeAt: number | null
  knowledge: Knowledge
  lastUseAt: number | null
  holdsUntil: number | null
  flows: Flows
}

/**
 * Keeps what the rules know of residents, when they want to look again (epoch ms, null: only when something comes), and
 * the one word that lists of residents need of it, with what their meters say of their street.
 */
export async function saveStates(tx: Queryable, { states, now }: { states: FoldedState[]; now: Date }): Promise<void> {
  if (states.length === 0) return
  await tx.query(
    `with folded as (
       select resident_id, state, to_timestamp(wake_ms / 1000) as wake_at, knowledge,
              to_timestamp(use_ms / 1000) as last_use_at, to_timestamp(holds_ms / 1000) as holds_until, silent_long,
              to_timestamp(water_ms / 1000) as water_at, to_timestamp(water_to_ms / 1000) as water_until,
              to_timestamp(power_ms / 1000) as power_at, to_timestamp(power_to_ms / 1000) as power_until
         from unnest($1::text[], $2::jsonb[], $3::float8[], $5::text[], $6::float8[], $7::float8[],
                     $8::boolean[], $9::float8[], $10::float8[], $11::float8[], $12::float8[])
           as f (resident_id, state, wake_ms, knowledge, use_ms, holds_ms, silent_long, water_ms, water_to_ms, power_ms, power_to_ms)
     ), known as (
       insert into resident_knowledge (resident_id, knowledge, last_use_at, holds_until, silent_long, water_at, water_until, power_at, power_until)
       select resident_id, knowledge, last_use_at, holds_until, silent_long, water_at, water_until, power_at, power_until
         from folded order by resident_id
       on conflict (resident_id) do update set knowledge = excluded.knowledge, last_use_at = excluded.last_use_at,
              holds_until = excluded.holds_until, silent_long = excluded.silent_long, water_at = excluded.water_at,
              water_until = excluded.water_until, power_at = excluded.power_at, power_until = excluded.power_until
     )
     update resident_state s set state = f.state, wake_at = f.wake_at, folded_at = $4
       from folded f where s.resident_id = f.resident_id`,
    [
      states.map((s) => s.residentId),
      states.map((s) => JSON.stringify(s.state)),
      states.map((s) => s.wakeAt),
      now,
      states.map((s) => s.knowledge),
      states.map((s) => s.lastUseAt),
      states.map((s) => s.holdsUntil),
      states.map((s) => s.flows.long),
      states.map((s) => s.flows.water?.at ?? null),
      states.map((s) => s.flows.water?.until ?? null),
      states.map((s) => s.flows.power?.at ?? null),
      states.map((s) => s.flows.power?.until ?? null),
    ],
  )
}
