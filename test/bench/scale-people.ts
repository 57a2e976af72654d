import type { Queryable } from '../../db/pool.js'
import { cityId, operatorId, size } from './scale-size.js'
import { placeholders, type StateVariant, stateVariants, variants } from './scale-states.js'

const perCommunity = size.residents / size.communities
const place = `'c' || lpad(((i - 1) / ${perCommunity} + 1)::text, 3, '0')`

/** Communities, staff with a channel each, and 100,000 residents with a gateway, three devices and a daughter each. */
export async function seedPeople(db: Queryable, { now, webhookUrl }: { now: Date; webhookUrl: string }): Promise<void> {
  await db.query(
    `insert into communities select 'c' || lpad(n::text, 3, '0'), '示例社区 ' || n, 'Asia/Shanghai'
       from generate_series(1, ${size.communities}) n`,
  )
  await db.query(
    `insert into staff (staff_id, name, role, login, password_hash, phone)
     select id, '示例·' || id, role, id, 'none', '000-0000-0000' from (
       select community_id || '-' || short as id, role from communities,
              (values ('worker', 'social_worker'), ('colleague', 'social_worker'), ('supervisor', 'supervisor')) v (short, role)
       union all values ('${cityId}', 'supervisor'), ('${operatorId}', 'operator')) s`,
  )
  await db.query(
    `insert into staff_communities select staff_id, community_id from staff, communities
      where staff_id like community_id || '-%' or staff_id in ('${cityId}', '${operatorId}')`,
  )
  await db.query(
    `insert into staff_channels select staff_id, 1, 'webhook', $1, 'invented-webhook-secret' from staff where role <> 'operator'`,
    [webhookUrl],
  )
  await db.query(
    `insert into residents (resident_id, community_id, name, address, time_zone, phone, responsible_staff_id)
     select 'r' || lpad(i::text, 6, '0'), ${place}, '示例·居民' || (i * 7919 % ${size.residents}),
            '示例路 ' || i % 97 + 1 || ' 号 ' || i % 1201 || ' 室', 'Asia/Shanghai', '000-0000-0000', ${place} || '-worker'
       from generate_series(1, ${size.residents}) i`,
  )
  await db.query(
    `insert into gateways (gateway_id, community_id, secret_hash, label, online, edge_id, online_changed_at, last_heard_at, clock_ahead_s)
     select 'g' || lpad(i::text, 6, '0'), ${place}, 'none', '示例网关 ' || i, i % 50 <> 0, 'edge-1', $1::timestamptz - i % 997 * interval '1 hour',
            $1::timestamptz - i % 3600 * interval '1 second', 0.3
       from generate_series(1, ${size.residents}) i`,
    [now],
  )
  // Water, electricity and button of resident i are devices 3 i - 2, 3 i - 1 and 3 i.
  await db.query(
    `insert into devices (device_no, device_id, kind, gateway_id, resident_id, room, bound_at) overriding system value
     select 3 * i - 3 + nth, 'd' || lpad(i::text, 6, '0') || '-' || kind, kind, 'g' || lpad(i::text, 6, '0'),
            'r' || lpad(i::text, 6, '0'), '厨房', $1::timestamptz - interval '400 days'
       from generate_series(1, ${size.residents}) i,
            (values (1, 'water'), (2, 'electricity'), (3, 'button')) k (nth, kind)`,
    [now],
  )
  await db.query(`select setval(pg_get_serial_sequence('devices', 'device_no'), 3 * ${size.residents})`)
  await db.query(
    `insert into family_members (family_member_id, resident_id, name, relation)
     select 'f' || substr(resident_id, 2), resident_id, '示例·女儿', '女儿' from residents`,
  )
  await db.query(
    `insert into family_links select sha256(convert_to(left(resident_id || '-invented-token-of-a-daughter-0123456789', 43), 'UTF8')),
            'f' || substr(resident_id, 2), $1 from residents`,
    [now],
  )
}

/** What the rules know of each resident, one of the variants with the resident's own device numbers. */
export async function seedStates(db: Queryable, { now }: { now: Date }): Promise<void> {
  await db.query(
    `insert into resident_state (resident_id, state, wake_at, folded_at)
     select 'r' || lpad(i::text, 6, '0'), ${stateOf}, to_timestamp(v.wake_ms / 1000), $3
       from generate_series(1, ${size.residents}) i join ${variantTable} on v.n = i % ${variants}`,
    [...variantParameters(stateVariants({ now: now.getTime() })), now],
  )
  await db.query(
    `insert into resident_knowledge (resident_id, knowledge, last_use_at, holds_until)
     select resident_id, 'used', $1::timestamptz - interval '1 hour', $1::timestamptz + interval '2 hours' from residents`,
    [now],
  )
}

/** Makes the states of residents `from` to `to` ones whose meters have been silent for too long: they are due. */
export async function makeDue(db: Queryable, p: { from: number; to: number; now: Date }): Promise<void> {
  const silentMs = 3 * 3_600_000
  await db.query(
    `update resident_state s set state = ${stateOf}, wake_at = to_timestamp(v.wake_ms / 1000)
       from generate_series($3::int, $4::int) i join ${variantTable} on v.n = i % ${variants}
      where s.resident_id = 'r' || lpad(i::text, 6, '0')`,
    [...variantParameters(stateVariants({ now: p.now.getTime(), silentMs })), p.from, p.to],
  )
}

const variantTable =
  'unnest($1::text[], $2::float8[]) with ordinality as u (state, wake_ms, nth) cross join lateral (select u.state, u.wake_ms, u.nth - 1 as n) v'
const stateOf = `replace(replace(replace(replace(v.state, '${placeholders.water}', (3 * i - 2)::text),
  '${placeholders.electricity}', (3 * i - 1)::text), '${placeholders.button}', (3 * i)::text),
  '${placeholders.gateway}', 'g' || lpad(i::text, 6, '0'))::jsonb`
const variantParameters = (all: StateVariant[]) => [
  all.map(({ state }) => JSON.stringify(state)),
  all.map(({ wakeAt }) => wakeAt),
]
