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

/** The device_no under which the readings of each of these devices are stored now, by device id. */
export async function deviceNumbers(db: Queryable, deviceIds: string[]): Promise<Map<string, number>> {
  const { rows } = await db.query<{ device_id: string; device_no: number }>(
    'select device_id, device_no from devices where device_id = any($1) and unbound_at is null',
    [deviceIds],
  )
  return new Map(rows.map((row) => [row.device_id, row.device_no]))
}
