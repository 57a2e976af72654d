import type { Queryable } from './pool.js'

/** The way by which somebody did something with an alert. */
export type Via = 'system' | 'console' | 'link' | 'email' | 'webhook'

/** One line of an alert's history. Kinds: opened, asked, told, returned, nobody to tell, page sent, page failed, repeat, … */
export async function recordAlertEvent(
  tx: Queryable,
  event: {
    alertId: number
    at: Date
    kind: string
    staffId?: string
    via?: Via
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
