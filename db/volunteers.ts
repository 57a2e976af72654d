import { randomUUID } from 'node:crypto'
import type { Language } from '../alerts/model.js'
import { containing } from './contains.js'
import { recordStaffChange } from './people.js'
import type { Database, Queryable } from './pool.js'

/** Who does it, and for whose communities that person may. */
type By = { by: string; communityIds: string[]; now: Date }
export type Neighbour = { residentId: string; name: string; address: string; agreedAt: Date | null }

/** Enters a neighbour or volunteer. Without a login: this person is told, and answers by the link. Returns the id. */
export function addVolunteer(
  db: Database,
  p: { name: string; phone: string | null; language: Language; communityId: string } & By,
): Promise<string> {
  const staffId = `volunteer:${randomUUID()}`
  return db.transaction(async (tx) => {
    await tx.query(`insert into staff (staff_id, name, role, phone, language) values ($1, $2, 'volunteer', $3, $4)`, [
      staffId,
      p.name,
      p.phone,
      p.language,
    ])
    await tx.query('insert into staff_communities (staff_id, community_id) values ($1, $2)', [staffId, p.communityId])
    await recordStaffChange(tx, { staffId, by: p.by, now: p.now, what: 'added' })
    return staffId
  })
}

/** The residents whom a volunteer agreed to go to, of these communities, by name. */
export async function residentsOfVolunteer(
  db: Queryable,
  p: { staffId: string; communityIds: string[] },
): Promise<Neighbour[]> {
  const { rows } = await db.query<Neighbour>(
    `select r.resident_id as "residentId", r.name, r.address, v.agreed_at as "agreedAt"
       from resident_volunteers v join residents r using (resident_id)
      where v.staff_id = $1 and r.community_id = any($2) and r.left_at is null order by r.name, r.resident_id`,
    [p.staffId, p.communityIds],
  )
  return rows
}

/** Residents to whom the volunteer is not assigned, by name or address; at most `limit`, and whether there are more. */
export async function findResidentsFor(
  db: Queryable,
  p: { staffId: string; communityIds: string[]; search: string; limit: number },
): Promise<{ rows: Neighbour[]; more: boolean }> {
  const { rows } = await db.query<Neighbour>(
    `select r.resident_id as "residentId", r.name, r.address, null as "agreedAt" from residents r
      where r.community_id = any($2) and r.left_at is null and not r.synthetic
        and r.community_id in (select community_id from staff_communities where staff_id = $1)
        and ($3 = '' or r.search_text like $3)
        and not exists (select from resident_volunteers v where v.resident_id = r.resident_id and v.staff_id = $1)
      order by r.name, r.resident_id limit $4`,
    [p.staffId, p.communityIds, p.search === '' ? '' : containing(p.search), p.limit + 1],
  )
  return { rows: rows.slice(0, p.limit), more: rows.length > p.limit }
}

/** Notes that a volunteer agreed to go to a resident's door. False where either is none of these communities'. */
export function agreeFor(db: Database, p: { staffId: string; residentId: string } & By): Promise<boolean> {
  return db.transaction(async (tx) => {
    const { rowCount } = await tx.query(
      `insert into resident_volunteers (resident_id, staff_id, agreed_at, added_by)
       select r.resident_id, s.staff_id, $4, $5
         from residents r join staff_communities c using (community_id) join staff s using (staff_id)
        where r.resident_id = $1 and s.staff_id = $2 and r.community_id = any($3) and r.left_at is null
          and s.role = 'volunteer' and s.disabled_at is null
       on conflict do nothing`,
      [p.residentId, p.staffId, p.communityIds, p.now, p.by],
    )
    if (rowCount === 0) return false
    await recordStaffChange(tx, { ...p, what: 'resident added' })
    return true
  })
}

/** The volunteer is no longer asked to go to this resident. */
export function endAgreement(db: Database, p: { staffId: string; residentId: string } & By): Promise<boolean> {
  return db.transaction(async (tx) => {
    const { rowCount } = await tx.query(
      `delete from resident_volunteers v using residents r
        where r.resident_id = v.resident_id and v.resident_id = $1 and v.staff_id = $2 and r.community_id = any($3)`,
      [p.residentId, p.staffId, p.communityIds],
    )
    if (rowCount === 0) return false
    await recordStaffChange(tx, { ...p, what: 'resident removed' })
    return true
  })
}

/** Ends it all: nobody tells this volunteer anything from now on, and the channels are forgotten. */
export function endVolunteer(db: Database, p: { staffId: string } & By): Promise<boolean> {
  return db.transaction(async (tx) => {
    const { rowCount } = await tx.query(
      `update staff s set disabled_at = $3, phone = null where staff_id = $1 and role = 'volunteer' and disabled_at is null
          and exists (select from staff_communities c where c.staff_id = s.staff_id and c.community_id = any($2))`,
      [p.staffId, p.communityIds, p.now],
    )
    if (rowCount === 0) return false
    await tx.query('delete from resident_volunteers where staff_id = $1', [p.staffId])
    await tx.query('delete from staff_channels where staff_id = $1', [p.staffId])
    await recordStaffChange(tx, { ...p, what: 'ended' })
    return true
  })
}
