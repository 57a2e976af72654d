import { undoMsMax } from '../alerts/lifecycle.js'
import { recordLook } from './access-log.js'
import type { Database, Queryable } from './pool.js'
import { lockResident, noteOnSilences, type UndoneResult, unsay, type Who } from './said.js'
import { handWord } from './words.js'

export type SaidWord = 'visit' | 'spoken'
export type Said = { what: SaidWord; at: Date; by: string; byId: string; isFamily: boolean }

/** What was said of a resident since `since` and not taken back, newest first. */
export async function lastSaid(
  db: Queryable,
  { residentId, since, rowsMax = 5 }: { residentId: string; since: Date; rowsMax?: number },
): Promise<Said[]> {
  const { rows } = await db.query<Said>(
    `select v.what, v.at, coalesce(s.name, f.name) as by, coalesce(v.staff_id, v.family_member_id) as "byId",
            v.family_member_id is not null as "isFamily"
       from visits v left join staff s using (staff_id) left join family_members f using (family_member_id)
      where v.resident_id = $1 and v.at > $2 and v.undone_at is null order by v.at desc, v.visit_id desc limit $3`,
    [residentId, since, rowsMax],
  )
  return rows
}

/**
 * "I am here", or "I spoke with them, all is well": the row, the word for the rules, a line in the history of open alerts
 * about silence, and the entry in the access log, in one transaction. Twice within a minute is once.
 */
export function sayOf(db: Database, p: Who & { what: SaidWord }): Promise<'said' | 'same' | 'missing'> {
  const { residentId, what, by, now } = p
  return db.transaction(async (tx) => {
    if (!(await lockResident(tx, residentId))) return 'missing'
    if (await newestOwn(tx, p, what)) return 'same'
    await tx.query(
      'insert into visits (resident_id, what, at, staff_id, family_member_id) values ($1, $2, $3, $4, $5)',
      [residentId, what, now, by.staffId ?? null, by.familyMemberId ?? null],
    )
    await handWord(tx, { residentId, word: { type: what, at: now.getTime(), receivedAt: now.getTime() } })
    await noteOnSilences(tx, p, { kind: `said ${what}`, detail: {} })
    await recordLook(tx, { residentId, page: `said ${what}`, now, ...by })
    return 'said'
  })
}

/** Takes back, within a minute, what this person said last. */
export function undoSaid(db: Database, p: Who): Promise<UndoneResult> {
  const { residentId, now } = p
  return db.transaction(async (tx): Promise<UndoneResult> => {
    if (!(await lockResident(tx, residentId))) return 'nothing'
    const own = await newestOwn(tx, p)
    if (!own) return 'too late'
    await tx.query('update visits set undone_at = $2 where visit_id = $1', [own.visitId, now])
    await unsay(tx, p, { word: own.what, at: own.at })
    return 'undone'
  })
}

/** What this person said last within the minute in which it can be taken back. */
async function newestOwn(tx: Queryable, { residentId, by, now }: Who, what?: SaidWord) {
  const { rows } = await tx.query<{ visitId: number; what: SaidWord; at: Date }>(
    `select visit_id as "visitId", what, at from visits
      where resident_id = $1 and staff_id is not distinct from $2 and family_member_id is not distinct from $3
        and undone_at is null and at >= $4 and ($5::text is null or what = $5)
      order by at desc, visit_id desc limit 1`,
    [residentId, by.staffId ?? null, by.familyMemberId ?? null, new Date(now.getTime() - undoMsMax), what ?? null],
  )
  return rows[0]
}
