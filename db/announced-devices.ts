import type { DeviceKind } from '../alerts/model.js'
import { containing } from './contains.js'
import type { Queryable } from './pool.js'

/** A device that a gateway tells of, and that hangs at nobody's yet. */
export type AnnouncedDevice = {
  gatewayId: string
  deviceId: string
  /** What its gateway calls it: anybody's text. */
  nativeId: string
  kind: DeviceKind
  name: string
  model: string
  lastSeenAt: Date
  /** The newest thing that it said, in the words of v1. */
  lastFields: Record<string, unknown> | null
}

const columns = `a.gateway_id as "gatewayId", a.device_id as "deviceId", a.native_id as "nativeId", a.kind, a.name, a.model,
  a.last_seen_at as "lastSeenAt", a.last_fields as "lastFields"`
const unclaimed = `announced_devices a join gateways g using (gateway_id)
  where g.community_id = any($1) and a.gateway_id = $2
    and not exists (select from devices d where d.device_id = a.device_id and d.unbound_at is null)`

/**
 * The unclaimed devices of a gateway of these communities whose name, model or native id contains `search`, and how many
 * there are. By name, whenever they were heard: a list that is being tapped on must not move.
 */
export async function listUnclaimed(
  db: Queryable,
  p: { communityIds: string[]; gatewayId: string; search: string; offset: number; limit: number },
): Promise<{ rows: AnnouncedDevice[]; total: number }> {
  const { rows } = await db.query<AnnouncedDevice & { total: number }>(
    `with found as materialized (
       select a.* from ${unclaimed}
          and ($3 = '' or lower(a.name || E'\\n' || a.model || E'\\n' || a.native_id) like $3))
     select ${columns}, (select count(*)::int from found) as total from found a
      order by case when a.name = '' then a.native_id else a.name end, a.native_id, a.kind
      offset ${Number(p.offset)} limit ${Number(p.limit)}`,
    [p.communityIds, p.gatewayId, p.search === '' ? '' : containing(p.search)],
  )
  return { rows: rows.map(({ total: _, ...row }) => row), total: rows[0]?.total ?? (await countUnclaimed(db, p)) }
}

/** Of a page that lies behind the last row. */
async function countUnclaimed(
  db: Queryable,
  p: { communityIds: string[]; gatewayId: string; search: string; offset: number },
): Promise<number> {
  if (p.offset === 0 || p.search !== '') return 0
  const { rows } = await db.query<{ total: number }>(`select count(*)::int as total from ${unclaimed}`, [
    p.communityIds,
    p.gatewayId,
  ])
  return rows[0]!.total
}

/** One announced device of these communities, claimed or not; undefined for anybody else's, or nobody's. */
export async function findAnnounced(
  db: Queryable,
  p: { communityIds: string[]; gatewayId: string; deviceId: string },
): Promise<AnnouncedDevice | undefined> {
  const { rows } = await db.query<AnnouncedDevice>(
    `select ${columns} from announced_devices a join gateways g using (gateway_id)
      where g.community_id = any($1) and a.gateway_id = $2 and a.device_id = $3`,
    [p.communityIds, p.gatewayId, p.deviceId],
  )
  return rows[0]
}
