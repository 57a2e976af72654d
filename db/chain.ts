import {
  assembleChain,
  type Candidate,
  type Chain,
  isPaged,
  needsEverybody,
  type Person,
  syntheticPolicy,
} from '../alerts/chain.js'
import type { Severity } from '../alerts/model.js'
import { policyOf } from '../alerts/policy.js'
import { type QuietHours, quietUntil } from '../alerts/quiet-hours.js'
import { onDutyAt, type Roster } from '../alerts/roster.js'
import type { Queryable } from './pool.js'
import { rosterNowJson, rosterNowParts, rosterNowStaff } from './roster-now.js'

/** What is known of how a person is reached, as the database and the edge's directory say it. */
export type PersonRow = { staffId: string; channels: Person['channels']; quiet: QuietHours | null }

/** As the chain sees a person at `now`, in ms. Pure. */
export const personOf = ({ staffId, channels, quiet }: PersonRow, now: number): Person => ({
  staffId,
  channels: channels.map(({ position, kind }) => ({ position, kind })),
  quietUntil: quiet ? quietUntil(quiet, now) : null,
})

/** In the person's own order; what was refused for good comes last. */
export const channelOrder = '(broken_at is not null), position'
export const quietColumn = `case when quiet_from is not null
       then json_build_object('from', quiet_from, 'until', quiet_until, 'timeZone', quiet_zone) end`
const personColumns = `s.staff_id as "staffId",
            coalesce((select json_agg(json_build_object('position', position, 'kind', kind) order by ${channelOrder})
                        from staff_channels h where h.staff_id = s.staff_id), '[]') as channels,
            ${quietColumn} as quiet`

/** Who works in a community and can be called to a door. */
export const isColleague = `s.role in ('supervisor', 'social_worker')`

type CandidateRow = {
  role: Candidate['role'] | null
  policy: unknown
  synthetic: boolean
  /** In one of the rows. */
  roster: Roster | null
} & PersonRow

/**
 * The chain of a resident for alerts of this severity at `now`: the community's policy with its people, each with their
 * channels in their own order; people who left are not in it. null where nobody is told of such alerts.
 * `everybody`: the last resort is needed, though the chain holds people.
 */
export async function loadChain(
  tx: Queryable,
  p: { residentId: string; severity: Severity; now: Date; everybody?: boolean },
): Promise<Chain | null> {
  const { residentId, severity, now } = p
  if (!isPaged(severity)) return null
  const { rows } = await tx.query<CandidateRow>(
    `with r as (select resident_id, community_id, responsible_staff_id, synthetic, c.time_zone
                  from residents join communities c using (community_id) where resident_id = $1),
     p as (select policy from escalation_policies join r using (community_id) where severity = $2),
     ${rosterNowParts('$3')},
     candidates as (
       select 'responsible' as role, responsible_staff_id as staff_id from r
       union all
       select 'on duty', d.staff_id from (${rosterNowStaff}) d
       union all
       select 'supervisor', c.staff_id from staff_communities c join r using (community_id) join staff using (staff_id)
        where staff.role = 'supervisor'
       union all
       select 'neighbour', v.staff_id from resident_volunteers v join r using (resident_id)
       union all
       select 'family', f.staff_id from family_members f join r using (resident_id) where f.sees_alerts
       union all
       select 'named', jsonb_path_query(policy, '$.steps[*].to[*].staffId') #>> '{}' from p
     )
     select c.role, (select policy from p) as policy, r.synthetic, ${personColumns},
            case when row_number() over () = 1 then ${rosterNowJson} end as roster
       from r left join (candidates c join staff s on s.staff_id = c.staff_id and s.disabled_at is null) on true`,
    [residentId, severity, now],
  )
  const first = rows[0]
  const policy = first?.synthetic ? syntheticPolicy : policyOf(severity, first?.policy)
  const roster = rows.find((row) => row.roster !== null)?.roster
  const onDuty = roster ? onDutyAt(roster, now.getTime()) : []
  const candidates = rows.flatMap(({ role, ...row }): Candidate[] =>
    role === null || (role === 'on duty' && !onDuty.includes(row.staffId))
      ? []
      : [{ role, person: personOf(row, now.getTime()) }],
  )
  const chain = assembleChain(policy, candidates)
  if (first?.synthetic || !(p.everybody || needsEverybody(chain))) return chain
  return assembleChain(policy, [...candidates, ...(await loadEverybody(tx, { residentId, now }))])
}

/** The colleagues of the resident's community, and the operators. */
async function loadEverybody(tx: Queryable, p: { residentId: string; now: Date }): Promise<Candidate[]> {
  const { rows } = await tx.query<{ role: 'everybody' | 'operator' } & PersonRow>(
    `select 'everybody' as role, ${personColumns}
       from residents r join staff_communities c using (community_id) join staff s using (staff_id)
      where r.resident_id = $1 and s.disabled_at is null and ${isColleague}
     union all
     select 'operator', ${personColumns} from staff s where s.role = 'operator' and s.disabled_at is null`,
    [p.residentId],
  )
  return rows.map(({ role, ...row }) => ({ role, person: personOf(row, p.now.getTime()) }))
}

/** How many people who may be paged have no channel of these kinds. */
export async function countUnreachable(db: Queryable, { channelKinds }: { channelKinds: string[] }): Promise<number> {
  const { rows } = await db.query<{ n: number }>(
    `select count(*) as n from staff s where disabled_at is null and role in ('supervisor', 'social_worker')
        and not exists (select from staff_channels c where c.staff_id = s.staff_id and c.kind = any($1))`,
    [channelKinds],
  )
  return rows[0]!.n
}
