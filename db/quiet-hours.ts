import type { QuietHours } from '../alerts/quiet-hours.js'
import type { Database, Queryable } from './pool.js'

/** When a person wants to hear of emergencies only; null: always ready. */
export async function quietHoursOf(db: Queryable, staffId: string): Promise<QuietHours | null> {
  const { rows } = await db.query<{ from: string | null; until: string; timeZone: string }>(
    'select quiet_from as "from", quiet_until as until, quiet_zone as "timeZone" from staff where staff_id = $1',
    [staffId],
  )
  const [row] = rows
  return row?.from ? { from: row.from, until: row.until, timeZone: row.timeZone } : null
}

/** Sets or ends a person's quiet hours. What was waiting for the end of the old ones is looked at again at once. */
export async function setQuietHours(
  db: Database,
  { staffId, quiet, now }: { staffId: string; quiet: QuietHours | null; now: Date },
): Promise<void> {
  await db.transaction(async (tx) => {
    await tx.query('update staff set quiet_from = $2, quiet_until = $3, quiet_zone = $4 where staff_id = $1', [
      staffId,
      quiet?.from ?? null,
      quiet?.until ?? null,
      quiet?.timeZone ?? null,
    ])
    await tx.query(
      `update messages set next_attempt_at = $2 where staff_id = $1 and status = 'pending' and attempts = 0 and next_attempt_at > $2`,
      [staffId, now],
    )
  })
}
