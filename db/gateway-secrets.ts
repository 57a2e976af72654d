import { decoyHash, hashSecret, newSecret } from '../kit/secret-hash.js'
import type { Queryable } from './pool.js'

/** How long an old secret may go on beside the new one. */
export const overlapMsMax = 30 * 86_400_000

type By = { gatewayId: string /** Null: who runs the server. */; staffId: string | null; now: Date }
type SecretChange = 'rotated' | 'revoked' | 'overlap ended'

export type Rotation =
  /** `secret` is stored nowhere: this is the only time that it can be shown. `beforeUntil`: null where the old one is no good. */
  { kind: 'rotated'; secret: string; beforeUntil: Date | null } | { kind: 'no such gateway' } | { kind: 'bad overlap' }

/**
 * Gives a gateway a new secret; the one that it has goes on working for `overlapMs` (0: it does not). The one before that
 * is no good any more. Takes 50 ms; a gateway of another broker has no secret.
 */
export async function rotateSecret(tx: Queryable, p: By & { overlapMs: number }): Promise<Rotation> {
  const { gatewayId, overlapMs, now } = p
  if (!Number.isInteger(overlapMs) || overlapMs < 0 || overlapMs > overlapMsMax) return { kind: 'bad overlap' }
  const secret = newSecret()
  const until = overlapMs > 0 ? new Date(now.getTime() + overlapMs) : null
  const { rows } = await tx.query<{ beforeUntil: Date | null }>(
    `update gateways set secret_hash = $2, secret_revoked_at = null,
            secret_hash_before = case when secret_revoked_at is null and $3::timestamptz is not null then secret_hash end,
            secret_before_until = case when secret_revoked_at is null then $3::timestamptz end
      where gateway_id = $1 and via = 'own' returning secret_before_until as "beforeUntil"`,
    [gatewayId, await hashSecret(secret), until],
  )
  if (!rows[0]) return { kind: 'no such gateway' }
  await note(tx, p, 'rotated')
  return { kind: 'rotated', secret, beforeUntil: rows[0].beforeUntil }
}

/** No secret opens the door for this gateway any more, until it is given a new one. False: there is no such gateway. */
export async function revokeSecret(tx: Queryable, p: By): Promise<boolean> {
  const { rowCount } = await tx.query(
    `update gateways set secret_hash = $2, secret_hash_before = null, secret_before_until = null, secret_revoked_at = $3
      where gateway_id = $1 and via = 'own'`,
    [p.gatewayId, decoyHash(), p.now],
  )
  return noteIf(tx, p, 'revoked', rowCount)
}

/** The old secret is no good from now on, the new one stays. False: there was none. */
export async function endOverlap(tx: Queryable, p: By): Promise<boolean> {
  const { rowCount } = await tx.query(
    `update gateways set secret_hash_before = null, secret_before_until = null
      where gateway_id = $1 and secret_before_until > $2`,
    [p.gatewayId, p.now],
  )
  return noteIf(tx, p, 'overlap ended', rowCount)
}

export type SecretState = {
  /** Until when the old secret works beside the new one; null: it does not. */
  beforeUntil: Date | null
  revokedAt: Date | null
  /** The newest first, at most 20. */
  events: { at: Date; staffId: string | null; staffName: string | null; what: SecretChange }[]
}

/** What a page says of a gateway's secret; undefined: there is no such gateway. */
export async function secretState(
  db: Queryable,
  { gatewayId, now }: { gatewayId: string; now: Date },
): Promise<SecretState | undefined> {
  const { rows } = await db.query<Omit<SecretState, 'events'>>(
    `select case when secret_before_until > $2 then secret_before_until end as "beforeUntil", secret_revoked_at as "revokedAt"
       from gateways where gateway_id = $1`,
    [gatewayId, now],
  )
  if (!rows[0]) return undefined
  const events = await db.query<SecretState['events'][number]>(
    `select e.at, e.staff_id as "staffId", s.name as "staffName", e.what
       from gateway_secret_events e left join staff s using (staff_id)
      where e.gateway_id = $1 order by e.at desc, e.event_id desc limit 20`,
    [gatewayId],
  )
  return { ...rows[0], events: events.rows }
}

async function noteIf(tx: Queryable, by: By, what: SecretChange, rowCount: number | null): Promise<boolean> {
  if (!rowCount) return false
  await note(tx, by, what)
  return true
}

const note = (tx: Queryable, { gatewayId, staffId, now }: By, what: SecretChange) =>
  tx.query('insert into gateway_secret_events (gateway_id, at, staff_id, what) values ($1, $2, $3, $4)', [
    gatewayId,
    now,
    staffId,
    what,
  ])
