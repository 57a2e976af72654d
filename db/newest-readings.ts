import type { Queryable } from './pool.js'

/** `battery`: 0..1, as reported within the 2 days before the newest reading. */
export type NewestReading = { observedAt: Date; battery: number | null }

const dayMs = 24 * 3_600_000
const newestDays = 3
const batteryDays = 2

/**
 * The newest reading of each of these devices that has one. Nearly all report daily, so the days before `heardAt`, when
 * any of them may have been heard last, come first: to plan for every chunk of a year costs 20 ms. Only those with
 * nothing there are looked for in all chunks.
 */
export async function newestReadings(
  db: Queryable,
  { deviceNos, heardAt }: { deviceNos: number[]; heardAt: Date | null },
): Promise<Map<number, NewestReading>> {
  const found = new Map<number, NewestReading>()
  if (heardAt) await look(db, { deviceNos, from: heardAt.getTime() - newestDays * dayMs, found })
  await look(db, { deviceNos: deviceNos.filter((deviceNo) => !found.has(deviceNo)), from: 0, found })
  return found
}

/** When the one that was heard last was heard. */
export const lastOf = (times: readonly (Date | null)[]): Date | null =>
  times.reduce((last, at) => (at !== null && (last === null || at > last) ? at : last), null)

async function look(
  db: Queryable,
  { deviceNos, from, found }: { deviceNos: number[]; from: number; found: Map<number, NewestReading> },
): Promise<void> {
  if (deviceNos.length === 0) return
  const { rows } = await db.query<NewestReading & { deviceNo: number }>(
    `select d.device_no as "deviceNo", newest.observed_at as "observedAt", power.battery
       from unnest($1::int[]) d (device_no)
            cross join lateral (select observed_at from readings r
                                 where r.device_no = d.device_no and r.observed_at > $2
                                 order by observed_at desc limit 1) newest
            left join lateral (select battery from readings r
                                where r.device_no = d.device_no and battery is not null and r.observed_at > $3
                                  and r.observed_at > newest.observed_at - interval '${batteryDays} days'
                                order by observed_at desc limit 1) power on true`,
    [deviceNos, new Date(from), new Date(from - batteryDays * dayMs)],
  )
  for (const { deviceNo, ...reading } of rows) found.set(deviceNo, reading)
}
