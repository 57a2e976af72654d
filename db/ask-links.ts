import { createHash } from 'node:crypto'
import type { AskWay } from '../alerts/asking.js'
import { newLinkToken, pageLinkMsMax } from './page-links.js'
import type { Queryable } from './pool.js'

const tokenPattern = /^[A-Za-z0-9_-]{43}$/

/**
 * Makes the link of a call task, when its message leaves: the database holds only its hash. Undefined where the message is
 * none, or nobody waits for an answer any more.
 */
export async function issueAskLink(tx: Queryable, p: { messageId: string; now: Date }): Promise<string | undefined> {
  const { token, tokenHash } = newLinkToken()
  const { rowCount } = await tx.query(
    `insert into ask_links (token_hash, ask_id, created_at, expires_at)
     select $1, ask_id, $3, $4 from asks where message_id = $2 and ended_at is null`,
    [tokenHash, p.messageId, p.now, new Date(p.now.getTime() + pageLinkMsMax)],
  )
  return rowCount === 1 ? token : undefined
}

/** Whom a link was sent to, and about which alert. */
export type AskLink = {
  alertId: number
  way: Extract<AskWay, 'family' | 'task'>
  residentId: string
  phone: string | null
  staffId: string
  staffName: string
  /** Of the family: as whom looks are on record. */
  familyMemberId: string | null
  /** Somebody with a login to the alert's own page. */
  isCare: boolean
  endedWhy: string | null
  expired: boolean
}

/** What a token stands for, or null when it was never issued, or its person is told of nothing any longer. Changes nothing. */
export async function findAskLink(db: Queryable, p: { token: string; now: Date }): Promise<AskLink | null> {
  if (!tokenPattern.test(p.token)) return null
  const { rows } = await db.query<AskLink>(
    `select k.alert_id as "alertId", k.way, a.resident_id as "residentId", r.phone, k.staff_id as "staffId", s.name as "staffName",
            f.family_member_id as "familyMemberId", s.role in ('social_worker', 'supervisor') as "isCare",
            k.ended_why as "endedWhy", l.expires_at <= $2 as expired
       from ask_links l join asks k using (ask_id) join alerts a using (alert_id) join residents r using (resident_id)
       join staff s on s.staff_id = k.staff_id and s.disabled_at is null
       left join family_members f on f.staff_id = s.staff_id and f.resident_id = r.resident_id and f.sees_alerts
      where l.token_hash = $1 and r.left_at is null and (k.way = 'task' or f.family_member_id is not null)`,
    [createHash('sha256').update(p.token).digest(), p.now],
  )
  return rows[0] ?? null
}
