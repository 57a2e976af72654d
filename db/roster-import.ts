import type { Database, Queryable } from './pool.js'
import { type Editor, lockRoster, noteEdit } from './roster-edits.js'
import { areRosterStaff } from './rosters.js'

/** A shift from a calendar file, of a person who is known. */
export type ImportedShift = { uid: string; staffId: string; startsAt: Date; endsAt: Date }
/** What an import does, in shifts; `removed`: that the file no longer has. */
export type ImportCounts = { added: number; removed: number; unchanged: number }

/**
 * Takes the shifts of a calendar file over: those of its events (`uids`) that are not over become as it has them, all or
 * none. Shifts that came from nowhere or from other events stay. Importing a file twice changes nothing the second time.
 * `dryRun`: only counts. `unknown`: one of the people is not on this community's staff.
 */
export function importShifts(
  db: Database,
  p: Editor & { shifts: ImportedShift[]; uids: string[]; dryRun?: boolean },
): Promise<ImportCounts | { kind: 'unknown' }> {
  const { communityId, now } = p
  return db.transaction(async (tx) => {
    await lockRoster(tx, p)
    if (!(await areRosterStaff(tx, { communityId, staffIds: p.shifts.map(({ staffId }) => staffId) })))
      return { kind: 'unknown' as const }
    const stored = await findStored(tx, p)
    const wanted = longestOfEach(p.shifts)
    const storedKeys = new Set(stored.map(keyOf))
    const added = [...wanted.values()].filter((shift) => !storedKeys.has(keyOf(shift)))
    const wantedKeys = new Set([...wanted.values()].map(keyOf))
    const removed = stored.filter((shift) => shift.uid !== null && !wantedKeys.has(keyOf(shift)))
    const counts = { added: added.length, removed: removed.length, unchanged: wanted.size - added.length }
    if (p.dryRun || added.length + removed.length === 0) return counts
    await tx.query('delete from duty_shifts where duty_shift_id = any($1)', [removed.map(({ shiftId }) => shiftId)])
    await tx.query(
      `insert into duty_shifts (community_id, staff_id, starts_at, ends_at, ical_uid)
       select $1, * from unnest($2::text[], $3::timestamptz[], $4::timestamptz[], $5::text[])
       on conflict (community_id, staff_id, starts_at) do update set ends_at = excluded.ends_at, ical_uid = excluded.ical_uid`,
      [
        communityId,
        added.map(({ staffId }) => staffId),
        added.map(({ startsAt }) => startsAt),
        added.map(({ endsAt }) => endsAt),
        added.map(({ uid }) => uid),
      ],
    )
    await noteEdit(tx, { ...p, kind: 'imported', detail: { ...counts, now: +now } })
    return counts
  })
}

type Stored = { shiftId: number; uid: string | null; staffId: string; startsAt: Date; endsAt: Date }

/** Shifts that came from these events and are not over, and whatever else begins with one of the new ones. */
async function findStored(tx: Queryable, p: Editor & { shifts: ImportedShift[]; uids: string[] }): Promise<Stored[]> {
  const { rows } = await tx.query<Stored>(
    `select duty_shift_id as "shiftId", case when ical_uid = any($2) then ical_uid end as uid, staff_id as "staffId",
            starts_at as "startsAt", ends_at as "endsAt"
       from duty_shifts where community_id = $1 and ends_at > $3
        and (ical_uid = any($2) or (staff_id, starts_at) in (select * from unnest($4::text[], $5::timestamptz[])))`,
    [p.communityId, p.uids, p.now, p.shifts.map(({ staffId }) => staffId), p.shifts.map(({ startsAt }) => startsAt)],
  )
  return rows
}

const keyOf = ({ staffId, startsAt, endsAt }: Omit<ImportedShift, 'uid'>) => `${+startsAt} ${+endsAt} ${staffId}`

/** A person begins one shift at a time: of two events that say so, the longer one. */
function longestOfEach(shifts: ImportedShift[]): Map<string, ImportedShift> {
  const longest = new Map<string, ImportedShift>()
  for (const shift of shifts) {
    const key = `${+shift.startsAt} ${shift.staffId}`
    const other = longest.get(key)
    if (!other || other.endsAt < shift.endsAt) longest.set(key, shift)
  }
  return longest
}
