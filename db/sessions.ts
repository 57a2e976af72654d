import { createHash, randomBytes } from 'node:crypto'
import type { Database, Queryable } from './pool.js'
import { type Staff, staffColumns } from './staff.js'

export const sessionIdleMsMax = 12 * 3_600_000
export const sessionMsMax = 7 * 86_400_000
/** A session is moved on at most this often: not one write for each page. */
const slideMsMin = 5 * 60_000
const tokenBytes = 32
const tokenPattern = /^[A-Za-z0-9_-]{43}$/

const hashOf = (token: string) => createHash('sha256').update(token).digest()

/** Begins a session; the token goes into the cookie, only its hash into the table. Sweeps what has expired. */
export async function beginSession(db: Queryable, p: { staffId: string; now: Date }): Promise<string> {
  const token = randomBytes(tokenBytes).toString('base64url')
  await db.query('delete from sessions where expires_at <= $1', [p.now])
  await db.query('insert into sessions (token_hash, staff_id, created_at, expires_at) values ($1, $2, $3, $4)', [
    hashOf(token),
    p.staffId,
    p.now,
    new Date(p.now.getTime() + sessionIdleMsMax),
  ])
  return token
}

/**
 * Who the session belongs to, null when there is none, it has expired, or the person was disabled. Each use moves its
 * end to 12 h from now, but never beyond 7 days from its beginning.
 */
export async function findSession(db: Database, p: { token: string; now: Date }): Promise<Staff | null> {
  if (!tokenPattern.test(p.token)) return null
  const { rows } = await db.query(
    `select ${staffColumns}, s.created_at as "createdAt", s.expires_at as "expiresAt"
     from sessions s join staff using (staff_id)
     where s.token_hash = $1 and s.expires_at > $2 and staff.disabled_at is null`,
    [hashOf(p.token), p.now],
  )
  const row = rows[0] as (Staff & { createdAt: Date; expiresAt: Date }) | undefined
  if (!row) return null
  const { createdAt, expiresAt, ...staff } = row
  const endMs = Math.min(p.now.getTime() + sessionIdleMsMax, createdAt.getTime() + sessionMsMax)
  if (endMs - expiresAt.getTime() >= slideMsMin)
    await db.query('update sessions set expires_at = $2 where token_hash = $1', [hashOf(p.token), new Date(endMs)])
  return staff
}

export async function endSession(db: Queryable, { token }: { token: string }): Promise<void> {
  await db.query('delete from sessions where token_hash = $1', [hashOf(token)])
}

/** Names a session in the log and in counters without giving it away. */
export const sessionKey = (token: string) => hashOf(token).toString('base64url').slice(0, 16)
