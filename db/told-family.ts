import { recordStaffChange } from './people.js'
import type { Database } from './pool.js'

type By = { by: string; communityIds: string[]; now: Date }

/**
 * Makes a family member somebody who is told of alerts, where the resident allows it. Returns the id of the person whose
 * channels can then be set, undefined where the resident does not allow it or is none of these communities'.
 */
export function tellFamily(db: Database, p: { familyMemberId: string } & By): Promise<string | undefined> {
  const staffId = `family:${p.familyMemberId}`
  return db.transaction(async (tx) => {
    const { rowCount } = await tx.query(
      `with member as (
         select f.* from family_members f join residents r using (resident_id)
          where f.family_member_id = $1 and f.sees_alerts and r.community_id = any($2) and r.left_at is null
            for no key update of f
       )
       insert into staff (staff_id, name, role, phone, language) select $3, name, 'family', phone, language from member
       on conflict (staff_id) do update set disabled_at = null, name = excluded.name, phone = excluded.phone, language = excluded.language`,
      [p.familyMemberId, p.communityIds, staffId],
    )
    if (rowCount === 0) return undefined
    await tx.query('update family_members set staff_id = $2 where family_member_id = $1', [p.familyMemberId, staffId])
    await recordStaffChange(tx, { staffId, by: p.by, now: p.now, what: 'added' })
    return staffId
  })
}

/**
 * Whether the family member is asked to phone when the home is silent for longer than usual, before anybody is paged.
 * False where this is nobody of these communities' residents, or is not told of alerts.
 */
export function setAgreedToAsk(db: Database, p: { staffId: string; agreed: boolean } & By): Promise<boolean> {
  return db.transaction(async (tx) => {
    const { rows } = await tx.query<{ changed: boolean }>(
      `with member as (
         select f.family_member_id, f.agreed_to_ask from family_members f join residents r using (resident_id)
          where f.staff_id = $1 and r.community_id = any($2) and r.left_at is null and (f.sees_alerts or not $3) for no key update of f
       ), changed as (
         update family_members f set agreed_to_ask = $3 from member m where f.family_member_id = m.family_member_id
       )
       select agreed_to_ask <> $3 as changed from member`,
      [p.staffId, p.communityIds, p.agreed],
    )
    if (rows.length === 0) return false
    if (rows[0]!.changed) await recordStaffChange(tx, { ...p, what: p.agreed ? 'agreed to ask' : 'not asked' })
    return true
  })
}

/** The family member is told of nothing any longer, and the channels are forgotten. The private page stays. */
export function stopTellingFamily(db: Database, p: { staffId: string } & By): Promise<boolean> {
  return db.transaction(async (tx) => {
    const { rowCount } = await tx.query(
      `update family_members f set staff_id = null, agreed_to_ask = false from residents r
        where r.resident_id = f.resident_id and f.staff_id = $1 and r.community_id = any($2)`,
      [p.staffId, p.communityIds],
    )
    if (rowCount === 0) return false
    await tx.query('update staff set disabled_at = $2 where staff_id = $1', [p.staffId, p.now])
    await tx.query('delete from staff_channels where staff_id = $1', [p.staffId])
    await recordStaffChange(tx, { ...p, what: 'ended' })
    return true
  })
}
