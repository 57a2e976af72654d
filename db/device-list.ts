import type { DeviceKind } from '../alerts/model.js'
import { containing } from './contains.js'
import { lastOf, newestReadings } from './newest-readings.js'
import type { Queryable } from './pool.js'

export type DeviceRow = {
  deviceId: string
  kind: DeviceKind
  room: string
  gatewayId: string
  residentId: string
  gatewayOnline: boolean
  lastObservedAt: Date | null
  /** 0..1 */
  battery: number | null
}

type Chosen = { deviceNo: number }

const inUse = 'd.unbound_at is null and g.community_id = any($1)'
const byGateway = 'online, heard_hour, gateway_id, device_id'
const slice = ({ offset, limit }: { offset: number; limit: number }) =>
  `offset ${Number(offset)} limit ${Number(limit)}`

/**
 * Devices in use, by the community of their gateway. Those whose gateway is away come first, the longest unheard gateway
 * first, to the hour: which page a device is on goes by its gateway alone, in the order of an index, because the newest
 * reading of each of 500,000 devices takes seconds to find. Within the page those that never reported come before the
 * others, then the longest silent.
 */
export async function listDevices(
  db: Queryable,
  p: { communityIds: string[]; offset: number; limit: number },
): Promise<DeviceRow[]> {
  const { rows } = await db.query<Chosen>(
    `select d.device_no as "deviceNo" from gateways g join devices d using (gateway_id) where ${inUse}
      order by g.online, g.heard_hour, g.gateway_id, d.device_id ${slice(p)}`,
    [p.communityIds],
  )
  return describe(db, rows)
}

/** How many devices `listDevices` goes through. */
export async function countDevices(db: Queryable, { communityIds }: { communityIds: string[] }): Promise<number> {
  const { rows } = await db.query<{ total: number }>(
    `select count(*)::int as total from devices d join gateways g using (gateway_id) where ${inUse}`,
    [communityIds],
  )
  return rows[0]!.total
}

/** As `listDevices`: those with `search` in the id of the device, gateway or resident, and how many there are. */
export async function searchDevices(
  db: Queryable,
  p: { communityIds: string[]; search: string; offset: number; limit: number },
): Promise<{ rows: DeviceRow[]; total: number }> {
  const { rows } = await db.query<Chosen & { total: number }>(
    `with found as materialized (
       select d.device_no, d.device_id, g.gateway_id, g.online, g.heard_hour
         from devices d join gateways g using (gateway_id) where ${inUse} and d.search_text like $2)
     select device_no as "deviceNo", (select count(*)::int from found) as total from found
      order by ${byGateway} ${slice(p)}`,
    [p.communityIds, containing(p.search)],
  )
  return { rows: await describe(db, rows), total: rows[0]?.total ?? 0 }
}

/** The devices of one gateway, those that never reported first, then the longest silent; at most `devicesMax`. */
export async function devicesOfGateway(
  db: Queryable,
  p: { communityIds: string[]; gatewayId: string; devicesMax: number },
): Promise<DeviceRow[]> {
  const { rows } = await db.query<Chosen>(
    `select d.device_no as "deviceNo" from devices d join gateways g using (gateway_id)
      where ${inUse} and d.gateway_id = $2 order by d.device_id limit $3`,
    [p.communityIds, p.gatewayId, p.devicesMax],
  )
  return describe(db, rows)
}

async function describe(db: Queryable, chosen: Chosen[]): Promise<DeviceRow[]> {
  if (chosen.length === 0) return []
  const deviceNos = chosen.map(({ deviceNo }) => deviceNo)
  const { rows } = await db.query<
    Omit<DeviceRow, 'lastObservedAt' | 'battery'> & { deviceNo: number; heardAt: Date | null }
  >(
    `select d.device_no as "deviceNo", d.device_id as "deviceId", d.kind, d.room, d.gateway_id as "gatewayId",
            d.resident_id as "residentId", g.online as "gatewayOnline", g.last_heard_at as "heardAt"
       from devices d join gateways g using (gateway_id) where d.device_no = any($1)`,
    [deviceNos],
  )
  const newest = await newestReadings(db, { deviceNos, heardAt: lastOf(rows.map(({ heardAt }) => heardAt)) })
  return rows
    .map(({ deviceNo, heardAt: _, ...row }) => ({
      ...row,
      lastObservedAt: newest.get(deviceNo)?.observedAt ?? null,
      battery: newest.get(deviceNo)?.battery ?? null,
    }))
    .sort(
      (a, b) =>
        Number(a.gatewayOnline) - Number(b.gatewayOnline) ||
        (a.lastObservedAt?.getTime() ?? 0) - (b.lastObservedAt?.getTime() ?? 0) ||
        (a.deviceId < b.deviceId ? -1 : 1),
    )
}
