import { randomUUID } from 'node:crypto'
import type { MessageKind } from '../alerts/channels/channel.js'
import type { Headline, Language } from '../alerts/model.js'
import { hostsApartMsMax } from './hosts-apart.js'
import type { Queryable } from './pool.js'

/** A message is told within this, or given up. */
const messageMsMax = 24 * 3_600_000
/** Somebody is waiting for a test. */
const testMsMax = 10 * 60_000
const linesMax = 200
const textCharsMax = 2_000

export type NewMessage = {
  staffId: string
  kind: MessageKind
  /** One line, in both languages. */
  text: Headline
  lines?: readonly Headline[]
  /** Where to read on, as '/roster': made a full address when it is sent. */
  path?: string
  now: Date
  /** What has been said to this person under this key is not said again. */
  dedupeKey?: string
  /** Only this channel of the person, and no other when it fails: a test. */
  position?: number
  /** Told in quiet hours too. */
  urgent?: boolean
}

/**
 * Puts a message into the outbox, in the caller's transaction. Returns its id, or null when `dedupeKey` was told to this
 * person before, or `position` is none of theirs.
 */
export async function queueMessage(tx: Queryable, message: NewMessage): Promise<string | null> {
  const { staffId, kind, text, lines = [], path, now, dedupeKey, position, urgent = kind === 'test' } = message
  const givesUpAt = new Date(now.getTime() + (kind === 'test' ? testMsMax : messageMsMax))
  const { rows } = await tx.query<{ messageId: string }>(
    `with queued as (
       insert into messages (message_id, staff_id, kind, text_zh, text_en, lines, path, urgent, dedupe_key, only_channel,
                             created_at, next_attempt_at, gives_up_at)
       select $1, $2, $3, $4, $5, $6, $7, $8, $9, h.channel_id, $10, $10, $11
         from (select) as one left join staff_channels h on h.staff_id = $2 and h.position = $12
        where $12::int is null or h.channel_id is not null
       on conflict do nothing returning message_id
     )
     select message_id as "messageId", pg_notify('shouwang', 'messages') from queued`,
    [
      randomUUID(),
      staffId,
      kind,
      storable(text.zh),
      storable(text.en),
      JSON.stringify(lines.slice(0, linesMax).map(({ zh, en }) => ({ zh: storable(zh), en: storable(en) }))),
      path ?? null,
      urgent,
      dedupeKey ?? null,
      now,
      givesUpAt,
      position ?? null,
    ],
  )
  return rows[0]?.messageId ?? null
}

const storable = (text: string) => text.replaceAll('\0', '').slice(0, textCharsMax)

/** A message that this process has claimed, with the channel through which it goes now. */
export type ClaimedMessage = {
  messageId: string
  staffId: string
  kind: MessageKind
  textZh: string
  textEn: string
  lines: Headline[]
  path: string | null
  urgent: boolean
  createdAt: Date
  givesUpAt: Date
  /** Attempts through this channel before this one. */
  attempts: number
  refusedBy: string[]
  givenUpOn: string[]
  staffName: string
  language: Language
  isDisabled: boolean
  quietFrom: string | null
  quietUntil: string | null
  quietZone: string | null
  /** Null: there is none that has not been tried. */
  channelId: string | null
  channel: string | null
  address: string | null
  secret: string | null
}

/** A claim that ends later than this, whatever the clocks of two hosts say, was made before a clock jumped back. */
const jumpedBack = `$2::timestamptz + ${hostsApartMsMax} * interval '1 ms'`

/**
 * Claims messages whose time has come for `leaseMs`: what a process that dies had claimed is another's after that. At
 * most `perPersonMax` of one person, so that one whose channel hangs does not take all places. A first attempt is due at
 * once whatever the clocks say.
 */
export async function claimMessages(
  db: Queryable,
  {
    now,
    leaseMs,
    messagesMax,
    perPersonMax,
  }: { now: Date; leaseMs: number; messagesMax: number; perPersonMax: number },
): Promise<ClaimedMessage[]> {
  const { rows } = await db.query<ClaimedMessage>(
    `with waiting as (
       select message_id, urgent, created_at, row_number() over (partition by staff_id order by not urgent, created_at) as nth
         from messages
        where status = 'pending' and (next_attempt_at <= $1 or next_attempt_at = created_at)
          and (claimed_until is null or claimed_until <= $1 or claimed_until > ${jumpedBack})
     ), due as (
       select m.message_id from messages m join waiting w using (message_id)
        where w.nth <= $4 and m.status = 'pending' and (m.claimed_until is null or m.claimed_until <= $1 or m.claimed_until > ${jumpedBack})
        order by not w.urgent, w.created_at limit $3 for update of m skip locked
     ), claimed as (
       update messages m set claimed_until = $2 from due where m.message_id = due.message_id returning m.*
     )
     select c.message_id as "messageId", c.staff_id as "staffId", c.kind, c.text_zh as "textZh", c.text_en as "textEn", c.lines,
            c.path, c.urgent, c.created_at as "createdAt", c.gives_up_at as "givesUpAt",
            case when c.through = h.channel_id then c.attempts else 0 end as attempts,
            c.refused_by::text[] as "refusedBy", c.given_up_on::text[] as "givenUpOn",
            s.name as "staffName", s.language, s.disabled_at is not null as "isDisabled",
            s.quiet_from as "quietFrom", s.quiet_until as "quietUntil", s.quiet_zone as "quietZone",
            h.channel_id as "channelId", h.kind as channel, h.address, h.secret
       from claimed c join staff s using (staff_id)
       left join lateral (
         select channel_id, kind, address, secret from staff_channels h
          where h.staff_id = c.staff_id and (c.only_channel is null or h.channel_id = c.only_channel)
            and h.channel_id <> all(c.refused_by) and h.channel_id <> all(c.given_up_on)
          order by h.broken_at is not null, h.position limit 1
       ) h on true
      order by c.created_at`,
    [now, new Date(now.getTime() + leaseMs), messagesMax, perPersonMax],
  )
  return rows
}

export type MessageAttempt = {
  messageId: string
  channelId: string
  channel: string
  startedAt: Date
  durationMs: number
  result: 'sent' | 'delivered' | 'retry' | 'refused'
  detail: string
}

async function recordAttempt(tx: Queryable, attempt: MessageAttempt) {
  await tx.query(
    `insert into message_attempts (message_id, channel_id, channel, attempted_at, duration_ms, result, detail)
     values ($1, $2, $3, $4, $5, $6, $7)`,
    [
      attempt.messageId,
      attempt.channelId,
      attempt.channel,
      attempt.startedAt,
      attempt.durationMs,
      attempt.result,
      storable(attempt.detail).slice(0, 1_000),
    ],
  )
}

/** The message has left, and arrived as far as the channel can tell. */
export async function recordMessageSent(tx: Queryable, attempt: MessageAttempt, at: Date): Promise<void> {
  await recordAttempt(tx, attempt)
  await tx.query(
    `update messages set status = 'sent', sent_at = $2, attempts = attempts + 1, through = $3, claimed_until = null, last_error = null
      where message_id = $1`,
    [attempt.messageId, at, attempt.channelId],
  )
}

/** What is to become of a message that did not get through. */
export type MessageNext =
  | { kind: 'again'; at: Date; attempts: number; refusedBy: string[]; givenUpOn: string[] }
  | { kind: 'failed'; reason: string }

/** It did not get through: `next` says when it is tried again and through which channels no longer, or that it failed. */
export async function recordMessageNotSent(
  tx: Queryable,
  messageId: string,
  attempt: MessageAttempt | null,
  next: MessageNext,
): Promise<void> {
  if (attempt) await recordAttempt(tx, attempt)
  if (next.kind === 'failed')
    await tx.query(
      `update messages set status = 'failed', claimed_until = null, last_error = $2 where message_id = $1 and status = 'pending'`,
      [messageId, next.reason.slice(0, 1_000)],
    )
  else
    await tx.query(
      `update messages set claimed_until = null, next_attempt_at = $2, attempts = $3, refused_by = $4, given_up_on = $5,
              through = coalesce($6, through), last_error = $7
        where message_id = $1 and status = 'pending'`,
      [
        messageId,
        next.at,
        next.attempts,
        next.refusedBy,
        next.givenUpOn,
        attempt?.channelId ?? null,
        attempt ? storable(attempt.detail).slice(0, 1_000) : null,
      ],
    )
}

/** Gives a claim back unused: what was to be told is told later, or there was too little time left to send it. */
export async function postponeMessage(db: Queryable, p: { messageId: string; until?: Date }): Promise<void> {
  await db.query(
    'update messages set claimed_until = null, next_attempt_at = coalesce($2, next_attempt_at) where message_id = $1',
    [p.messageId, p.until ?? null],
  )
}

/** True where nobody has sent or dropped it meanwhile: asked right before sending. */
export async function isStillWanted(db: Queryable, messageId: string): Promise<boolean> {
  const { rowCount } = await db.query(`select from messages where message_id = $1 and status = 'pending'`, [messageId])
  return rowCount === 1
}
