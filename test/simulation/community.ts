import type { EpochMs } from '../../alerts/model.js'
import type { Database } from '../../db/pool.js'
import type { Roster } from './history.js'
import { hourMs, type Plan } from './plan.js'

const community = 'sim'
/** Who looks after the homes, with their channels in their own order; the last has none. */
const people = [
  { id: 'anna', role: 'social_worker', channels: ['webhook', 'email'] },
  { id: 'bo', role: 'social_worker', channels: ['webhook'] },
  { id: 'chen', role: 'social_worker', channels: ['email', 'webhook'] },
  { id: 'dora', role: 'supervisor', channels: ['webhook', 'email'] },
  { id: 'emil', role: 'social_worker', channels: [] },
] as const
const shiftMs = 8 * hourMs
/** The colleagues on duty take turns; a fourth shift has nobody. */
const turns = ['bo', 'chen', 'anna', undefined] as const

const responsibleOf = (index: number) => (['anna', 'bo', 'emil'] as const)[index % 3]!
const onDutyAt = (start: EpochMs, at: EpochMs) => turns[Math.floor((at - start) / shiftMs) % turns.length]

/** Empties the database and writes the people and homes of a plan into it. */
export async function settleCommunity(db: Database, plan: Plan): Promise<void> {
  const { rows } = await db.query<{ name: string }>(
    `select tablename as name from pg_tables where schemaname = 'public' and tablename <> 'schema_migrations'`,
  )
  const tables = rows.map(({ name }) => `"${name}"`).filter((name) => !/migration/.test(name))
  await db.query(`truncate ${tables.join(', ')} restart identity cascade`)
  const { start, end } = plan
  await db.query(`insert into communities (community_id, name, time_zone) values ($1, '示例社区', 'Asia/Shanghai')`, [
    community,
  ])
  for (const { id, role, channels } of people) {
    await db.query(
      `insert into staff (staff_id, name, role, login, password_hash) values ($1, '示例·' || $1, $2, $1, 'none')`,
      [id, role],
    )
    await db.query('insert into staff_communities (staff_id, community_id) values ($1, $2)', [id, community])
    for (const [index, kind] of channels.entries())
      await db.query('insert into staff_channels (staff_id, position, kind, address) values ($1, $2, $3, $4)', [
        id,
        index + 1,
        kind,
        `${kind}:${id}`,
      ])
  }
  for (let from = start; from < end; from += shiftMs) {
    const staffId = onDutyAt(start, from)
    if (staffId)
      await db.query('insert into duty_shifts (community_id, staff_id, starts_at, ends_at) values ($1, $2, $3, $4)', [
        community,
        staffId,
        new Date(from),
        new Date(from + shiftMs),
      ])
  }
  for (const [index, { residentId, gatewayId, home }] of plan.homes.entries()) {
    await db.query(
      `insert into residents (resident_id, community_id, name, address, time_zone, responsible_staff_id)
       values ($1, $2, '示例·' || $1, '示例路', $3, $4)`,
      [residentId, community, home.timeZone, responsibleOf(index)],
    )
    await db.query(`insert into gateways (gateway_id, community_id, secret_hash) values ($1, $2, 'none')`, [
      gatewayId,
      community,
    ])
    for (const [kind, deviceId] of Object.entries(home.devices))
      await db.query(
        'insert into devices (device_id, kind, gateway_id, resident_id, bound_at) values ($1, $2, $3, $4, $5)',
        [deviceId, kind, gatewayId, residentId, new Date(start)],
      )
  }
}

/** Who is to be told in which step: written down once more, from the plan and not from the database. */
export function rosterOf(plan: Plan): Roster {
  const reachable = (ids: (string | undefined)[]) =>
    people.filter(({ id, channels }) => channels.length > 0 && ids.includes(id)).map(({ id }) => id)
  const indexOf = new Map(plan.homes.map(({ residentId }, index) => [residentId, index]))
  return (residentId, at) => [
    reachable([responsibleOf(indexOf.get(residentId)!)]),
    reachable([onDutyAt(plan.start, at)]),
    reachable(['dora']),
  ]
}

/** How many channels a page of an emergency goes through. */
export const channelsOf = (staffId: string): readonly string[] => people.find(({ id }) => id === staffId)!.channels
