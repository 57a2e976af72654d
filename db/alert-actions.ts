import { isPaged } from '../alerts/chain.js'
import { type AlertAction, dueAfter, transition, undoMsMax } from '../alerts/lifecycle.js'
import type { Severity, Stage } from '../alerts/model.js'
import { policyOf } from '../alerts/policy.js'
import { recordAlertEvent, type Via } from './alert-events.js'
import { endAsks, reopenAsks } from './asks.js'
import { markClosed, unmarkClosed } from './marks.js'
import type { Database, Queryable } from './pool.js'
import { handWord } from './words.js'

export type { AlertAction }
export type ActionResult =
  | { kind: 'done' }
  | { kind: 'missing' }
  | { kind: 'refused'; stage: Stage; by: { staffId: string; name: string } | null }

/** What an alert was before somebody did something with it: kept with the event, for a minute in which it can be taken back. */
type Before = {
  stage: Stage
  handledBy: string | null
  dueAt: string | null
  stageAt: string | null
  /** Pages that were not sent any more because of it. */
  cancelled: string[]
}

type LockedAlert = {
  stage: Stage
  severity: Severity
  step: number
  opened_at: Date
  round_at: Date | null
  stage_at: Date | null
  due_at: Date | null
  asked_until: Date | null
  handled_by: string | null
  name: string | null
  policy: unknown
}

const lockAlert = async (tx: Queryable, alertId: number): Promise<LockedAlert | undefined> =>
  (
    await tx.query<LockedAlert>(
      `select a.stage, a.severity, a.step, a.opened_at, a.round_at, a.stage_at, a.due_at, a.asked_until, a.handled_by, s.name,
              (select policy from escalation_policies e where e.community_id = a.community_id and e.severity = a.severity) as policy
         from alerts a left join staff s on s.staff_id = a.handled_by where alert_id = $1 for no key update of a`,
      [alertId],
    )
  ).rows[0]

const refusal = (alert: LockedAlert): ActionResult => ({
  kind: 'refused',
  stage: alert.stage,
  by: alert.handled_by === null ? null : { staffId: alert.handled_by, name: alert.name ?? alert.handled_by },
})

/**
 * What a person did with an alert, with its event, in one transaction. Of two at once the first wins and the second is
 * told who. The caller has checked that this person may see the alert.
 */
export function actOnAlert(
  db: Database,
  p: { alertId: number; action: AlertAction; staffId: string; via: Via; now: Date },
): Promise<ActionResult> {
  return db.transaction(async (tx): Promise<ActionResult> => {
    const alert = await lockAlert(tx, p.alertId)
    if (!alert) return { kind: 'missing' }
    const stage = transition(alert.stage, p.action.kind)
    if (!stage) return refusal(alert)
    const policy = isPaged(alert.severity) ? policyOf(alert.severity, alert.policy) : null
    const roundAt = (alert.round_at ?? alert.opened_at).getTime()
    const dueAt = dueAfter({ stage, step: alert.step, roundAt }, policy, p.now.getTime())
    const closing = p.action.kind === 'close' ? p.action : undefined
    await tx.query(
      `update alerts set stage = $2, handled_by = $3, due_at = $4, stage_at = $8, outcome = $5, outcome_note = $6, closed_at = $7
        where alert_id = $1`,
      [
        p.alertId,
        stage,
        p.staffId,
        dueAt === null ? null : new Date(dueAt),
        closing?.outcome ?? null,
        closing?.note ?? '',
        closing ? p.now : null,
        p.now,
      ],
    )
    // Nobody else needs to come: what has not left yet is not sent, but for what waits until it is resolved.
    const { rows: cancelled } = await tx.query<{ page_id: string }>(
      // In the order in which the outbox locks them.
      `with waiting as (
         select page_id from pages where alert_id = $1 and status = 'pending' and ($2 or condition = 'not acknowledged')
          order by page_id for update
       )
       update pages p set status = 'cancelled' from waiting where p.page_id = waiting.page_id returning p.page_id`,
      [p.alertId, closing !== undefined],
    )
    if (alert.asked_until && alert.stage === 'open')
      await endAsks(tx, { alertId: p.alertId, at: p.now, why: closing ? 'settled' : 'taken' })
    const before: Before = {
      stage: alert.stage,
      handledBy: alert.handled_by,
      dueAt: alert.due_at?.toISOString() ?? null,
      stageAt: alert.stage_at?.toISOString() ?? null,
      cancelled: cancelled.map((row) => row.page_id),
    }
    await recordAlertEvent(tx, {
      alertId: p.alertId,
      at: p.now,
      kind: stage,
      staffId: p.staffId,
      via: p.via,
      detail: { ...(closing ? { outcome: closing.outcome, note: closing.note } : {}), before },
    })
    if (closing) await markClosed(tx, { ...p, outcome: closing.outcome })
    return { kind: 'done' }
  })
}

export type UndoResult = ActionResult | { kind: 'too late' } | { kind: 'nothing to undo' }

/** What people do with an alert, and what the system does that makes it another alert than they acted on. */
export const turningPoints = ['acknowledged', 'en_route', 'arrived', 'closed', 'returned', 'undone']

/**
 * Takes back what this person did last with an alert, within a minute: the alert is what it was before, who was not told
 * because of it is told now, and the chain goes on. 'nothing to undo': the last to do something was somebody else, or
 * the system; 'too late': over a minute ago, or the same thing is open again as another alert.
 */
export function undoLast(
  db: Database,
  p: { alertId: number; staffId: string; via: Via; now: Date },
): Promise<UndoResult> {
  return db.transaction(async (tx): Promise<UndoResult> => {
    const alert = await lockAlert(tx, p.alertId)
    if (!alert) return { kind: 'missing' }
    const { rows } = await tx.query<{ kind: string; at: Date; staff_id: string | null; before: Before | null }>(
      `select kind, at, staff_id, detail->'before' as before from alert_events
        where alert_id = $1 and kind = any($2) order by alert_event_id desc limit 1`,
      [p.alertId, turningPoints],
    )
    const last = rows[0]
    if (!last?.before || last.kind !== alert.stage || last.staff_id !== p.staffId) return { kind: 'nothing to undo' }
    if (p.now.getTime() - last.at.getTime() > undoMsMax) return { kind: 'too late' }
    if (alert.stage === 'closed' && (await isOpenAgain(tx, p.alertId))) return { kind: 'too late' }
    const { before } = last
    // What came due meanwhile is due now.
    await tx.query(
      `update alerts set stage = $2, handled_by = $3, stage_at = $4, due_at = greatest($5::timestamptz, $6::timestamptz),
              outcome = null, outcome_note = '', closed_at = null where alert_id = $1`,
      [p.alertId, before.stage, before.handledBy, before.stageAt, before.dueAt, before.dueAt === null ? null : p.now],
    )
    if (before.stage === 'open' && alert.asked_until && alert.asked_until > p.now)
      await reopenAsks(tx, { alertId: p.alertId, endedAt: last.at })
    await tx.query(
      // One that is being sent stays with whoever sends it.
      `update pages set status = 'pending', next_attempt_at = $2
        where page_id = any($1::uuid[]) and status = 'cancelled'`,
      [before.cancelled, p.now],
    )
    await recordAlertEvent(tx, {
      alertId: p.alertId,
      at: p.now,
      kind: 'undone',
      staffId: p.staffId,
      via: p.via,
      detail: { what: last.kind },
    })
    if (last.kind === 'closed') {
      await unmarkClosed(tx, p)
      await unsaySpoken(tx, { ...p, saidAt: last.at })
    }
    await tx.query("select pg_notify('shouwang', 'pages')")
    return { kind: 'done' }
  })
}

/** It was closed by "I spoke with them": the rules hear that nobody did, or they would take it for a sign of life. */
async function unsaySpoken(
  tx: Queryable,
  { alertId, staffId, saidAt, now }: { alertId: number; staffId: string; saidAt: Date; now: Date },
): Promise<void> {
  const { rows } = await tx.query<{ residentId: string }>(
    `select resident_id as "residentId" from alert_events join alerts using (alert_id)
      where alert_id = $1 and alert_events.kind = 'spoken' and staff_id = $2 and at = $3 limit 1`,
    [alertId, staffId, saidAt],
  )
  if (!rows[0]) return
  const word = { type: 'unsaid' as const, word: 'spoken' as const, at: saidAt.getTime(), receivedAt: now.getTime() }
  await handWord(tx, { residentId: rows[0].residentId, word })
}

/** What is no emergency is open once: closed and opened again meanwhile, it goes on as the new alert. */
async function isOpenAgain(tx: Queryable, alertId: number): Promise<boolean> {
  const { rowCount } = await tx.query(
    `select from alerts a join alerts n using (resident_id, kind)
      where a.alert_id = $1 and n.alert_id <> a.alert_id and n.closed_at is null and a.severity <> 'emergency'
        and coalesce(n.device_no, 0) = coalesce(a.device_no, 0)`,
    [alertId],
  )
  return rowCount !== 0
}
