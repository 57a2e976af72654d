import type { AlertKind, Stage } from '../alerts/model.js'
import { isSilence } from '../alerts/model.js'
import { actOnAlert } from './alert-actions.js'
import { recordAlertEvent, type Via } from './alert-events.js'
import { endAsks } from './asks.js'
import { joining } from './joining.js'
import type { Database, Queryable } from './pool.js'
import { handWord } from './words.js'

type Answer = { alertId: number; staffId: string; via: Via; now: Date }
/** `noted`: somebody else has the alert, who is told by its history; `late`: it was closed, or over, before. */
export type AnswerResult = { kind: 'done' } | { kind: 'noted' } | { kind: 'late' } | { kind: 'missing' }

type Locked = { residentId: string; kind: AlertKind; stage: Stage; handledBy: string | null; isAsked: boolean }

const lock = async (tx: Queryable, alertId: number): Promise<Locked | undefined> =>
  (
    await tx.query<Locked>(
      `select resident_id as "residentId", kind, stage, handled_by as "handledBy",
              exists (select from asks k where k.alert_id = a.alert_id and k.ended_at is null) as "isAsked"
         from alerts a where alert_id = $1 for no key update of a`,
      [alertId],
    )
  ).rows[0]

/**
 * Somebody spoke with the resident, who is fine: the rules are told, and the alert is closed where nobody else has it. The
 * caller has checked that this person may say so.
 */
export function spokeWithResident(db: Database, p: Answer): Promise<AnswerResult> {
  return db.transaction(async (tx): Promise<AnswerResult> => {
    const { alertId, staffId, via, now } = p
    const alert = await lock(tx, alertId)
    if (!alert || !isSilence(alert.kind)) return { kind: 'missing' }
    if (alert.stage === 'closed') return { kind: 'late' }
    await recordAlertEvent(tx, { alertId, at: now, kind: 'spoken', staffId, via })
    const at = now.getTime()
    await handWord(tx, { residentId: alert.residentId, word: { type: 'spoken', at, receivedAt: at } })
    const isOthers = alert.stage !== 'open' && alert.handledBy !== staffId
    if (isOthers) return { kind: 'noted' }
    const action = { kind: 'close' as const, outcome: 'resident fine' as const, note: '' }
    await actOnAlert(joining(db, tx), { alertId, staffId, via, now, action })
    return { kind: 'done' }
  })
}

/** Whoever was asked, or looks on, wants somebody to go now: the first page is due at once. */
export function sendSomebodyNow(db: Database, p: Answer): Promise<AnswerResult> {
  return db.transaction(async (tx): Promise<AnswerResult> => {
    const { alertId, staffId, via, now } = p
    const alert = await lock(tx, alertId)
    if (!alert) return { kind: 'missing' }
    if (alert.stage !== 'open' || !alert.isAsked) return { kind: 'late' }
    await endAsks(tx, { alertId, at: now, why: 'sent for' })
    await tx.query(
      'update alerts set asked_until = least(asked_until, $2), round_at = $2, due_at = $2 where alert_id = $1',
      [alertId, now],
    )
    await recordAlertEvent(tx, { alertId, at: now, kind: 'sent for', staffId, via })
    return { kind: 'done' }
  })
}
