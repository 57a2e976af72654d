import { advance, begin, beginAsking, type EscalationState, type Move } from '../alerts/escalation.js'
import { type AlertKind, type Headline, type Outcome, type Severity, type Stage, severityOf } from '../alerts/model.js'
import { emergencyPauseSecondsMax } from '../alerts/policy.js'
import { recordAlertEvent } from './alert-events.js'
import { askFirst, askUntilOf, endAsks } from './asks.js'
import { channelOrder, loadChain, type PersonRow, personOf, quietColumn } from './chain.js'
import { holdOpened } from './holds.js'
import type { Queryable } from './pool.js'

export { recordAlertEvent, type Via } from './alert-events.js'

export type NewAlert = {
  residentId: string
  deviceNo: number | null
  kind: AlertKind
  openedAt: Date
  observedAt: Date
  headline: Headline
  reason: Record<string, unknown>
  /** The home is asked first, and a person paged then. */
  askUntil?: Date | undefined
}

/**
 * Opens an alert, with its first event and its first pages, or what is asked first, in the caller's transaction. Returns its
 * id, or null where the same thing is open already (emergencies always open: their episodes are judged before).
 */
export async function openAlert(tx: Queryable, alert: NewAlert, now: Date): Promise<number | null> {
  const alertId = await insertAlert(tx, alert)
  if (alertId === null) return null
  if (await holdOpened(tx, { alertId, alert, now })) return alertId
  const severity = severityOf[alert.kind]
  const { residentId, headline } = alert
  const until = await askUntilOf(tx, alert, now)
  if (until && (await askOrPage(tx, { alertId, residentId, severity, headline, until, now }))) {
    await applyMove(tx, { alertId, move: beginAsking(until.getTime(), now.getTime()), now })
    await tx.query('update alerts set asked_until = $2 where alert_id = $1', [alertId, until])
    return alertId
  }
  const chain = await loadChain(tx, { residentId, severity, now })
  await applyMove(tx, { alertId, move: begin(severity, chain, now.getTime()), now })
  return alertId
}

/** Retried by whoever began the transaction. */
const isConflict = (error: unknown) => ['40001', '40P01'].includes((error as { code?: string }).code ?? '')

/** Whatever is wrong with asking, it must not keep the alert from being opened: then a person is paged, and its history says so. */
async function askOrPage(tx: Queryable, about: Parameters<typeof askFirst>[1]): Promise<boolean> {
  await tx.query('savepoint asking')
  try {
    const asked = await askFirst(tx, about)
    await tx.query('release savepoint asking')
    return asked
  } catch (error) {
    if (isConflict(error)) throw error
    await tx.query('rollback to savepoint asking')
    const reason = error instanceof Error ? error.message.slice(0, 200) : 'unknown'
    await recordAlertEvent(tx, { alertId: about.alertId, at: about.now, kind: 'asking failed', detail: { reason } })
    return false
  }
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
const emergencyDueMsMax = (emergencyPauseSecondsMax + 60) * 1_000
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

type EscalatingRow = {
  resident_id: string
  severity: Severity
  stage: Stage
  step: number
  round: number
  round_at: Date
  stage_at: Date
  told: string[]
  handler: PersonRow | null
  unreached: boolean
  was_asked: boolean
}

/** Takes the next step of an alert if it is still due and nobody else is at it. Returns whether a step was taken. */
export async function escalate(tx: Queryable, { alertId, now }: { alertId: number; now: Date }): Promise<boolean> {
  const { rows } = await tx.query<EscalatingRow>(
    `select resident_id, severity, stage, step, round, coalesce(round_at, opened_at) as round_at,
            coalesce(stage_at, opened_at) as stage_at,
            array(select distinct staff_id from pages p where p.alert_id = a.alert_id and p.round = a.round) as told,
            (select json_build_object('staffId', s.staff_id, 'quiet', ${quietColumn}, 'channels',
                      coalesce((select json_agg(json_build_object('position', position, 'kind', kind) order by ${channelOrder})
                                  from staff_channels h where h.staff_id = s.staff_id), '[]'))
               from staff s where s.staff_id = a.handled_by and s.disabled_at is null) as handler,
            severity = 'emergency' and exists (select from pages p where p.alert_id = a.alert_id)
              and not exists (select from pages p where p.alert_id = a.alert_id and p.status in ('sent', 'pending')
                                 and not p.informs) as unreached,
            asked_until is not null and stage = 'open' as was_asked
       from alerts a where alert_id = $3 and ${isDue} for no key update skip locked`,
    [...dueParameters(now), alertId],
  )
  const alert = rows[0]
  if (!alert) return false
  const { resident_id: residentId, severity, unreached, handler } = alert
  if (alert.was_asked && (await endAsks(tx, { alertId, at: now, why: 'unanswered' })).length > 0)
    await recordAlertEvent(tx, { alertId, at: now, kind: 'unanswered' })
  const chain = await loadChain(tx, { residentId, severity, now, everybody: unreached })
  const state: EscalationState = {
    ...alert,
    roundAt: alert.round_at.getTime(),
    stageAt: alert.stage_at.getTime(),
    handler: handler && { ...personOf(handler, now.getTime()), role: 'handler' },
  }
  await applyMove(tx, { alertId, move: advance(state, chain, now.getTime()), now })
  return true
}

// Who had it, and how far that person had come, is for those who are told again; it stays until somebody takes it.
const moveAlert = `update alerts set stage = $2, step = $3, round = $4, due_at = $5, round_at = $6, stage_at = $7,
            returned_by = case when $2 = 'open' and stage <> 'open' then handled_by else returned_by end,
            returned_stage = case when $2 = 'open' and stage <> 'open' then stage else returned_stage end,
            handled_by = case when $2 = 'open' then null else handled_by end where alert_id = $1`

/** Said once, not at each look. */
const saidOnce: Move['happened'][] = ['nobody to tell', 'quiet hours', 'chain ended']

async function applyMove(tx: Queryable, { alertId, move, now }: { alertId: number; move: Move; now: Date }) {
  const { step, round, pages } = move
  const moved = [
    alertId,
    move.stage,
    step,
    round,
    move.dueAt === null ? null : new Date(move.dueAt),
    new Date(move.roundAt),
    new Date(move.stageAt),
  ]
  if (move.happened === 'returned')
    await tx.query(
      `insert into alert_events (alert_id, at, kind, detail)
       select alert_id, $2, 'returned', jsonb_build_object('round', $3::int, 'stage', stage, 'staffId', handled_by)
         from alerts where alert_id = $1`,
      [alertId, now, round],
    )
  if (pages.length === 0) {
    await tx.query(moveAlert, moved)
    if (saidOnce.includes(move.happened))
      await recordOnce(tx, { alertId, at: now, kind: move.happened, detail: { round } })
    return
  }
  const told = [...new Set(pages.map((page) => page.staffId))].map((staffId) => {
    const theirs = pages.filter((page) => page.staffId === staffId)
    const channels = theirs.map(({ channel }) => channel)
    return JSON.stringify({ step, round, role: theirs[0]!.role, staffId, channels })
  })
  // One statement: each round trip is one more wait for an emergency while the database has much to do.
  await tx.query(
    `with moved as (${moveAlert}), paged as (
       insert into pages (alert_id, round, step, staff_id, channel, position, condition, informs, created_at, next_attempt_at)
       select $1, $4, $3, staff_id, channel, position, condition, informs, $8, $8
         from unnest($9::text[], $10::text[], $11::int[], $12::text[], $13::boolean[])
              as p (staff_id, channel, position, condition, informs) on conflict do nothing
     ), told as (
       insert into alert_events (alert_id, at, kind, detail) select $1, $8, 'told', detail from unnest($14::jsonb[]) as t (detail)
     )
     select pg_notify('shouwang', 'alerts'), pg_notify('shouwang', 'pages')`,
    [
      ...moved,
      now,
      pages.map((p) => p.staffId),
      pages.map((p) => p.channel),
      pages.map((p) => p.position),
      pages.map((p) => p.condition),
      pages.map((p) => p.informs),
      told,
    ],
  )
}

async function recordOnce(
  tx: Queryable,
  event: { alertId: number; at: Date; kind: string; detail: Record<string, unknown> },
): Promise<void> {
  const { rows } = await tx.query<{ kind: string }>(
    'select kind from alert_events where alert_id = $1 order by alert_event_id desc limit 1',
    [event.alertId],
  )
  if (rows[0]?.kind !== event.kind) await recordAlertEvent(tx, event)
}

/**
 * What was wrong is so no longer. An alert that nobody has acknowledged is closed with `outcome`; on one that somebody
 * is working on it is noted, and that person decides.
 */
export async function clearAlert(
  tx: Queryable,
  p: { residentId: string; kind: AlertKind; deviceNo: number | null; at: Date; headline: Headline; outcome: Outcome },
): Promise<void> {
  const { rows } = await tx.query<{ alert_id: number; stage: Stage; was_asked: boolean }>(
    `select alert_id, stage, asked_until is not null as was_asked from alerts where resident_id = $1 and kind = $2 and coalesce(device_no, 0) = $3
        and closed_at is null for no key update`,
    [p.residentId, p.kind, p.deviceNo ?? 0],
  )
  for (const { alert_id: alertId, stage, was_asked: wasAsked } of rows) {
    await recordAlertEvent(tx, { alertId, at: p.at, kind: 'cleared', detail: { headline: p.headline } })
    if (stage !== 'open') continue
    if (wasAsked) await endAsks(tx, { alertId, at: p.at, why: 'settled' })
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
