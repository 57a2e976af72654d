import { heldAfter, heldKinds, heldUntil } from '../alerts/holds.js'
import { recordAlertEvent } from './alert-events.js'
import type { NewAlert } from './alerts.js'
import type { Queryable } from './pool.js'

const kinds = `array[${heldKinds.map((kind) => `'${kind}'`).join(', ')}]`
const isHeldKind = (kind: string) => (heldKinds as readonly string[]).includes(kind)
const sinceOf = (reason: Record<string, unknown>) => (typeof reason.since === 'number' ? reason.since : null)

/**
 * Holds an alert that has just been opened, in the same transaction, if its home belongs to an open incident that explains
 * its silence: the first step is due when the hold ends, and nobody is told or asked before. Returns whether it is held.
 */
export async function holdOpened(
  tx: Queryable,
  { alertId, alert, now }: { alertId: number; alert: NewAlert; now: Date },
): Promise<boolean> {
  const since = sinceOf(alert.reason)
  if (!isHeldKind(alert.kind) || since === null) return false
  const { rows } = await tx.query<{ incidentId: number; lastAt: Date }>(
    `select incident_id as "incidentId", last_at as "lastAt" from incident_homes h join incidents i using (incident_id)
      where h.resident_id = $1 and h.back_at is null and i.closed_at is null order by i.last_at desc, i.incident_id limit 1`,
    [alert.residentId],
  )
  const [incident] = rows
  if (!incident) return false
  return hold(tx, { alertId, since, openedAt: alert.openedAt, ...incident, now })
}

/**
 * Holds the alerts of an incident's homes that were opened before it was seen, as long as nobody has been paged or sent
 * for. Once held, nothing holds it longer. One that another transaction is at is left to the next look. Returns how many.
 */
export async function holdAlertsOf(
  tx: Queryable,
  { incidentId, now }: { incidentId: number; now: Date },
): Promise<number> {
  const { rows } = await tx.query<{ alertId: number; openedAt: Date; reason: Record<string, unknown>; lastAt: Date }>(
    `select a.alert_id as "alertId", a.opened_at as "openedAt", a.reason, i.last_at as "lastAt"
       from incidents i join incident_homes h using (incident_id) join alerts a using (resident_id)
      where i.incident_id = $1 and i.closed_at is null and h.back_at is null and a.kind = any(${kinds})
        and a.stage = 'open' and a.held_until is null and a.step = 0 and a.round = 0 and a.due_at > $2
        and not exists (select from pages p where p.alert_id = a.alert_id)
      order by a.alert_id for no key update of a skip locked`,
    [incidentId, now],
  )
  let held = 0
  for (const { alertId, openedAt, reason, lastAt } of rows) {
    const since = sinceOf(reason)
    if (since !== null && (await hold(tx, { alertId, since, openedAt, lastAt, incidentId, now }))) held += 1
  }
  return held
}

async function hold(
  tx: Queryable,
  p: { alertId: number; since: number; openedAt: Date; lastAt: Date; incidentId: number; now: Date },
): Promise<boolean> {
  const { alertId, incidentId, now } = p
  const until = heldUntil({ since: p.since, openedAt: p.openedAt.getTime(), lastAt: p.lastAt.getTime() }, now.getTime())
  if (until === null) return false
  await tx.query(
    `update alerts set held_since = $2, held_until = $3, held_incident_id = $4, due_at = greatest(due_at, $3),
            round_at = greatest(due_at, $3), stage_at = coalesce(stage_at, opened_at) where alert_id = $1`,
    [alertId, now, new Date(until), incidentId],
  )
  await recordAlertEvent(tx, { alertId, at: now, kind: 'held', detail: { incidentId, until } })
  return true
}

/**
 * The incident is over, for these homes of it or (`residentIds` null) for all: alerts that it still holds are told of soon,
 * unless water or electricity is used in the homes meanwhile.
 */
export async function releaseAlertsOf(
  tx: Queryable,
  { incidentId, residentIds, now }: { incidentId: number; residentIds: string[] | null; now: Date },
): Promise<void> {
  const { rows } = await tx.query<{ alertId: number; until: Date }>(
    `select alert_id as "alertId", held_until as until from alerts
      where held_incident_id = $1 and stage = 'open' and step = 0 and held_until > $2 and ($3::text[] is null or resident_id = any($3))
      order by alert_id for no key update`,
    [incidentId, now, residentIds],
  )
  for (const { alertId, until } of rows) {
    const at = heldAfter(until.getTime(), now.getTime())
    if (at === until.getTime()) continue
    await tx.query(
      `update alerts set held_until = $2, due_at = case when due_at = held_until then greatest($2, asked_until) else due_at end,
              round_at = case when due_at = held_until then greatest($2, asked_until) else round_at end where alert_id = $1`,
      [alertId, new Date(at)],
    )
    await recordAlertEvent(tx, { alertId, at: now, kind: 'hold shortened', detail: { incidentId, until: at } })
  }
}
