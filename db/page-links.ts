import { createHash, randomBytes } from 'node:crypto'
import { beginDoorSession } from './door-sessions.js'
import { actAsPaged, lockForPaged, mayAct, type PagedResult } from './paged-actions.js'
import type { Database, Queryable } from './pool.js'

export const pageLinkMsMax = 24 * 3_600_000
const tokenBytes = 32
const tokenPattern = /^[A-Za-z0-9_-]{43}$/

/** Only the hash is stored: who reads the database cannot acknowledge. */
const hashOf = (token: string) => createHash('sha256').update(token).digest()

/** Makes the one-tap link of a page: a token that acknowledges once, within 24 h. Only its hash is kept. */
export async function issuePageLink(tx: Queryable, { pageId, now }: { pageId: string; now: Date }): Promise<string> {
  const { token, tokenHash } = newLinkToken()
  await keepPageLink(tx, { pageId, tokenHash, now })
  return token
}

/** A token, and what is kept of it. */
export function newLinkToken(): { token: string; tokenHash: Buffer } {
  const token = randomBytes(tokenBytes).toString('base64url')
  return { token, tokenHash: hashOf(token) }
}

/** Makes a link work whose token was made elsewhere; one that works already goes on as it is. */
export async function keepPageLink(
  tx: Queryable,
  { pageId, tokenHash, now }: { pageId: string; tokenHash: Buffer; now: Date },
): Promise<void> {
  await tx.query(
    'insert into page_links (token_hash, page_id, created_at, expires_at) values ($1, $2, $3, $4) on conflict do nothing',
    [tokenHash, pageId, now, new Date(now.getTime() + pageLinkMsMax)],
  )
}

export type PageLink = {
  pageId: string
  alertId: number
  residentId: string
  staffId: string
  staffName: string
  /** Somebody who may act: not one who left, nor one who only is told. */
  mayAct: boolean
  /** Somebody with a login to the alert's own page. */
  isCare: boolean
  usedAt: Date | null
  expired: boolean
}

/** What a token stands for, or null when it was never issued. Changes nothing: mail scanners open links. */
export async function findPageLink(db: Queryable, p: { token: string; now: Date }): Promise<PageLink | null> {
  if (!tokenPattern.test(p.token)) return null
  const { rows } = await db.query(
    `select l.page_id as "pageId", p.alert_id as "alertId", a.resident_id as "residentId", p.staff_id as "staffId",
            s.name as "staffName", ${mayAct} as "mayAct", s.role in ('social_worker', 'supervisor') as "isCare", l.used_at as "usedAt",
            l.expires_at <= $2 as expired
     from page_links l
     join pages p using (page_id) join alerts a using (alert_id) join staff s on s.staff_id = p.staff_id
     where l.token_hash = $1`,
    [hashOf(p.token), p.now],
  )
  return (rows[0] as PageLink | undefined) ?? null
}

/** 'unusable': used, expired, or its person is disabled or one who only is told. */
export type LinkResult = PagedResult | { kind: 'unusable' }

/**
 * Takes the alert as the person whom the page was sent to, and uses the link up, in one transaction: of two taps at the
 * same moment one does it, and a link is not lost to a failure, nor to somebody else's having been first. The browser of
 * that tap may go on at the door: `token` is for its cookie. Who has taken the alert in another way begins there with it.
 */
export function acknowledgeByLink(
  db: Database,
  p: { token: string; alertId: number; staffId: string; doorToken?: string | undefined; now: Date },
): Promise<{ result: LinkResult; doorToken?: string }> {
  return db.transaction(async (tx) => {
    const { alertId, staffId, now } = p
    const alert = await lockForPaged(tx, p)
    if (!alert) return { result: { kind: 'missing' } }
    if (!(await useUp(tx, p))) return { result: { kind: 'unusable' } }
    const isMine = alert.by?.staffId === staffId && alert.stage !== 'open' && alert.stage !== 'closed'
    const result: PagedResult = isMine
      ? { kind: 'done' }
      : await actAsPaged(db, tx, { alertId, staffId, via: 'link', now, action: { kind: 'acknowledge' } })
    if (result.kind === 'done')
      return { result, doorToken: await beginDoorSession(tx, { token: p.doorToken, alertId, staffId, now }) }
    await tx.query('update page_links set used_at = null where token_hash = $1', [hashOf(p.token)])
    return { result }
  })
}

async function useUp(tx: Queryable, p: { token: string; alertId: number; staffId: string; now: Date }) {
  if (!tokenPattern.test(p.token)) return false
  const { rowCount } = await tx.query(
    `update page_links l set used_at = $2
     from pages p join staff s using (staff_id)
     where l.token_hash = $1 and l.used_at is null and l.expires_at > $2
       and p.page_id = l.page_id and p.alert_id = $3 and p.staff_id = $4
       and ${mayAct}`,
    [hashOf(p.token), p.now, p.alertId, p.staffId],
  )
  return rowCount === 1
}
