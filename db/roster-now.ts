import { changesJson, shiftsJson, weeklyJson } from './rosters.js'

/**
 * Parts of a query that asks who is on duty at one moment: what of a roster bears on `now`, a parameter, beside its own
 * part `r` with `community_id` and `time_zone`. A weekly shift is among them when it may be running, by the days since it
 * last began, whichever of three days it is by its wall clock; `onDutyAt` says whether it is. The zone itself is not asked of the
 * database, which refuses names that Node gives (Asia/Calcutta, PRC): no alert must fail for that. This is asked with each
 * alert of a storm.
 */
export const rosterNowParts = (now: string): string => `
  weekly_now as materialized (
    select w.* from r join weekly_shifts w using (community_id)
          cross join lateral (select extract(isodow from ${now}::timestamptz at time zone 'UTC')::int - weekday + 7 as days) d
     where least((days - 1) % 7, days % 7, (days + 1) % 7) * 1440 < minutes + 1440
       and valid_from <= ${now}::timestamptz + interval '2 days'
       and (valid_until is null or valid_until >= ${now}::timestamptz - interval '9 days')),
  shifts_now as materialized (
    select o.* from r join duty_shifts o using (community_id) where starts_at <= ${now} and ${now} < ends_at),
  changes_now as materialized (
    select h.* from r join roster_changes h using (community_id) where from_at <= ${now} and ${now} < until_at)`

/** Everybody who might be on duty then. */
export const rosterNowStaff = `
  select staff_id from weekly_now union all select staff_id from shifts_now
  union all select stand_in_staff_id from changes_now`

/** The roster as far as it bears on that moment; whoever was shut out is for the query to leave out. */
export const rosterNowJson = `json_build_object(
  'timeZone', r.time_zone,
  'weekly', coalesce((select ${weeklyJson} from weekly_now), '[]'),
  'shifts', coalesce((select ${shiftsJson} from shifts_now), '[]'),
  'changes', coalesce((select ${changesJson} from changes_now), '[]'),
  'gone', '[]'::json)`
