import { minuteOfClock } from '../../alerts/roster-time.js'
import type { Queryable } from '../pool.js'
import { noteEdit } from '../roster-edits.js'
import { areRosterStaff } from '../rosters.js'
import type { RegisterDocument } from './document.js'

type Entry = RegisterDocument['roster'][number]
const dayMinutes = 24 * 60

/** From `start` to `end` by the clock, over midnight where that is earlier, `days` days later. */
const minutesOf = ({ start, end, days }: Entry): number =>
  ((minuteOfClock(end)! - minuteOfClock(start)! + dayMinutes - 1) % dayMinutes) + 1 + days * dayMinutes

/**
 * Adds or updates the weekly shifts of a document. Where a roster was changed on its page, the page has the last word and
 * it stays as it is: returns those communities.
 * @throws when somebody is not on the staff of the community
 */
export async function registerRoster(tx: Queryable, roster: Entry[], now: Date): Promise<string[]> {
  const kept: string[] = []
  for (const communityId of new Set(roster.map(({ community }) => community))) {
    const entries = roster.filter(({ community }) => community === communityId)
    if (await wasEdited(tx, communityId)) kept.push(communityId)
    else await registerWeekly(tx, communityId, entries, now)
  }
  return kept
}

async function wasEdited(tx: Queryable, communityId: string): Promise<boolean> {
  await tx.query('select from communities where community_id = $1 for no key update', [communityId])
  const { rows } = await tx.query(
    'select from roster_edits where community_id = $1 and by_staff_id is not null limit 1',
    [communityId],
  )
  return rows.length > 0
}

async function registerWeekly(tx: Queryable, communityId: string, entries: Entry[], now: Date): Promise<void> {
  if (!(await areRosterStaff(tx, { communityId, staffIds: entries.map(({ staff }) => staff) })))
    throw new Error(`roster: not all of these are social workers or supervisors of ${communityId}`)
  const changed: object[] = []
  for (const entry of entries) {
    const { staff, weekdays, start, from, until = null, everyWeeks } = entry
    const minutes = minutesOf(entry)
    const { rowCount } = await tx.query(
      `insert into weekly_shifts as w (community_id, staff_id, weekday, starts, minutes, valid_from, valid_until, every_weeks)
       select $1, $2, weekday, $4, $5, $6, $7, $8 from unnest($3::int[]) weekday order by weekday
       on conflict (community_id, staff_id, weekday, starts, valid_from) do update
         set minutes = excluded.minutes, valid_until = excluded.valid_until, every_weeks = excluded.every_weeks
         where (w.minutes, w.valid_until, w.every_weeks)
               is distinct from (excluded.minutes, excluded.valid_until, excluded.every_weeks)`,
      [communityId, staff, [...new Set(weekdays)], start, minutes, from, until, everyWeeks],
    )
    if (rowCount)
      changed.push({ staffId: staff, weekdays, start, minutes, validFrom: from, validUntil: until, everyWeeks })
  }
  if (changed.length > 0)
    await noteEdit(tx, { communityId, byStaffId: null, now, kind: 'weekly added', detail: { weekly: changed } })
}
