import type { Queryable } from '../../db/pool.js'
import { size } from './scale-size.js'
import { variants } from './scale-states.js'

const hourMs = 3_600_000
/** What a home has used of a day's 130 L and 5.2 kWh by the end of each local hour, in thousandths. */
const usedBy = [
  5, 10, 10, 10, 12, 30, 95, 190, 240, 270, 300, 370, 450, 480, 500, 520, 560, 660, 770, 850, 920, 970, 990, 1_000,
]

/**
 * Readings in the order in which they arrive: hour by hour, all homes. Consecutive readings of one meter are therefore
 * on different pages of the table, as they are in a city. Returns how many were written.
 */
export async function seedReadings(db: Queryable, { now }: { now: Date }): Promise<number> {
  const end = Math.floor(now.getTime() / hourMs) * hourMs
  const { wholeHistory, everyFiveMinutes, residents, days, hoursOfOthers } = size
  const last = wholeHistory + everyFiveMinutes
  let rows = 0
  for (let day = days; day >= 1; day--) {
    const span = { from: end - day * 24 * hourMs, to: end - (day - 1) * 24 * hourMs - 1, now }
    rows += await insertMeters(db, { ...span, everyS: 3_600, homes: [1, wholeHistory] })
    if (day <= 18) rows += await insertMeters(db, { ...span, everyS: 300, homes: [wholeHistory + 1, last] })
    if (day * 24 <= hoursOfOthers)
      rows += await insertMeters(db, { ...span, everyS: 3_600, homes: [last + 1, residents] })
    rows += await insertButtons(db, span)
  }
  // The hour that has begun.
  rows += await insertMeters(db, { from: end, to: now.getTime(), now, everyS: 3_600, homes: [1, wholeHistory] })
  rows += await insertMeters(db, { from: end, to: now.getTime(), now, everyS: 300, homes: [wholeHistory + 1, last] })
  rows += await insertMeters(db, { from: end, to: now.getTime(), now, everyS: 3_600, homes: [last + 1, residents] })
  return rows
}

type Span = { from: number; to: number; now: Date }

async function insertMeters(
  db: Queryable,
  { from, to, now, everyS, homes }: Span & { everyS: number; homes: [number, number] },
): Promise<number> {
  const { rowCount } = await db.query(
    `insert into readings (device_no, observed_at, received_at, value, rate, battery)
     select 3 * i - 2 + meter, at, at + interval '0.8 second',
            round((((total / 24) * 1000 + used[(total % 24)::int + 1]) * (array[0.13, 5.2])[meter + 1])::numeric, 1 - meter),
            (array[0, 80])[meter + 1], case when meter = 0 and total % 6 = 0 then 0.9 end
       from generate_series($1::timestamptz, $2::timestamptz, $4 * interval '1 second') slot
            cross join generate_series($5::int, $6::int) i cross join generate_series(0, 1) meter
            cross join lateral (select slot + i % ${variants} * $4::int / ${variants} * interval '1 second' as at) a
            cross join lateral (select (extract(epoch from at) / 3600)::bigint + 8 as total) t
            cross join (select $3::int[] as used) u
      where at <= $7 order by slot, i`,
    [new Date(from), new Date(to), usedBy, everyS, ...homes, now],
  )
  return rowCount ?? 0
}

/** A button reports its battery with a test once a day. */
async function insertButtons(db: Queryable, { from, now }: Span): Promise<number> {
  const { rowCount } = await db.query(
    `insert into readings (device_no, observed_at, event, received_at, battery)
     select 3 * i, at, 'test', at + interval '0.8 second', 0.8
       from generate_series(1, ${size.wholeHistory}) i
            cross join lateral (select $1::timestamptz + i * 7 % 86400 * interval '1 second' as at) a
      where at <= $2`,
    [new Date(from), now],
  )
  return rowCount ?? 0
}
