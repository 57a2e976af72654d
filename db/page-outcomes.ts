import { channelOrder } from './chain.js'
import type { Queryable } from './pool.js'

export type Attempt = {
  pageId: string
  startedAt: Date
  durationMs: number
  result: 'sent' | 'delivered' | 'retry' | 'refused'
  detail: string
}

const storableDetail = (detail: string) => detail.replaceAll('\0', '').slice(0, 1_000)

async function recordAttempt(db: Queryable, attempt: Attempt) {
  await db.query(
    'insert into page_attempts (page_id, attempted_at, duration_ms, result, detail) values ($1, $2, $3, $4, $5)',
    [attempt.pageId, attempt.startedAt, attempt.durationMs, attempt.result, storableDetail(attempt.detail)],
  )
}

/** What came of an attempt: it was sent at `at`, with this detail in the history; or it is tried again at `nextAttemptAt`. */
export type Outcome = Attempt & { at: Date } & (
    | { result: 'sent' | 'delivered'; event: Record<string, unknown> }
    | { result: 'retry'; nextAttemptAt: Date }
  )

/**
 * Records what came of attempts, each with its line of history, in one statement. The pages in order, so that two
 * processes cannot block each other.
 */
export async function recordOutcomes(tx: Queryable, outcomes: readonly Outcome[]): Promise<void> {
  if (outcomes.length === 0) return
  const column = <T>(of: (outcome: Outcome) => T) => outcomes.map(of)
  await tx.query(
    `with noted as materialized (
       select * from unnest($1::uuid[], $2::timestamptz[], $3::int[], $4::text[], $5::text[], $6::timestamptz[], $7::timestamptz[], $8::jsonb[])
         with ordinality as n (page_id, attempted_at, duration_ms, result, detail, at, next_attempt_at, event, place)
     ), locked as materialized (
       select page_id, alert_id from pages where page_id = any($1) order by page_id for update
     ), attempted as (
       insert into page_attempts (page_id, attempted_at, duration_ms, result, detail)
       select page_id, attempted_at, duration_ms, result, detail from noted join locked using (page_id)
     ), left_now as (
       update pages p set attempts = attempts + 1, claimed_until = null,
              status = case when n.result = 'retry' then p.status else 'sent' end,
              sent_at = case when n.result = 'retry' then p.sent_at else n.at end,
              next_attempt_at = coalesce(n.next_attempt_at, p.next_attempt_at),
              last_error = case when n.result = 'retry' then n.detail end
         from noted n join locked using (page_id) where p.page_id = n.page_id
     ), told as (
       insert into alert_events (alert_id, at, kind, detail)
       select alert_id, at, 'page sent', event from noted join locked using (page_id) where event is not null
        order by place
     )
     select pg_notify('shouwang', 'alerts')`,
    [
      column((o) => o.pageId),
      column((o) => o.startedAt),
      column((o) => o.durationMs),
      column((o) => o.result),
      column((o) => storableDetail(o.detail)),
      column((o) => o.at),
      column((o) => (o.result === 'retry' ? o.nextAttemptAt : null)),
      column((o) => (o.result === 'retry' ? null : JSON.stringify(o.event))),
    ],
  )
}

/**
 * It will not get through. The person's next channel takes over; where there is none and no other page of this step can
 * still arrive, the next step is due at once (in the first round: later ones keep their pace). What failed in one message
 * waits for the others of it until `heldUntil`. Returns what came of it.
 */
export async function recordFailed(
  tx: Queryable,
  attempt: Attempt,
  now: Date,
  heldUntil: Date | null = null,
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
    condition: string
    informs: boolean
  }>(
    `update pages set status = 'failed', attempts = attempts + 1, claimed_until = null, last_error = $2
      where page_id = $1 and status = 'pending'
     returning alert_id, round, step, staff_id, condition, informs`,
    [attempt.pageId, storableDetail(attempt.detail)],
  )
  const page = rows[0]
  if (!page) return 'others'
  const { rowCount: more } = await tx.query(
    `insert into pages (alert_id, round, step, staff_id, channel, position, condition, informs, created_at, next_attempt_at, held_until)
     select $1, $2, $3, $4, kind, position, $5, $6, $7, $7, $8 from staff_channels
      where staff_id = $4 and position not in (select position from pages
                                where alert_id = $1 and round = $2 and step = $3 and staff_id = $4)
      order by ${channelOrder} limit 1 on conflict do nothing`,
    [page.alert_id, page.round, page.step, page.staff_id, page.condition, page.informs, now, heldUntil],
  )
  if (more === 1) return 'next channel'
  if (page.informs) return 'others'
  const { rowCount: escalated } = await tx.query(
    `update alerts set due_at = least(due_at, $4) where alert_id = $1 and stage = 'open' and round = 0 and round = $2 and step = $3
        and not exists (select from pages where alert_id = $1 and round = $2 and step = $3 and status in ('pending', 'sent')
                             and not informs)`,
    [page.alert_id, page.round, page.step, now],
  )
  return escalated === 1 ? 'next step' : 'others'
}

/** Whether the person has a channel that this step has not tried: the next one for `recordFailed`. */
export async function hasNextChannel(db: Queryable, pageId: string): Promise<boolean> {
  const { rowCount } = await db.query(
    `select from pages p join staff_channels h using (staff_id) where p.page_id = $1
        and not exists (select from pages o where o.alert_id = p.alert_id and o.round = p.round and o.step = p.step
                           and o.staff_id = p.staff_id and o.position = h.position) limit 1`,
    [pageId],
  )
  return rowCount === 1
}
