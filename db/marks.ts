import {
  type AlertKind,
  type Arrival,
  type Headline,
  type Outcome,
  type Stage,
  silenceKinds,
  type Verdict,
} from '../alerts/model.js'
import { fold, type ResidentState } from '../alerts/rules/fold.js'
import { effectOfMark, type MarkEffect } from '../alerts/rules/mark-effect.js'
import { recordAlertEvent, type Via } from './alert-events.js'
import type { Database, Queryable } from './pool.js'
import { findSilenceBudget } from './silence-budget.js'
import { handWord } from './words.js'

/** In so many words, because an index is kept of these. */
const ofSilence = `kind in (${silenceKinds.map((kind) => `'${kind}'`).join(', ')})`

const dayMs = 24 * 3_600_000
/** So long after it was opened a closed alert can be marked, or marked otherwise. */
export const markDaysMax = 30
export const mayBeMarked = ({ openedAt, closedAt }: { openedAt: Date; closedAt: Date | null }, now: Date): boolean =>
  closedAt === null || now.getTime() - openedAt.getTime() <= markDaysMax * dayMs

/** What was said of an alert, by whom and when, and what it changed. */
export type Mark = {
  verdict: Verdict
  by: string
  at: Date
  byClosing: boolean
  effect: MarkEffect | null
}

export type MarkResult = { kind: 'done' | 'missing' | 'not about silence' | 'too late' }

/**
 * What somebody on the staff found an alert about a silence to be, with its event, and the word that hands it to the
 * rules, in one transaction. 'none' takes a mark back. Saying the same again changes nothing. The caller has checked that
 * this person may see the alert.
 */
export function markAlert(
  db: Database,
  p: { alertId: number; verdict: Verdict | 'none'; staffId: string; now: Date },
): Promise<MarkResult> {
  return db.transaction(async (tx): Promise<MarkResult> => {
    const alert = await lockForMark(tx, p.alertId)
    if (!alert) return { kind: 'missing' }
    if (alert.since === null) return { kind: 'not about silence' }
    if (!mayBeMarked(alert, p.now)) return { kind: 'too late' }
    if (alert.verdict === p.verdict) return { kind: 'done' }
    await putMark(tx, { ...p, ...alert, since: alert.since, verdict: p.verdict, via: 'console', byClosing: false })
    return { kind: 'done' }
  })
}

/** Outcomes that say by themselves that an alert about a silence was right. */
const emergencies: readonly Outcome[] = ['fall', 'illness']

/** Who lay there since the morning, and pressed the button at noon: the silence before it was no routine either. */
const beforeMs = dayMs
const silencesMax = 5
/** What a closing marked can be taken back for a minute; the mark itself is a little older. */
const justNowMs = 2 * 60_000

/** The alert that is closed, or where that is an emergency the alerts about silence of the last day. */
async function silencesOf(tx: Queryable, { alertId, now }: { alertId: number; now: Date }): Promise<number[]> {
  const { rows } = await tx.query<{ alertId: number }>(
    `select s.alert_id as "alertId" from alerts a join alerts s using (resident_id)
      where a.alert_id = $1 and (s.alert_id = a.alert_id
            or a.severity = 'emergency' and s.opened_at > $2 and s.${ofSilence})
      order by s.alert_id desc limit $3`,
    [alertId, new Date(now.getTime() - beforeMs), silencesMax],
  )
  return rows.map((row) => row.alertId)
}

/** An alert was closed with this outcome: an emergency marks what is about silence, in the caller's transaction. */
export async function markClosed(
  tx: Queryable,
  p: { alertId: number; outcome: Outcome; staffId: string; via: Via; now: Date },
): Promise<void> {
  if (!emergencies.includes(p.outcome)) return
  for (const alertId of await silencesOf(tx, p)) {
    const alert = await lockForMark(tx, alertId)
    if (!alert || alert.since === null || alert.verdict === 'true') continue
    await putMark(tx, { ...p, ...alert, alertId, since: alert.since, verdict: 'true', byClosing: true })
  }
}

/** The closing was taken back, and what it marked with it. */
export async function unmarkClosed(
  tx: Queryable,
  p: { alertId: number; staffId: string; via: Via; now: Date },
): Promise<void> {
  for (const alertId of await silencesOf(tx, p)) {
    const alert = await lockForMark(tx, alertId)
    if (!alert?.byClosing || alert.since === null || !alert.markedAt) continue
    if (p.now.getTime() - alert.markedAt.getTime() > justNowMs) continue
    await putMark(tx, { ...p, ...alert, alertId, since: alert.since, verdict: 'none', byClosing: false })
  }
}

type Locked = {
  residentId: string
  timeZone: string
  openedAt: Date
  closedAt: Date | null
  since: number | null
  verdict: Verdict | 'none'
  byClosing: boolean | null
  markedAt: Date | null
}

async function lockForMark(tx: Queryable, alertId: number): Promise<Locked | undefined> {
  const { rows } = await tx.query<Locked>(
    `select a.resident_id as "residentId", r.time_zone as "timeZone", a.opened_at as "openedAt", a.closed_at as "closedAt",
            case when ${ofSilence} and jsonb_typeof(reason->'since') = 'number' then (reason->>'since')::float8 end as since,
            coalesce(m.verdict, 'none') as verdict, m.by_closing as "byClosing", m.marked_at as "markedAt"
       from alerts a join residents r using (resident_id) left join alert_marks m using (alert_id)
      where a.alert_id = $1 for no key update of a`,
    [alertId],
  )
  return rows[0]
}

async function putMark(
  tx: Queryable,
  p: {
    alertId: number
    residentId: string
    timeZone: string
    since: number
    verdict: Verdict | 'none'
    byClosing: boolean
    staffId: string
    via: Via
    now: Date
  },
): Promise<void> {
  const { alertId, residentId, since, verdict, staffId, now } = p
  const effect = await effectNow(tx, p)
  if (verdict === 'none') await tx.query('delete from alert_marks where alert_id = $1', [alertId])
  else
    await tx.query(
      `insert into alert_marks (alert_id, verdict, staff_id, marked_at, by_closing,
                                limit_before_ms, limit_after_ms, hours_longer, hours_shorter)
       values ($1, $2, $3, $4, $5, $6, $7, $8, $9)
       on conflict (alert_id) do update set verdict = excluded.verdict, staff_id = excluded.staff_id,
              marked_at = excluded.marked_at, by_closing = excluded.by_closing, limit_before_ms = excluded.limit_before_ms,
              limit_after_ms = excluded.limit_after_ms, hours_longer = excluded.hours_longer,
              hours_shorter = excluded.hours_shorter`,
      [
        alertId,
        verdict,
        staffId,
        now,
        p.byClosing,
        effect?.beforeMs ?? null,
        effect?.afterMs ?? null,
        effect?.longer ?? null,
        effect?.shorter ?? null,
      ],
    )
  await handWord(tx, { residentId, word: { type: 'mark', since, verdict, receivedAt: now.getTime() } })
  const detail = { verdict, ...(effect ? { effect } : {}) }
  await recordAlertEvent(tx, { alertId, at: now, kind: 'marked', staffId, via: p.via, detail })
  await tx.query("select pg_notify('shouwang', 'arrivals')")
}

/** What waits to be folded is folded here as well: somebody may say otherwise before the rules have heard the first. */
const waitingMax = 200

async function effectNow(
  tx: Queryable,
  { residentId, timeZone, since, verdict, now }: Parameters<typeof putMark>[1],
): Promise<MarkEffect | null> {
  const alarmsPerMonth = await findSilenceBudget(tx)
  const { rows } = await tx.query<{ state: ResidentState | null; waiting: Arrival[][] }>(
    `select state, array(select body from arrivals where resident_id = $1 order by arrival_id limit $2) as waiting
       from resident_state where resident_id = $1`,
    [residentId, waitingMax],
  )
  const { state, waiting } = rows[0] ?? {}
  if (!state || alarmsPerMonth === null) return null
  const context = { timeZone, alarmsPerMonth }
  const at = Math.max(now.getTime(), state.newestAt)
  try {
    const { state: known } = fold(state, waiting!.flat(), at, context)
    return effectOfMark(known, { since, verdict }, at, context)
  } catch {
    // What the rules stumble over they say themselves when they get to it. It keeps nobody from closing an alert.
    return null
  }
}

const markColumns = `m.verdict, ms.name as by, m.marked_at as at, m.by_closing as "byClosing",
  m.limit_before_ms as "beforeMs", m.limit_after_ms as "afterMs", m.hours_longer as longer, m.hours_shorter as shorter`

type MarkRow = { verdict: Verdict | null; by: string; at: Date; byClosing: boolean } & {
  [K in keyof MarkEffect]: number | null
}

function markOf({ verdict, by, at, byClosing, beforeMs, afterMs, longer, shorter }: MarkRow): Mark | null {
  if (verdict === null) return null
  const effect = beforeMs === null ? null : { beforeMs, afterMs: afterMs!, longer: longer!, shorter: shorter! }
  return { verdict, by, at, byClosing, effect }
}

/** The mark of an alert that the caller may see; null without one. */
export async function findMark(db: Queryable, { alertId }: { alertId: number }): Promise<Mark | null> {
  const { rows } = await db.query<MarkRow>(
    `select ${markColumns} from alert_marks m join staff ms using (staff_id) where m.alert_id = $1`,
    [alertId],
  )
  return rows[0] ? markOf(rows[0]) : null
}

export type SilenceAlert = {
  alertId: number
  kind: AlertKind
  stage: Stage
  openedAt: Date
  closedAt: Date | null
  headline: Headline
  outcome: Outcome | null
  mark: Mark | null
}

/** A resident's alerts about silence, newest first. The caller has checked that the viewer may see the resident. */
export async function silenceAlertsOf(
  db: Queryable,
  { residentId, rowsMax }: { residentId: string; rowsMax: number },
): Promise<SilenceAlert[]> {
  const { rows } = await db.query<Omit<SilenceAlert, 'headline' | 'mark'> & MarkRow & { zh: string; en: string }>(
    `select a.alert_id as "alertId", a.kind, a.stage, a.opened_at as "openedAt", a.closed_at as "closedAt",
            a.headline_zh as zh, a.headline_en as en, a.outcome, ${markColumns}
       from alerts a left join alert_marks m using (alert_id) left join staff ms on ms.staff_id = m.staff_id
      where a.resident_id = $1 and ${ofSilence} order by a.opened_at desc limit $2`,
    [residentId, rowsMax],
  )
  return rows.map(({ zh, en, alertId, kind, stage, openedAt, closedAt, outcome, ...mark }) => ({
    ...{ alertId, kind, stage, openedAt, closedAt, outcome },
    headline: { zh, en },
    mark: markOf(mark),
  }))
}

/** Alerts by the resident's own line since then, and how many of them were false: marked so, or unmarked and nothing found. */
export async function falseAlarmsSince(
  db: Queryable,
  { residentId, since }: { residentId: string; since: Date },
): Promise<{ alerts: number; falseAlarms: number }> {
  const { rows } = await db.query<{ alerts: number; falseAlarms: number }>(
    `select count(*)::int as alerts,
            (count(*) filter (where m.verdict = 'false'
                                 or (m.verdict is null and a.outcome in ('resident fine', 'device fault'))))::int as "falseAlarms"
       from alerts a left join alert_marks m using (alert_id)
      where a.resident_id = $1 and a.kind = 'silence_unusual' and a.opened_at > $2`,
    [residentId, since],
  )
  return rows[0]!
}
