import type { DeviceKind } from '../alerts/model.js'
import type { Queryable } from './pool.js'

/** `never`: nothing was ever heard; `silent`: not connected; `idle`: connected, but nothing heard for 2 h. */
export type GatewayCondition = 'silent' | 'never' | 'idle' | 'clock' | 'well' | 'disabled'

export type GatewayRow = {
  gatewayId: string
  label: string
  condition: GatewayCondition
  online: boolean
  changedAt: Date | null
  lastHeardAt: Date | null
  /** Seconds; positive: the device clock runs ahead. */
  clockAheadS: number | null
  devices: number
  quarantined24h: number
}

export type OperatorSummary = {
  gateways: number
  silent: number
  never: number
  idle: number
  clock: number
  quarantined24h: number
}

const dayMs = 24 * 3_600_000
/** Each query of the operator sees only gateways of these communities; messages of no known gateway are everybody's. */
const quarantineScope = `not exists (
    select from gateways g where g.gateway_id = q.gateway_id and not g.community_id = any($1))`

/** $1: communities, $2: now. */
const judged = `
  select g.gateway_id, g.label, g.online, g.online_changed_at, g.last_heard_at, g.clock_ahead_s,
         case when g.disabled_at is not null then 'disabled'
              when g.last_heard_at is null and not g.online then 'never'
              when not g.online then 'silent'
              when g.last_heard_at is null or g.last_heard_at < $2::timestamptz - interval '2 hours' then 'idle'
              when abs(g.clock_ahead_s) > 120 then 'clock'
              else 'well' end as condition
    from gateways g where g.community_id = any($1)`

/** Each query of the operator sees only gateways of these communities; messages of no known gateway are everybody's. */

/** How the system itself is, in numbers. */
export async function operatorSummary(
  db: Queryable,
  { communityIds, now }: { communityIds: string[]; now: Date },
): Promise<OperatorSummary> {
  const { rows } = await db.query<Omit<OperatorSummary, 'quarantined24h'>>(
    `with judged as (${judged})
     select count(*) filter (where condition <> 'disabled')::int as gateways,
            count(*) filter (where condition = 'silent')::int as silent,
            count(*) filter (where condition = 'never')::int as never,
            count(*) filter (where condition = 'idle')::int as idle,
            count(*) filter (where abs(clock_ahead_s) > 120 and condition <> 'disabled')::int as clock from judged`,
    [communityIds, now],
  )
  const quarantined = await db.query<{ count: number }>(
    `select count(*)::int as count from quarantine q where q.received_at > $2 and ${quarantineScope}`,
    [communityIds, new Date(now.getTime() - dayMs)],
  )
  return { ...rows[0]!, quarantined24h: quarantined.rows[0]!.count }
}

/** Gateways whose id or label contains `search`, worst first, longest silence first. */
export async function listGateways(
  db: Queryable,
  p: { communityIds: string[]; now: Date; search: string; offset: number; limit: number; gatewayId?: string },
): Promise<{ rows: GatewayRow[]; total: number }> {
  const { rows } = await db.query<GatewayRow & { total: number }>(
    `with judged as (${judged}),
     found as (select *, count(*) over ()::int as total from judged
                where ($3 = '' or strpos(lower(gateway_id), lower($3)) > 0 or strpos(lower(label), lower($3)) > 0)
                  and ($4::text is null or gateway_id = $4)
                order by array_position(array['silent', 'idle', 'clock', 'never', 'well', 'disabled'], condition),
                         case when condition = 'silent' then online_changed_at end, gateway_id
                offset $5 limit $6)
     select f.gateway_id as "gatewayId", f.label, f.condition, f.online, f.online_changed_at as "changedAt",
            f.last_heard_at as "lastHeardAt", f.clock_ahead_s as "clockAheadS", f.total,
            (select count(*)::int from devices d where d.gateway_id = f.gateway_id and d.unbound_at is null) as devices,
            (select count(*)::int from quarantine q where q.gateway_id = f.gateway_id
                and q.received_at > $2::timestamptz - interval '1 day') as "quarantined24h"
       from found f
      order by array_position(array['silent', 'idle', 'clock', 'never', 'well', 'disabled'], f.condition),
               case when f.condition = 'silent' then f.online_changed_at end, f.gateway_id`,
    [p.communityIds, p.now, p.search, p.gatewayId ?? null, p.offset, p.limit],
  )
  return { rows: rows.map(({ total: _, ...row }) => row), total: rows[0]?.total ?? 0 }
}

export type DeviceRow = {
  deviceId: string
  kind: DeviceKind
  room: string
  gatewayId: string
  residentId: string
  gatewayOnline: boolean
  lastObservedAt: Date | null
  /** 0..1 */
  battery: number | null
}

/**
 * Devices in use, by the community of their gateway, by id of the device, gateway or resident when `search` is given.
 * Those whose gateway is away come first, the longest unheard gateway first: which page a device is on goes by its
 * gateway alone, because the newest reading of each of 500,000 devices takes seconds to find. Within the page those that
 * never reported come before the others, then the longest silent.
 */
export async function listDevices(
  db: Queryable,
  p: { communityIds: string[]; search: string; offset: number; limit: number; gatewayId?: string },
): Promise<{ rows: DeviceRow[]; total: number }> {
  const { rows } = await db.query<DeviceRow & { total: number }>(
    `with found as (
       select d.device_no, d.device_id, d.kind, d.room, d.gateway_id, d.resident_id, g.online, g.last_heard_at
         from devices d join gateways g using (gateway_id)
        where d.unbound_at is null and g.community_id = any($1) and ($3::text is null or d.gateway_id = $3)
          and ($2 = '' or strpos(lower(d.device_id), lower($2)) > 0 or strpos(lower(d.gateway_id), lower($2)) > 0
                       or strpos(lower(d.resident_id), lower($2)) > 0)),
     page as materialized (
       select * from found order by online, last_heard_at nulls first, gateway_id, device_id offset $4 limit $5)
     select p.device_id as "deviceId", p.kind, p.room, p.gateway_id as "gatewayId", p.resident_id as "residentId",
            p.online as "gatewayOnline", newest.observed_at as "lastObservedAt", power.battery,
            (select count(*)::int from found) as total
       from page p
       left join lateral (select observed_at from readings r where r.device_no = p.device_no
                           order by observed_at desc limit 1) newest on true
       left join lateral (select battery from readings r where r.device_no = p.device_no and battery is not null
                             and observed_at > newest.observed_at - interval '2 days'
                           order by observed_at desc limit 1) power on true
      order by p.online, newest.observed_at nulls first, p.device_id`,
    [p.communityIds, p.search, p.gatewayId ?? null, p.offset, p.limit],
  )
  return { rows: rows.map(({ total: _, ...row }) => row), total: rows[0]?.total ?? 0 }
}
