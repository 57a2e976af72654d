import type { EpochMs } from '../alerts/model.js'
import { type ChangeReason, type Shift, shiftsBetween } from '../alerts/roster.js'
import type { Database, Queryable } from './pool.js'
import { done, type Edited, type Editor, epochMs, findAbsence, lockRoster, missing, noteEdit } from './roster-edits.js'
import { areRosterStaff, rosterOf } from './rosters.js'

export type Absence = {
  /** null: all weekly shifts. */
  staffId: string | null
  /** null: nobody stands in. */
  standInStaffId: string | null
  from: Date
  until: Date
  reason: ChangeReason
}

/**
 * From then until then another, or nobody, carries what this person carries. `away`: the stand-in is away herself.
 * Sent twice it is stored once.
 */
export function addAbsence(
  db: Database,
  p: Editor & { absence: Absence },
): Promise<Edited | { kind: 'away'; until: EpochMs }> {
  const { staffId, standInStaffId, from, until, reason } = p.absence
  return db.transaction(async (tx) => {
    await lockRoster(tx, p)
    if (!(await areRosterStaff(tx, { communityId: p.communityId, staffIds: [staffId, standInStaffId] })))
      return { kind: 'unknown' }
    const { communityId } = p
    if (standInStaffId !== null) {
      const away = await findAbsence(tx, { communityId, staffId: standInStaffId, from, until })
      if (away) return { kind: 'away', until: away.until }
    }
    const { rows } = await tx.query(
      `select from roster_changes where community_id = $1 and from_at = $2 and until_at = $3
          and staff_id is not distinct from $4 and stand_in_staff_id is not distinct from $5`,
      [communityId, from, until, staffId, standInStaffId],
    )
    if (rows.length > 0) return { kind: 'exists' }
    const detail = { staffId, standInStaffId, from: +from, until: +until, reason }
    const edit = await noteEdit(tx, { ...p, kind: 'absence', detail })
    await insertChange(tx, { edit, communityId, ...p.absence })
    return done
  })
}

const insertChange = (tx: Queryable, p: { edit: number; communityId: string } & Absence) =>
  tx.query(
    `insert into roster_changes (roster_edit_id, community_id, from_at, until_at, staff_id, stand_in_staff_id, reason)
     values ($1, $2, $3, $4, $5, $6, $7)`,
    [p.edit, p.communityId, p.from, p.until, p.staffId, p.standInStaffId, p.reason],
  )

/** A shift as it was shown to who swaps it. */
export type ShownShift = { staffId: string; from: EpochMs; until: EpochMs }

/**
 * Two people carry each other's shift. With `second` a person instead, that one takes the first shift over.
 * `missing`: one of the shifts is no longer as it was shown; `away`: who would take one is away then.
 */
export function swapShifts(
  db: Database,
  p: Editor & { first: ShownShift; second: ShownShift | { staffId: string } },
): Promise<Edited | { kind: 'same' } | { kind: 'away'; staffId: string; until: EpochMs }> {
  const { communityId, first, second } = p
  return db.transaction(async (tx) => {
    await lockRoster(tx, p)
    if (!(await areRosterStaff(tx, { communityId: p.communityId, staffIds: [first.staffId, second.staffId] })))
      return { kind: 'unknown' }
    if (first.staffId === second.staffId) return { kind: 'same' }
    const shown = 'from' in second ? [first, second] : [first]
    for (const { staffId, from, until } of shown) {
      // Only what runs at its beginning: a shift without an end would ask for all there will ever be.
      const shifts = shiftsBetween(await rosterOf(tx, communityId, { from, until: from + 1 }), from, from + 1)
      const isThere = (s: Shift) => s.staffId === staffId && s.startsAt === from && s.endsAt === until
      if (!shifts.some(isThere)) return missing
    }
    const taken = [
      { ...first, staffId: second.staffId },
      ...('from' in second ? [{ ...second, staffId: first.staffId }] : []),
    ]
    for (const { staffId, from, until } of taken) {
      const away = await findAbsence(tx, { communityId, staffId, from: new Date(from), until: new Date(until) })
      if (away) return { kind: 'away', staffId, until: away.until }
    }
    const edit = await noteEdit(tx, { ...p, kind: 'swap', detail: { first, second } })
    for (const { staffId, from, until } of shown) {
      const standInStaffId = staffId === first.staffId ? second.staffId : first.staffId
      const span = { from: new Date(from), until: new Date(until) }
      await insertChange(tx, { edit, communityId, staffId, standInStaffId, ...span, reason: 'swap' })
    }
    return done
  })
}

/** Ends an absence at `at`: who was ill is back. Changes that have not begun by then are removed. */
export function endChange(db: Database, p: Editor & { edit: number; at: Date }): Promise<Edited> {
  return db.transaction(async (tx) => {
    const changes = await changesOf(tx, p)
    if (changes.length === 0) return missing
    await tx.query('delete from roster_changes where roster_edit_id = $1 and from_at >= $2', [p.edit, p.at])
    await tx.query('update roster_changes set until_at = $2 where roster_edit_id = $1 and until_at > $2', [
      p.edit,
      p.at,
    ])
    await noteEdit(tx, { ...p, kind: 'change ended', detail: { of: p.edit, changes, at: +p.at } })
    return done
  })
}

/** Takes back all that one edit changed. */
export function removeChange(db: Database, p: Editor & { edit: number }): Promise<Edited> {
  return db.transaction(async (tx) => {
    const changes = await changesOf(tx, p)
    if (changes.length === 0) return missing
    await tx.query('delete from roster_changes where roster_edit_id = $1', [p.edit])
    await noteEdit(tx, { ...p, kind: 'change removed', detail: { of: p.edit, changes } })
    return done
  })
}

async function changesOf(tx: Queryable, p: Editor & { edit: number }): Promise<object[]> {
  const { rows } = await tx.query<{ change: object }>(
    `select json_build_object('staffId', staff_id, 'standInStaffId', stand_in_staff_id, 'reason', reason,
              'from', ${epochMs('from_at')}, 'until', ${epochMs('until_at')}) as change
       from roster_changes where roster_edit_id = $1 and community_id = $2 order by roster_change_id for update`,
    [p.edit, p.communityId],
  )
  return rows.map(({ change }) => change)
}
