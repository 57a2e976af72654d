import { type AlertAction, transition } from '../alerts/lifecycle.js'
import type { Severity, Stage } from '../alerts/model.js'
import { recordAlertEvent } from './alerts.js'
import type { Database } from './pool.js'

export type { AlertAction }
export type ActionResult =
  | { kind: 'done' }
  | { kind: 'missing' }
  | { kind: 'refused'; stage: Stage; by: { staffId: string; name: string } | null }

/**
 * What a person did with an alert, with its event, in one transaction. Of two at once the first wins and the second is
 * told who. The caller has checked that this person may see the alert.
 */
export function actOnAlert(
  db: Database,
  p: { alertId: number; action: AlertAction; staffId: string; via: 'console' | 'link'; now: Date },
): Promise<ActionResult> {
  return db.transaction(async (tx): Promise<ActionResult> => {
    const { rows } = await tx.query<{
      stage: Stage
      severity: Severity
      handled_by: string | null
      name: string | null
    }>(
      `select a.stage, a.severity, a.handled_by, s.name from alerts a left join staff s on s.staff_id = a.handled_by
        where alert_id = $1 for no key update of a`,
      [p.alertId],
    )
    const alert = rows[0]
    if (!alert) return { kind: 'missing' }
    const next = transition(alert, p.action, p.now.getTime())
    if (!next) {
      const by = alert.handled_by === null ? null : { staffId: alert.handled_by, name: alert.name ?? alert.handled_by }
      return { kind: 'refused', stage: alert.stage, by }
    }
    const closing = p.action.kind === 'close' ? p.action : undefined
    await tx.query(
      `update alerts set stage = $2, handled_by = $3, due_at = $4, outcome = $5, outcome_note = $6, closed_at = $7
        where alert_id = $1`,
      [
        p.alertId,
        next.stage,
        p.staffId,
        next.dueAt === null ? null : new Date(next.dueAt),
        closing?.outcome ?? null,
        closing?.note ?? '',
        closing ? p.now : null,
      ],
    )
    // Nobody else needs to come: what has not left yet is not sent.
    await tx.query(`update pages set status = 'cancelled' where alert_id = $1 and status = 'pending'`, [p.alertId])
    await recordAlertEvent(tx, {
      alertId: p.alertId,
      at: p.now,
      kind: next.stage,
      staffId: p.staffId,
      via: p.via,
      detail: closing ? { outcome: closing.outcome, note: closing.note } : {},
    })
    return { kind: 'done' }
  })
}
