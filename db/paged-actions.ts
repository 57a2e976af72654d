import { type ActionResult, type AlertAction, actOnAlert, type UndoResult, undoLast } from './alert-actions.js'
import { recordAlertEvent } from './alerts.js'
import { joining } from './joining.js'
import { queueMessage } from './messages.js'
import type { Database, Queryable } from './pool.js'

/** How somebody acts who was sent a page and has not logged in. */
export type PagedVia = 'link' | 'email' | 'webhook'
export type PagedAct = { alertId: number; staffId: string; via: PagedVia; now: Date }
/** `since`: how long the one who has it has had it. */
export type PagedResult =
  | { kind: 'done' }
  | { kind: 'missing' }
  | { kind: 'may not act' }
  | (Extract<ActionResult, { kind: 'refused' }> & { since: Date | null })
export type { AlertAction, UndoResult }

/** Of `staff s`: who is told only, and who is Shouwang itself, never acts; nor does somebody who left. */
export const mayAct = `s.disabled_at is null and s.role not in ('family', 'watcher')`

/**
 * What the person whom a page was sent to did with its alert, in the caller's transaction. Of two at once the first wins,
 * and what somebody else has taken is not moved on in that person's stead: the second is told who, and history notes it.
 */
export async function actAsPaged(
  db: Database,
  tx: Queryable,
  { action, ...p }: PagedAct & { action: AlertAction },
): Promise<PagedResult> {
  const alert = await lockForPaged(tx, p)
  if (!alert) return { kind: 'missing' }
  if (!alert.mayAct) return { kind: 'may not act' }
  const isOthers = alert.stage !== 'open' && alert.by !== null && alert.by.staffId !== p.staffId
  const result: ActionResult = isOthers
    ? { kind: 'refused', stage: alert.stage, by: alert.by }
    : await actOnAlert(joining(db, tx), { ...p, action })
  if (result.kind !== 'refused') return result
  const since = await takenSince(tx, p)
  if (result.by && result.by.staffId !== p.staffId) await noteTooLate(tx, p, result.by.staffId)
  return { ...result, since }
}

/** Once, however often it is tried: whoever takes it back tells those who wanted it. */
async function noteTooLate(tx: Queryable, p: PagedAct, takenBy: string): Promise<void> {
  const { rowCount } = await tx.query(
    `select from alert_events where alert_id = $1 and staff_id = $2 and kind = 'too late'
        and alert_event_id > (select max(alert_event_id) from alert_events t
                               where t.alert_id = $1 and t.kind in ('opened', 'acknowledged', 'en_route', 'arrived', 'closed'))`,
    [p.alertId, p.staffId],
  )
  if (rowCount !== 0) return
  await recordAlertEvent(tx, {
    alertId: p.alertId,
    at: p.now,
    kind: 'too late',
    staffId: p.staffId,
    via: p.via,
    detail: { staffId: takenBy },
  })
}

/** Locks the alert, and says how it stands and whether this person may do anything with it. */
export async function lockForPaged(tx: Queryable, { alertId, staffId }: { alertId: number; staffId: string }) {
  const { rows } = await tx.query<{
    stage: Extract<ActionResult, { kind: 'refused' }>['stage']
    by: { staffId: string; name: string } | null
    mayAct: boolean
    round: number
  }>(
    `select a.stage, a.round, ${mayAct} as "mayAct",
            case when h.staff_id is not null then json_build_object('staffId', h.staff_id, 'name', h.name) end as by
       from alerts a join staff s on s.staff_id = $2 left join staff h on h.staff_id = a.handled_by
      where a.alert_id = $1 for no key update of a`,
    [alertId, staffId],
  )
  return rows[0]
}

/** Since when the one who has the alert has had it; null where nobody has. */
export async function takenSince(db: Queryable, { alertId }: { alertId: number }): Promise<Date | null> {
  const { rows } = await db.query<{ since: Date | null }>(
    `select coalesce((select min(e.at) from alert_events e
               where e.alert_id = a.alert_id and e.staff_id = a.handled_by
                 and e.kind in ('acknowledged', 'en_route', 'arrived', 'closed')
                 and e.alert_event_id > coalesce((select max(alert_event_id) from alert_events o
                                                   where o.alert_id = a.alert_id and o.kind in ('returned', 'undone')), 0)),
             a.stage_at) as since
       from alerts a where alert_id = $1 and handled_by is not null`,
    [alertId],
  )
  return rows[0]?.since ?? null
}

/**
 * Takes the last step of this person back, within a minute of it. Who tried to take the alert meanwhile, and was told that
 * somebody has it, is told that nobody has.
 */
export function undoAndTell(
  db: Database,
  p: { alertId: number; staffId: string; via: PagedVia | 'console'; now: Date },
): Promise<UndoResult> {
  return db.transaction(async (tx) => {
    const result = await undoLast(joining(db, tx), p)
    if (result.kind === 'done') await tellThatNobodyHas(tx, p)
    return result
  })
}

async function tellThatNobodyHas(tx: Queryable, { alertId, now }: { alertId: number; now: Date }): Promise<void> {
  const { rows } = await tx.query<{
    staffId: string
    name: string
    zh: string
    en: string
    last: number
    care: boolean
  }>(
    `select distinct on (e.staff_id) e.staff_id as "staffId", r.name, a.headline_zh as zh, a.headline_en as en,
            e.alert_event_id as last, s.role in ('social_worker', 'supervisor') as care
       from alerts a join residents r using (resident_id) join alert_events e using (alert_id)
       join staff s on s.staff_id = e.staff_id and s.disabled_at is null
      where a.alert_id = $1 and a.stage = 'open' and e.kind = 'too late'
        and e.alert_event_id > coalesce((select max(alert_event_id) from alert_events t
                                          where t.alert_id = $1 and t.kind = 'acknowledged'), 0)
      order by e.staff_id, e.alert_event_id desc`,
    [alertId],
  )
  for (const { staffId, name, zh, en, last, care } of rows)
    await queueMessage(tx, {
      staffId,
      kind: 'alert news',
      text: {
        zh: `${name}：刚才接手的人已撤销，现在没有人处理。${zh}`,
        en: `${name}: whoever took it has taken that back, so nobody has it now. ${en}`,
      },
      ...(care ? { path: `/alerts/${alertId}` } : {}),
      now,
      dedupeKey: `undone/${alertId}/${last}`,
      urgent: true,
    })
}

/**
 * Somebody who was paged says that they cannot come: on record, and the next step is due at once. What else is on its way
 * to that person about this step is not sent. Where the alert is taken, by that person or by somebody else, nothing changes.
 * Said again in the same round it hurries nobody: a program that answers each mail would wake everybody within seconds.
 */
export async function declinePage(
  tx: Queryable,
  p: PagedAct,
): Promise<'next step' | 'yours' | 'taken' | 'may not act'> {
  const alert = await lockForPaged(tx, p)
  if (!alert?.mayAct) return 'may not act'
  const { rows: before } = await tx.query<{ round: number }>(
    "select (detail->>'round')::int as round from alert_events where alert_id = $1 and staff_id = $2 and kind = 'declined'",
    [p.alertId, p.staffId],
  )
  const { alertId, now: at, staffId, via } = p
  await recordAlertEvent(tx, { alertId, at, kind: 'declined', staffId, via, detail: { round: alert.round } })
  if (alert.stage !== 'open') return alert.stage !== 'closed' && alert.by?.staffId === p.staffId ? 'yours' : 'taken'
  await tx.query(
    `update pages set status = 'cancelled', claimed_until = null where alert_id = $1 and staff_id = $2 and status = 'pending'`,
    [p.alertId, p.staffId],
  )
  if (before.some(({ round }) => round === alert.round)) return 'next step'
  await tx.query(
    `update alerts set due_at = least(due_at, $2) where alert_id = $1 and stage = 'open' and due_at is not null`,
    [p.alertId, p.now],
  )
  return 'next step'
}
