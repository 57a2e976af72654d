import { containing } from './contains.js'
import type { Queryable } from './pool.js'

/** As the list shows them, worst first. */
const worstFirst = ['silent', 'idle', 'clock', 'never', 'well', 'disabled'] as const
/** `never`: nothing was ever heard; `silent`: not connected; `idle`: connected, but nothing heard for 2 h. */
export type GatewayCondition = (typeof worstFirst)[number]

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
  /** Without those that are switched off. */
  gateways: number
  /** Whose clock is wrong, whatever else is the matter with them. */
  clocksWrong: number
  quarantined24h: number
  /** Those that are switched off are counted here as well. */
  conditions: Record<GatewayCondition, number>
}

type Scope = { communityIds: string[]; now: Date }

const hourMs = 3_600_000
const dayMs = 24 * hourMs
const idleHours = 2
/** Each query of the operator sees only gateways of these communities; messages of no known gateway are everybody's. */
const quarantineScope = `not exists (
    select from gateways g where g.gateway_id = q.gateway_id and not g.community_id = any($1))`

/** The hours before `now` in which a gateway that is well was heard. */
const unheard = (now: Date) =>
  `(g.last_heard_at is null or g.last_heard_at < to_timestamp(${(now.getTime() - idleHours * hourMs) / 1_000}))`
const judged = (now: Date) =>
  `case when g.disabled_at is not null then 'disabled'
        when not g.online then case when g.heard_hour = 0 then 'never' else 'silent' end
        when ${unheard(now)} then 'idle'
        when g.clock_wrong then 'clock'
        else 'well' end`

/** The same words one by one, each in the order of an index (migration 009). */
function chosen(condition: GatewayCondition, now: Date): string {
  const connected = 'g.online and g.disabled_at is null'
  const away = 'not g.online and g.disabled_at is null'
  const idleHour = Math.floor(now.getTime() / hourMs) - idleHours
  switch (condition) {
    case 'silent':
      return `${away} and g.heard_hour > 0 order by g.online_changed_at, g.gateway_id`
    case 'idle':
      return `${connected} and g.heard_hour <= ${idleHour} and ${unheard(now)} order by g.gateway_id`
    case 'clock':
      return `${connected} and not ${unheard(now)} and g.clock_wrong order by g.gateway_id`
    case 'never':
      return `${away} and g.heard_hour = 0 order by g.gateway_id`
    case 'well':
      return `${connected} and not ${unheard(now)} and not g.clock_wrong order by g.gateway_id`
    case 'disabled':
      return 'g.disabled_at is not null order by g.gateway_id'
  }
}

/** How the system itself is, in numbers. Goes through all gateways: 20 ms where there are 100,000. */
export async function operatorSummary(db: Queryable, { communityIds, now }: Scope): Promise<OperatorSummary> {
  const { rows } = await db.query<{ condition: GatewayCondition; count: number; clocksWrong: number }>(
    `select ${judged(now)} as condition, count(*)::int as count, count(*) filter (where g.clock_wrong)::int as "clocksWrong"
       from gateways g where g.community_id = any($1) group by 1`,
    [communityIds],
  )
  const quarantined = await db.query<{ count: number }>(
    `select count(*)::int as count from quarantine q where q.received_at > $2 and ${quarantineScope}`,
    [communityIds, new Date(now.getTime() - dayMs)],
  )
  const used = rows.filter(({ condition }) => condition !== 'disabled')
  const sum = (of: 'count' | 'clocksWrong') => used.reduce((total, row) => total + row[of], 0)
  const none = Object.fromEntries(worstFirst.map((condition) => [condition, 0])) as OperatorSummary['conditions']
  return {
    gateways: sum('count'),
    clocksWrong: sum('clocksWrong'),
    quarantined24h: quarantined.rows[0]!.count,
    conditions: Object.assign(none, ...rows.map(({ condition, count }) => ({ [condition]: count }))),
  }
}

/**
 * Gateways, worst first, longest silence first. `counts`, which may be some seconds old, say in which condition the page
 * begins; only the page itself is read, whatever number of gateways there is.
 */
export async function listGateways(
  db: Queryable,
  p: Scope & { offset: number; limit: number; counts: OperatorSummary['conditions'] },
): Promise<GatewayRow[]> {
  const page = new Set<string>()
  let skipped = p.offset
  for (const condition of worstFirst) {
    if (page.size >= p.limit) break
    if (skipped >= p.counts[condition]) {
      skipped -= p.counts[condition]
      continue
    }
    const { rows } = await db.query<{ id: string }>(
      `select g.gateway_id as id from gateways g where g.community_id = any($1) and ${chosen(condition, p.now)}
       offset ${Number(skipped)} limit ${Number(p.limit - page.size)}`,
      [p.communityIds],
    )
    for (const { id } of rows) page.add(id)
    skipped = 0
  }
  return describe(db, { ...p, gatewayIds: [...page] })
}

/** Gateways whose id or label contains `search`, in the same order, and how many there are. */
export async function searchGateways(
  db: Queryable,
  p: Scope & { search: string; offset: number; limit: number },
): Promise<{ rows: GatewayRow[]; total: number }> {
  const { rows } = await db.query<{ id: string; total: number }>(
    `with found as materialized (
       select g.gateway_id, g.online_changed_at, ${judged(p.now)} as condition
         from gateways g where g.community_id = any($1) and g.search_text like $2)
     select gateway_id as id, (select count(*)::int from found) as total from found
      order by array_position($3::text[], condition), case when condition = 'silent' then online_changed_at end, gateway_id
      offset ${Number(p.offset)} limit ${Number(p.limit)}`,
    [p.communityIds, containing(p.search), worstFirst],
  )
  return { rows: await describe(db, { ...p, gatewayIds: rows.map(({ id }) => id) }), total: rows[0]?.total ?? 0 }
}

/** One gateway of these communities; undefined for anybody else's, or nobody's. */
export async function findGateway(db: Queryable, p: Scope & { gatewayId: string }): Promise<GatewayRow | undefined> {
  return (await describe(db, { ...p, gatewayIds: [p.gatewayId] }))[0]
}

async function describe(db: Queryable, p: Scope & { gatewayIds: string[] }): Promise<GatewayRow[]> {
  const { rows } = await db.query<GatewayRow>(
    `select g.gateway_id as "gatewayId", g.label, ${judged(p.now)} as condition, g.online,
            g.online_changed_at as "changedAt", g.last_heard_at as "lastHeardAt", g.clock_ahead_s as "clockAheadS",
            (select count(*)::int from devices d where d.gateway_id = g.gateway_id and d.unbound_at is null) as devices,
            (select count(*)::int from quarantine q
              where q.gateway_id = g.gateway_id and q.received_at > $3) as "quarantined24h"
       from unnest($2::text[]) with ordinality as page (gateway_id, place) join gateways g using (gateway_id)
      where g.community_id = any($1) order by place`,
    [p.communityIds, p.gatewayIds, new Date(p.now.getTime() - dayMs)],
  )
  return rows
}
