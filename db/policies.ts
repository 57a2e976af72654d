import { type PagedSeverity, type Policy, pagedSeverities, policyOf } from '../alerts/policy.js'
import type { Queryable } from './pool.js'

export type StoredPolicy = {
  severity: PagedSeverity
  policy: Policy
  /** null: the defaults stand. */
  changed: { at: Date; by: string | null } | null
}

/** What stands for each severity in a community, the worst first. The caller has checked that the viewer belongs to it. */
export async function listPolicies(db: Queryable, { communityId }: { communityId: string }): Promise<StoredPolicy[]> {
  const { rows } = await db.query<{ severity: PagedSeverity; policy: unknown; changed_at: Date; name: string | null }>(
    `select severity, policy, changed_at, s.name from escalation_policies p left join staff s on s.staff_id = p.changed_by
      where community_id = $1`,
    [communityId],
  )
  return pagedSeverities.map((severity) => {
    const row = rows.find((each) => each.severity === severity)
    return {
      severity,
      policy: policyOf(severity, row?.policy),
      changed: row ? { at: row.changed_at, by: row.name } : null,
    }
  })
}

/** Stores a policy that `checkPolicy` has passed; it stands from the next step of any alert on. */
export async function savePolicy(
  tx: Queryable,
  p: { communityId: string; severity: PagedSeverity; policy: Policy; staffId: string; now: Date },
): Promise<void> {
  await tx.query(
    `insert into escalation_policies (community_id, severity, policy, changed_at, changed_by) values ($1, $2, $3, $4, $5)
     on conflict (community_id, severity) do update set policy = $3, changed_at = $4, changed_by = $5`,
    [p.communityId, p.severity, JSON.stringify(p.policy), p.now, p.staffId],
  )
}

/** Back to the defaults. */
export async function resetPolicy(tx: Queryable, p: { communityId: string; severity: PagedSeverity }): Promise<void> {
  await tx.query('delete from escalation_policies where community_id = $1 and severity = $2', [
    p.communityId,
    p.severity,
  ])
}

export type NamedPerson = { staffId: string; name: string }

/** Whom a policy of this community may name: its colleagues, and volunteers of its residents. */
export async function listNameable(db: Queryable, { communityId }: { communityId: string }): Promise<NamedPerson[]> {
  const { rows } = await db.query<NamedPerson>(
    `select s.staff_id as "staffId", s.name from staff s
      where s.disabled_at is null and (
            (s.role in ('supervisor', 'social_worker')
             and exists (select from staff_communities c where c.staff_id = s.staff_id and c.community_id = $1))
         or (s.role = 'volunteer'
             and exists (select from resident_volunteers v join residents r using (resident_id)
                          where v.staff_id = s.staff_id and r.community_id = $1)))
      order by s.name, s.staff_id`,
    [communityId],
  )
  return rows
}
