import type { Chain, ChainRole, Person } from '../alerts/escalation.js'
import type { Queryable } from './pool.js'

const roles: ChainRole[] = ['responsible', 'on duty', 'supervisor']

/** Of the people who may be told, the chain: each once in a role, in an order that no collation decides. Pure. */
export function chainOfCandidates(candidates: readonly { role: ChainRole; person: Person }[]): Chain {
  return roles.map((role) => {
    const people = new Map(candidates.filter((c) => c.role === role).map(({ person }) => [person.staffId, person]))
    return { role, people: [...people.values()].sort((a, b) => (a.staffId < b.staffId ? -1 : 1)) }
  })
}

/**
 * The chain of a resident at `now`: responsible social worker, colleagues on duty, supervisors of the community; people
 * who left are not in it. Each with their channels in their own order.
 */
export async function loadChain(tx: Queryable, { residentId, now }: { residentId: string; now: Date }): Promise<Chain> {
  const { rows } = await tx.query<{
    role: ChainRole
    staff_id: string
    channels: { position: number; kind: string }[]
  }>(
    `with candidates as (
       select 'responsible' as role, responsible_staff_id as staff_id from residents where resident_id = $1
       union all
       select 'on duty', s.staff_id from duty_shifts s join residents r using (community_id)
        where r.resident_id = $1 and s.starts_at <= $2 and $2 < s.ends_at
       union all
       select 'supervisor', c.staff_id from staff_communities c join residents r using (community_id)
         join staff using (staff_id) where r.resident_id = $1 and staff.role = 'supervisor'
     )
     select distinct c.role, c.staff_id,
            coalesce((select jsonb_agg(jsonb_build_object('position', position, 'kind', kind) order by position)
                        from staff_channels h where h.staff_id = c.staff_id), '[]') as channels
       from candidates c join staff s on s.staff_id = c.staff_id and s.disabled_at is null`,
    [residentId, now],
  )
  return chainOfCandidates(
    rows.map(({ role, staff_id, channels }) => ({ role, person: { staffId: staff_id, channels } })),
  )
}

/** How many people who may be paged have no channel of these kinds. */
export async function countUnreachable(db: Queryable, { channelKinds }: { channelKinds: string[] }): Promise<number> {
  const { rows } = await db.query<{ n: number }>(
    `select count(*) as n from staff s where disabled_at is null and role <> 'operator'
        and not exists (select from staff_channels c where c.staff_id = s.staff_id and c.kind = any($1))`,
    [channelKinds],
  )
  return rows[0]!.n
}
