import type { AlertKind, Language, Severity, Stage } from '../alerts/model.js'
import type { Queryable } from './pool.js'

/** A page that this process has claimed, with what the message needs. */
export type ClaimedPage = {
  pageId: string
  alertId: number
  staffId: string
  channel: string
  position: number
  address: string | null
  secret: string | null
  staffName: string
  language: Language
  /** Attempts on record before this one. */
  attempts: number
  round: number
  step: number
  severity: Severity
  kind: AlertKind
  stage: Stage
  openedAt: Date
  observedAt: Date
  headlineZh: string
  headlineEn: string
  residentId: string
  residentName: string
  residentAddress: string
  timeZone: string
  phone: string | null
  doorCode: string | null
  keyHolder: string | null
  healthNote: string | null
}

export type ClaimLimits = {
  now: Date
  leaseMs: number
  pagesMax: number
  emergenciesOnly: boolean
  /** Pages to one person through one channel in this claim. */
  perLineMax: number
  /** `lineOf` those that have enough under way already. */
  busyLines: string[]
}

/** One person's one channel: what hangs for one must not hold up the others. */
export const lineOf = (page: { staffId: string; channel: string }): string => `${page.staffId}/${page.channel}`

/**
 * Claims pages whose time has come, emergencies and first attempts first, for `leaseMs`: a process that dies meanwhile
 * leaves them to the next one after that. A first attempt is due at once whatever the clocks say: the host that wrote
 * the page may run ahead.
 */
export async function claimPages(db: Queryable, limits: ClaimLimits): Promise<ClaimedPage[]> {
  const { now, leaseMs, pagesMax, emergenciesOnly, perLineMax, busyLines } = limits
  const { rows } = await db.query<ClaimedPage>(
    `with candidates as (
       select p.page_id, a.severity <> 'emergency' as other, p.attempts > 0 as again, p.next_attempt_at,
              row_number() over (partition by p.staff_id, p.channel
                                 order by a.severity <> 'emergency', p.attempts > 0, p.next_attempt_at) as nth
         from pages p join alerts a using (alert_id)
        where p.status = 'pending' and (p.attempts = 0 or p.next_attempt_at <= $1)
          and (p.claimed_until is null or p.claimed_until <= $1 or p.claimed_until > $2)
          and (a.severity = 'emergency' or not $4)
          and p.staff_id || '/' || p.channel <> all($6)
     ), due as (
       select p.page_id from pages p join candidates c using (page_id)
        where c.nth <= $5 and p.status = 'pending'
          and (p.claimed_until is null or p.claimed_until <= $1 or p.claimed_until > $2)
        order by c.other, c.again, c.next_attempt_at limit $3 for update of p skip locked
     ), claimed as (
       update pages p set claimed_until = $2 from due where p.page_id = due.page_id returning p.*
     )
     select c.page_id as "pageId", c.alert_id as "alertId", c.staff_id as "staffId", c.channel, c.position, c.attempts, c.round, c.step,
            h.address, h.secret, s.name as "staffName", s.language, a.severity, a.kind, a.stage,
            a.opened_at as "openedAt", a.observed_at as "observedAt", a.headline_zh as "headlineZh", a.headline_en as "headlineEn",
            r.resident_id as "residentId", r.name as "residentName", r.address as "residentAddress", r.time_zone as "timeZone",
            r.phone, r.door_code as "doorCode", r.key_holder as "keyHolder", r.health_note as "healthNote"
       from claimed c join alerts a using (alert_id) join residents r using (resident_id) join staff s on s.staff_id = c.staff_id
       left join staff_channels h on h.staff_id = c.staff_id and h.position = c.position and h.kind = c.channel`,
    [now, new Date(now.getTime() + leaseMs), pagesMax, emergenciesOnly, perLineMax, busyLines],
  )
  return rows
}

/** True where nobody has taken the alert since: asked right before each send. */
export async function isStillOpen(db: Queryable, pageId: string): Promise<boolean> {
  const { rowCount } = await db.query(
    `select from pages p join alerts a using (alert_id) where page_id = $1 and p.status = 'pending' and a.stage = 'open'`,
    [pageId],
  )
  return rowCount === 1
}

export type Attempt = {
  pageId: string
  startedAt: Date
  durationMs: number
  result: 'sent' | 'retry' | 'refused'
  detail: string
}

async function recordAttempt(db: Queryable, attempt: Attempt) {
  await db.query(
    'insert into page_attempts (page_id, attempted_at, duration_ms, result, detail) values ($1, $2, $3, $4, $5)',
    [
      attempt.pageId,
      attempt.startedAt,
      attempt.durationMs,
      attempt.result,
      attempt.detail.replaceAll('\0', '').slice(0, 1_000),
    ],
  )
}

/** The page has left, and arrived as far as the channel can tell. */
export async function recordSent(tx: Queryable, attempt: Attempt, at: Date): Promise<void> {
  await recordAttempt(tx, attempt)
  await tx.query(
    `update pages set status = 'sent', sent_at = $2, attempts = attempts + 1, claimed_until = null, last_error = null where page_id = $1`,
    [attempt.pageId, at],
  )
}

/** It did not get through; it is tried again at `nextAttemptAt`. */
export async function recordRetry(tx: Queryable, attempt: Attempt, nextAttemptAt: Date): Promise<void> {
  await recordAttempt(tx, attempt)
  await tx.query(
    'update pages set attempts = attempts + 1, claimed_until = null, next_attempt_at = $2, last_error = $3 where page_id = $1',
    [attempt.pageId, nextAttemptAt, attempt.detail.slice(0, 1_000)],
  )
}

/**
 * It will not get through. The person's next channel takes over; where there is none and no other page of this step can
 * still arrive, the next step is due at once (in the first round: later ones keep their pace). Returns what came of it.
 */
export async function recordFailed(
  tx: Queryable,
  attempt: Attempt,
  now: Date,
): Promise<'next channel' | 'next step' | 'others'> {
  // The alert before its pages, as everywhere: somebody may be acknowledging at this moment.
  await tx.query(
    'select from alerts where alert_id = (select alert_id from pages where page_id = $1) for no key update',
    [attempt.pageId],
  )
  await recordAttempt(tx, attempt)
  const { rows } = await tx.query<{
    alert_id: number
    round: number
    step: number
    staff_id: string
    position: number
  }>(
    `update pages set status = 'failed', attempts = attempts + 1, claimed_until = null, last_error = $2
      where page_id = $1 and status = 'pending'
     returning alert_id, round, step, staff_id, position`,
    [attempt.pageId, attempt.detail.slice(0, 1_000)],
  )
  const page = rows[0]
  if (!page) return 'others'
  const { rowCount: more } = await tx.query(
    `insert into pages (alert_id, round, step, staff_id, channel, position, created_at, next_attempt_at)
     select $1, $2, $3, $4, kind, position, $6, $6 from staff_channels
      where staff_id = $4 and position > $5 order by position limit 1 on conflict do nothing`,
    [page.alert_id, page.round, page.step, page.staff_id, page.position, now],
  )
  if (more === 1) return 'next channel'
  const { rowCount: escalated } = await tx.query(
    `update alerts set due_at = least(due_at, $4) where alert_id = $1 and stage = 'open' and round = 0 and round = $2 and step = $3
        and not exists (select from pages where alert_id = $1 and round = $2 and step = $3 and status in ('pending', 'sent'))`,
    [page.alert_id, page.round, page.step, now],
  )
  return escalated === 1 ? 'next step' : 'others'
}

/** Gives a claim back unused: there was too little time left to send. */
export async function releasePage(db: Queryable, pageId: string): Promise<void> {
  await db.query('update pages set claimed_until = null where page_id = $1', [pageId])
}

/** Somebody took the alert meanwhile: the page is not sent. */
export async function cancelPage(db: Queryable, pageId: string): Promise<void> {
  await db.query(
    `update pages set status = 'cancelled', claimed_until = null where page_id = $1 and status = 'pending'`,
    [pageId],
  )
}
