import type { AlertKind, DeviceKind, Outcome, Severity, Stage } from '../alerts/model.js'
import { lastOf, newestReadings } from './newest-readings.js'
import type { Queryable } from './pool.js'

export type ResidentCard = {
  residentId: string
  communityId: string
  name: string
  address: string
  timeZone: string
  phone: string | null
  doorCode: string | null
  keyHolder: string | null
  healthNote: string | null
  responsible: { name: string; phone: string | null } | null
}

/** The contact card of a resident of these communities; undefined for anybody else's, or nobody's. */
export async function findResident(
  db: Queryable,
  { residentId, communityIds }: { residentId: string; communityIds: string[] },
): Promise<ResidentCard | undefined> {
  const { rows } = await db.query<
    Omit<ResidentCard, 'responsible'> & { staffName: string | null; staffPhone: string | null }
  >(
    `select r.resident_id as "residentId", r.community_id as "communityId", r.name, r.address, r.time_zone as "timeZone",
            r.phone, r.door_code as "doorCode", r.key_holder as "keyHolder", r.health_note as "healthNote",
            s.name as "staffName", s.phone as "staffPhone"
       from residents r left join staff s on s.staff_id = r.responsible_staff_id and s.disabled_at is null
      where r.resident_id = $1 and r.community_id = any($2) and r.left_at is null`,
    [residentId, communityIds],
  )
  const row = rows[0]
  if (!row) return undefined
  const { staffName, staffPhone, ...card } = row
  return { ...card, responsible: staffName === null ? null : { name: staffName, phone: staffPhone } }
}

/** What the rules know of a resident, as they stored it; null before anything was folded. */
export async function findResidentState(db: Queryable, residentId: string): Promise<unknown> {
  const { rows } = await db.query<{ state: unknown }>('select state from resident_state where resident_id = $1', [
    residentId,
  ])
  return rows[0]?.state ?? null
}

export type ResidentDevice = {
  deviceNo: number
  deviceId: string
  kind: DeviceKind
  room: string
  boundAt: Date
  unboundAt: Date | null
  gatewayId: string
  gatewayOnline: boolean
  gatewayChangedAt: Date | null
  gatewayHeardAt: Date | null
  lastObservedAt: Date | null
  /** 0..1, as reported within the 2 days before the newest reading. */
  battery: number | null
}

/** The devices of a resident, with those taken away since `since`, whose readings the charts still draw. */
export async function residentDevices(
  db: Queryable,
  { residentId, since }: { residentId: string; since: Date },
): Promise<ResidentDevice[]> {
  const { rows } = await db.query<Omit<ResidentDevice, 'lastObservedAt' | 'battery'>>(
    `select d.device_no as "deviceNo", d.device_id as "deviceId", d.kind, d.room, d.bound_at as "boundAt",
            d.unbound_at as "unboundAt", g.gateway_id as "gatewayId", g.online as "gatewayOnline",
            g.online_changed_at as "gatewayChangedAt", g.last_heard_at as "gatewayHeardAt"
       from devices d join gateways g using (gateway_id)
      where d.resident_id = $1 and (d.unbound_at is null or d.unbound_at > $2)
      order by d.unbound_at is not null, array_position(array['button', 'voice', 'smoke', 'gas', 'co', 'leak', 'water', 'electricity', 'bed', 'motion', 'door'], d.kind),
               d.room, d.device_no`,
    [residentId, since],
  )
  const newest = await newestReadings(db, {
    deviceNos: rows.map(({ deviceNo }) => deviceNo),
    heardAt: lastOf(rows.map(({ gatewayHeardAt }) => gatewayHeardAt)),
  })
  return rows.map((device) => ({
    ...device,
    lastObservedAt: newest.get(device.deviceNo)?.observedAt ?? null,
    battery: newest.get(device.deviceNo)?.battery ?? null,
  }))
}

export type ResidentAlert = {
  alertId: number
  kind: AlertKind
  severity: Severity
  stage: Stage
  openedAt: Date
  closedAt: Date | null
  headline: { zh: string; en: string }
  outcome: Outcome | null
  outcomeNote: string
  handledBy: string | null
  /** When the alert came to its present stage. */
  stageAt: Date | null
  /** It is being asked about: nobody has been told yet. */
  isAsked: boolean
}

/** Open alerts first, worst first, then the last closed ones; at most `closedMax` of those and 50 open. */
export async function residentAlerts(
  db: Queryable,
  { residentId, closedMax }: { residentId: string; closedMax: number },
): Promise<ResidentAlert[]> {
  const { rows } = await db.query<Omit<ResidentAlert, 'headline'> & { zh: string; en: string }>(
    `with chosen as (
       (select * from alerts where resident_id = $1 and closed_at is null order by opened_at desc limit 50)
       union all
       (select * from alerts where resident_id = $1 and closed_at is not null order by opened_at desc limit $2))
     select a.alert_id as "alertId", a.kind, a.severity, a.stage, a.opened_at as "openedAt", a.closed_at as "closedAt",
            a.headline_zh as zh, a.headline_en as en, a.outcome, a.outcome_note as "outcomeNote", s.name as "handledBy",
            (select max(e.at) from alert_events e where e.alert_id = a.alert_id and e.kind = a.stage) as "stageAt",
            a.stage = 'open' and a.asked_until is not null
              and exists (select from asks k where k.alert_id = a.alert_id and k.ended_at is null) as "isAsked"
       from chosen a left join staff s on s.staff_id = a.handled_by
      order by a.closed_at is not null,
               case when a.closed_at is null
                    then array_position(array['emergency', 'urgent', 'warning', 'notice'], a.severity) end,
               a.opened_at desc`,
    [residentId, closedMax],
  )
  return rows.map(({ zh, en, ...alert }) => ({ ...alert, headline: { zh, en } }))
}

export type Look = {
  name: string
  role: string
  kind: 'staff' | 'family'
  relation: string | null
  page: string
  lastAt: Date
  looks: number
}

/** Who has looked at this resident, newest first. */
export async function residentLooks(
  db: Queryable,
  { residentId, looksMax }: { residentId: string; looksMax: number },
): Promise<Look[]> {
  const { rows } = await db.query<Look>(
    `select coalesce(s.name, f.name) as name, coalesce(s.role, '') as role, f.relation, l.page, l.last_at as "lastAt",
            case when l.staff_id is null then 'family' else 'staff' end as kind, l.looks
       from access_log l left join staff s using (staff_id) left join family_members f using (family_member_id)
      where l.resident_id = $1 order by l.last_at desc, l.access_id desc limit $2`,
    [residentId, looksMax],
  )
  return rows
}
