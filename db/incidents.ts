import type { IncidentKind, IncidentVerdict, SilentHome } from '../alerts/incidents.js'
import type { Queryable } from './pool.js'

/**
 * Homes of which nothing is heard, by community, of those that fell silent since `since`. What hangs at an edge that does
 * not beat is silent for another reason.
 */
export async function silentHomes(
  db: Queryable,
  p: { since: Date; beatSince: Date; homesMax: number },
): Promise<Map<string, SilentHome[]>> {
  const { rows } = await db.query<{
    communityId: string
    residentId: string
    gatewayId: string
    silentAt: Date
    address: string
  }>(
    `with gone as (
       select g.gateway_id, g.online_changed_at from gateways g
        where not g.online and g.disabled_at is null and g.heard_hour > 0 and g.online_changed_at > $1
          and (g.edge_id is null or exists (select from edges e where e.edge_id = g.edge_id and e.heartbeat_at >= $2))
        order by g.online_changed_at desc limit $3
     )
     select distinct on (r.resident_id) r.community_id as "communityId", r.resident_id as "residentId",
            gone.gateway_id as "gatewayId", gone.online_changed_at as "silentAt", r.address
       from gone join devices d on d.gateway_id = gone.gateway_id and d.unbound_at is null join residents r using (resident_id)
      where r.left_at is null and not r.synthetic
        and not exists (select from devices o join gateways og using (gateway_id)
                         where o.resident_id = r.resident_id and o.unbound_at is null and og.online)
      order by r.resident_id, gone.online_changed_at desc`,
    [p.since, p.beatSince, p.homesMax],
  )
  const homes = new Map<string, SilentHome[]>()
  for (const { communityId, silentAt, ...home } of rows) {
    const list = homes.get(communityId) ?? []
    list.push({ ...home, silentAt: silentAt.getTime() })
    homes.set(communityId, list)
  }
  return homes
}

/** Homes with a gateway that was ever heard: of the community (''), and at each of these places. */
export async function countHomes(
  db: Queryable,
  p: { communityId: string; places: string[] },
): Promise<Map<string, number>> {
  const { rows } = await db.query<{ place: string | null; homes: number }>(
    `select substring(address from '^\\D+\\d+') as place, count(*)::int as homes from residents r
      where community_id = $1 and left_at is null and not synthetic
        and exists (select from devices d join gateways g using (gateway_id) where d.resident_id = r.resident_id
                       and d.unbound_at is null and g.disabled_at is null and g.heard_hour > 0)
      group by 1`,
    [p.communityId],
  )
  const known = new Map([['', rows.reduce((sum, { homes }) => sum + homes, 0)]])
  for (const { place, homes } of rows) if (place !== null && p.places.includes(place)) known.set(place, homes)
  return known
}

export type IncidentRow = {
  incidentId: number
  kind: IncidentKind
  communityId: string
  community: string
  place: string
  timeZone: string
  openedAt: Date
  firstAt: Date
  lastAt: Date
  closedAt: Date | null
  homes: number
  /** Of them, not heard again yet. */
  silent: number
  homesKnown: number
}

const incidentColumns = `i.incident_id as "incidentId", i.kind, i.community_id as "communityId", c.name as community, i.place, c.time_zone as "timeZone",
  i.opened_at as "openedAt", i.first_at as "firstAt", i.last_at as "lastAt", i.closed_at as "closedAt",
  i.homes_known as "homesKnown",
  (select count(*)::int from incident_homes h where h.incident_id = i.incident_id) as homes,
  (select count(*)::int from incident_homes h where h.incident_id = i.incident_id and h.back_at is null) as silent`

/** Incidents that are open, all of them or those of these communities, of any kind or of these kinds. */
export async function openIncidents(
  db: Queryable,
  p: { communityIds?: string[]; kinds?: readonly IncidentKind[] } = {},
): Promise<IncidentRow[]> {
  const { rows } = await db.query<IncidentRow>(
    `select ${incidentColumns} from incidents i join communities c using (community_id)
      where i.closed_at is null and ($1::text[] is null or i.community_id = any($1))
        and ($2::text[] is null or i.kind = any($2)) order by i.opened_at, i.incident_id`,
    [p.communityIds ?? null, p.kinds ?? null],
  )
  return rows
}

/** An incident, or null where there is none for these communities. */
export async function findIncident(
  db: Queryable,
  p: { incidentId: number; communityIds: string[] },
): Promise<IncidentRow | null> {
  const { rows } = await db.query<IncidentRow>(
    `select ${incidentColumns} from incidents i join communities c using (community_id)
      where i.incident_id = $1 and i.community_id = any($2)`,
    [p.incidentId, p.communityIds],
  )
  return rows[0] ?? null
}

export type IncidentHome = {
  residentId: string
  name: string
  address: string
  silentAt: Date
  backAt: Date | null
}

/** The homes of an incident, those that are still silent first. The caller has checked that the viewer may see it. */
export async function incidentHomes(
  db: Queryable,
  p: { incidentIds: number[]; homesMax: number },
): Promise<(IncidentHome & { incidentId: number })[]> {
  const { rows } = await db.query<IncidentHome & { incidentId: number }>(
    `select * from (
       select h.incident_id as "incidentId", h.resident_id as "residentId", r.name, r.address, h.silent_at as "silentAt",
              h.back_at as "backAt",
              row_number() over (partition by h.incident_id order by h.back_at is not null, r.address, r.resident_id) as place
         from incident_homes h join residents r using (resident_id) where h.incident_id = any($1)) h
      where place <= $2 order by "incidentId", place`,
    [p.incidentIds, p.homesMax],
  )
  return rows
}

/** Its gateways, those that are still silent first. The caller has checked that the viewer may see it. */
export async function incidentGateways(
  db: Queryable,
  p: { incidentId: number; gatewaysMax: number },
): Promise<{ gatewayId: string; silentAt: Date; backAt: Date | null }[]> {
  const { rows } = await db.query<{ gatewayId: string; silentAt: Date; backAt: Date | null }>(
    `select gateway_id as "gatewayId", min(silent_at) as "silentAt",
            case when bool_and(back_at is not null) then max(back_at) end as "backAt"
       from incident_homes where incident_id = $1 group by 1 order by 3 nulls first, 1 limit $2`,
    [p.incidentId, p.gatewaysMax],
  )
  return rows
}

export type IncidentEvent = { at: Date; kind: 'opened' | 'grew' | 'closed'; silent: number; homes: number }

export async function incidentEvents(db: Queryable, p: { incidentId: number }): Promise<IncidentEvent[]> {
  const { rows } = await db.query<IncidentEvent>(
    'select at, kind, silent, homes from incident_events where incident_id = $1 order by incident_event_id',
    [p.incidentId],
  )
  return rows
}

export type LockedIncident = {
  incidentId: number
  place: string
  firstAt: number
  lastAt: number
  homes: { residentId: string; silentAt: number; isBack: boolean }[]
}

/**
 * The open incident of this kind in a community, or at this place of it, held for the one who changes it. Times in epoch ms.
 */
export async function lockIncident(
  tx: Queryable,
  p: { communityId: string; kind: IncidentKind; place?: string },
): Promise<LockedIncident | null> {
  const { rows } = await tx.query<{ incidentId: number; place: string; firstAt: Date; lastAt: Date }>(
    `select incident_id as "incidentId", place, first_at as "firstAt", last_at as "lastAt" from incidents
      where community_id = $1 and kind = $2 and closed_at is null and ($3::text is null or place = $3) for no key update`,
    [p.communityId, p.kind, p.place ?? null],
  )
  const [incident] = rows
  if (!incident) return null
  const { incidentId, place, firstAt, lastAt } = incident
  const { rows: homes } = await tx.query<{ residentId: string; silentAt: Date; isBack: boolean }>(
    `select resident_id as "residentId", silent_at as "silentAt", back_at is not null as "isBack"
       from incident_homes where incident_id = $1`,
    [incidentId],
  )
  return {
    incidentId,
    place,
    firstAt: firstAt.getTime(),
    lastAt: lastAt.getTime(),
    homes: homes.map((home) => ({ ...home, silentAt: home.silentAt.getTime() })),
  }
}

/** Opens an incident with its homes; null where another process has opened one. */
export async function openIncident(
  tx: Queryable,
  p: { communityId: string; kind: IncidentKind; verdict: Extract<IncidentVerdict, { kind: 'open' }>; now: Date },
): Promise<number | null> {
  const { communityId, kind, verdict, now } = p
  const { rows } = await tx.query<{ incident_id: number }>(
    `insert into incidents (community_id, kind, place, opened_at, first_at, last_at, homes_known) values ($1, $2, $3, $4, $5, $6, $7)
     on conflict do nothing returning incident_id`,
    [communityId, kind, verdict.place, now, new Date(verdict.firstAt), new Date(verdict.lastAt), verdict.homesKnown],
  )
  const incidentId = rows[0]?.incident_id
  if (incidentId === undefined) return null
  await addHomes(tx, incidentId, verdict.homes)
  await noteIncident(tx, { incidentId, kind: 'opened', now })
  return incidentId
}

/** Notes what has changed; with `closes` it is over. */
export async function changeIncident(
  tx: Queryable,
  p: { incidentId: number; joined: SilentHome[]; back: string[]; lastAt?: number; closes: boolean; now: Date },
): Promise<void> {
  const { incidentId, joined, back, now } = p
  await addHomes(tx, incidentId, joined)
  await tx.query(
    'update incident_homes set back_at = $3 where incident_id = $1 and resident_id = any($2) and back_at is null',
    [incidentId, back, now],
  )
  await tx.query(
    `update incidents set closed_at = case when $3 then $2::timestamptz end, last_at = greatest(last_at, $4),
            homes_known = greatest(homes_known, (select count(*) from incident_homes where incident_id = $1))
      where incident_id = $1`,
    [incidentId, now, p.closes, p.lastAt === undefined ? null : new Date(p.lastAt)],
  )
  if (p.closes) await noteIncident(tx, { incidentId, kind: 'closed', now })
  else if (joined.length > 0) await noteIncident(tx, { incidentId, kind: 'grew', now })
  else await tx.query("select pg_notify('shouwang', 'alerts')")
}

async function addHomes(tx: Queryable, incidentId: number, homes: SilentHome[]) {
  if (homes.length === 0) return
  await tx.query(
    `insert into incident_homes (incident_id, resident_id, gateway_id, silent_at)
     select $1, * from unnest($2::text[], $3::text[], $4::timestamptz[]) on conflict do nothing`,
    [
      incidentId,
      homes.map((home) => home.residentId),
      homes.map((home) => home.gatewayId),
      homes.map((home) => new Date(home.silentAt)),
    ],
  )
}

async function noteIncident(tx: Queryable, p: { incidentId: number; kind: IncidentEvent['kind']; now: Date }) {
  await tx.query(
    `with noted as (
       insert into incident_events (incident_id, at, kind, silent, homes)
       select $1, $2, $3, count(*) filter (where back_at is null), count(*) from incident_homes where incident_id = $1)
     select pg_notify('shouwang', 'alerts')`,
    [p.incidentId, p.now, p.kind],
  )
}

/** Who is told of an incident: supervisors and operators of the community. */
export async function toldOfIncidents(db: Queryable, p: { communityId: string }): Promise<string[]> {
  const { rows } = await db.query<{ staff_id: string }>(
    `select staff_id from staff_communities join staff using (staff_id)
      where community_id = $1 and role in ('supervisor', 'operator') and disabled_at is null order by staff_id`,
    [p.communityId],
  )
  return rows.map((row) => row.staff_id)
}
