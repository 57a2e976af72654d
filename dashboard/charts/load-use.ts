import type { Queryable } from '../../db/pool.js'
import type { ResidentDevice } from '../../db/residents.js'
import { loadUsage } from '../../db/usage.js'
import { combineUse, lastDays } from './days.js'
import { hourlyUse, type Use } from './hourly-use.js'

export type MeterKind = 'water' | 'electricity'
/** null: the home has no meter of the kind. */
export type ResidentUse = { water: Use | null; electricity: Use | null }

/** Far more than a home can use in an hour: 20 m³ of water, 100 kWh. */
const perHourMax: Record<MeterKind, number> = { water: 20_000, electricity: 100_000 }

/** Use of water (L) and electricity (Wh) in each hour of the last local days, today included. */
export async function loadUse(
  db: Queryable,
  p: { devices: readonly ResidentDevice[]; days: number; timeZone: string; now: Date },
): Promise<ResidentUse> {
  const now = p.now.getTime()
  const { from, to } = lastDays({ now, days: p.days, timeZone: p.timeZone })
  const meters = p.devices.filter(({ kind }) => kind === 'water' || kind === 'electricity')
  const rows = await loadUsage(db, { deviceNos: meters.map(({ deviceNo }) => deviceNo), from, to })
  const useOf = (kind: MeterKind): Use | null => {
    const parts = meters
      .filter((meter) => meter.kind === kind)
      .map(({ deviceNo, boundAt, unboundAt }) => {
        const own = rows.filter((row) => row.deviceNo === deviceNo)
        // Readings from before the device was entered here (a backlog, a recording) count from the first of them.
        const begin = Math.min(boundAt.getTime(), own[0]?.hour ?? Number.POSITIVE_INFINITY)
        const until = unboundAt?.getTime() ?? to
        return { use: hourlyUse(own, { from, to, now, perHourMax: perHourMax[kind] }), present: { from: begin, until } }
      })
    return parts.length === 0 ? null : combineUse(parts)
  }
  return { water: useOf('water'), electricity: useOf('electricity') }
}
