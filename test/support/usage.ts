import type { Arrival } from '../../alerts/model.js'
import { emptyState, fold } from '../../alerts/rules/fold.js'
import type { Queryable } from '../../db/pool.js'

export type SeededReading = {
  deviceNo: number
  kind: 'water' | 'electricity'
  at: number
  value: number
  battery?: number
}

/** A register read every `stepMin` minutes in [from, to) (epoch ms), with `register(at)` on it. */
export function readRegister(p: {
  deviceNo: number
  kind: 'water' | 'electricity'
  from: number
  to: number
  stepMin: number
  register: (at: number) => number
  battery?: number
}): SeededReading[] {
  const readings: SeededReading[] = []
  for (let at = p.from; at < p.to; at += p.stepMin * 60_000)
    readings.push({
      deviceNo: p.deviceNo,
      kind: p.kind,
      at,
      value: p.register(at),
      ...(p.battery === undefined ? {} : { battery: p.battery }),
    })
  return readings
}

/** Puts readings into the database as they would have arrived in time. */
export async function insertReadings(db: Queryable, readings: readonly SeededReading[]): Promise<void> {
  await db.query(
    `insert into readings (device_no, observed_at, received_at, value, battery)
     select device_no, to_timestamp(at / 1000), to_timestamp(at / 1000), value, battery
       from unnest($1::int[], $2::float8[], $3::float8[], $4::real[]) as r (device_no, at, value, battery)
     on conflict do nothing`,
    [
      readings.map(({ deviceNo }) => deviceNo),
      readings.map(({ at }) => at),
      readings.map(({ value }) => value),
      readings.map(({ battery }) => battery ?? null),
    ],
  )
}

/** What the rules would know after these readings, stored for the resident. */
export async function foldReadings(
  db: Queryable,
  p: { residentId: string; readings: readonly SeededReading[]; now: Date; timeZone?: string },
): Promise<void> {
  const arrivals = [...p.readings]
    .sort((a, b) => a.at - b.at)
    .map(
      ({ deviceNo, kind, at, value }): Arrival => ({
        type: 'reading',
        deviceNo,
        kind,
        observedAt: at,
        receivedAt: at,
        event: '',
        value,
      }),
    )
  const { state } = fold(emptyState(), arrivals, p.now.getTime(), {
    timeZone: p.timeZone ?? 'Asia/Shanghai',
    alarmsPerMonth: null,
  })
  await db.query(
    `insert into resident_state (resident_id, state, folded_at) values ($1, $2, $3)
     on conflict (resident_id) do update set state = excluded.state, folded_at = excluded.folded_at`,
    [p.residentId, JSON.stringify(state), p.now],
  )
}
