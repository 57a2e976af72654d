import type { Queryable } from '../pool.js'

/**
 * Lets the staff of one community look after another too: they see it, and residents without a responsible social worker
 * get one of them. Does nothing where the first community has no staff.
 */
export async function lendStaff(db: Queryable, { from, to }: { from: string; to: string }): Promise<void> {
  await db.query(
    `insert into staff_communities (staff_id, community_id)
     select staff_id, $2 from staff_communities where community_id = $1 on conflict do nothing`,
    [from, to],
  )
  await db.query(
    `update residents set responsible_staff_id = (
       select min(staff_id) from staff join staff_communities using (staff_id) where community_id = $1 and role = 'social_worker')
      where community_id = $2 and responsible_staff_id is null`,
    [from, to],
  )
}
