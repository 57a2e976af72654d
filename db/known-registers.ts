import type { Queryable } from './pool.js'

/** The newest register of each of these devices, by device id: value and epoch ms. */
export async function newestRegisters(
  db: Queryable,
  deviceIds: string[],
): Promise<Map<string, { value: number; at: number }>> {
  const { rows } = await db.query<{ device_id: string; value: number; observed_at: Date }>(
    `select d.device_id, r.value, r.observed_at from devices d
       cross join lateral (select value, observed_at from readings where device_no = d.device_no and event = '' and value is not null
                            order by observed_at desc limit 1) r
      where d.device_id = any($1) and d.unbound_at is null`,
    [deviceIds],
  )
  return new Map(rows.map((row) => [row.device_id, { value: row.value, at: row.observed_at.getTime() }]))
}
