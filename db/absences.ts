import type { EpochMs, WordArrival } from '../alerts/model.js'
import { recordLook } from './access-log.js'
import type { Database, Queryable } from './pool.js'
import { isUndoable, lockResident, noteOnSilences, type UndoneResult, unsay, type Who } from './said.js'
import { handWord } from './words.js'

export const noteCharsMax = 200
/** Who is away for longer has moved out. */
export const awayDaysMax = 60

export type EndedWhy = 'activity' | 'expired' | 'person' | 'undone'
export type Absence = {
  absenceId: number
  from: Date
  until: Date
  note: string
  /** Who set it; `isFamily`: from a private page. */
  by: string
  isFamily: boolean
  /** Of whoever set it: who may take it back within a minute. */
  byId: string
  endedAt: Date | null
  endedWhy: EndedWhy | null
  endedBy: string | null
}

const columns = `a.absence_id as "absenceId", a.from_at as "from", a.until_at as "until", a.note,
  coalesce(s.name, f.name) as by, a.family_member_id is not null as "isFamily",
  coalesce(a.staff_id, a.family_member_id) as "byId",
  a.ended_at as "endedAt", a.ended_why as "endedWhy", coalesce(es.name, ef.name) as "endedBy"`
const tables = `absences a left join staff s on s.staff_id = a.staff_id
  left join family_members f on f.family_member_id = a.family_member_id
  left join staff es on es.staff_id = a.ended_by_staff left join family_members ef on ef.family_member_id = a.ended_by_family`

/** The away mode that runs at `now`; what has expired runs no longer, though the rules may not have said so yet. */
export async function runningAbsence(
  db: Queryable,
  { residentId, now }: { residentId: string; now: Date },
): Promise<Absence | null> {
  const { rows } = await db.query<Absence>(
    `select ${columns} from ${tables} where a.resident_id = $1 and a.ended_at is null and a.until_at > $2`,
    [residentId, now],
  )
  return rows[0] ?? null
}

/** What is over, newest first, with how many there are in all. */
export async function pastAbsences(
  db: Queryable,
  { residentId, now, rowsMax }: { residentId: string; now: Date; rowsMax: number },
): Promise<{ absences: Absence[]; total: number }> {
  const { rows } = await db.query<Absence & { total: number }>(
    `select ${columns}, count(*) over ()::int as total from ${tables}
      where a.resident_id = $1 and (a.ended_at is not null or a.until_at <= $2) order by a.from_at desc limit $3`,
    [residentId, now, rowsMax],
  )
  return {
    absences: rows.map(({ total: _, ...absence }) =>
      absence.endedWhy === null ? { ...absence, endedAt: absence.until, endedWhy: 'expired' as const } : absence,
    ),
    total: rows[0]?.total ?? 0,
  }
}

export type SetResult =
  /** `changed`: another end or note of the one that ran; `same`: the form came twice. */
  { kind: 'set' | 'changed' | 'same' } | { kind: 'missing' }

/**
 * Sets away mode from now on, or gives the one that runs another end: the row, the word for the rules, what it does to
 * open alerts about silence, and the entry in the access log, in one transaction. The caller has checked who asks, and that
 * `until` lies ahead.
 */
export function setAway(db: Database, p: Who & { until: Date; note: string }): Promise<SetResult> {
  const { residentId, by, now, until, note } = p
  return db.transaction(async (tx): Promise<SetResult> => {
    if (!(await lockResident(tx, residentId))) return { kind: 'missing' }
    const open = await openAbsence(tx, residentId)
    if (open && open.until > now) {
      if (open.until.getTime() === until.getTime() && open.note === note) return { kind: 'same' }
      await tx.query('update absences set until_at = $2, note = $3 where absence_id = $1', [
        open.absenceId,
        until,
        note,
      ])
      await tell(tx, { ...p, from: open.from })
      return { kind: 'changed' }
    }
    // The rules have not got to it yet.
    if (open)
      await finishAbsence(tx, { residentId, from: open.from.getTime(), at: open.until.getTime(), why: 'expired' })
    const { rows } = await tx.query<{ from: Date }>(
      `insert into absences (resident_id, from_at, until_at, staff_id, family_member_id, note)
       select $1, greatest($2, max(from_at) + interval '1 millisecond'), $3, $4, $5, $6 from absences where resident_id = $1
       returning from_at as "from"`,
      [residentId, now, until, by.staffId ?? null, by.familyMemberId ?? null, note],
    )
    await tell(tx, { ...p, from: rows[0]!.from })
    return { kind: 'set' }
  })

  async function tell(tx: Queryable, { from }: { from: Date }): Promise<void> {
    const word: WordArrival = {
      type: 'away',
      from: from.getTime(),
      until: until.getTime(),
      receivedAt: now.getTime(),
    }
    await handWord(tx, { residentId, word })
    await noteOnSilences(tx, p, { kind: 'away set', detail: { until: until.toISOString() } })
    await recordLook(tx, { residentId, page: 'away set', now, ...by })
  }
}

/** A person says that the resident is back. False where nothing runs any more. */
export function endAway(db: Database, { residentId, by, now }: Who): Promise<boolean> {
  return db.transaction(async (tx) => {
    if (!(await lockResident(tx, residentId))) return false
    const { rowCount } = await tx.query(
      `update absences set ended_at = $2, ended_why = 'person', ended_by_staff = $3, ended_by_family = $4
        where resident_id = $1 and ended_at is null and until_at > $2`,
      [residentId, now, by.staffId ?? null, by.familyMemberId ?? null],
    )
    if (rowCount === 0) return false
    await handWord(tx, { residentId, word: { type: 'back', receivedAt: now.getTime() } })
    await recordLook(tx, { residentId, page: 'away ended', now, ...by })
    return true
  })
}

/** Takes back, within a minute, what this person set: the rules go on as if it had not been said. */
export function undoAway(db: Database, { residentId, by, now }: Who): Promise<UndoneResult> {
  return db.transaction(async (tx): Promise<UndoneResult> => {
    if (!(await lockResident(tx, residentId))) return 'nothing'
    const open = await openAbsence(tx, residentId)
    if (!open || open.byId !== (by.staffId ?? by.familyMemberId)) return 'nothing'
    if (!isUndoable(open.from, now)) return 'too late'
    await tx.query(
      `update absences set ended_at = $2, ended_why = 'undone', ended_by_staff = $3, ended_by_family = $4 where absence_id = $1`,
      [open.absenceId, now, by.staffId ?? null, by.familyMemberId ?? null],
    )
    await unsay(tx, { residentId, by, now }, { word: 'away', at: open.from })
    return 'undone'
  })
}

/** The rules found that the away mode which began at `from` is over. One that was given a later end meanwhile goes on. */
export async function finishAbsence(
  tx: Queryable,
  { residentId, from, at, why }: { residentId: string; from: EpochMs; at: EpochMs; why: 'activity' | 'expired' },
): Promise<void> {
  await tx.query(
    `update absences set ended_at = $3, ended_why = $4
      where resident_id = $1 and from_at = $2 and ended_at is null and ($4 = 'activity' or until_at <= $3)`,
    [residentId, new Date(from), new Date(at), why],
  )
}

async function openAbsence(tx: Queryable, residentId: string) {
  const { rows } = await tx.query<{ absenceId: number; from: Date; until: Date; note: string; byId: string }>(
    `select absence_id as "absenceId", from_at as "from", until_at as "until", note,
            coalesce(staff_id, family_member_id) as "byId"
       from absences where resident_id = $1 and ended_at is null for update`,
    [residentId],
  )
  return rows[0]
}
