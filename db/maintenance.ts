import type { Database, Queryable } from './pool.js'

const dayMs = 86_400_000
const compressAfterDays = 7
const rollupAfterDays = 3
const quarantineDays = 90
const accessLogDays = 3 * 365

const hasCommunityFeatures = async (db: Queryable) =>
  (await db.query<{ license: string }>("select current_setting('timescaledb.license', true) as license")).rows[0]!
    .license === 'timescale'

/**
 * Materialises the roll-ups of hours older than three days, where the edition has continuous aggregates (elsewhere the
 * roll-up is a view and there is nothing to do). The background jobs of a full server do the same; the embedded one has none.
 */
export async function refreshRollups(db: Database, { now }: { now: Date }): Promise<'refreshed' | 'a view'> {
  if (!(await hasCommunityFeatures(db))) return 'a view'
  const to = new Date(now.getTime() - rollupAfterDays * dayMs).toISOString()
  await db.query(`call refresh_continuous_aggregate('readings_hourly', null, '${to}'::timestamptz)`)
  return 'refreshed'
}

/** Compresses chunks that ended over 7 days ago, where the edition can. Returns how many. */
export async function compressOldReadings(db: Database, { now }: { now: Date }): Promise<number> {
  if (!(await hasCommunityFeatures(db))) return 0
  const before = new Date(now.getTime() - compressAfterDays * dayMs)
  const { rows } = await db.query<{ chunk: string }>(
    `select format('%I.%I', chunk_schema, chunk_name) as chunk from timescaledb_information.chunks
      where hypertable_name = 'readings' and range_end < $1 and not is_compressed order by range_end`,
    [before],
  )
  for (const { chunk } of rows)
    await db.query('select compress_chunk($1::regclass, if_not_compressed => true)', [chunk])
  return rows.length
}

/** Drops the chunks of readings that are wholly older than `retentionDays`: an instant, on every edition. Returns how many. */
export async function dropOldReadings(
  db: Database,
  { now, retentionDays }: { now: Date; retentionDays: number },
): Promise<number> {
  const before = new Date(now.getTime() - retentionDays * dayMs)
  const { rowCount } = await db.query("select drop_chunks('readings', older_than => $1::timestamptz)", [before])
  return rowCount ?? 0
}

/** Deletes what nobody needs any longer: ended sessions, expired links, old quarantine, looks and edges that are gone. */
export async function dropOldRows(
  db: Database,
  { now, retentionDays }: { now: Date; retentionDays: number },
): Promise<void> {
  const daysAgo = (days: number) => new Date(now.getTime() - days * dayMs)
  await db.query('delete from sessions where expires_at < $1', [now])
  await db.query('delete from page_links where expires_at < $1', [daysAgo(30)])
  await db.query('delete from quarantine where received_at < $1', [daysAgo(Math.min(quarantineDays, retentionDays))])
  await db.query('delete from access_log where last_at < $1', [daysAgo(accessLogDays)])
  await db.query('delete from edges where heartbeat_at < $1', [daysAgo(7)])
}
