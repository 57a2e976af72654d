import { createHash, randomBytes } from 'node:crypto'
import type { Database, Queryable } from './pool.js'

export type RosterFeed = { staffId: string; communityId: string; onlyOwn: boolean }

const tokenBytes = 32
const tokenPattern = /^[A-Za-z0-9_-]{43}$/
const hashOf = (token: string) => createHash('sha256').update(token).digest()

/**
 * A new secret link to the roster of a community for one person's calendar app; the one before stops working. The token is
 * returned once: the database holds only its hash.
 */
export function issueRosterFeed(db: Database, p: RosterFeed & { now: Date }): Promise<string> {
  const token = randomBytes(tokenBytes).toString('base64url')
  return db.transaction(async (tx) => {
    await revokeRosterFeeds(tx, p)
    await tx.query(
      'insert into roster_feeds (token_hash, staff_id, community_id, only_own, created_at) values ($1, $2, $3, $4, $5)',
      [hashOf(token), p.staffId, p.communityId, p.onlyOwn, p.now],
    )
    return token
  })
}

export async function revokeRosterFeeds(
  db: Queryable,
  p: { staffId: string; communityId: string; now: Date },
): Promise<void> {
  await db.query(
    'update roster_feeds set revoked_at = $3 where staff_id = $1 and community_id = $2 and revoked_at is null',
    [p.staffId, p.communityId, p.now],
  )
}

/** What a link shows; undefined for one that is unknown or revoked, or whose owner no longer works for the community. */
export async function findRosterFeed(
  db: Queryable,
  token: string,
): Promise<(RosterFeed & { language: 'zh' | 'en' }) | undefined> {
  if (!tokenPattern.test(token)) return undefined
  const { rows } = await db.query<RosterFeed & { language: 'zh' | 'en' }>(
    `select f.staff_id as "staffId", f.community_id as "communityId", f.only_own as "onlyOwn", s.language
       from roster_feeds f join staff_communities using (staff_id, community_id) join staff s using (staff_id)
      where f.token_hash = $1 and f.revoked_at is null and s.disabled_at is null`,
    [hashOf(token)],
  )
  return rows[0]
}

/** The link of a person that works now; undefined: there is none. */
export async function ownRosterFeed(
  db: Queryable,
  p: { staffId: string; communityId: string },
): Promise<{ since: Date; onlyOwn: boolean } | undefined> {
  const { rows } = await db.query<{ since: Date; onlyOwn: boolean }>(
    `select created_at as since, only_own as "onlyOwn" from roster_feeds
      where staff_id = $1 and community_id = $2 and revoked_at is null`,
    [p.staffId, p.communityId],
  )
  return rows[0]
}
