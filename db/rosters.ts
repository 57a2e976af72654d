import type { EpochMs } from '../alerts/model.js'
import { type Roster, type RosterChange, shiftMinutesMax, type WeeklyShift } from '../alerts/roster.js'
import type { Queryable } from './pool.js'
import type { EditKind } from './roster-edits.js'

const minuteMs = 60_000
const epochMs = (column: string) => `round(extract(epoch from ${column}) * 1000)::float8`
/** Rows of weekly_shifts, duty_shifts and roster_changes as the parts of a `Roster`. */
export const weeklyJson = `json_agg(json_build_object('weeklyShiftId', weekly_shift_id, 'staffId', staff_id,
  'weekday', weekday, 'start', starts, 'minutes', minutes, 'validFrom', valid_from, 'validUntil', valid_until,
  'everyWeeks', every_weeks) order by weekly_shift_id)`
/** A shift without beginning or end is stored as infinity, which JSON does not know. */
export const shiftsJson = `json_agg(json_build_object('shiftId', duty_shift_id, 'staffId', staff_id,
  'startsAt', ${epochMs("greatest(starts_at, timestamptz '1900-01-01Z')")},
  'endsAt', ${epochMs("least(ends_at, timestamptz '9999-01-01Z')")}) order by starts_at, duty_shift_id)`
export const changesJson = `json_agg(json_build_object('changeId', roster_change_id, 'edit', roster_edit_id,
  'from', ${epochMs('from_at')}, 'until', ${epochMs('until_at')}, 'staffId', staff_id,
  'standInStaffId', stand_in_staff_id, 'reason', reason) order by roster_edit_id, roster_change_id)`

const canBeOnDuty = `role in ('social_worker', 'supervisor')`
/** A shift that began as long ago may still be running, and a change may have cut it then. */
const marginMs = shiftMinutesMax * minuteMs

/**
 * The roster of a community, with all that can bear on the time from `from` until `until`.
 * @throws when there is no such community
 */
export async function rosterOf(
  db: Queryable,
  communityId: string,
  { from, until }: { from: Date | EpochMs; until: Date | EpochMs },
): Promise<Roster> {
  const { rows } = await db.query<{ roster: Roster }>(
    `select ${rosterSql({ community: 'c.community_id', from: '$2', until: '$3' })} as roster
       from communities c where community_id = $1`,
    [communityId, ...rosterWindow(from, until)],
  )
  if (!rows[0]) throw new Error(`no community ${communityId}`)
  return rows[0].roster
}

/** The parameters of `rosterSql` for a span: what began before it may still be running in it. */
export const rosterWindow = (from: Date | EpochMs, until: Date | EpochMs): [Date, Date] => [
  new Date(Number(from) - marginMs),
  new Date(Number(until) + marginMs),
]

/**
 * A `Roster` as one JSON value, for a query that asks for more. `community` is an SQL expression; `from` and `until` are
 * the parameters that `rosterWindow` gives.
 */
export const rosterSql = ({ community, from, until }: { community: string; from: string; until: string }): string => `
  json_build_object(
    'timeZone', (select z.time_zone from communities z where z.community_id = ${community}),
    'weekly', coalesce((select ${weeklyJson} from weekly_shifts where community_id = ${community}
       and valid_from <= ${until}::timestamptz + interval '2 days'
       and (valid_until is null or valid_until >= ${from}::timestamptz - interval '9 days')), '[]'),
    'shifts', coalesce((select ${shiftsJson} from duty_shifts
      where community_id = ${community} and ends_at > ${from} and starts_at < ${until}), '[]'),
    'changes', coalesce((select ${changesJson} from roster_changes
      where community_id = ${community} and until_at > ${from} and from_at < ${until}), '[]'),
    'gone', coalesce((
      select json_agg(g.staff_id) from staff g where g.disabled_at is not null and g.staff_id in (
        select staff_id from weekly_shifts where community_id = ${community}
        union all
        select staff_id from duty_shifts where community_id = ${community} and ends_at > ${from} and starts_at < ${until}
        union all
        select stand_in_staff_id from roster_changes where community_id = ${community} and until_at > ${from})), '[]'))`

/** Somebody who may be on duty in a community, or once was. */
export type RosterPerson = {
  staffId: string
  name: string
  login: string | null
  role: string
  /** By which a calendar file may name them. */
  emails: string[]
  /** Shut out: cannot be told any more. */
  gone: boolean
  /** Works for this community and may be put on its roster. */
  member: boolean
}

/** Whoever can be put on the roster, and whoever is on it though they cannot any more; by name. */
export async function listRosterPeople(db: Queryable, communityId: string): Promise<RosterPerson[]> {
  const { rows } = await db.query<RosterPerson>(
    `with members as (
       select staff_id from staff_communities join staff using (staff_id)
        where community_id = $1 and disabled_at is null and ${canBeOnDuty})
     select s.staff_id as "staffId", name, login, role, disabled_at is not null as gone,
            s.staff_id in (select staff_id from members) as member,
            coalesce((select json_agg(address order by position) from staff_channels c
                       where c.staff_id = s.staff_id and c.kind = 'email'), '[]') as emails
       from staff s where s.staff_id in (
         select staff_id from members
         union select staff_id from weekly_shifts where community_id = $1
         union select staff_id from duty_shifts where community_id = $1
         union select staff_id from roster_changes where community_id = $1
         union select stand_in_staff_id from roster_changes where community_id = $1
         union select by_staff_id from roster_edits where community_id = $1)
      order by name, s.staff_id`,
    [communityId],
  )
  return rows
}

/** Whether all of these can be put on the roster of a community; null is nobody. */
export async function areRosterStaff(
  db: Queryable,
  p: { communityId: string; staffIds: (string | null)[] },
): Promise<boolean> {
  const ids = [...new Set(p.staffIds.filter((id) => id !== null))]
  const { rows } = await db.query<{ n: number }>(
    `select count(*)::int as n from staff join staff_communities using (staff_id)
      where community_id = $1 and staff_id = any($2) and disabled_at is null and ${canBeOnDuty}`,
    [p.communityId, ids],
  )
  return rows[0]!.n === ids.length
}

/** The weekly shifts of a community that may still begin on `date` (YYYY-MM-DD) or later. */
export async function listWeekly(
  db: Queryable,
  { communityId, date }: { communityId: string; date: string },
): Promise<WeeklyShift[]> {
  const { rows } = await db.query<WeeklyShift>(
    `select weekly_shift_id as "weeklyShiftId", staff_id as "staffId", weekday, starts as start, minutes,
            valid_from::text as "validFrom", valid_until::text as "validUntil", every_weeks as "everyWeeks"
       from weekly_shifts where community_id = $1 and (valid_until is null or valid_until >= $2::date)
      order by weekday, starts, every_weeks, valid_from, weekly_shift_id`,
    [communityId, date],
  )
  return rows
}

/** Changes of a roster that have not ended by `now`, the next ones first. */
export async function listChanges(
  db: Queryable,
  { communityId, now, rowsMax }: { communityId: string; now: Date; rowsMax: number },
): Promise<RosterChange[]> {
  const { rows } = await db.query<RosterChange>(
    `select roster_change_id as "changeId", roster_edit_id as edit, ${epochMs('from_at')} as from,
            ${epochMs('until_at')} as until, staff_id as "staffId", stand_in_staff_id as "standInStaffId", reason
       from roster_changes where roster_edit_id in (
         select roster_edit_id from roster_changes where community_id = $1 and until_at > $2)
      order by min(from_at) over (partition by roster_edit_id), roster_edit_id, roster_change_id limit $3`,
    [communityId, now, rowsMax],
  )
  return rows
}

export type RosterEdit = { edit: number; at: Date; byStaffId: string | null; kind: EditKind; detail: unknown }

/** What was changed last, the newest first. */
export async function listEdits(
  db: Queryable,
  { communityId, rowsMax }: { communityId: string; rowsMax: number },
): Promise<RosterEdit[]> {
  const { rows } = await db.query<RosterEdit>(
    `select roster_edit_id as edit, at, by_staff_id as "byStaffId", kind, detail from roster_edits
      where community_id = $1 order by roster_edit_id desc limit $2`,
    [communityId, rowsMax],
  )
  return rows
}

/** The communities of a viewer, with their zones. */
export async function listRosterCommunities(
  db: Queryable,
  communityIds: string[],
): Promise<{ communityId: string; name: string; timeZone: string }[]> {
  const { rows } = await db.query<{ communityId: string; name: string; timeZone: string }>(
    `select community_id as "communityId", name, time_zone as "timeZone" from communities
      where community_id = any($1) order by name, community_id`,
    [communityIds],
  )
  return rows
}
