import { createHash, randomBytes } from 'node:crypto'
import type { Database, Queryable } from './pool.js'

export type FamilyMember = {
  familyMemberId: string
  name: string
  relation: string | null
  phone: string | null
  seesAlerts: boolean
  seesWeek: boolean
  /** May set away mode and say "I am here" from the private page. */
  maySetAway: boolean
  /** When the link that works now was issued; null: there is none. */
  linkSince: Date | null
}

export type FamilyView = {
  familyMemberId: string
  seesAlerts: boolean
  seesWeek: boolean
  /** May set away mode and say "I am here" from the private page. */
  maySetAway: boolean
  residentId: string
  residentName: string
  timeZone: string
  responsible: { name: string; phone: string | null } | null
}

const tokenBytes = 32
const tokenPattern = /^[A-Za-z0-9_-]{43}$/
const hashOf = (token: string) => createHash('sha256').update(token).digest()

/**
 * A new private link for a family member; links issued before stop working in the same transaction. The token is
 * returned once: the database holds only its hash.
 */
export function issueFamilyLink(
  db: Database,
  { familyMemberId, now }: { familyMemberId: string; now: Date },
): Promise<string> {
  const token = randomBytes(tokenBytes).toString('base64url')
  return db.transaction(async (tx) => {
    await revokeFamilyLinks(tx, { familyMemberId, now })
    await tx.query('insert into family_links (token_hash, family_member_id, created_at) values ($1, $2, $3)', [
      hashOf(token),
      familyMemberId,
      now,
    ])
    return token
  })
}

/** Ends every link of a family member. */
export async function revokeFamilyLinks(
  db: Queryable,
  { familyMemberId, now }: { familyMemberId: string; now: Date },
): Promise<void> {
  await db.query('update family_links set revoked_at = $2 where family_member_id = $1 and revoked_at is null', [
    familyMemberId,
    now,
  ])
}

/** Whom a link shows, and what of them; undefined for a token that is unknown, revoked or malformed. */
export async function findFamilyLink(db: Queryable, token: string): Promise<FamilyView | undefined> {
  if (!tokenPattern.test(token)) return undefined
  const { rows } = await db.query<
    Omit<FamilyView, 'responsible'> & { staffName: string | null; staffPhone: string | null }
  >(
    `select f.family_member_id as "familyMemberId", f.sees_alerts as "seesAlerts", f.sees_week as "seesWeek",
            f.may_set_away as "maySetAway", r.resident_id as "residentId", r.name as "residentName", r.time_zone as "timeZone",
            s.name as "staffName", s.phone as "staffPhone"
       from family_links l join family_members f using (family_member_id) join residents r using (resident_id)
       left join staff s on s.staff_id = r.responsible_staff_id and s.disabled_at is null
      where l.token_hash = $1 and l.revoked_at is null and r.left_at is null`,
    [hashOf(token)],
  )
  const row = rows[0]
  if (!row) return undefined
  const { staffName, staffPhone, ...view } = row
  return { ...view, responsible: staffName === null ? null : { name: staffName, phone: staffPhone } }
}

/** The family of a resident, with whether each has a working link. */
export async function familyOf(db: Queryable, residentId: string): Promise<FamilyMember[]> {
  const { rows } = await db.query<FamilyMember>(
    `select f.family_member_id as "familyMemberId", f.name, f.relation, f.phone, f.sees_alerts as "seesAlerts",
            f.sees_week as "seesWeek", f.may_set_away as "maySetAway",
            (select max(l.created_at) from family_links l
              where l.family_member_id = f.family_member_id and l.revoked_at is null) as "linkSince"
       from family_members f where f.resident_id = $1 order by f.name, f.family_member_id`,
    [residentId],
  )
  return rows
}

/** Gives a family member of this resident the right to set away mode, or takes it; false where there is no such member. */
export async function setMaySetAway(
  db: Queryable,
  p: { residentId: string; familyMemberId: string; allowed: boolean },
): Promise<boolean> {
  const { rowCount } = await db.query(
    'update family_members set may_set_away = $3 where family_member_id = $2 and resident_id = $1',
    [p.residentId, p.familyMemberId, p.allowed],
  )
  return rowCount === 1
}

/** Local dates (YYYY-MM-DD) since `since` on which an alert that a person had to look at was opened. */
export async function alertDates(
  db: Queryable,
  { residentId, timeZone, since }: { residentId: string; timeZone: string; since: Date },
): Promise<Set<string>> {
  const { rows } = await db.query<{ date: string }>(
    `select distinct to_char(opened_at at time zone $2, 'YYYY-MM-DD') as date from alerts
      where resident_id = $1 and opened_at >= $3 and severity <> 'notice' and outcome is distinct from 'test'`,
    [residentId, timeZone, since],
  )
  return new Set(rows.map(({ date }) => date))
}
