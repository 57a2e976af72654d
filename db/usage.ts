import type { Queryable } from './pool.js'

/** Registers of one UTC hour; times in epoch milliseconds, values in L or Wh. */
export type UsageRow = {
  deviceNo: number
  hour: number
  first: number
  last: number
  min: number
  max: number
  readings: number
  lastObservedAt: number
}

/** A register that stood still for longer than this before the window is not looked for. */
const lookBackMs = 2 * 24 * 3_600_000

/**
 * What the registers of these meters showed in each hour of `[from, to)` (epoch ms), in order for each device. Begins
 * two days early, so that the first hour knows where its register stood.
 */
export async function loadUsage(
  db: Queryable,
  { deviceNos, from, to }: { deviceNos: number[]; from: number; to: number },
): Promise<UsageRow[]> {
  if (deviceNos.length === 0) return []
  const { rows } = await db.query<Omit<UsageRow, 'readings'> & { readings: number }>(
    `select device_no as "deviceNo", extract(epoch from hour)::float8 * 1000 as hour,
            first_value as first, last_value as last, min_value as min, max_value as max, readings,
            round(extract(epoch from last_observed_at) * 1000)::float8 as "lastObservedAt"
       from readings_hourly
      where device_no = any($1) and hour >= $2 and hour < $3 and last_value is not null and first_value is not null
      order by 1, 2`,
    [deviceNos, new Date(from - lookBackMs), new Date(to)],
  )
  return rows
}
