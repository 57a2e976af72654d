import type { Language } from '../alerts/model.js'
import type { Queryable } from './pool.js'

export type Staff = {
  staffId: string
  name: string
  role: 'operator' | 'supervisor' | 'social_worker'
  language: Language
  communityIds: string[]
}

/** Columns of `staff`, with the communities in the same row. */
export const staffColumns = `staff.staff_id as "staffId", staff.name, staff.role, staff.language,
  array(select community_id from staff_communities c where c.staff_id = staff.staff_id order by 1) as "communityIds"`

/** By login, with the hash to check the password against; null when there is none or it is disabled. */
export async function findStaffByLogin(
  db: Queryable,
  { login }: { login: string },
): Promise<(Staff & { passwordHash: string }) | null> {
  const { rows } = await db.query(
    `select ${staffColumns}, password_hash as "passwordHash" from staff where login = $1 and disabled_at is null`,
    [login],
  )
  return (rows[0] as (Staff & { passwordHash: string }) | undefined) ?? null
}
