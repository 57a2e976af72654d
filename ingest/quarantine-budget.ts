import type { QuarantineRow } from '../db/quarantine.js'

const hourMs = 3_600_000
/** Rows that one gateway may put into quarantine in an hour: enough to see what is wrong, too few to fill a disk. */
export const quarantineRowsPerHourMax = 2_000
const gatewaysMax = 100_000

/**
 * Bounds what one gateway can write into quarantine. The row that reaches the limit says so; what comes after it in that
 * hour is acknowledged and dropped.
 */
export function createQuarantineBudget() {
  const spent = new Map<string, { hour: number; rows: number }>()
  return {
    spend(gatewayId: string, rows: QuarantineRow[], now: number): QuarantineRow[] {
      if (rows.length === 0) return rows
      const hour = Math.floor(now / hourMs)
      const known = spent.get(gatewayId)
      const entry = known?.hour === hour ? known : { hour, rows: 0 }
      if (spent.size >= gatewaysMax) spent.clear()
      spent.set(gatewayId, entry)
      const left = quarantineRowsPerHourMax - entry.rows
      entry.rows += rows.length
      if (rows.length < left || left <= 0) return left <= 0 ? [] : rows
      const last = rows[left - 1]!
      return [
        ...rows.slice(0, left - 1),
        {
          ...last,
          reason: 'quarantine full',
          detail: `over ${quarantineRowsPerHourMax} rows in an hour; last: ${last.reason}`,
        },
      ]
    },
  }
}
