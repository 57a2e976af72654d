import type { DeviceKind } from '../alerts/model.js'
import { calmMs, changesKept } from '../alerts/rules/flapping.js'
import type { Queryable } from './pool.js'

/** A device went on or off, in what it is an alarm for or in a notice about it. `at`: epoch ms. */
export type DeviceChange = { deviceNo: number; kind: string; at: number }

/** The newest changes of one device, in order, and what it is. */
export type FlapRow = {
  deviceNo: number
  kind: string
  changes: number[]
  deviceKind: DeviceKind
  residentId: string
  room: string
}

/**
 * Notes changes, in one statement, and returns the newest changes of each device that they are of. `now` bounds what a
 * device's clock says.
 */
export async function noteChanges(tx: Queryable, changes: readonly DeviceChange[], now: Date): Promise<FlapRow[]> {
  if (changes.length === 0) return []
  const { rows } = await tx.query<FlapRow>(
    `with noted as (
       insert into device_flapping as f (device_no, kind, changes, calm_at)
       select device_no, kind, (array_agg(at order by at desc))[1:$5], to_timestamp((max(at) + $6) / 1000)
         from (select distinct device_no, kind, least(at, $4::float8) as at
                 from unnest($1::int[], $2::text[], $3::float8[]) as c (device_no, kind, at)) c
        group by device_no, kind order by device_no, kind
       on conflict (device_no, kind) do update
          set changes = (array(select distinct at from unnest(f.changes || excluded.changes) at order by at desc))[1:$5],
              calm_at = greatest(f.calm_at, excluded.calm_at)
       returning device_no, f.kind, changes
     )
     select n.device_no as "deviceNo", n.kind, array(select at from unnest(n.changes) at order by at) as changes,
            d.kind as "deviceKind", d.resident_id as "residentId", d.room
       from noted n join devices d using (device_no) order by n.device_no, n.kind`,
    [
      changes.map((change) => change.deviceNo),
      changes.map((change) => change.kind),
      changes.map((change) => change.at),
      now.getTime(),
      changesKept,
      calmMs,
    ],
  )
  return rows
}

export type CalmDevice = { deviceNo: number; residentId: string; kind: DeviceKind; room: string }

/**
 * Forgets the changes of devices that have been calm for long enough. Returns those devices of which nothing is left: their
 * notices have come to an end.
 */
export async function takeCalmDevices(
  tx: Queryable,
  { now, devicesMax }: { now: Date; devicesMax: number },
): Promise<CalmDevice[]> {
  const { rows } = await tx.query<CalmDevice>(
    `with calm as (
       select device_no, kind from device_flapping where calm_at <= $1 order by calm_at limit $2 for update skip locked
     ), gone as (
       delete from device_flapping f using calm where (f.device_no, f.kind) = (calm.device_no, calm.kind)
       returning f.device_no, f.kind
     )
     select distinct d.device_no as "deviceNo", d.resident_id as "residentId", d.kind, d.room
       from gone join devices d using (device_no)
      where not exists (select from device_flapping f where f.device_no = gone.device_no
                           and (f.device_no, f.kind) not in (select device_no, kind from gone))`,
    [now, devicesMax],
  )
  return rows
}
