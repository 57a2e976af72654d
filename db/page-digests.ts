import type { LeftLately } from '../alerts/digest.js'
import { lineOf } from './pages.js'
import type { Queryable } from './pool.js'

/**
 * What left lately, by `lineOf`, or is just being sent by another process: what is no emergency is grouped by that.
 * `own`: the pages that are about to be grouped.
 */
export async function leftLately(
  db: Queryable,
  p: { staffIds: string[]; own: string[]; now: Date; leaseMs: number; stormMs: number; quietMs: number },
): Promise<Map<string, LeftLately>> {
  const { rows } = await db.query<{
    staffId: string
    channel: string
    messages: number
    urgentAt: Date | null
    digestAt: Date | null
    warningAt: Date | null
  }>(
    `with left_now as (
       select staff_id, channel, alert_id, page_id, digest_id, sent_at as at from pages
        where staff_id = any($1) and sent_at > $5 and sent_at <= $2
       union all
       select staff_id, channel, alert_id, page_id, digest_id, $2 from pages
        where staff_id = any($1) and status = 'pending' and claimed_until > $2 and claimed_until <= $3
          and page_id <> all($4)
     )
     select l.staff_id as "staffId", l.channel,
            count(distinct coalesce(digest_id, page_id)) filter (where severity = 'urgent' and at > $6)::int as messages,
            max(at) filter (where severity = 'urgent') as "urgentAt",
            max(at) filter (where severity = 'urgent' and digest_id is not null) as "digestAt",
            max(at) filter (where severity = 'warning') as "warningAt"
       from left_now l join alerts using (alert_id) where severity in ('urgent', 'warning') group by 1, 2`,
    [
      p.staffIds,
      p.now,
      new Date(p.now.getTime() + p.leaseMs),
      p.own,
      new Date(p.now.getTime() - p.quietMs),
      new Date(p.now.getTime() - p.stormMs),
    ],
  )
  return new Map(
    rows.map((row): [string, LeftLately] => [
      lineOf(row),
      {
        urgent: row.urgentAt && {
          messages: row.messages,
          lastAt: row.urgentAt.getTime(),
          lastDigestAt: row.digestAt?.getTime() ?? null,
        },
        warningAt: row.warningAt?.getTime() ?? null,
      },
    ]),
  )
}

/** These pages go in one message, from now on and when it is tried again. */
export async function joinDigest(db: Queryable, p: { digestId: string; pageIds: string[] }): Promise<void> {
  await db.query(`update pages set digest_id = $1 where page_id = any($2) and status = 'pending'`, [
    p.digestId,
    p.pageIds,
  ])
}
