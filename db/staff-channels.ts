import type { Headline } from '../alerts/model.js'
import { queueMessage } from './messages.js'
import type { Database, Queryable } from './pool.js'

/** More than anybody looks at at night. */
export const channelsMax = 10
/** Two tests of one channel lie this far apart at least. */
const testPauseMsMin = 20_000
/** A test is confirmed within this; afterwards nobody knows any longer what arrived. */
export const confirmMsMax = 7 * 86_400_000

/** What became of the last test of a channel. */
export type ChannelTest = {
  messageId: string
  at: Date
  status: 'pending' | 'sent' | 'failed'
  /** Of the last attempt; null: none yet. */
  result: 'sent' | 'delivered' | 'retry' | 'refused' | null
  /** What the provider said at the last attempt. */
  detail: string | null
  confirmedAt: Date | null
}
/** A way to reach one person. Secrets never leave the store for a page. */
export type StaffChannel = {
  channelId: string
  kind: string
  address: string
  hasSecret: boolean
  brokenAt: Date | null
  brokenReason: string | null
  lastFailedAt: Date | null
  lastFailure: string | null
  lastSentAt: Date | null
  confirmedAt: Date | null
  test: ChannelTest | null
}

/** The channels of a person in their own order, each with its last test. */
export async function channelsOf(db: Queryable, staffId: string): Promise<StaffChannel[]> {
  const { rows } = await db.query<
    Omit<StaffChannel, 'test'> & {
      test: (Omit<ChannelTest, 'at' | 'confirmedAt'> & { at: string; confirmedAt: string | null }) | null
    }
  >(
    `select h.channel_id as "channelId", h.kind, h.address, h.secret is not null as "hasSecret",
            h.broken_at as "brokenAt", h.broken_reason as "brokenReason", h.last_failed_at as "lastFailedAt",
            h.last_failure as "lastFailure", h.last_sent_at as "lastSentAt", h.confirmed_at as "confirmedAt",
            (select jsonb_build_object('messageId', m.message_id, 'at', m.created_at, 'status', m.status, 'confirmedAt', m.confirmed_at,
                                       'result', a.result, 'detail', coalesce(a.detail, m.last_error))
               from messages m left join lateral (
                      select result, detail from message_attempts where message_id = m.message_id
                       order by message_attempt_id desc limit 1) a on true
              where m.staff_id = $1 and m.kind = 'test' and m.only_channel = h.channel_id
              order by m.created_at desc limit 1) as test
       from staff_channels h where h.staff_id = $1 order by h.position`,
    [staffId],
  )
  return rows.map(({ test, ...channel }) => ({
    ...channel,
    test: test && { ...test, at: new Date(test.at), confirmedAt: test.confirmedAt ? new Date(test.confirmedAt) : null },
  }))
}

/** The person's row is held, so that what two browsers change at once is done one after the other. */
async function hold(tx: Queryable, staffId: string): Promise<void> {
  await tx.query('select from staff where staff_id = $1 for no key update', [staffId])
}

/** The same for a change on a page, which the register does not undo. */
async function holdToChange(tx: Queryable, staffId: string, now: Date): Promise<void> {
  await tx.query('update staff set channels_set_at = $2 where staff_id = $1', [staffId, now])
}

export type NewChannel = { kind: string; address: string; secret: string | null }

/** Adds a channel behind the others. `there`: the person has this one already. */
export function addChannel(
  db: Database,
  { staffId, channel, now }: { staffId: string; channel: NewChannel; now: Date },
): Promise<{ kind: 'added'; channelId: string } | { kind: 'there' } | { kind: 'full' }> {
  const { kind, address, secret } = channel
  return db.transaction(async (tx) => {
    await holdToChange(tx, staffId, now)
    const { rows } = await tx.query<{ n: number; there: boolean }>(
      `select count(*) as n, coalesce(bool_or(kind = $2 and address = $3), false) as there from staff_channels where staff_id = $1`,
      [staffId, kind, address],
    )
    if (rows[0]!.there) return { kind: 'there' }
    if (rows[0]!.n >= channelsMax) return { kind: 'full' }
    const added = await tx.query<{ channel_id: string }>(
      'insert into staff_channels (staff_id, kind, address, secret, created_at) values ($1, $2, $3, $4, $5) returning channel_id',
      [staffId, kind, address, secret, now],
    )
    return { kind: 'added', channelId: added.rows[0]!.channel_id }
  })
}

/**
 * Moves a channel one place up or down. All of the person's get new positions: a page that is on its way through one of
 * the old ones goes on to the first of the new order when that fails. False where it is none of the person's.
 */
export function moveChannel(
  db: Database,
  { staffId, channelId, by, now }: { staffId: string; channelId: string; by: -1 | 1; now: Date },
): Promise<boolean> {
  return db.transaction(async (tx) => {
    await holdToChange(tx, staffId, now)
    const { rows } = await tx.query<{ channel_id: string }>(
      'select channel_id from staff_channels where staff_id = $1 order by position',
      [staffId],
    )
    const order = rows.map(({ channel_id }) => channel_id)
    const from = order.indexOf(channelId)
    if (from === -1) return false
    const to = from + by
    if (to < 0 || to >= order.length) return true
    order.splice(to, 0, ...order.splice(from, 1))
    for (const id of order) await tx.query('update staff_channels set position = default where channel_id = $1', [id])
    return true
  })
}

/** Takes a channel away. A page that is on its way through it goes on to the person's next. */
export async function removeChannel(db: Database, p: { staffId: string; channelId: string; now: Date }): Promise<void> {
  await db.transaction(async (tx) => {
    await holdToChange(tx, p.staffId, p.now)
    await tx.query('delete from staff_channels where staff_id = $1 and channel_id = $2', [p.staffId, p.channelId])
  })
}

/** Kind and address of a channel of this person, to check another secret against; undefined where there is none. */
export async function findChannel(
  db: Queryable,
  p: { staffId: string; channelId: string },
): Promise<{ kind: string; address: string } | undefined> {
  const { rows } = await db.query<{ kind: string; address: string }>(
    'select kind, address from staff_channels where staff_id = $1 and channel_id = $2',
    [p.staffId, p.channelId],
  )
  return rows[0]
}

/** Puts another secret in place of the one there was. Whether it works is not known until it is tested. */
export async function replaceChannelSecret(
  db: Database,
  p: { staffId: string; channelId: string; secret: string | null; now: Date },
): Promise<void> {
  await db.transaction(async (tx) => {
    await holdToChange(tx, p.staffId, p.now)
    await tx.query(
      `update staff_channels set secret = $3, broken_at = null, broken_reason = null, confirmed_at = null
        where staff_id = $1 and channel_id = $2`,
      [p.staffId, p.channelId, p.secret],
    )
  })
}

/** Sends a test to one channel and to no other. `too soon`: the last one was sent a moment ago. */
export function queueChannelTest(
  db: Database,
  p: { staffId: string; channelId: string; text: Headline; lines?: Headline[]; now: Date },
): Promise<'queued' | 'too soon' | 'missing'> {
  const { staffId, channelId, text, lines = [], now } = p
  return db.transaction(async (tx) => {
    await hold(tx, staffId)
    const { rows } = await tx.query<{ position: number; soon: boolean }>(
      `select position, exists (select from messages m where m.staff_id = $1 and m.kind = 'test' and m.only_channel = $2
                                  and m.created_at > $3 and m.created_at <= $4) as soon
         from staff_channels where staff_id = $1 and channel_id = $2`,
      [staffId, channelId, new Date(now.getTime() - testPauseMsMin), now],
    )
    const [found] = rows
    if (!found) return 'missing'
    if (found.soon) return 'too soon'
    await queueMessage(tx, { staffId, kind: 'test', text, lines, position: found.position, now })
    return 'queued'
  })
}

export type TestSeen = {
  messageId: string
  staffName: string
  sentAt: Date
  confirmedAt: Date | null
  expired: boolean
}

/** The test that a message's link stands for; undefined when there was none. */
export async function findTest(db: Queryable, p: { messageId: string; now: Date }): Promise<TestSeen | undefined> {
  const { rows } = await db.query<TestSeen>(
    `select m.message_id as "messageId", s.name as "staffName", m.created_at as "sentAt", m.confirmed_at as "confirmedAt",
            m.created_at < $2 as expired
       from messages m join staff s using (staff_id) where m.message_id = $1 and m.kind = 'test' and s.disabled_at is null`,
    [p.messageId, new Date(p.now.getTime() - confirmMsMax)],
  )
  return rows[0]
}

/** Somebody saw the test: noted once on the message and on its channel. */
export async function confirmTest(db: Database, p: { messageId: string; now: Date }): Promise<void> {
  await db.transaction(async (tx) => {
    const { rows } = await tx.query<{ channel: string | null }>(
      `update messages set confirmed_at = $2 where message_id = $1 and kind = 'test' and confirmed_at is null and created_at >= $3
       returning only_channel as channel`,
      [p.messageId, p.now, new Date(p.now.getTime() - confirmMsMax)],
    )
    if (rows[0])
      await tx.query('update staff_channels set confirmed_at = $2 where channel_id = $1', [rows[0].channel, p.now])
  })
}

/**
 * Puts the new subscription of a browser in the place of its old one. Who knows the old address and its secret keys is
 * that browser: it may have been logged out long ago. Returns the person, or undefined where nothing fits.
 */
export async function renewPush(
  db: Queryable,
  p: { old: { address: string; secret: string }; fresh: { address: string; secret: string } },
): Promise<string | undefined> {
  const { rows } = await db.query<{ staffId: string }>(
    `update staff_channels h set address = $3, secret = $4, position = default, broken_at = null, broken_reason = null
      where kind = 'web_push' and address = $1 and secret = $2
        and not exists (select from staff_channels o where o.staff_id = h.staff_id and o.kind = 'web_push' and o.address = $3)
     returning staff_id as "staffId"`,
    [p.old.address, p.old.secret, p.fresh.address, p.fresh.secret],
  )
  return rows[0]?.staffId
}
