import type { OwnMailId } from '../alerts/replies/inbound-mail.js'
import { recordAlertEvent } from './alerts.js'
import { type Attempt, recordFailed } from './page-outcomes.js'
import type { Queryable } from './pool.js'

/** One mailbox of replies, as long as its numbers mean the same mails. */
export type MailboxId = { mailbox: string; uidValidity: number }
export type MailPlace = MailboxId & { uid: number }

/** A page is answered for as long as its link works. */
export const replyMsMax = 24 * 3_600_000

/** The number from which on mails of this box have not been handled; null where it has never been read. */
export async function nextUid(db: Queryable, { mailbox, uidValidity }: MailboxId): Promise<number | null> {
  const { rows } = await db.query<{ next_uid: number }>(
    'select next_uid from reply_mailboxes where mailbox = $1 and uid_validity = $2',
    [mailbox, uidValidity],
  )
  return rows[0]?.next_uid ?? null
}

/** All below `uid` is handled. Never back, unless the box is another one than before. */
export async function markRead(db: Queryable, { mailbox, uidValidity, uid }: MailPlace, now: Date): Promise<void> {
  await db.query(
    `insert into reply_mailboxes as b (mailbox, uid_validity, next_uid, read_at) values ($1, $2, $3, $4)
     on conflict (mailbox) do update set uid_validity = $2, read_at = $4,
       next_uid = case when b.uid_validity = $2 then greatest(b.next_uid, $3) else $3 end`,
    [mailbox, uidValidity, uid, now],
  )
}

/**
 * Takes one mail for this transaction. False where it has been handled: other processes that read the same box wait here
 * until this one is done with it.
 */
export async function takeMail(tx: Queryable, place: MailPlace, now: Date): Promise<boolean> {
  const { mailbox, uidValidity, uid } = place
  await tx.query(
    `insert into reply_mailboxes (mailbox, uid_validity, next_uid, read_at) values ($1, $2, 1, $3) on conflict do nothing`,
    [mailbox, uidValidity, now],
  )
  const { rows } = await tx.query<{ handled: boolean }>(
    'select uid_validity = $2 and next_uid > $3 as handled from reply_mailboxes where mailbox = $1 for no key update',
    [mailbox, uidValidity, uid],
  )
  if (rows[0]!.handled) return false
  await markRead(tx, { ...place, uid: uid + 1 }, now)
  return true
}

/** Keeps what became of a mail. False where one of that key was handled before: nothing is to be done then. */
export async function noteMail(
  tx: Queryable,
  p: { mailKey: Buffer; pageId: string | null; now: Date; result: string },
): Promise<boolean> {
  const { rowCount } = await tx.query(
    'insert into reply_mails (mail_key, page_id, handled_at, result) values ($1, $2, $3, $4) on conflict do nothing',
    [p.mailKey, p.pageId, p.now, p.result],
  )
  return rowCount === 1
}

export async function isNoted(tx: Queryable, { mailKey }: { mailKey: Buffer }): Promise<boolean> {
  const { rowCount } = await tx.query('select from reply_mails where mail_key = $1', [mailKey])
  return rowCount === 1
}

/** What our own answers to a reply are told apart by, and by which a reply to one of them finds its page again. */
export const answerKey = (p: { pageId: string; mailKey: Buffer }): string =>
  `reply/${p.pageId}/${p.mailKey.toString('hex').slice(0, 32)}`

/** How often the replies to a page have been answered. */
export async function countAnswers(tx: Queryable, p: { staffId: string; pageId: string }): Promise<number> {
  const { rows } = await tx.query<{ n: number }>(
    "select count(*) as n from messages where staff_id = $1 and dedupe_key like 'reply/' || $2 || '/%'",
    [p.staffId, p.pageId],
  )
  return rows[0]!.n
}

export type RepliedPage = {
  pageId: string
  alertId: number
  staffId: string
  staffName: string
  isCare: boolean
  residentName: string
  headlineZh: string
  headlineEn: string
  timeZone: string
  /** Of the channel whose address wrote, now. */
  position: number
  isOver: boolean
  /** Whether the mail came from an address of the person whom the page was sent to. */
  isOwn: boolean
}

/**
 * The page that a mail answers: of those that it names, the one that is answered most directly. Where the writer's address
 * is none of the person whom it was sent to, `isOwn` is false, and nothing may come of it.
 */
export async function findRepliedPage(
  tx: Queryable,
  p: { ids: readonly OwnMailId[]; from: string | null; now: Date },
): Promise<RepliedPage | null> {
  const { rows } = await tx.query(
    `with named as (
       select page_id, nth from pages join unnest($1::uuid[], $2::int[]) as n (page_id, nth) using (page_id)
       union all
       -- An answer to one of our own answers.
       select split_part(dedupe_key, '/', 2)::uuid, nth
         from messages join unnest($3::uuid[], $4::int[]) as n (message_id, nth) using (message_id)
        where dedupe_key like 'reply/%/%'
     )
     select p.page_id as "pageId", p.alert_id as "alertId", p.staff_id as "staffId", s.name as "staffName",
            s.role in ('social_worker', 'supervisor') as "isCare", r.name as "residentName",
            a.headline_zh as "headlineZh", a.headline_en as "headlineEn", r.time_zone as "timeZone",
            coalesce(h.position, p.position) as position, p.created_at <= $6 as "isOver", h.position is not null as "isOwn"
       from named join pages p using (page_id) join alerts a using (alert_id) join residents r using (resident_id)
       join staff s on s.staff_id = p.staff_id
       left join lateral (select position from staff_channels h
                           where h.staff_id = p.staff_id and h.kind = 'email' and lower(h.address) = $5
                           order by position limit 1) h on true
      order by nth limit 1`,
    [
      p.ids.filter(({ kind }) => kind === 'page').map(({ id }) => id),
      p.ids.flatMap(({ kind }, nth) => (kind === 'page' ? [nth] : [])),
      p.ids.filter(({ kind }) => kind === 'notice').map(({ id }) => id),
      p.ids.flatMap(({ kind }, nth) => (kind === 'notice' ? [nth] : [])),
      p.from,
      new Date(p.now.getTime() - replyMsMax),
    ],
  )
  return (rows[0] as RepliedPage | undefined) ?? null
}

/** A program answered for somebody who has been paged: history says so, the chain goes on. */
export async function noteAutomaticAnswer(
  tx: Queryable,
  p: { alertId: number; staffId: string; now: Date },
): Promise<void> {
  const { alertId, staffId, now } = p
  await recordAlertEvent(tx, { alertId, at: now, kind: 'automatic answer', staffId, via: 'email' })
}

/**
 * A mail of ours came back for good: the address is marked as broken, and a page that had counted as sent goes to the
 * person's next channel, or the next step is due, as if it had been refused at once. Returns the page, where it was one.
 */
export async function recordBounce(
  tx: Queryable,
  p: { ids: readonly OwnMailId[]; recipient: string; reason: string; now: Date },
): Promise<{ known: boolean; pageId: string | null }> {
  const { rows } = await tx.query<{ staff_id: string; position: number; page_id: string | null }>(
    `with told as (
       select staff_id, page_id from pages where page_id = any($1::uuid[])
       union all
       select staff_id, null from messages where message_id = any($1::uuid[])
     )
     select h.staff_id, h.position, told.page_id from told join staff_channels h using (staff_id)
      where h.kind = 'email' and lower(h.address) = $2 limit 1`,
    [p.ids.map(({ id }) => id), p.recipient],
  )
  const found = rows[0]
  if (!found) return { known: false, pageId: null }
  const reason = `bounced: ${p.reason}`
  await tx.query('update staff_channels set broken_at = $3, broken_reason = $4 where staff_id = $1 and position = $2', [
    found.staff_id,
    found.position,
    p.now,
    reason,
  ])
  if (found.page_id) await failSentPage(tx, { pageId: found.page_id, reason, now: p.now })
  return { known: true, pageId: found.page_id }
}

async function failSentPage(tx: Queryable, p: { pageId: string; reason: string; now: Date }): Promise<void> {
  // The alert before its pages, as everywhere: somebody may be acknowledging at this moment.
  await tx.query(
    'select from alerts where alert_id = (select alert_id from pages where page_id = $1) for no key update',
    [p.pageId],
  )
  const { rows } = await tx.query<{ alert_id: number; staff_id: string; channel: string; step: number; round: number }>(
    `update pages p set status = 'pending' from alerts a
      where p.page_id = $1 and p.status = 'sent' and p.channel = 'email' and a.alert_id = p.alert_id and a.closed_at is null
     returning p.alert_id, p.staff_id, p.channel, p.step, p.round`,
    [p.pageId],
  )
  const page = rows[0]
  if (!page) return
  const attempt: Attempt = { pageId: p.pageId, startedAt: p.now, durationMs: 0, result: 'refused', detail: p.reason }
  const follows = await recordFailed(tx, attempt, p.now)
  const { alert_id: alertId, staff_id: staffId, channel, step, round } = page
  await recordAlertEvent(tx, {
    alertId,
    at: p.now,
    kind: 'page failed',
    detail: { staffId, channel, step, round, follows, reason: p.reason },
  })
}
