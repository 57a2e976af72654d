import type { DeviceKind } from '../alerts/model.js'
import { alarmKinds } from '../ingest/contract.js'
import type { Queryable } from './pool.js'

/** Whoever depends on a button presses it once a month, with somebody on the phone. */
export const testEveryDays = 30
const dayMs = 86_400_000
const dueBefore = (now: Date) => new Date(now.getTime() - testEveryDays * dayMs)

/** A meter proves itself with each reading; what only speaks in an emergency has to be tried. */
export const testedKinds: readonly DeviceKind[] = alarmKinds

/** By which way a test came: its page in the dashboard, the test button of the device, an alarm closed as a test. */
export type TestedHow = 'page' | 'reading' | 'alert'
export type Tested = { testedAt: Date; how: TestedHow }

/** Notes tests that devices said of themselves, in the caller's transaction. Times in epoch ms. */
export async function noteTestReadings(
  tx: Queryable,
  readings: { deviceNo: number; receivedAt: number }[],
): Promise<void> {
  if (readings.length === 0) return
  const newest = new Map<number, number>()
  for (const { deviceNo, receivedAt } of readings) newest.set(deviceNo, Math.max(newest.get(deviceNo) ?? 0, receivedAt))
  const inOrder = [...newest].sort(([a], [b]) => a - b)
  await tx.query(
    `select note_device_tested(device_no, at, 'reading', null) from unnest($1::int[], $2::timestamptz[]) as t (device_no, at)`,
    [inOrder.map(([deviceNo]) => deviceNo), inOrder.map(([, at]) => new Date(at))],
  )
}

/** When these devices were tested last; who never was is not there. */
export async function testedAt(db: Queryable, deviceNos: number[]): Promise<Map<number, Tested>> {
  if (deviceNos.length === 0) return new Map()
  const { rows } = await db.query<Tested & { deviceNo: number }>(
    'select device_no as "deviceNo", tested_at as "testedAt", how from devices_tested where device_no = any($1)',
    [deviceNos],
  )
  return new Map(rows.map(({ deviceNo, ...tested }) => [deviceNo, tested]))
}

/** Whether a device is due for its test at `now`. */
export const isTestDue = (tested: Tested | undefined, now: Date): boolean =>
  tested === undefined || tested.testedAt < dueBefore(now)

export type DueDevice = {
  deviceNo: number
  deviceId: string
  kind: DeviceKind
  room: string
  gatewayId: string
  gatewayOnline: boolean
  /** Null: never. */
  testedAt: Date | null
}
export type DueHome = {
  residentId: string
  name: string
  address: string
  phone: string | null
  timeZone: string
  devices: DueDevice[]
}
export type DueCounts = { devices: number; homes: number; ofDevices: number }

const alarmDevices = `devices d join residents r using (resident_id) left join devices_tested t using (device_no)
  where r.community_id = any($1) and r.left_at is null and not r.synthetic and d.unbound_at is null and d.kind = any($2)`
const isDue = '(t.tested_at is null or t.tested_at < $3)'

/** How many alarm devices of these communities are due for their test, at how many residents', and of how many. */
export async function countDueTests(
  db: Queryable,
  { communityIds, now }: { communityIds: string[]; now: Date },
): Promise<DueCounts> {
  const { rows } = await db.query<DueCounts>(
    `select count(*) filter (where ${isDue})::int as devices,
            count(distinct d.resident_id) filter (where ${isDue})::int as homes, count(*)::int as "ofDevices"
       from ${alarmDevices}`,
    [communityIds, testedKinds, dueBefore(now)],
  )
  return rows[0]!
}

/** Residents with devices that are due for their test: those never tested first, then the longest ago. */
export async function listDueTests(
  db: Queryable,
  p: { communityIds: string[]; now: Date; offset: number; limit: number },
): Promise<DueHome[]> {
  const { rows } = await db.query<DueHome>(
    `with due as materialized (
       select d.device_no, d.resident_id, t.tested_at from ${alarmDevices} and ${isDue}
     ), homes as (
       select resident_id, min(coalesce(tested_at, '-infinity')) as longest_ago from due group by resident_id
        order by longest_ago, resident_id offset $4 limit $5
     )
     select r.resident_id as "residentId", r.name, r.address, r.phone, r.time_zone as "timeZone", (
              select json_agg(json_build_object('deviceNo', d.device_no, 'deviceId', d.device_id, 'kind', d.kind, 'room', d.room,
                       'gatewayId', d.gateway_id, 'gatewayOnline', g.online,
                       'testedAt', round(extract(epoch from u.tested_at) * 1000)::float8)
                       order by u.tested_at nulls first, d.kind, d.device_no)
                from due u join devices d using (device_no) join gateways g using (gateway_id)
               where u.resident_id = r.resident_id) as devices
       from homes h join residents r using (resident_id) order by h.longest_ago, h.resident_id`,
    [p.communityIds, testedKinds, dueBefore(p.now), p.offset, p.limit],
  )
  return rows.map((home) => ({
    ...home,
    devices: home.devices.map((device) => ({
      ...device,
      testedAt: device.testedAt === null ? null : new Date(device.testedAt),
    })),
  }))
}
