import type { AskWay } from '../alerts/asking.js'
import type { IncidentKind } from '../alerts/incidents.js'
import type { AlertKind, Headline, Outcome, Severity, Stage } from '../alerts/model.js'
import type { TakenStage } from '../alerts/policy.js'
import { turningPoints } from './alert-actions.js'
import type { Via } from './alerts.js'
import type { Queryable } from './pool.js'

/** An alert as the console lists it. */
export type AlertRow = {
  alertId: number
  kind: AlertKind
  severity: Severity
  stage: Stage
  openedAt: Date
  observedAt: Date
  closedAt: Date | null
  headline: Headline
  residentId: string
  residentName: string
  address: string
  timeZone: string
  handledBy: { staffId: string; name: string } | null
  outcome: Outcome | null
  /** How often its chain was walked before. */
  round: number
  /** When whoever has it did the last thing with it; null where that was taken back, or is not the last that happened. */
  actedAt: Date | null
  /** It waits for an incident, and nobody has been told of it; null where it does not. */
  held: Held | null
  /** What is being asked about it before anybody is paged; null where nothing is. */
  asking: Asking | null
}

/** Times in epoch ms; the incident may have been deleted meanwhile. */
export type Held = { sinceMs: number; untilMs: number; incidentId: number | null; kind: IncidentKind | null }

/** Times in epoch ms. */
export type Asking = {
  way: AskWay
  atMs: number
  untilMs: number
  /** Of the device that was asked; null where people were. */
  device: 'voice' | 'button' | null
  /** Who was asked to call. */
  names: string[]
  phone: string | null
}

export type AlertDetail = AlertRow & {
  step: number
  dueAt: Date | null
  /** When its round and its stage began. */
  roundAt: Date
  stageAt: Date
  /** Who had taken it before it came back, and how far that person had come. */
  returned: { name: string; stage: TakenStage } | null
  outcomeNote: string
  reason: Record<string, unknown>
  communityName: string
  room: string
  deviceId: string | null
  phone: string | null
  doorCode: string | null
  keyHolder: string | null
  healthNote: string | null
}

export type AlertEvent = {
  eventId: number
  at: Date
  kind: string
  name: string | null
  via: Via
  detail: Record<string, unknown>
  /** Whom `detail.staffId` means. */
  toldName: string | null
}

export type PageRow = {
  pageId: string
  toName: string
  channel: string
  status: 'pending' | 'sent' | 'failed' | 'cancelled'
  createdAt: Date
  sentAt: Date | null
  attempts: number
  lastError: string | null
}

const rowColumns = `a.alert_id as "alertId", a.kind, a.severity, a.stage, a.opened_at as "openedAt",
  a.observed_at as "observedAt", a.closed_at as "closedAt", a.outcome, a.round,
  case when a.stage <> 'open' then (
    select case when e.kind = a.stage and e.staff_id = a.handled_by then e.at end from alert_events e
     where e.alert_id = a.alert_id and e.kind in (${turningPoints.map((kind) => `'${kind}'`).join(', ')})
     order by e.alert_event_id desc limit 1) end as "actedAt",
  case when a.stage = 'open' and a.asked_until is not null then (
    select json_build_object('way', min(k.way), 'atMs', round(extract(epoch from min(k.asked_at)) * 1000),
             'untilMs', round(extract(epoch from a.due_at) * 1000), 'device', min(d.kind), 'phone', r.phone,
             'names', coalesce(json_agg(t.name order by t.name) filter (where t.name is not null), '[]'))
      from asks k left join devices d on d.device_no = k.device_no left join staff t on t.staff_id = k.staff_id
     where k.alert_id = a.alert_id and k.ended_at is null having count(*) > 0) end as asking,
  case when a.stage = 'open' and a.step = 0 and a.round = 0 and a.due_at >= a.held_until then json_build_object(
    'sinceMs', round(extract(epoch from a.held_since) * 1000), 'untilMs', round(extract(epoch from a.due_at) * 1000),
    'incidentId', a.held_incident_id, 'kind', (select i.kind from incidents i where i.incident_id = a.held_incident_id)) end as held,
  json_build_object('zh', a.headline_zh, 'en', a.headline_en) as headline,
  r.resident_id as "residentId", r.name as "residentName", r.address, r.time_zone as "timeZone",
  case when h.staff_id is not null then json_build_object('staffId', h.staff_id, 'name', h.name) end as "handledBy"`
const rowTables = `alerts a join residents r using (resident_id) left join staff h on h.staff_id = a.handled_by`
const worstFirst = `array_position(array['emergency', 'urgent', 'warning', 'notice'], a.severity), a.stage <> 'open', a.opened_at`

/**
 * Open alerts of these communities, or open notices, worst first, unacknowledged before taken, oldest first. Of homes that
 * are silent in an incident, the incident tells.
 */
export async function listOpenAlerts(
  db: Queryable,
  p: { communityIds: string[]; notices: boolean; rowsMax: number },
): Promise<{ alerts: AlertRow[]; total: number }> {
  // The worst are chosen before anything is joined to them: of 3,000 open ones the other 2,700 need no name.
  const { rows } = await db.query(
    `with open as materialized (
       select alert_id, severity, stage, opened_at from alerts a where community_id = any($1) and closed_at is null and (severity = 'notice') = $3
          and (kind not in ('gateway_offline', 'device_offline') or not exists (
                select from incident_homes h join incidents i using (incident_id)
                 where h.resident_id = a.resident_id and h.back_at is null and i.closed_at is null and i.kind = 'offline'))
     ), worst as (select alert_id from open a order by ${worstFirst}, alert_id limit $2)
     select ${rowColumns}, (select count(*)::int from open) as total
       from worst join ${rowTables.replace('alerts a', 'alerts a using (alert_id)')}
      order by ${worstFirst}, a.alert_id`,
    [p.communityIds, p.rowsMax, p.notices],
  )
  return { alerts: rows as AlertRow[], total: (rows[0] as { total: number } | undefined)?.total ?? 0 }
}

/** Alerts of these communities closed since then, newest first. */
export async function listClosedAlerts(
  db: Queryable,
  p: { communityIds: string[]; since: Date; rowsMax: number },
): Promise<AlertRow[]> {
  const { rows } = await db.query(
    `select ${rowColumns} from ${rowTables}
     where a.community_id = any($1) and a.closed_at >= $2 and a.severity <> 'notice'
     order by a.closed_at desc limit $3`,
    [p.communityIds, p.since, p.rowsMax],
  )
  return rows as AlertRow[]
}

/** One alert with what somebody needs at the door, or null when it is not there for these communities. */
export async function findAlert(
  db: Queryable,
  p: { alertId: number; communityIds: string[] },
): Promise<AlertDetail | null> {
  const { rows } = await db.query(
    `select ${rowColumns}, a.step, a.due_at as "dueAt", coalesce(a.round_at, a.opened_at) as "roundAt",
            coalesce(a.stage_at, a.opened_at) as "stageAt",
            (select json_build_object('name', b.name, 'stage', a.returned_stage) from staff b
              where b.staff_id = a.returned_by and a.stage = 'open') as returned, a.outcome_note as "outcomeNote", a.reason,
            c.name as "communityName", coalesce(d.room, '') as room, d.device_id as "deviceId",
            r.phone, r.door_code as "doorCode", r.key_holder as "keyHolder", r.health_note as "healthNote"
     from ${rowTables} join communities c on c.community_id = a.community_id left join devices d using (device_no)
     where a.alert_id = $1 and a.community_id = any($2)`,
    [p.alertId, p.communityIds],
  )
  return (rows[0] as AlertDetail | undefined) ?? null
}

/**
 * The little that the one-tap page shows of an alert. Not scoped by community: who holds the token was sent this alert.
 */
export async function findAlertOfLink(db: Queryable, { alertId }: { alertId: number }): Promise<AlertRow | null> {
  const { rows } = await db.query(`select ${rowColumns} from ${rowTables} where a.alert_id = $1`, [alertId])
  return (rows[0] as AlertRow | undefined) ?? null
}

/** The full history of an alert, oldest first. The caller has checked that the viewer may see the alert. */
export async function listAlertEvents(db: Queryable, { alertId }: { alertId: number }): Promise<AlertEvent[]> {
  const { rows } = await db.query(
    `select e.alert_event_id as "eventId", e.at, e.kind, s.name, e.via, e.detail, t.name as "toldName"
     from alert_events e left join staff s on s.staff_id = e.staff_id
     left join staff t on t.staff_id = e.detail->>'staffId'
     where e.alert_id = $1 order by e.alert_event_id desc limit 500`,
    [alertId],
  )
  return (rows as AlertEvent[]).reverse()
}

/** Who was told of an alert through what, oldest first. The caller has checked that the viewer may see the alert. */
export async function listPages(db: Queryable, { alertId }: { alertId: number }): Promise<PageRow[]> {
  const { rows } = await db.query(
    `select p.page_id as "pageId", s.name as "toName", p.channel, p.status, p.created_at as "createdAt",
            p.sent_at as "sentAt", p.attempts, p.last_error as "lastError"
     from pages p join staff s using (staff_id)
     where p.alert_id = $1 order by p.created_at desc, s.name, p.position limit 200`,
    [alertId],
  )
  return (rows as PageRow[]).reverse()
}

/** Names of staff by id. */
export async function staffNames(db: Queryable, { staffIds }: { staffIds: string[] }): Promise<string[]> {
  const { rows } = await db.query<{ name: string }>('select name from staff where staff_id = any($1) order by name', [
    staffIds,
  ])
  return rows.map(({ name }) => name)
}
