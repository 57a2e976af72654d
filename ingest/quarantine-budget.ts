import type { QuarantineRow } from '../db/quarantine.js'

const hourMs = 3_600_000
/** Rows that one gateway may put into quarantine in an hour: enough to see what is wrong, too few to fill a disk. */
export const quarantineRowsPerHourMax = 2_000
/** Of the first ones the whole payload is kept, of the others its beginning: 64 KB each would be 3 GB a day. */
const wholePayloadsPerHourMax = 100
const shortPayloadBytesMax = 1_024
const gatewaysMax = 100_000

const shortened = (row: QuarantineRow): QuarantineRow => ({
  ...row,
  payload: row.payload.subarray(0, shortPayloadBytesMax),
  payloadBytes: row.payloadBytes ?? row.payload.length,
})

export type QuarantineBudget = ReturnType<typeof createQuarantineBudget>

/**
 * Bounds what one gateway can write into quarantine. The row that reaches the limit says so; what comes after it in that
 * hour is acknowledged and dropped.
 */
export function createQuarantineBudget({ dropped }: { dropped: { inc(by: number): void } }) {
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
      const kept = entry.rows <= wholePayloadsPerHourMax ? rows : rows.map(shortened)
      if (rows.length < left) return kept
      dropped.inc(rows.length - Math.max(left, 0))
      if (left <= 0) return []
      const last = kept[left - 1]!
      return [
        ...kept.slice(0, left - 1),
        {
          ...last,
          reason: 'quarantine full',
          detail: `over ${quarantineRowsPerHourMax} rows in an hour; last: ${last.reason}`,
        },
      ]
    },
  }
}
