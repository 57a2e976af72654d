import { isTaken } from '../alerts/channels/channel.js'
import type { StandInAlert, StandInPage } from '../ingest/stand-in/record.js'
import { insertAlert, recordAlertEvent } from './alerts.js'
import { keepPageLink } from './page-links.js'
import type { Queryable } from './pool.js'

/**
 * The links in the pages work only from now on: whoever is at the door already has so long to say so before the chain is
 * told again.
 */
const returnGraceMs = 120_000

/** Sets ids aside that no other alert gets. */
export async function reserveAlertIds(db: Queryable, { count }: { count: number }): Promise<number[]> {
  const { rows } = await db.query<{ alert_id: number }>(
    `select nextval(pg_get_serial_sequence('alerts', 'alert_id')) as alert_id from generate_series(1, $1)`,
    [count],
  )
  return rows.map((row) => row.alert_id)
}

/**
 * Commits an alert that an edge opened and paged by itself: its history, its pages as they stand, its links. What is
 * still to be done goes on from there. Returns its id; null where its resident is gone.
 */
export async function commitStandInAlert(tx: Queryable, alert: StandInAlert, now: Date): Promise<number | null> {
  const at = new Date(alert.openedAt)
  const news = {
    residentId: alert.residentId,
    deviceNo: alert.deviceNo,
    kind: alert.kind,
    openedAt: at,
    observedAt: new Date(alert.observedAt),
    headline: alert.headline,
    reason: alert.reason,
  }
  const reserved = await ifOurs(tx, alert.alertId)
  const alertId = (await insertAlert(tx, news, reserved)) ?? (await insertAlert(tx, news))
  if (alertId === null) return null
  for (const { at: toldAt, ...detail } of alert.told)
    await recordAlertEvent(tx, { alertId, at: new Date(toldAt), kind: 'told', detail: { ...detail, round: 0 } })
  for (const page of alert.pages) {
    const isFollowed = alert.pages.some(
      ({ step, staffId, createdAt }) => step === page.step && staffId === page.staffId && createdAt > page.createdAt,
    )
    await commitPage(tx, { alertId, page, follows: isFollowed ? 'next channel' : 'others' })
  }
  await tx.query(
    'update alerts set step = $2, round = 0, due_at = $3, round_at = opened_at, stage_at = opened_at where alert_id = $1',
    [alertId, alert.step, dueAt(alert, now)],
  )
  await tx.query("select pg_notify('shouwang', 'pages')")
  return alertId
}

/**
 * An id that this database never gave out is not used: it was reserved in another one, or in this one before it was
 * restored from a backup, and some later alert would find it taken.
 */
async function ifOurs(tx: Queryable, alertId: number | null): Promise<number | undefined> {
  if (alertId === null) return undefined
  const { rows } = await tx.query<{ ours: boolean | null }>(
    `select $1 <= pg_sequence_last_value(pg_get_serial_sequence('alerts', 'alert_id')::regclass) as ours`,
    [alertId],
  )
  return rows[0]!.ours ? alertId : undefined
}

/** Alerts of a journal that was written before policies had three steps. */
const stepsBefore = 3

function dueAt({ walked, step, steps = stepsBefore, pages, dueAt: due }: StandInAlert, now: Date): Date {
  if (pages.length === 0 || due === null) return now
  const nextIsAgain = walked || step >= steps
  return new Date(nextIsAgain ? Math.max(due, now.getTime() + returnGraceMs) : due)
}

async function commitPage(
  tx: Queryable,
  { alertId, page, follows }: { alertId: number; page: StandInPage; follows: 'next channel' | 'others' },
): Promise<void> {
  const { pageId, step, staffId, channel, position, status } = page
  const last = page.attempts.at(-1)
  const { rowCount: known } = await tx.query(
    `insert into pages (page_id, alert_id, round, step, staff_id, channel, position, status, created_at, attempts, next_attempt_at,
                        sent_at, last_error, informs, condition)
     select $1, $2, 0, $3, staff_id, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14 from staff where staff_id = $4`,
    [
      pageId,
      alertId,
      step,
      staffId,
      channel,
      position,
      status,
      new Date(page.createdAt),
      page.attempts.length,
      new Date(page.nextAttemptAt),
      page.sentAt === null ? null : new Date(page.sentAt),
      last === undefined || isTaken({ kind: last.result }) ? null : last.detail.slice(0, 1_000),
      page.informs ?? false,
      page.condition ?? 'not acknowledged',
    ],
  )
  if (known === 0) return
  for (const [index, attempt] of page.attempts.entries()) {
    const { startedAt, durationMs, result } = attempt
    const at = new Date(startedAt + durationMs)
    await tx.query(
      'insert into page_attempts (page_id, attempted_at, duration_ms, result, detail) values ($1, $2, $3, $4, $5)',
      [pageId, new Date(startedAt), durationMs, result, attempt.detail.replaceAll('\0', '').slice(0, 1_000)],
    )
    const detail = { staffId, channel, step, round: 0, attempt: index + 1 }
    if (isTaken({ kind: result })) await recordAlertEvent(tx, { alertId, at, kind: 'page sent', detail })
    else if (status === 'failed' && attempt === last)
      await recordAlertEvent(tx, { alertId, at, kind: 'page failed', detail: { ...detail, follows } })
  }
  for (const linkHash of page.linkHashes)
    await keepPageLink(tx, { pageId, tokenHash: Buffer.from(linkHash, 'hex'), now: new Date(page.createdAt) })
}

/**
 * The reading was committed before the answer got lost, and its alert with it: what the edge has sent meanwhile is not
 * sent again.
 */
export async function settleToldPages(tx: Queryable, alert: StandInAlert): Promise<void> {
  const sent = alert.pages.filter(({ status }) => status === 'sent')
  await tx.query(
    `update pages p set status = 'sent', sent_at = t.sent_at, attempts = attempts + 1, claimed_until = null
       from unnest($3::text[], $4::text[], $5::int[], $6::timestamptz[]) as t (staff_id, channel, position, sent_at)
      where p.status = 'pending' and p.round = 0 and p.staff_id = t.staff_id and p.channel = t.channel
        and p.position = t.position
        and p.alert_id in (select alert_id from alerts where device_no = $1 and opened_at = $2)`,
    [
      alert.deviceNo,
      new Date(alert.openedAt),
      sent.map((page) => page.staffId),
      sent.map((page) => page.channel),
      sent.map((page) => page.position),
      sent.map((page) => new Date(page.sentAt!)),
    ],
  )
}
