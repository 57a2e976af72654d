import type { Database, Queryable } from './pool.js'

const dayMs = 86_400_000
const compressAfterDays = 7
const rollupAfterDays = 3
const quarantineDays = 90
const accessLogDays = 3 * 365
const announcedDays = 30
/** What was told outside of alerts: long enough to find out why somebody did not know. */
const messageDays = 90
const deleteRowsMax = 5_000

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
  await db.patiently((client) =>
    client.query(`call refresh_continuous_aggregate('readings_hourly', null, '${to}'::timestamptz)`),
  )
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
    await db.patiently((client) =>
      client.query('select compress_chunk($1::regclass, if_not_compressed => true)', [chunk]),
    )
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

/**
 * Deletes what nobody needs any longer: ended sessions, expired links, old quarantine, looks, edges that are gone, devices
 * that hang at nobody's and were not heard for a month, and commands and closed alerts with all that hangs on them once the readings of their time are gone too.
 */
export async function dropOldRows(
  db: Database,
  { now, retentionDays }: { now: Date; retentionDays: number },
): Promise<void> {
  const daysAgo = (days: number) => new Date(now.getTime() - days * dayMs)
  await deleteInBatches(db, 'sessions', 'expires_at < $1', now)
  await deleteInBatches(db, 'page_links', 'expires_at < $1', daysAgo(30))
  await deleteInBatches(db, 'door_sessions', 'expires_at < $1', now)
  // A signature is taken for a few minutes only.
  await deleteInBatches(db, 'webhook_requests', 'at < $1', daysAgo(1))
  // A page is answered for a day; a mail that comes again later finds its page over.
  await deleteInBatches(db, 'reply_mails', 'handled_at < $1', daysAgo(30))
  await deleteInBatches(db, 'quarantine', 'received_at < $1', daysAgo(Math.min(quarantineDays, retentionDays)))
  await deleteInBatches(db, 'access_log', 'last_at < $1', daysAgo(accessLogDays))
  await deleteInBatches(db, 'edges', 'heartbeat_at < $1', daysAgo(7))
  // A receiver hears the neighbours' meters, too; what passed by would fill up what may be announced.
  const isBound = `exists (select from devices d where d.unbound_at is null
    and (d.gateway_id, d.device_id) = (announced_devices.gateway_id, announced_devices.device_id))`
  await deleteInBatches(db, 'announced_devices', `last_seen_at < $1 and not ${isBound}`, daysAgo(announcedDays))
  const old = daysAgo(retentionDays)
  await deleteInBatches(db, 'commands', 'expires_at < $1', old)
  const told = daysAgo(Math.min(messageDays, retentionDays))
  const oldMessages = 'select message_id from messages where created_at < $1'
  await deleteInBatches(db, 'message_attempts', `message_id in (${oldMessages})`, told)
  await deleteInBatches(db, 'messages', 'created_at < $1', told)
  await dropClosedAlerts(db, { closedBefore: old })
  await deleteInBatches(db, 'incidents', 'closed_at < $1', old)
}

/** Deletes alerts with all that hangs on them; `syntheticOnly`: those of synthetic residents. */
export async function dropClosedAlerts(
  db: Database,
  { closedBefore: old, syntheticOnly = false }: { closedBefore: Date; syntheticOnly?: boolean },
): Promise<void> {
  const isOld = `closed_at < $1${syntheticOnly ? ' and resident_id in (select resident_id from residents where synthetic)' : ''}`
  const oldAlerts = `select alert_id from alerts where ${isOld}`
  const theirPages = `select page_id from pages where alert_id in (${oldAlerts})`
  await deleteInBatches(db, 'page_links', `page_id in (${theirPages})`, old)
  await deleteInBatches(db, 'page_attempts', `page_id in (${theirPages})`, old)
  await deleteInBatches(db, 'pages', `alert_id in (${oldAlerts})`, old)
  await deleteInBatches(db, 'alert_events', `alert_id in (${oldAlerts})`, old)
  await deleteInBatches(db, 'alarm_episodes', `alert_id in (${oldAlerts})`, old)
  await deleteInBatches(db, 'alerts', isOld, old)
}

/** A few thousand rows a statement, so that no statement is long and what was deleted stays deleted. */
async function deleteInBatches(db: Database, table: string, condition: string, at: Date): Promise<void> {
  for (;;) {
    const { rowCount } = await db.query(
      `delete from ${table} where ctid = any(array(select ctid from ${table} where ${condition} limit ${deleteRowsMax}))`,
      [at],
    )
    if ((rowCount ?? 0) < deleteRowsMax) return
  }
}
