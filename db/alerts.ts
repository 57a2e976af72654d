import { advance, begin, type Move } from '../alerts/escalation.js'
import { type AlertKind, type Headline, type Outcome, type Severity, type Stage, severityOf } from '../alerts/model.js'
import { loadChain } from './chain.js'
import type { Queryable } from './pool.js'

export type NewAlert = {
  residentId: string
  deviceNo: number | null
  kind: AlertKind
  openedAt: Date
  observedAt: Date
  headline: Headline
  reason: Record<string, unknown>
}

/**
 * Opens an alert, with its first event and its first pages, in the caller's transaction. Returns its id, or null where
 * the same thing is open already (emergencies always open: their episodes are judged before).
 */
export async function openAlert(tx: Queryable, alert: NewAlert, now: Date): Promise<number | null> {
  const alertId = await insertAlert(tx, alert)
  if (alertId === null) return null
  const severity = severityOf[alert.kind]
  const chain = severity === 'notice' ? [] : await loadChain(tx, { residentId: alert.residentId, now })
  await applyMove(tx, { alertId, move: begin(severity, chain, now.getTime()), now })
  return alertId
}

/** The alert and the first line of its history, nobody told yet. `alertId`: one that was set aside for it before. */
export async function insertAlert(tx: Queryable, alert: NewAlert, alertId?: number): Promise<number | null> {
  const { rows } = await tx.query<{ alert_id: number }>(
    `with opened as (
       insert into alerts (alert_id, resident_id, community_id, device_no, kind, severity, opened_at, observed_at, headline_zh, headline_en, reason)
       overriding system value
       select coalesce($10, nextval(pg_get_serial_sequence('alerts', 'alert_id'))), resident_id, community_id, $2, $3, $4, $5, $6, $7, $8, $9
         from residents where resident_id = $1
       on conflict do nothing returning alert_id
     ), event as (
       insert into alert_events (alert_id, at, kind, detail) select alert_id, $5, 'opened', $11 from opened
     )
     select alert_id, pg_notify('shouwang', 'alerts') from opened`,
    [
      alert.residentId,
      alert.deviceNo,
      alert.kind,
      severityOf[alert.kind],
      alert.openedAt,
      alert.observedAt,
      alert.headline.zh,
      alert.headline.en,
      JSON.stringify(alert.reason),
      alertId ?? null,
      JSON.stringify({ headline: alert.headline }),
    ],
  )
  return rows[0]?.alert_id ?? null
}

/** No policy sets an open emergency a due time further away than this: beyond it, a clock has jumped back. */
const emergencyDueMsMax = 4 * 60_000
const isDue = `(due_at <= $1 or (severity = 'emergency' and stage = 'open' and due_at > $2))`
const dueParameters = (now: Date) => [now, new Date(now.getTime() + emergencyDueMsMax)]

/** The alerts whose next step is due at `now`, emergencies first. */
export async function dueAlerts(
  db: Queryable,
  { now, alertsMax, except }: { now: Date; alertsMax: number; except: number[] },
): Promise<number[]> {
  const { rows } = await db.query<{ alert_id: number }>(
    `select alert_id from alerts where due_at is not null and ${isDue} and alert_id <> all($4)
      order by severity <> 'emergency', due_at limit $3`,
    [...dueParameters(now), alertsMax, except],
  )
  return rows.map((row) => row.alert_id)
}

/** Takes the next step of an alert if it is still due and nobody else is at it. Returns whether a step was taken. */
export async function escalate(tx: Queryable, { alertId, now }: { alertId: number; now: Date }): Promise<boolean> {
  const { rows } = await tx.query<{
    resident_id: string
    severity: Severity
    stage: Stage
    step: number
    round: number
    told: string[]
  }>(
    `select resident_id, severity, stage, step, round,
            array(select distinct staff_id from pages p where p.alert_id = a.alert_id and p.round = a.round) as told
       from alerts a where alert_id = $3 and ${isDue} for no key update skip locked`,
    [...dueParameters(now), alertId],
  )
  const alert = rows[0]
  if (!alert) return false
  const chain = await loadChain(tx, { residentId: alert.resident_id, now })
  await applyMove(tx, { alertId, move: advance(alert, chain, now.getTime()), now })
  return true
}

const moveAlert = `update alerts set stage = $2, step = $3, round = $4, due_at = $5,
            handled_by = case when $2 = 'open' then null else handled_by end where alert_id = $1`

async function applyMove(tx: Queryable, { alertId, move, now }: { alertId: number; move: Move; now: Date }) {
  const { step, round, pages } = move
  const moved = [alertId, move.stage, step, round, move.dueAt === null ? null : new Date(move.dueAt)]
  if (pages.length === 0) await tx.query(moveAlert, moved)
  if (move.happened === 'nothing') return
  if (move.happened === 'returned')
    await recordAlertEvent(tx, { alertId, at: now, kind: 'returned', detail: { round } })
  if (pages.length === 0) {
    // Said once, not at each look.
    const { rows } = await tx.query<{ kind: string }>(
      'select kind from alert_events where alert_id = $1 order by alert_event_id desc limit 1',
      [alertId],
    )
    if (rows[0]?.kind !== 'nobody to tell')
      await recordAlertEvent(tx, { alertId, at: now, kind: 'nobody to tell', detail: { round } })
    return
  }
  const told = [...new Set(pages.map((page) => page.staffId))].map((staffId) => {
    const channels = pages.filter((page) => page.staffId === staffId).map(({ channel }) => channel)
    return JSON.stringify({ step, round, role: pages[0]!.role, staffId, channels })
  })
  // One statement: each round trip is one more wait for an emergency while the database has much to do.
  await tx.query(
    `with moved as (${moveAlert}), paged as (
       insert into pages (alert_id, round, step, staff_id, channel, position, created_at, next_attempt_at)
       select $1, $4, $3, staff_id, channel, position, $6, $6
         from unnest($7::text[], $8::text[], $9::int[]) as p (staff_id, channel, position) on conflict do nothing
     ), told as (
       insert into alert_events (alert_id, at, kind, detail) select $1, $6, 'told', detail from unnest($10::jsonb[]) as t (detail)
     )
     select pg_notify('shouwang', 'alerts'), pg_notify('shouwang', 'pages')`,
    [...moved, now, pages.map((p) => p.staffId), pages.map((p) => p.channel), pages.map((p) => p.position), told],
  )
}

/** One line of an alert's history. Kinds: opened, told, returned, nobody to tell, page sent, page failed, repeat, … */
export async function recordAlertEvent(
  tx: Queryable,
  event: {
    alertId: number
    at: Date
    kind: string
    staffId?: string
    via?: 'system' | 'console' | 'link'
    detail?: Record<string, unknown>
  },
): Promise<void> {
  await tx.query(
    `with event as (
       insert into alert_events (alert_id, at, kind, staff_id, via, detail) values ($1, $2, $3, $4, $5, $6))
     select pg_notify('shouwang', 'alerts')`,
    [
      event.alertId,
      event.at,
      event.kind,
      event.staffId ?? null,
      event.via ?? 'system',
      JSON.stringify(event.detail ?? {}),
    ],
  )
}

/**
 * What was wrong is so no longer. An alert that nobody has acknowledged is closed with `outcome`; on one that somebody
 * is working on it is noted, and that person decides.
 */
export async function clearAlert(
  tx: Queryable,
  p: { residentId: string; kind: AlertKind; deviceNo: number | null; at: Date; headline: Headline; outcome: Outcome },
): Promise<void> {
  const { rows } = await tx.query<{ alert_id: number; stage: Stage }>(
    `select alert_id, stage from alerts where resident_id = $1 and kind = $2 and coalesce(device_no, 0) = $3
        and closed_at is null for no key update`,
    [p.residentId, p.kind, p.deviceNo ?? 0],
  )
  for (const { alert_id: alertId, stage } of rows) {
    await recordAlertEvent(tx, { alertId, at: p.at, kind: 'cleared', detail: { headline: p.headline } })
    if (stage !== 'open') continue
    await tx.query(
      `update alerts set stage = 'closed', outcome = $2, closed_at = $3, due_at = null where alert_id = $1`,
      [alertId, p.outcome, p.at],
    )
    await recordAlertEvent(tx, { alertId, at: p.at, kind: 'closed', detail: { outcome: p.outcome } })
  }
}

/** A device that was moved away has nothing more to be told about; its emergencies stay open for a person to close. */
export async function closeNoticesOfUnbound(
  tx: Queryable,
  { deviceId, now }: { deviceId: string; now: Date },
): Promise<void> {
  const { rows } = await tx.query<{ alert_id: number }>(
    `update alerts set stage = 'closed', outcome = 'other', closed_at = $2, due_at = null
      where closed_at is null and severity in ('warning', 'notice')
        and device_no in (select device_no from devices where device_id = $1 and unbound_at is not null)
     returning alert_id`,
    [deviceId, now],
  )
  for (const { alert_id: alertId } of rows)
    await recordAlertEvent(tx, {
      alertId,
      at: now,
      kind: 'closed',
      detail: { outcome: 'other', reason: 'device moved' },
    })
}

/** Who was told of an alert in this round of its chain. */
export async function toldInRound(
  db: Queryable,
  { alertId, round }: { alertId: number; round: number },
): Promise<string[]> {
  const { rows } = await db.query<{ staff_id: string }>(
    'select distinct staff_id from pages where alert_id = $1 and round = $2',
    [alertId, round],
  )
  return rows.map((row) => row.staff_id)
}
