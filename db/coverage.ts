import type { CoveragePerson, CoverageScene } from '../alerts/coverage.js'
import { pagedSeverities, policyOf } from '../alerts/policy.js'
import { isColleague } from './chain.js'
import type { Queryable } from './pool.js'
import { rosterOf } from './rosters.js'

/**
 * All that tells whether somebody would be told in this community from `from` until `until`.
 * @throws when there is no such community
 */
export async function loadCoverage(
  db: Queryable,
  p: { communityId: string; from: Date; until: Date; channelKinds: readonly string[] | null },
): Promise<CoverageScene> {
  const { communityId, from, until } = p
  const roster = await rosterOf(db, communityId, { from, until })
  const { rows } = await db.query<
    Pick<CoverageScene, 'colleagues' | 'supervisors' | 'residents' | 'responsible' | 'neighbours'> & {
      policies: Record<string, unknown>
    }
  >(
    `with home as (
       select resident_id, responsible_staff_id from residents
        where community_id = $1 and left_at is null and not synthetic
     ), colleague as (
       select s.staff_id, s.role from staff_communities c join staff s using (staff_id)
        where c.community_id = $1 and s.disabled_at is null and ${isColleague}
     )
     select (select count(*)::int from home) as residents,
            coalesce((select json_agg(staff_id order by staff_id) from colleague), '[]') as colleagues,
            coalesce((select json_agg(staff_id order by staff_id) from colleague where role = 'supervisor'), '[]') as supervisors,
            coalesce((select json_agg(json_build_object('staffId', responsible_staff_id, 'residents', n) order by responsible_staff_id)
                        from (select responsible_staff_id, count(*)::int as n from home group by 1) r), '[]') as responsible,
            coalesce((select json_agg(json_build_object('residentId', resident_id, 'staffId', v.staff_id))
                        from home join resident_volunteers v using (resident_id)), '[]') as neighbours,
            coalesce((select json_object_agg(severity, policy) from escalation_policies where community_id = $1), '{}') as policies`,
    [communityId],
  )
  const { policies, ...facts } = rows[0]!
  const followed = Object.fromEntries(
    pagedSeverities.map((severity) => [severity, policyOf(severity, policies[severity])]),
  ) as CoverageScene['policies']
  const meant = new Set([
    ...facts.colleagues,
    ...facts.responsible.flatMap(({ staffId }) => staffId ?? []),
    ...facts.neighbours.map(({ staffId }) => staffId),
    ...roster.weekly.map(({ staffId }) => staffId),
    ...roster.shifts.map(({ staffId }) => staffId),
    ...roster.changes.flatMap(({ standInStaffId }) => standInStaffId ?? []),
    ...Object.values(followed).flatMap(({ steps }) =>
      steps.flatMap(({ to }) => to.flatMap((target) => (typeof target === 'string' ? [] : target.staffId))),
    ),
  ])
  return {
    ...facts,
    roster,
    policies: followed,
    people: await coveragePeople(db, [...meant]),
    from: from.getTime(),
    until: until.getTime(),
    channelKinds: p.channelKinds,
  }
}

async function coveragePeople(db: Queryable, staffIds: string[]): Promise<CoveragePerson[]> {
  if (staffIds.length === 0) return []
  const { rows } = await db.query<CoveragePerson>(
    `select staff_id as "staffId", name, role, disabled_at is not null as gone,
            coalesce((select json_agg(json_build_object('kind', kind, 'brokenReason', broken_reason,
                               'brokenAt', round(extract(epoch from broken_at) * 1000)::float8) order by position)
                        from staff_channels h where h.staff_id = staff.staff_id), '[]') as channels
       from staff where staff_id = any($1) order by name, staff_id`,
    [staffIds],
  )
  return rows
}

export type MorningCommunity = { communityId: string; name: string; timeZone: string }

/** The communities that are watched over, in order. */
export async function listWatchedCommunities(db: Queryable): Promise<MorningCommunity[]> {
  const { rows } = await db.query<MorningCommunity>(
    `select community_id as "communityId", name, time_zone as "timeZone" from communities
      where watches is null order by community_id`,
  )
  return rows
}

/**
 * Takes the morning of a community on `date` (YYYY-MM-DD, local) for the caller, in whose transaction what is to be done
 * is done. False: it was done, by this process or another, or the community is seen for the first time.
 */
export async function takeMorning(
  tx: Queryable,
  { communityId, date, now }: { communityId: string; date: string; now: Date },
): Promise<boolean> {
  const { rows } = await tx.query<{ isNew: boolean }>(
    `insert into mornings (community_id, done_on, done_at) values ($1, $2, $3)
     on conflict (community_id) do update set done_on = excluded.done_on, done_at = excluded.done_at
       where mornings.done_on < excluded.done_on
     returning xmax::text = '0' as "isNew"`,
    [communityId, date, now],
  )
  return rows[0]?.isNew === false
}

/** Who is told in the morning: the supervisors of the community; where it has none, its operators. */
export async function morningReaders(db: Queryable, communityId: string): Promise<string[]> {
  const { rows } = await db.query<{ staffId: string; role: string }>(
    `select s.staff_id as "staffId", s.role from staff_communities c join staff s using (staff_id)
      where c.community_id = $1 and s.disabled_at is null and s.role in ('supervisor', 'operator') order by 1`,
    [communityId],
  )
  const supervisors = rows.filter(({ role }) => role === 'supervisor')
  return (supervisors.length > 0 ? supervisors : rows).map(({ staffId }) => staffId)
}
