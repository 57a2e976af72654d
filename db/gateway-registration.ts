import { hashSecret, newSecret } from '../kit/secret-hash.js'
import { findBaseTopicClash } from './attached.js'
import type { Database, Queryable } from './pool.js'

export type NewGateway = {
  gatewayId: string
  communityId: string
  label: string
  /** `v1`, or the name of a dialect. */
  dialect: string
  baseTopics: string[]
  dialectSettings: unknown
  via: 'own' | 'attached'
}

export type CommunityName = { communityId: string; name: string }

/** The communities that a person works for, by name. */
export async function listCommunities(
  db: Queryable,
  { communityIds }: { communityIds: string[] },
): Promise<CommunityName[]> {
  const { rows } = await db.query<CommunityName>(
    'select community_id as "communityId", name from communities where community_id = any($1) order by name, community_id',
    [communityIds],
  )
  return rows
}

/** A free id for the next gateway of a community, such as `lotus-gw3`: short enough to be read out over the phone. */
export async function proposeGatewayId(db: Queryable, { communityId }: { communityId: string }): Promise<string> {
  const stem = `${communityId.slice(0, 48)}-gw`
  const { rows } = await db.query<{ taken: string }>(
    'select gateway_id as taken from gateways where starts_with(gateway_id, $1)',
    [stem],
  )
  const taken = new Set(rows.map((row) => row.taken))
  let number = 1
  while (taken.has(`${stem}${number}`)) number++
  return `${stem}${number}`
}

/**
 * Registers a gateway, and never touches one that there is. The secret is returned once: the database holds only its hash.
 * One that speaks to another broker has none; `clash`: another gateway there has one of its topics, whole or in part.
 */
export async function addGateway(
  db: Database,
  { gateway, staffId, now }: { gateway: NewGateway; staffId: string; now: Date },
): Promise<{ kind: 'added'; secret: string | null } | { kind: 'taken' } | { kind: 'clash' }> {
  const { gatewayId, communityId, label, dialect, baseTopics, dialectSettings, via } = gateway
  const secret = via === 'own' ? newSecret() : null
  const secretHash = secret === null ? '' : await hashSecret(secret)
  const settings = dialectSettings === null || dialectSettings === undefined ? null : JSON.stringify(dialectSettings)
  return db.transaction(async (tx) => {
    if (via === 'attached' && (await findBaseTopicClash(tx, { gatewayId, baseTopics }))) return { kind: 'clash' }
    const { rowCount } = await tx.query(
      `insert into gateways (gateway_id, community_id, secret_hash, label, dialect, base_topics, dialect_settings, via, registered_by, registered_at)
       values ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10) on conflict (gateway_id) do nothing`,
      [gatewayId, communityId, secretHash, label, dialect, baseTopics, settings, via, staffId, now],
    )
    return rowCount === 1 ? { kind: 'added', secret } : { kind: 'taken' }
  })
}

export type GatewayKey = {
  gatewayId: string
  communityId: string
  dialect: string
  baseTopics: string[]
  via: 'own' | 'attached'
}

/** How a gateway of these communities speaks and gets in; undefined for anybody else's, or nobody's. */
export async function findGatewayKey(
  db: Queryable,
  p: { communityIds: string[]; gatewayId: string },
): Promise<GatewayKey | undefined> {
  const { rows } = await db.query<GatewayKey>(
    `select gateway_id as "gatewayId", community_id as "communityId", dialect, base_topics as "baseTopics", via
       from gateways where gateway_id = $2 and community_id = any($1)`,
    [p.communityIds, p.gatewayId],
  )
  return rows[0]
}
