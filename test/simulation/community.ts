import type { EpochMs } from '../../alerts/model.js'
import { defaultPolicies, type PagedSeverity, pagedSeverities } from '../../alerts/policy.js'
import type { Database } from '../../db/pool.js'
import type { Policies, Roster } from './history.js'
import { hourMs, type Plan } from './plan.js'
import { people } from './plan-community.js'

const community = 'sim'
const timeZone = 'Asia/Shanghai'
const shiftMs = 8 * hourMs
/** The colleagues on duty take turns; a fourth shift has nobody. */
const turns = ['bo', 'chen', 'anna', undefined] as const

const responsibleOf = (index: number) => (['anna', 'bo', 'emil'] as const)[index % 3]!
const onDutyAt = (start: EpochMs, at: EpochMs) => turns[Math.floor((at - start) / shiftMs) % turns.length]
const clockText = (hour: number) => `${String(hour).padStart(2, '0')}:00`

/** Empties the database and writes the people and homes of a plan into it. */
export async function settleCommunity(db: Database, plan: Plan): Promise<void> {
  const { rows } = await db.query<{ name: string }>(
    `select tablename as name from pg_tables where schemaname = 'public' and tablename <> 'schema_migrations'`,
  )
  const tables = rows.map(({ name }) => `"${name}"`).filter((name) => !/migration/.test(name))
  await db.query(`truncate ${tables.join(', ')} restart identity cascade`)
  const { start, end } = plan
  const { policies, quiet, volunteerAt, familyAt } = plan.community
  await db.query(`insert into communities (community_id, name, time_zone) values ($1, '示例社区', $2)`, [
    community,
    timeZone,
  ])
  for (const { id, role, channels } of people) {
    const hours = quiet[id]
    const isColleague = role === 'social_worker' || role === 'supervisor'
    await db.query(
      `insert into staff (staff_id, name, role, login, password_hash, quiet_from, quiet_until, quiet_zone)
       values ($1, '示例·' || $1, $2, case when $3 then $1 end, case when $3 then 'none' end, $4, $5, $6)`,
      [id, role, isColleague, hours && clockText(hours.from), hours && clockText(hours.until), hours && timeZone],
    )
    if (isColleague)
      await db.query('insert into staff_communities (staff_id, community_id) values ($1, $2)', [id, community])
    for (const [index, kind] of channels.entries())
      await db.query('insert into staff_channels (staff_id, position, kind, address) values ($1, $2, $3, $4)', [
        id,
        index + 1,
        kind,
        `${kind}:${id}`,
      ])
  }
  for (const severity of pagedSeverities)
    if (policies[severity])
      await db.query(
        'insert into escalation_policies (community_id, severity, policy, changed_at) values ($1, $2, $3, $4)',
        [community, severity, JSON.stringify(policies[severity]), new Date(start)],
      )
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
    if (volunteerAt.includes(index))
      await db.query(`insert into resident_volunteers (resident_id, staff_id, agreed_at) values ($1, 'fay', $2)`, [
        residentId,
        new Date(start),
      ])
    if (familyAt === index)
      await db.query(
        `insert into family_members (family_member_id, resident_id, name, staff_id) values ('gao', $1, '示例·女儿', 'gao')`,
        [residentId],
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
  const { quiet, volunteerAt, familyAt } = plan.community
  const channels = (staffId: string) => people.find(({ id }) => id === staffId)!.channels
  const reachable = (ids: (string | undefined)[]) =>
    ids.filter((id) => id !== undefined && channels(id).length > 0) as string[]
  const ofRole = (...roles: string[]) => people.filter(({ role }) => roles.includes(role)).map(({ id }) => id)
  const indexOf = new Map(plan.homes.map(({ residentId }, index) => [residentId, index]))
  return (residentId, at) => {
    const index = indexOf.get(residentId)!
    const onDuty = onDutyAt(plan.start, at)
    const everybody = reachable(ofRole('social_worker', 'supervisor'))
    const ofTarget = {
      responsible: [responsibleOf(index)],
      'on duty': [onDuty],
      supervisor: ofRole('supervisor'),
      neighbour: volunteerAt.includes(index) ? ['fay'] : [],
      everybody,
    }
    return {
      of: (target) => reachable(typeof target === 'string' ? ofTarget[target] : [target.staffId]),
      family: familyAt === index ? reachable(['gao']) : [],
      everybody,
      channels,
      wakesAt: (staffId) => {
        const hours = quiet[staffId]
        // Who is on duty is awake.
        return hours && staffId !== onDuty ? endOfQuiet(hours, at) : null
      },
    }
  }
}

/** When the quiet hours that `at` lies in end; null where it lies in none. China has no summer time. */
function endOfQuiet({ from, until }: { from: number; until: number }, at: EpochMs): EpochMs | null {
  const day = 24 * hourMs
  const midnight = Math.floor((at + 8 * hourMs) / day) * day - 8 * hourMs
  const hour = (at - midnight) / hourMs
  if (hour >= from) return midnight + day + until * hourMs
  return hour < until ? midnight + until * hourMs : null
}

export const policiesOf = ({ community: { policies } }: Plan): Policies =>
  Object.fromEntries(
    pagedSeverities.map((severity) => [severity, policies[severity] ?? defaultPolicies[severity]]),
  ) as Record<PagedSeverity, (typeof defaultPolicies)[PagedSeverity]>
