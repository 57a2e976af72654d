import type { Queryable } from '../../db/pool.js'
import { createHome } from '../../simulators/home.js'

const rowsMax = 5_000
const dayMs = 86_400_000

/**
 * The readings of simulated homes, as they arrive: compression lives on how regular values and times are, and those of a
 * formula would be too regular. Meters at rest report every `intervalS`, and sooner while water flows.
 */
export async function seedSimulated(
  db: Queryable,
  { now, homes, days, intervalS }: { now: Date; homes: number; days: number; intervalS: number },
): Promise<void> {
  const to = now.getTime()
  const all = Array.from({ length: homes }, (_, i) =>
    createHome({ seed: 5_000 + i, timeZone: 'Asia/Shanghai', intervalS, kinds: ['water', 'electricity'] }),
  )
  for (let from = to - days * dayMs; from < to; from += dayMs) {
    const day = all
      .flatMap((home, i) =>
        [...home.readings({ from, to: Math.min(to, from + dayMs) })].map(({ kind, at, reading }) => {
          const told = reading as { litres?: number; wh?: number; flowLpm?: number; w?: number; battery?: number }
          return {
            deviceNo: 2 * i + (kind === 'water' ? 1 : 2),
            at: at * 1_000,
            // On the way for 0.2 to 1.5 s.
            receivedAt: at * 1_000 + 200 + ((at * 7_919 + i * 104_729) % 1_300),
            value: told.litres ?? told.wh ?? null,
            rate: told.flowLpm ?? told.w ?? null,
            battery: told.battery ?? null,
          }
        }),
      )
      .sort((a, b) => a.receivedAt - b.receivedAt)
    for (let start = 0; start < day.length; start += rowsMax) {
      const rows = day.slice(start, start + rowsMax)
      await db.query(
        `insert into readings (device_no, observed_at, received_at, value, rate, battery)
         select device_no, to_timestamp(at_ms / 1000), to_timestamp(received_ms / 1000), value, rate, battery
           from unnest($1::int[], $2::float8[], $3::float8[], $4::float8[], $5::float8[], $6::real[])
             as r (device_no, at_ms, received_ms, value, rate, battery) on conflict do nothing`,
        [
          rows.map((r) => r.deviceNo),
          rows.map((r) => r.at),
          rows.map((r) => r.receivedAt),
          rows.map((r) => r.value),
          rows.map((r) => r.rate),
          rows.map((r) => r.battery),
        ],
      )
    }
  }
}
