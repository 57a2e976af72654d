import type { EpochMs } from '../alerts/model.js'
import type { Queryable } from './pool.js'

/** What decides about the login and the topics of a gateway. */
export type GatewayRights = {
  gatewayId: string
  secretHash: string
  secretHashBefore: string | null
  secretBeforeUntil: EpochMs | null
  disabled: boolean
  attached: boolean
  dialect: string
  baseTopics: string[]
}

/** What every edge asks about the rights of gateways. All reject only when the database cannot be asked. */
export function createRightsSource(db: Queryable) {
  return {
    /**
     * The gateways whose rights changed since an earlier call returned `cursor`, none missed; some may be named again.
     * Without a cursor only where to go on from. By index on the transaction that changed them: nothing depends on how many
     * gateways there are, on clocks, or on which of two transactions commits first.
     */
    async changedSince(cursor: string | undefined): Promise<{ cursor: string; gatewayIds: string[] }> {
      const { rows } = await db.query<{ cursor: string; gatewayIds: string[] }>(changedSql, [cursor ?? null])
      return rows[0]!
    },
    async rightsOf(gatewayIds: string[]): Promise<GatewayRights[]> {
      return (await db.query<GatewayRights>(rightsSql, [gatewayIds])).rows
    },
  }
}

// Below the snapshot's xmin all transactions have ended; the next call begins there. Numbers above its xmax come from a
// database that was moved here: they are no changes.
const changedSql = `
  with taken as materialized (select pg_current_snapshot() as snapshot)
  select pg_snapshot_xmin(snapshot)::text as cursor,
         coalesce((
           select json_agg(gateway_id) from gateways
            where rights_xid >= $1::text::xid8 and rights_xid < pg_snapshot_xmax(snapshot)), '[]') as "gatewayIds"
    from taken`

const rightsSql = `
  select gateway_id as "gatewayId", secret_hash as "secretHash", secret_hash_before as "secretHashBefore",
         round(extract(epoch from secret_before_until) * 1000)::float8 as "secretBeforeUntil",
         disabled_at is not null as disabled, via = 'attached' as attached, dialect, base_topics as "baseTopics"
    from gateways where gateway_id = any($1)`
