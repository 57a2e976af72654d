import type { Queryable } from './pool.js'

export type QuarantineRow = {
  quarantineId: number
  receivedAt: Date
  gatewayId: string | null
  topic: string
  reason: string
  detail: string
  /** The first `payloadBytesShown` bytes. */
  payload: Buffer | null
  payloadBytes: number
  kept: boolean
}

export const payloadBytesShown = 400

/** Rows of gateways of other communities are not there; rows of no known gateway belong to every operator. */
const scope = `not exists (select from gateways g where g.gateway_id = q.gateway_id and not g.community_id = any($1))`

/**
 * Quarantined messages, newest first, those before `before` (a quarantine id). `more` says whether older ones follow.
 */
export async function listQuarantine(
  db: Queryable,
  p: { communityIds: string[]; gatewayId: string; reason: string; before: number | null; limit: number },
): Promise<{ rows: QuarantineRow[]; more: boolean }> {
  const { rows } = await db.query<QuarantineRow>(
    `select quarantine_id as "quarantineId", received_at as "receivedAt", gateway_id as "gatewayId",
            left(topic, 300) as topic, reason, left(detail, 500) as detail,
            substring(payload from 1 for ${payloadBytesShown}) as payload, payload_bytes as "payloadBytes", kept
       from quarantine q
      where ${scope} and ($2 = '' or gateway_id = $2) and ($3 = '' or reason = $3)
        and ($4::bigint is null or quarantine_id < $4)
      order by quarantine_id desc limit $5`,
    [p.communityIds, p.gatewayId, p.reason, p.before, p.limit + 1],
  )
  return { rows: rows.slice(0, p.limit), more: rows.length > p.limit }
}

/** The reasons of the last days with how often each, most frequent first. */
export async function quarantineReasons(
  db: Queryable,
  { communityIds, since }: { communityIds: string[]; since: Date },
): Promise<{ reason: string; count: number }[]> {
  const { rows } = await db.query<{ reason: string; count: number }>(
    `select reason, count(*)::int as count from quarantine q where ${scope} and received_at > $2
      group by reason order by 2 desc, 1 limit 50`,
    [communityIds, since],
  )
  return rows
}
