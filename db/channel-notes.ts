import type { Queryable } from './pool.js'

/** What was learned of a channel by sending through it. By its id, or as a page names it. */
export type ChannelNote = { at: Date } & (
  | { channelId: string }
  | { staffId: string; position: number; channel: string }
) &
  ({ result: 'sent' } | { result: 'refused' | 'failed'; reason: string })

/** A channel that works need not say so with each of a thousand pages. */
const sameMs = 60_000
const reasonCharsMax = 1_000

/**
 * Notes on the channels what became of sending through them: sent (which mends a broken one), refused for good, or
 * failed as often as it was tried. In order of the rows, so that two processes cannot block each other.
 */
export async function noteChannels(db: Queryable, notes: readonly ChannelNote[]): Promise<void> {
  if (notes.length === 0) return
  const column = <T>(of: (note: ChannelNote) => T) => notes.map(of)
  await db.query(
    `with noted as (
       select distinct on (h.channel_id) h.channel_id, n.result, n.reason, n.at
         from unnest($1::uuid[], $2::text[], $3::int[], $4::text[], $5::text[], $6::text[], $7::timestamptz[])
                as n (channel_id, staff_id, position, kind, result, reason, at)
         join staff_channels h on h.channel_id = n.channel_id
           or (h.staff_id = n.staff_id and h.position = n.position and h.kind = n.kind)
        order by h.channel_id, n.at desc
     ), changed as (
       select h.channel_id from staff_channels h join noted n using (channel_id)
        where n.result <> 'sent' or h.broken_at is not null or h.last_sent_at is null or h.last_sent_at < n.at - $8 * interval '1 ms'
        order by h.channel_id for no key update of h
     )
     update staff_channels h
        set last_sent_at = case when n.result = 'sent' then n.at else h.last_sent_at end,
            broken_at = case n.result when 'sent' then null when 'refused' then n.at else h.broken_at end,
            broken_reason = case n.result when 'sent' then null when 'refused' then n.reason else h.broken_reason end,
            last_failed_at = case when n.result = 'sent' then h.last_failed_at else n.at end,
            last_failure = case when n.result = 'sent' then h.last_failure else n.reason end
       from noted n join changed using (channel_id) where h.channel_id = n.channel_id`,
    [
      column((n) => ('channelId' in n ? n.channelId : null)),
      column((n) => ('staffId' in n ? n.staffId : null)),
      column((n) => ('staffId' in n ? n.position : null)),
      column((n) => ('staffId' in n ? n.channel : null)),
      column((n) => n.result),
      column((n) => (n.result === 'sent' ? null : n.reason.replaceAll('\0', '').slice(0, reasonCharsMax))),
      column((n) => n.at),
      sameMs,
    ],
  )
}
