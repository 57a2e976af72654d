import type { Queryable } from './pool.js'
import { storableJson, storableText } from './storable.js'

/** A device that a gateway was heard to have; `fields`: the newest thing that it said, in the words of v1. */
export type AnnouncedRow = {
  gatewayId: string
  deviceId: string
  nativeId: string
  kind: string
  /** Undefined: nothing was said of it; what is known stays. */
  name: string | undefined
  model: string | undefined
  fields: Record<string, unknown> | undefined
  /** Epoch ms. */
  seenAt: number
}

/** What the adapter of a gateway keeps; a lower version never overwrites a higher one. */
export type MemoryRow = { gatewayId: string; memory: Record<string, unknown>; version: number }

/** A gateway that goes on inventing devices is not listened to about further ones. */
export const announcedPerGatewayMax = 1_000

/**
 * Notes devices as announced, up to `announcedPerGatewayMax` of a gateway. Above that a new one takes the place of the one
 * that was silent for longest, if that is over a day and it hangs at nobody's.
 */
export async function noteAnnounced(tx: Queryable, rows: AnnouncedRow[]): Promise<void> {
  if (rows.length === 0) return
  // One row a device, and in one order for everybody: two commits must not wait for each other crosswise.
  const byDevice = new Map<string, AnnouncedRow>()
  for (const row of rows) {
    const before = byDevice.get(row.deviceId)
    byDevice.set(row.deviceId, {
      ...row,
      name: row.name ?? before?.name,
      model: row.model ?? before?.model,
      fields: row.fields ?? before?.fields,
    })
  }
  const sorted = [...byDevice.values()].sort((a, b) => (a.deviceId < b.deviceId ? -1 : 1))
  await tx.query(
    `with said as materialized (
       select a.* from unnest($1::text[], $2::text[], $3::text[], $4::text[], $5::text[], $6::text[], $7::timestamptz[], $8::jsonb[])
         as a (gateway_id, device_id, native_id, kind, name, model, seen_at, fields)
         join gateways using (gateway_id)
     ), fresh as materialized (
       select gateway_id, device_id, seen_at, row_number() over (partition by gateway_id order by device_id) as place
         from said where not exists (select from announced_devices k where (k.gateway_id, k.device_id) = (said.gateway_id, said.device_id))
     ), room as materialized (
       select gateway_id, max(seen_at) as at, count(*) as wanted,
              ${announcedPerGatewayMax} - (select count(*) from announced_devices k where k.gateway_id = f.gateway_id) as free
         from fresh f group by gateway_id
     ), displaced as (
       delete from announced_devices a using room cross join lateral (
         select device_id from announced_devices k
          where k.gateway_id = room.gateway_id and last_seen_at < room.at - interval '1 day'
            and not exists (select from said where (said.gateway_id, said.device_id) = (k.gateway_id, k.device_id))
            and not exists (select from devices d
                             where (d.gateway_id, d.device_id) = (k.gateway_id, k.device_id) and d.unbound_at is null)
          order by last_seen_at limit greatest(0, wanted - free) for update skip locked) silent
        where room.wanted > room.free and (a.gateway_id, a.device_id) = (room.gateway_id, silent.device_id)
       returning a.gateway_id
     )
     insert into announced_devices as known
            (gateway_id, device_id, native_id, kind, name, model, first_seen_at, last_seen_at, last_fields)
     select gateway_id, device_id, native_id, kind, coalesce(name, ''), coalesce(model, ''), said.seen_at, said.seen_at, fields
       from said left join fresh using (gateway_id, device_id) left join room using (gateway_id)
      where place is null
         or place <= room.free + (select count(*) from displaced where displaced.gateway_id = said.gateway_id)
      order by gateway_id, device_id
     on conflict (gateway_id, device_id) do update
        set name = case when excluded.name = '' then known.name else excluded.name end,
            model = case when excluded.model = '' then known.model else excluded.model end,
            last_seen_at = greatest(known.last_seen_at, excluded.last_seen_at),
            last_fields = coalesce(excluded.last_fields, known.last_fields)`,
    [
      sorted.map((row) => row.gatewayId),
      sorted.map((row) => row.deviceId),
      sorted.map((row) => storableText(row.nativeId)),
      sorted.map((row) => row.kind),
      sorted.map((row) => (row.name === undefined ? null : storableText(row.name))),
      sorted.map((row) => (row.model === undefined ? null : storableText(row.model))),
      sorted.map((row) => new Date(row.seenAt)),
      sorted.map((row) => (row.fields ? storableJson(row.fields) : null)),
    ],
  )
}

/** Keeps what adapters want to remember of their gateways. */
export async function saveMemories(tx: Queryable, rows: MemoryRow[]): Promise<void> {
  if (rows.length === 0) return
  const newest = new Map<string, MemoryRow>()
  for (const row of rows) {
    const before = newest.get(row.gatewayId)
    if (!before || row.version >= before.version) newest.set(row.gatewayId, row)
  }
  const sorted = [...newest.values()].sort((a, b) => (a.gatewayId < b.gatewayId ? -1 : 1))
  await tx.query(
    // Locked in one order by all who write many gateways: presence does, too.
    `with mine as materialized (
       select gateway_id from gateways where gateway_id = any($1) order by gateway_id for no key update)
     update gateways g set dialect_memory = m.memory, dialect_memory_version = m.version
       from unnest($1::text[], $2::jsonb[], $3::float8[]) as m (gateway_id, memory, version) join mine using (gateway_id)
      where g.gateway_id = m.gateway_id and g.dialect_memory_version < m.version`,
    [
      sorted.map((row) => row.gatewayId),
      sorted.map((row) => storableJson(row.memory)),
      sorted.map((row) => row.version),
    ],
  )
}
