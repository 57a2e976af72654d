import type { AlertKind, EpochMs } from '../../alerts/model.js'
import type { Queryable } from '../../db/pool.js'
import { findDueWork } from './due-work.js'
import type { Parcel } from './gateway.js'
import type { Stored } from './history.js'

const ms = (column: string) => `(extract(epoch from ${column}) * 1000)::float8`

/** All that the checkers want to know of the database, in the order in which it was written. */
export async function readStored(db: Queryable, now: number): Promise<Stored> {
  const rows = async <T>(sql: string) => (await db.query(sql)).rows as T[]
  const absurd = await rows<{ deviceId: string; n: number }>(
    `select split_part(topic, '/', 3) as "deviceId", count(*)::int as n from quarantine where reason = 'time absurd' group by 1`,
  )
  const { foldAt } = await findDueWork(db)
  return {
    readings: await rows(
      `select d.device_id as "deviceId", d.resident_id as "residentId", d.kind, ${ms('observed_at')} as "observedAt",
              ${ms('received_at')} as "receivedAt", event, value, coalesce(clock_wrong, false) as "clockWrong"
         from readings join devices d using (device_no) order by received_at, observed_at, device_no`,
    ),
    absurdTimes: new Map(absurd.map(({ deviceId, n }) => [deviceId, n])),
    alerts: await rows(
      `select alert_id as "alertId", a.resident_id as "residentId", d.device_id as "deviceId", a.kind, severity, stage,
              ${ms('opened_at')} as "openedAt", ${ms('observed_at')} as "observedAt", ${ms('closed_at')} as "closedAt",
              ${ms('due_at')} as "dueAt", outcome, json_build_object('zh', headline_zh, 'en', headline_en) as headline, reason
         from alerts a left join devices d using (device_no) order by alert_id`,
    ),
    events: await rows(
      `select alert_id as "alertId", ${ms('at')} as at, kind, staff_id as "staffId", detail
         from alert_events order by alert_event_id`,
    ),
    pages: await rows(
      `select page_id as "pageId", alert_id as "alertId", round, step, staff_id as "staffId", channel, status,
              ${ms('created_at')} as "createdAt", ${ms('greatest(next_attempt_at, held_until)')} as "nextAttemptAt", condition, informs
         from pages order by alert_id, round, step, staff_id, position`,
    ),
    attempts: await rows(
      `select page_id as "pageId", ${ms('attempted_at')} as "startedAt", result from page_attempts order by page_attempt_id`,
    ),
    unfolded: foldAt !== null && foldAt <= now ? 1 : 0,
  }
}

/** Whether the database has what is in this message: stored, or in quarantine. */
export async function isStored(db: Queryable, { topic, readings }: Parcel, receivedAt: EpochMs): Promise<boolean> {
  const [first] = readings
  const { rows } = await db.query<{ found: boolean }>(
    `select exists (select from readings join devices using (device_no)
                     where device_id = $1 and event = $2 and (observed_at = $3 or received_at = $4))
         or exists (select from quarantine where topic = $5) as found`,
    [first!.deviceId, first!.event, new Date(first!.ts), new Date(receivedAt), topic],
  )
  return rows[0]!.found
}

export type DigestPage = {
  pageId: string
  alertId: number
  round: number
  step: number
  staffId: string
  channel: string
  severity: string
  residentId: string
  kind: AlertKind
  observedAt: EpochMs
}
/** The pages that are told together in this message. */
export async function readDigest(db: Queryable, digestId: string): Promise<DigestPage[]> {
  const { rows } = await db.query<DigestPage & Record<string, unknown>>(
    `select page_id as "pageId", alert_id as "alertId", p.round, p.step, staff_id as "staffId", channel, severity,
            resident_id as "residentId", kind, ${ms('observed_at')} as "observedAt"
       from pages p join alerts using (alert_id) where digest_id = $1 and status = 'pending' order by alert_id, p.round, p.step`,
    [digestId],
  )
  return rows
}
