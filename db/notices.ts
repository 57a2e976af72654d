import { flappingHeadline, flapsWithin } from '../alerts/rules/flapping.js'
import type { NewAlert } from './alerts.js'
import { type DeviceChange, noteChanges } from './flapping.js'
import type { Queryable } from './pool.js'

/** The same thing within so many hours after it cleared by itself is the same notice. */
const sameHours = 24

const unnested = `unnest($1::text[], $2::int[], $3::text[], $4::timestamptz[], $5::timestamptz[], $6::text[], $7::text[], $8::jsonb[])
                with ordinality as n (resident_id, device_no, kind, opened_at, observed_at, zh, en, reason, place)`
const columnsOf = (notices: NewAlert[]) => [
  notices.map((n) => n.residentId),
  notices.map((n) => n.deviceNo),
  notices.map((n) => n.kind),
  notices.map((n) => n.openedAt),
  notices.map((n) => n.observedAt),
  notices.map((n) => n.headline.zh),
  notices.map((n) => n.headline.en),
  notices.map((n) => JSON.stringify(n.reason)),
]

/**
 * Opens notices, each with its first event, in the caller's transaction and in one statement: when a substation fails
 * 1,000 homes fall silent at once, and one by one that took 4 s. What is open already is the same episode, and so is what
 * cleared within the last day: it is opened again. A device whose notices come and go gets one about that. Nobody is paged
 * for a notice.
 */
export async function openNotices(tx: Queryable, notices: NewAlert[]): Promise<void> {
  if (notices.length === 0) return
  const again = await openAgain(tx, notices)
  await insertNotices(
    tx,
    notices.filter((_, i) => !again.has(i)),
  )
  const changes = [...again].flatMap(([i, endedAt]): DeviceChange[] => {
    const { deviceNo, kind, openedAt } = notices[i]!
    if (deviceNo === null) return []
    return [endedAt, openedAt].map((at) => ({ deviceNo, kind, at: at.getTime() }))
  })
  const newest = new Date(Math.max(...notices.map(({ openedAt }) => openedAt.getTime())))
  await tellOfFlapping(tx, changes, newest)
}

/** A device that went on and off too often gets a notice; one that has it keeps it. */
export async function tellOfFlapping(tx: Queryable, changes: readonly DeviceChange[], now: Date): Promise<void> {
  const flapping = (await noteChanges(tx, changes, now)).flatMap((row): NewAlert[] => {
    const count = flapsWithin(row.changes)
    if (count === null) return []
    const { deviceNo, residentId, deviceKind, room } = row
    const headline = flappingHeadline({ kind: deviceKind, room, changes: count, isAlarm: row.kind === deviceKind })
    const reason = { changes: count, since: row.changes[0]! }
    const observedAt = new Date(row.changes.at(-1)!)
    return [{ residentId, deviceNo, kind: 'device_flapping', openedAt: now, observedAt, headline, reason }]
  })
  if (flapping.length > 0) {
    const again = await openAgain(tx, flapping)
    await insertNotices(
      tx,
      flapping.filter((_, i) => !again.has(i)),
    )
  }
}

/** Opens those again that cleared by themselves lately. Returns their places, and when each had ended. */
async function openAgain(tx: Queryable, notices: NewAlert[]): Promise<Map<number, Date>> {
  const { rows } = await tx.query<{ place: number; ended_at: Date }>(
    `with found as (
       select distinct on (n.place) n.*, a.alert_id, a.closed_at as ended_at
         from ${unnested}
         join alerts a on a.resident_id = n.resident_id and a.kind = n.kind and coalesce(a.device_no, 0) = coalesce(n.device_no, 0)
        where a.severity = 'notice' and a.handled_by is null and a.closed_at > n.opened_at - interval '${sameHours} hours'
          and not exists (select from alerts o where o.resident_id = n.resident_id and o.kind = n.kind
                             and coalesce(o.device_no, 0) = coalesce(n.device_no, 0) and o.closed_at is null)
        order by n.place, a.closed_at desc
     ), opened as (
       update alerts a set stage = 'open', outcome = null, closed_at = null, observed_at = f.observed_at,
              headline_zh = f.zh, headline_en = f.en, reason = f.reason
         from found f where a.alert_id = f.alert_id
       returning a.alert_id, f.place, f.ended_at, f.opened_at, f.zh, f.en
     ), told as (
       insert into alert_events (alert_id, at, kind, detail)
       select alert_id, opened_at, 'opened again', jsonb_build_object('headline', jsonb_build_object('zh', zh, 'en', en))
         from opened order by alert_id
     )
     select place::int, ended_at, pg_notify('shouwang', 'alerts') from opened`,
    columnsOf(notices),
  )
  return new Map(rows.map((row) => [row.place - 1, row.ended_at]))
}

async function insertNotices(tx: Queryable, notices: NewAlert[]): Promise<void> {
  if (notices.length === 0) return
  await tx.query(
    `with opened as (
       insert into alerts (resident_id, community_id, device_no, kind, severity, opened_at, observed_at, headline_zh, headline_en, reason)
       select resident_id, community_id, device_no, kind, 'notice', opened_at, observed_at, zh, en, reason
         from ${unnested} join residents using (resident_id)
        order by place on conflict do nothing returning alert_id, opened_at, headline_zh, headline_en
     ), told as (
       insert into alert_events (alert_id, at, kind, detail)
       select alert_id, opened_at, 'opened',
              jsonb_build_object('headline', jsonb_build_object('zh', headline_zh, 'en', headline_en))
         from opened order by alert_id
     )
     select pg_notify('shouwang', 'alerts') where exists (select from opened)`,
    columnsOf(notices),
  )
}
