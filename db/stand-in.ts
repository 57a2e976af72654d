import { isTaken } from '../alerts/channels/channel.js'
import type { Stage } from '../alerts/model.js'
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
  await recordTold(tx, { alertId, told: alert.told })
  for (const page of alert.pages) await commitPage(tx, { alertId, page, follows: followsOf(alert, page) })
  await tx.query(
    'update alerts set step = $2, round = 0, due_at = $3, round_at = opened_at, stage_at = opened_at where alert_id = $1',
    [alertId, alert.step, dueAt(alert, now)],
  )
  await tx.query("select pg_notify('shouwang', 'pages')")
  return alertId
}

async function recordTold(tx: Queryable, { alertId, told }: { alertId: number; told: StandInAlert['told'] }) {
  for (const { at, ...detail } of told)
    await recordAlertEvent(tx, { alertId, at: new Date(at), kind: 'told', detail: { ...detail, round: 0 } })
}

function followsOf({ pages }: StandInAlert, page: StandInPage): 'next channel' | 'others' {
  const isFollowed = pages.some(
    ({ step, staffId, createdAt }) => step === page.step && staffId === page.staffId && createdAt > page.createdAt,
  )
  return isFollowed ? 'next channel' : 'others'
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

type Followed = { alertId: number; page: StandInPage; follows: 'next channel' | 'others' }

async function commitPage(tx: Queryable, { alertId, page, follows }: Followed): Promise<void> {
  const { pageId, step, staffId, channel, position, status } = page
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
      sentAt(page),
      lastError(page),
      page.informs ?? false,
      page.condition ?? 'not acknowledged',
    ],
  )
  if (known === 0) return
  await recordAttempts(tx, { alertId, page, follows })
  await keepLinks(tx, page.pageId, page)
}

const sentAt = ({ sentAt: at }: StandInPage) => (at === null ? null : new Date(at))

function lastError({ attempts }: StandInPage): string | null {
  const last = attempts.at(-1)
  return last === undefined || isTaken({ kind: last.result }) ? null : last.detail.slice(0, 1_000)
}

/** `page.pageId`: as the database knows it. */
async function recordAttempts(tx: Queryable, { alertId, page, follows }: Followed): Promise<void> {
  const { pageId, step, staffId, channel, status } = page
  for (const [index, attempt] of page.attempts.entries()) {
    const { startedAt, durationMs, result } = attempt
    const at = new Date(startedAt + durationMs)
    await tx.query(
      'insert into page_attempts (page_id, attempted_at, duration_ms, result, detail) values ($1, $2, $3, $4, $5)',
      [pageId, new Date(startedAt), durationMs, result, attempt.detail.replaceAll('\0', '').slice(0, 1_000)],
    )
    const detail = { staffId, channel, step, round: 0, attempt: index + 1 }
    if (isTaken({ kind: result })) await recordAlertEvent(tx, { alertId, at, kind: 'page sent', detail })
    else if (status === 'failed' && index === page.attempts.length - 1)
      await recordAlertEvent(tx, { alertId, at, kind: 'page failed', detail: { ...detail, follows } })
  }
}

async function keepLinks(tx: Queryable, pageId: string, { linkHashes, createdAt }: StandInPage): Promise<void> {
  for (const linkHash of linkHashes)
    await keepPageLink(tx, { pageId, tokenHash: Buffer.from(linkHash, 'hex'), now: new Date(createdAt) })
}

/**
 * The reading was committed before the answer got lost, and its alert with it: what the edge has sent meanwhile is not
 * sent again, its links work, and the chain goes on from where the edge has it. Safe to do twice.
 */
export async function settleTold(tx: Queryable, alert: StandInAlert, now: Date): Promise<void> {
  const { rows } = await tx.query<{ alert_id: number; stage: Stage; step: number; round: number }>(
    `select alert_id, stage, step, round from alerts
      where alert_id = coalesce(
        (select max(alert_id) from alerts where resident_id = $4 and device_no = $1 and kind = $2 and observed_at = $3),
        (select alert_id from alarm_episodes where device_no = $1))
        for no key update`,
    [alert.deviceNo, alert.kind, new Date(alert.reading.observedAt), alert.residentId],
  )
  const known = rows[0]
  if (!known) return
  const alertId = known.alert_id
  if (known.stage === 'open' && known.round === 0 && alert.step >= known.step) {
    await recordTold(tx, { alertId, told: alert.told.filter(({ step }) => step > known.step) })
    await tx.query('update alerts set step = $2, due_at = $3 where alert_id = $1', [
      alertId,
      alert.step,
      dueAt(alert, now),
    ])
  }
  for (const page of alert.pages) await settlePage(tx, { alertId, page, follows: followsOf(alert, page) })
}

async function settlePage(tx: Queryable, { alertId, page, follows }: Followed): Promise<void> {
  const { rows } = await tx.query<{ page_id: string; status: string }>(
    `select page_id, status from pages
      where alert_id = $1 and round = 0 and step = $2 and staff_id = $3 and channel = $4 and position = $5`,
    [alertId, page.step, page.staffId, page.channel, page.position],
  )
  const known = rows[0]
  // What nobody was told yet is the database's to tell.
  if (!known) return page.status === 'pending' ? undefined : commitPage(tx, { alertId, page, follows })
  await keepLinks(tx, known.page_id, page)
  if (known.status !== 'pending' || page.status === 'pending') return
  await tx.query(
    'update pages set status = $2, sent_at = $3, last_error = $4, attempts = attempts + $5, claimed_until = null where page_id = $1',
    [known.page_id, page.status, sentAt(page), lastError(page), page.attempts.length],
  )
  await recordAttempts(tx, { alertId, page: { ...page, pageId: known.page_id }, follows })
}
