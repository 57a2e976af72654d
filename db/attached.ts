import type { EpochMs } from '../alerts/model.js'
import type { Queryable } from './pool.js'

/** A gateway that speaks to a broker of somebody else's, to which ingest subscribes. */
export type AttachedGateway = {
  gatewayId: string
  baseTopics: string[]
  /** When it was last heard, by whichever edge; null: never. */
  heardAt: EpochMs | null
}

/** Without those that are switched off. */
export async function listAttachedGateways(db: Queryable): Promise<AttachedGateway[]> {
  const { rows } = await db.query<AttachedGateway>(
    `select gateway_id as "gatewayId", base_topics as "baseTopics",
            round(extract(epoch from last_heard_at) * 1000)::float8 as "heardAt"
       from gateways where via = 'attached' and disabled_at is null order by gateway_id`,
  )
  return rows
}

/** Until the end of this transaction no other one saves base topics. To be called before it locks any gateway. */
export const lockBaseTopics = (tx: Queryable) =>
  tx.query(`select pg_advisory_xact_lock(hashtext('attached base topics'))`)

/**
 * Which of these base topics another attached gateway has already, or has one below or above it: at a broker of somebody
 * else's nobody is logged in, the topic alone says whose a message is. Undefined: none, the gateway may have them. Run it
 * in the transaction that saves them: until its end nobody else gets an answer.
 */
export async function findBaseTopicClash(
  tx: Queryable,
  { gatewayId, baseTopics }: { gatewayId: string; baseTopics: readonly string[] },
): Promise<{ topic: string; gatewayId: string } | undefined> {
  await lockBaseTopics(tx)
  const { rows } = await tx.query<{ topic: string; gatewayId: string }>(
    `select mine.topic, g.gateway_id as "gatewayId"
       from gateways g, unnest(g.base_topics) theirs (topic), unnest($2::text[]) mine (topic)
      where g.via = 'attached' and g.gateway_id <> $1
        and (theirs.topic = mine.topic or starts_with(theirs.topic, mine.topic || '/') or starts_with(mine.topic, theirs.topic || '/'))
      order by mine.topic, g.gateway_id limit 1`,
    [gatewayId, baseTopics],
  )
  return rows[0]
}
