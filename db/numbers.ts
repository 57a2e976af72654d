import type { AlertKind } from '../alerts/model.js'
import { type ActionEvent, type AlertTimes, type NightPages, timesOfActions } from '../alerts/numbers.js'
import type { Queryable } from './pool.js'

/** A calendar month, "2026-10", from its first to its last moment by the clock of the community. */
export type MonthSpan = { month: string; timeZone: string; from: Date; to: Date; days: number }

/** A community that numbers are asked of. */
export type NumbersCommunity = { communityId: string; name: string; timeZone: string; firstAlertAt: Date | null }

/** One row an alert, without anybody's name; `openedAtMs` in epoch ms. */
export type AlertRow = AlertTimes & { alertId: number; openedAtMs: number; closedMs: number | null }

/** The communities of a viewer, by name, each with the beginning of its record of alerts. */
export async function numbersCommunities(
  db: Queryable,
  { communityIds }: { communityIds: string[] },
): Promise<NumbersCommunity[]> {
  const { rows } = await db.query<NumbersCommunity>(
    `select community_id as "communityId", name, time_zone as "timeZone",
            (select min(opened_at) from alerts a where a.community_id = c.community_id) as "firstAlertAt"
       from communities c where community_id = any($1) order by name, community_id`,
    [communityIds],
  )
  return rows
}

/** `month`: "YYYY-MM". */
export async function monthSpan(
  db: Queryable,
  { month, timeZone }: { month: string; timeZone: string },
): Promise<MonthSpan> {
  const { rows } = await db.query<Pick<MonthSpan, 'from' | 'to' | 'days'>>(
    `select first at time zone $2 as from, (first + interval '1 month') at time zone $2 as to,
            extract(day from first + interval '1 month' - interval '1 day')::int as days
       from (select ($1 || '-01')::timestamp as first) m`,
    [month, timeZone],
  )
  return { month, timeZone, ...rows[0]! }
}

const ofMonth = `a.community_id = $1 and a.opened_at >= $2 and a.opened_at < $3 and not r.synthetic`
/** As the index of the actions has them; what closed by itself is none. */
const isAction = `e.kind in ('acknowledged', 'en_route', 'arrived', 'closed', 'undone') and (e.kind <> 'closed' or e.staff_id is not null)`

type RawRow = [
  alertId: number,
  kind: AlertKind,
  severity: AlertTimes['severity'],
  outcome: AlertTimes['outcome'],
  day: number,
  openedAtMs: number,
  closedMs: number | null,
  pageMs: number | null,
  takenMs: number | null,
  doorMs: number | null,
  askMs: number | null,
  undone: boolean | null,
]

/**
 * The alerts that were opened in the span, notices and synthetic residents apart, each with its first page to somebody who
 * could come, the first time a person took it and the first time somebody stood at the door.
 */
export async function monthAlerts(
  db: Queryable,
  { communityId, span, now }: { communityId: string; span: Pick<MonthSpan, 'from' | 'to' | 'timeZone'>; now: Date },
): Promise<AlertRow[]> {
  // Times as numbers, in one value: 20,000 rows of dates cost the driver more than the server takes to find them.
  const { rows } = await db.query<{ alerts: RawRow[] | null }>(
    `with month as materialized (
       select a.alert_id, a.kind, a.severity, a.outcome, a.opened_at, a.closed_at,
              -- What waited for the mains was waited for as well.
              greatest(a.asked_until, a.held_until) as asked_until
         from alerts a join residents r using (resident_id) where ${ofMonth} and a.severity <> 'notice'
     ), acted as (
       select e.alert_id, min(e.at) filter (where e.kind <> 'undone') as taken_at,
              min(e.at) filter (where e.kind = 'arrived') as door_at, bool_or(e.kind = 'undone') as undone
         from month join alert_events e using (alert_id) where ${isAction} group by e.alert_id
     ), paged as (
       select p.alert_id, min(p.sent_at) as sent_at
         from month join pages p using (alert_id) where p.sent_at is not null and not p.informs group by p.alert_id
     )
     select json_agg(json_build_array(
              alert_id, kind, severity, outcome, extract(day from opened_at at time zone $4)::int,
              round(extract(epoch from opened_at) * 1000), ${afterMs('closed_at')}, ${afterMs('sent_at')},
              ${afterMs('taken_at')}, ${afterMs('door_at')}, ${afterMs('asked_until')}, undone) order by opened_at, alert_id) as alerts
       from month left join acted using (alert_id) left join paged using (alert_id)`,
    [communityId, span.from, span.to, span.timeZone],
  )
  const raw = rows[0]!.alerts ?? []
  const takenBack = await actionsOf(
    db,
    raw.flatMap(([alertId, ...rest]) => (rest.at(-1) ? [alertId] : [])),
  )
  return raw.map(([alertId, kind, severity, outcome, day, openedAtMs, closedMs, pageMs, takenMs, doorMs, askMs]) => ({
    alertId,
    kind,
    severity,
    outcome,
    day,
    openedAtMs,
    closedMs,
    pageMs,
    askMs,
    openMs: closedMs ?? Math.max(0, now.getTime() - openedAtMs),
    ...(takenBack.has(alertId) ? timesOfActions(takenBack.get(alertId)!) : { takenMs, doorMs }),
  }))
}

/** The clocks of two hosts differ: nothing happens before the alert is opened. */
function afterMs(column: string, opened = 'opened_at'): string {
  return `case when ${column} is not null then greatest(0, round(extract(epoch from ${column} - ${opened}) * 1000)) end`
}

/** What people did with these few alerts, of which something was taken back. */
async function actionsOf(db: Queryable, alertIds: number[]): Promise<Map<number, ActionEvent[]>> {
  const found = new Map<number, ActionEvent[]>()
  if (alertIds.length === 0) return found
  const { rows } = await db.query<ActionEvent & { alertId: number }>(
    `select e.alert_id as "alertId", e.kind, (${afterMs('e.at', 'a.opened_at')})::float8 as "afterMs"
       from alert_events e join alerts a using (alert_id)
      where e.alert_id = any($1) and ${isAction} order by e.alert_event_id`,
    [alertIds],
  )
  for (const { alertId, ...event } of rows) found.set(alertId, [...(found.get(alertId) ?? []), event])
  return found
}

/** How many notices about devices were opened in the month: they page nobody. */
export async function monthNotices(
  db: Queryable,
  { communityId, span }: { communityId: string; span: MonthSpan },
): Promise<number> {
  const { rows } = await db.query<{ notices: number }>(
    `select count(*)::int as notices from alerts a join residents r using (resident_id) where ${ofMonth} and a.severity = 'notice'`,
    [communityId, span.from, span.to],
  )
  return rows[0]!.notices
}

/**
 * Pages that left between 22:00 and 6:00 by the clock of the community, in the nights that begin on the days of the month,
 * by person and night; without what only tells a family. Of alerts that were opened since 62 days before the month's end,
 * or are still open.
 */
export async function monthNights(
  db: Queryable,
  { communityId, span }: { communityId: string; span: MonthSpan },
): Promise<NightPages[]> {
  const { rows } = await db.query<NightPages>(
    // From 9:00 on the first to 15:00 after the last, so that the nights are whole also where clocks change.
    // What the clock of the community showed is worked out for the pages of this community alone.
    `with night as materialized (
       select p.staff_id, p.alert_id, p.sent_at at time zone $4 as wall
         from alerts a join residents r using (resident_id) join pages p using (alert_id)
        where a.community_id = $1 and not r.synthetic and not p.informs
          and ((a.opened_at >= $3::timestamptz - interval '62 days' and a.opened_at < $3::timestamptz + interval '12 hours')
               or a.closed_at is null)
          and p.sent_at >= $2::timestamptz + interval '9 hours' and p.sent_at < $3::timestamptz + interval '15 hours'
     )
     select n.staff_id as "staffId", s.name, to_char(n.wall - interval '12 hours', 'YYYY-MM-DD') as night,
            count(*)::int as pages, count(distinct n.alert_id)::int as alerts
       from night n join staff s using (staff_id)
      where (n.wall::time >= '22:00' or n.wall::time < '06:00')
        and s.role not in ('family', 'watcher')
      group by n.staff_id, s.name, night order by night, n.staff_id`,
    [communityId, span.from, span.to, span.timeZone],
  )
  return rows
}
