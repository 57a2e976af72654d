import type { DeviceKind } from '../alerts/model.js'
import { lastOf, newestReadings } from './newest-readings.js'
import type { Queryable } from './pool.js'

/** A device that hangs at a resident's, as the page of its gateway shows it. */
export type BoundDevice = {
  deviceNo: number
  deviceId: string
  kind: DeviceKind
  room: string
  /** What its gateway calls it; '' where it told of none. */
  name: string
  residentId: string
  residentName: string
  boundAt: Date
  boundBy: string | null
  lastObservedAt: Date | null
  /** 0..1 */
  battery: number | null
}

/** The bound devices of a gateway of these communities, by resident and room, and how many there are. */
export async function listBound(
  db: Queryable,
  p: { communityIds: string[]; gatewayId: string; offset: number; limit: number },
): Promise<{ rows: BoundDevice[]; total: number }> {
  const { rows } = await db.query<BoundDevice & { total: number; heardAt: Date | null }>(
    `select d.device_no as "deviceNo", d.device_id as "deviceId", d.kind, d.room, coalesce(a.name, '') as name,
            d.resident_id as "residentId", r.name as "residentName", d.bound_at as "boundAt", s.name as "boundBy",
            g.last_heard_at as "heardAt", (count(*) over ())::int as total
       from devices d join gateways g using (gateway_id) join residents r using (resident_id)
            left join announced_devices a on a.gateway_id = d.gateway_id and a.device_id = d.device_id
            left join staff s on s.staff_id = d.bound_by
      where g.community_id = any($1) and d.gateway_id = $2 and d.unbound_at is null
      order by r.name, d.resident_id, d.room, d.device_no offset ${Number(p.offset)} limit ${Number(p.limit)}`,
    [p.communityIds, p.gatewayId],
  )
  const newest = await newestReadings(db, {
    deviceNos: rows.map(({ deviceNo }) => deviceNo),
    heardAt: lastOf(rows.map(({ heardAt }) => heardAt)),
  })
  return {
    rows: rows.map(({ total: _, heardAt: __, ...row }) => ({
      ...row,
      lastObservedAt: newest.get(row.deviceNo)?.observedAt ?? null,
      battery: newest.get(row.deviceNo)?.battery ?? null,
    })),
    total: rows[0]?.total ?? 0,
  }
}
