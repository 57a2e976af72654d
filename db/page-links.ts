import { createHash, randomBytes } from 'node:crypto'
import { type ActionResult, actOnAlert } from './alert-actions.js'
import type { Database, Queryable } from './pool.js'

export const pageLinkMsMax = 24 * 3_600_000
const tokenBytes = 32
const tokenPattern = /^[A-Za-z0-9_-]{43}$/

/** Only the hash is stored: who reads the database cannot acknowledge. */
const hashOf = (token: string) => createHash('sha256').update(token).digest()

/** Makes the one-tap link of a page: a token that acknowledges once, within 24 h. Only its hash is kept. */
export async function issuePageLink(tx: Queryable, { pageId, now }: { pageId: string; now: Date }): Promise<string> {
  const token = randomBytes(tokenBytes).toString('base64url')
  await keepPageLink(tx, { pageId, tokenHash: hashOf(token), now })
  return token
}

/** Makes a link work whose token was made elsewhere. */
export async function keepPageLink(
  tx: Queryable,
  { pageId, tokenHash, now }: { pageId: string; tokenHash: Buffer; now: Date },
): Promise<void> {
  await tx.query('insert into page_links (token_hash, page_id, created_at, expires_at) values ($1, $2, $3, $4)', [
    tokenHash,
    pageId,
    now,
    new Date(now.getTime() + pageLinkMsMax),
  ])
}

export type PageLink = {
  pageId: string
  alertId: number
  residentId: string
  staffId: string
  staffName: string
  staffDisabled: boolean
  usedAt: Date | null
  expired: boolean
}

/** What a token stands for, or null when it was never issued. Changes nothing: mail scanners open links. */
export async function findPageLink(db: Queryable, p: { token: string; now: Date }): Promise<PageLink | null> {
  if (!tokenPattern.test(p.token)) return null
  const { rows } = await db.query(
    `select l.page_id as "pageId", p.alert_id as "alertId", a.resident_id as "residentId", p.staff_id as "staffId",
            s.name as "staffName", s.disabled_at is not null as "staffDisabled", l.used_at as "usedAt",
            l.expires_at <= $2 as expired
     from page_links l
     join pages p using (page_id) join alerts a using (alert_id) join staff s on s.staff_id = p.staff_id
     where l.token_hash = $1`,
    [hashOf(p.token), p.now],
  )
  return (rows[0] as PageLink | undefined) ?? null
}

/**
 * Acknowledges as the person whom the page was sent to, and uses the link up, in one transaction: of two taps at the
 * same moment one does it, and a link is not lost to a failure. 'unusable': used, expired, or its person is disabled.
 */
export function acknowledgeByLink(
  db: Database,
  p: { token: string; alertId: number; staffId: string; now: Date },
): Promise<ActionResult | { kind: 'unusable' }> {
  return db.transaction(async (tx) => {
    if (!(await useUp(tx, p))) return { kind: 'unusable' }
    const { alertId, staffId, now } = p
    return actOnAlert(within(db, tx), { alertId, action: { kind: 'acknowledge' }, staffId, via: 'link', now })
  })
}

async function useUp(tx: Queryable, p: { token: string; alertId: number; staffId: string; now: Date }) {
  if (!tokenPattern.test(p.token)) return false
  const { rowCount } = await tx.query(
    `update page_links l set used_at = $2
     from pages p join staff s using (staff_id)
     where l.token_hash = $1 and l.used_at is null and l.expires_at > $2
       and p.page_id = l.page_id and p.alert_id = $3 and p.staff_id = $4 and s.disabled_at is null`,
    [hashOf(p.token), p.now, p.alertId, p.staffId],
  )
  return rowCount === 1
}

/** The same database inside a transaction that has begun: what begins one inside joins it. */
const within = (db: Database, tx: Queryable): Database => ({
  query: tx.query.bind(tx) as Queryable['query'],
  transaction: (work) => work(tx),
  patiently: (work) => db.patiently(work),
  end: () => db.end(),
})
