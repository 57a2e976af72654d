import type { EpochMs } from '../alerts/model.js'
import type { Database, Queryable } from './pool.js'
import { areRosterStaff } from './rosters.js'

/** Who changes which roster when. The caller has checked that `byStaffId` may change this community's. */
export type Editor = { communityId: string; byStaffId: string | null; now: Date }

export const editKinds = [
  'weekly added',
  'weekly ended',
  'weekly removed',
  'shift added',
  'shift removed',
  'absence',
  'swap',
  'change ended',
  'change removed',
  'imported',
] as const
export type EditKind = (typeof editKinds)[number]

/** `unknown`: of these people one is not on this community's staff; `missing`: it is there no more, or another's. */
export type Edited = { kind: 'done' } | { kind: 'unknown' } | { kind: 'missing' } | { kind: 'exists' }

export const done = { kind: 'done' } as const
export const missing = { kind: 'missing' } as const
export const epochMs = (column: string) => `round(extract(epoch from ${column}) * 1000)::float8`

/** Notes that a roster is being changed; the number orders the changes. */
export async function noteEdit(tx: Queryable, p: Editor & { kind: EditKind; detail: object }): Promise<number> {
  const { rows } = await tx.query<{ edit: number }>(
    `insert into roster_edits (community_id, at, by_staff_id, kind, detail) values ($1, $2, $3, $4, $5)
     returning roster_edit_id as edit`,
    [p.communityId, p.now, p.byStaffId, p.kind, JSON.stringify(p.detail)],
  )
  return rows[0]!.edit
}

/** Rosters are changed one after the other: what an edit was decided on is still so when it is stored. */
export const lockRoster = (tx: Queryable, { communityId }: Editor) =>
  tx.query('select from communities where community_id = $1 for no key update', [communityId])

/** Adds one shift. `exists`: this person has one that begins then. */
export function addShift(
  db: Database,
  p: Editor & { staffId: string; startsAt: Date; endsAt: Date },
): Promise<Edited | { kind: 'away'; until: EpochMs }> {
  const { communityId, staffId, startsAt, endsAt } = p
  return db.transaction(async (tx) => {
    await lockRoster(tx, p)
    if (!(await areRosterStaff(tx, { communityId: p.communityId, staffIds: [staffId] }))) return { kind: 'unknown' }
    const away = await findAbsence(tx, { communityId, staffId, from: startsAt, until: endsAt })
    if (away) return { kind: 'away', until: away.until }
    const { rowCount } = await tx.query(
      `insert into duty_shifts (community_id, staff_id, starts_at, ends_at) values ($1, $2, $3, $4) on conflict do nothing`,
      [communityId, staffId, startsAt, endsAt],
    )
    if (rowCount === 0) return { kind: 'exists' }
    await noteEdit(tx, { ...p, kind: 'shift added', detail: { staffId, from: +startsAt, until: +endsAt } })
    return done
  })
}

export function removeShift(db: Database, p: Editor & { shiftId: number }): Promise<Edited> {
  return db.transaction(async (tx) => {
    const { rows } = await tx.query<{ detail: object }>(
      `delete from duty_shifts where duty_shift_id = $1 and community_id = $2
       returning json_build_object('staffId', staff_id, 'from', ${epochMs("greatest(starts_at, timestamptz '1900-01-01Z')")},
         'until', ${epochMs("least(ends_at, timestamptz '9999-01-01Z')")}) as detail`,
      [p.shiftId, p.communityId],
    )
    if (!rows[0]) return missing
    await noteEdit(tx, { ...p, kind: 'shift removed', detail: rows[0].detail })
    return done
  })
}

/** Somebody who is ill, on holiday or away for another reason at some time between `from` and `until`. */
export async function findAbsence(
  tx: Queryable,
  p: { communityId: string; staffId: string; from: Date; until: Date },
): Promise<{ until: EpochMs } | undefined> {
  const { rows } = await tx.query<{ until: EpochMs }>(
    `select ${epochMs('max(until_at)')} as until from roster_changes
      where community_id = $1 and staff_id = $2 and reason <> 'swap' and from_at < $4 and until_at > $3 having count(*) > 0`,
    [p.communityId, p.staffId, p.from, p.until],
  )
  return rows[0]
}
