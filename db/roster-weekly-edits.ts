import type { Database, Queryable } from './pool.js'
import { done, type Edited, type Editor, lockRoster, missing, noteEdit } from './roster-edits.js'
import { areRosterStaff } from './rosters.js'

export type NewWeekly = {
  staffId: string
  /** 1 Monday … 7 Sunday; each becomes a shift of its own. */
  weekdays: number[]
  start: string
  minutes: number
  validFrom: string
  validUntil: string | null
  everyWeeks: number
}

/** Adds a shift for each weekday of each; what is there already stays. `exists`: all of them are. */
export function addWeekly(db: Database, p: Editor & { weekly: NewWeekly[] }): Promise<Edited> {
  const { weekly, communityId } = p
  return db.transaction(async (tx) => {
    await lockRoster(tx, p)
    if (!(await areRosterStaff(tx, { communityId, staffIds: weekly.map(({ staffId }) => staffId) })))
      return { kind: 'unknown' }
    let added = 0
    for (const w of weekly) {
      const { rowCount } = await tx.query(
        `insert into weekly_shifts (community_id, staff_id, weekday, starts, minutes, valid_from, valid_until, every_weeks)
         select $1, $2, weekday, $4, $5, $6, $7, $8 from unnest($3::int[]) weekday order by weekday on conflict do nothing`,
        [communityId, w.staffId, w.weekdays, w.start, w.minutes, w.validFrom, w.validUntil, w.everyWeeks],
      )
      added += rowCount ?? 0
    }
    if (added === 0) return { kind: 'exists' }
    await noteEdit(tx, { ...p, kind: 'weekly added', detail: { weekly } })
    return done
  })
}

/**
 * `lastDate`: the last day on which these begin, null for ever; before its first day a shift is removed. All of them or,
 * where one is there no more, none.
 */
export function endWeekly(
  db: Database,
  p: Editor & { weeklyShiftIds: number[]; lastDate: string | null },
): Promise<Edited> {
  return db.transaction(async (tx) => {
    const weekly = await lockWeekly(tx, p)
    if (!weekly) return missing
    const { weeklyShiftIds: ids, lastDate } = p
    await tx.query('delete from weekly_shifts where weekly_shift_id = any($1) and valid_from > $2::date', [
      ids,
      lastDate,
    ])
    await tx.query('update weekly_shifts set valid_until = $2 where weekly_shift_id = any($1)', [ids, lastDate])
    await noteEdit(tx, {
      ...p,
      kind: 'weekly ended',
      detail: { weekly: weekly.map((each) => ({ ...each, validUntil: lastDate })) },
    })
    return done
  })
}

/** Takes weekly shifts away as if they had never been. */
export function removeWeekly(db: Database, p: Editor & { weeklyShiftIds: number[] }): Promise<Edited> {
  return db.transaction(async (tx) => {
    const weekly = await lockWeekly(tx, p)
    if (!weekly) return missing
    await tx.query('delete from weekly_shifts where weekly_shift_id = any($1)', [p.weeklyShiftIds])
    await noteEdit(tx, { ...p, kind: 'weekly removed', detail: { weekly } })
    return done
  })
}

/** These weekly shifts, to be changed; undefined where one of them is not there. */
async function lockWeekly(
  tx: Queryable,
  p: Editor & { weeklyShiftIds: number[] },
): Promise<{ weekdays: number[] }[] | undefined> {
  const { rows } = await tx.query<{ weekly: { weekdays: number[] } }>(
    `select json_build_object('staffId', staff_id, 'weekdays', json_build_array(weekday), 'start', starts,
              'minutes', minutes, 'validFrom', valid_from, 'validUntil', valid_until, 'everyWeeks', every_weeks) as weekly
       from weekly_shifts where weekly_shift_id = any($1) and community_id = $2 order by weekday, weekly_shift_id for update`,
    [p.weeklyShiftIds, p.communityId],
  )
  return rows.length === 0 || rows.length < new Set(p.weeklyShiftIds).size
    ? undefined
    : togetherByDays(rows.map(({ weekly }) => weekly))
}

/** What differs in nothing but the day of the week is one line of the record. */
function togetherByDays(weekly: { weekdays: number[] }[]): { weekdays: number[] }[] {
  const groups = new Map<string, { weekdays: number[] }>()
  for (const { weekdays, ...rest } of weekly) {
    const key = JSON.stringify(rest)
    groups.set(key, { ...rest, weekdays: [...(groups.get(key)?.weekdays ?? []), ...weekdays] })
  }
  return [...groups.values()]
}
