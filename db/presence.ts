import type { Database, Queryable } from './pool.js'

export type PresenceChange = { gatewayId: string; online: boolean; at: number }
export type ClockReading = { gatewayId: string; aheadS: number }

/** A statement holds what it writes until its end, and what commits a reading may wait for that. */
const writtenAtOnceMax = 2_000
/**
 * Locks the gateways in $1 in one order: two statements that write many of the same ones would otherwise each wait for
 * what the other has.
 */
const lockInOrder = `mine as materialized (
       select gateway_id from gateways where gateway_id = any($1) order by gateway_id for no key update)`

/** Marks an edge process as alive. `keptSince`: what came to it from then on may not be in the database yet. */
export async function recordHeartbeat(
  db: Queryable,
  { edgeId, now, keptSince }: { edgeId: string; now: Date; keptSince: Date | null },
): Promise<void> {
  await db.query(
    `insert into edges (edge_id, heartbeat_at, kept_since) values ($1, $2, $3)
     on conflict (edge_id) do update set heartbeat_at = $2, kept_since = $3`,
    [edgeId, now, keptSince],
  )
}

/**
 * Up to when all that came to the edges is in the database, as far as it lags behind; null: nothing is known to lag. An edge
 * that still counts as alive and was not heard since `beatBefore` may hold what came to it since its last beat.
 */
export async function findWatermark(db: Queryable, { beatBefore }: { beatBefore: Date }): Promise<Date | null> {
  const { rows } = await db.query<{ at: Date | null }>(
    `select min(case when heartbeat_at < $1 then heartbeat_at else kept_since end) as at from edges e
      where (heartbeat_at >= $1 and kept_since is not null)
         or (heartbeat_at < $1 and exists (select from gateways g where g.edge_id = e.edge_id and g.online))`,
    [beatBefore],
  )
  return rows[0]!.at
}

/**
 * Records which gateways came and went at this edge and hands it to the rules. A gateway that has since connected to
 * another edge is not marked offline by this one.
 */
export async function recordPresence(
  db: Queryable,
  { edgeId, changes }: { edgeId: string; changes: PresenceChange[] },
): Promise<void> {
  for (const some of chunks(changes)) await recordSome(db, { edgeId, changes: some })
}

async function recordSome(db: Queryable, { edgeId, changes }: { edgeId: string; changes: PresenceChange[] }) {
  await db.query(
    `with ${lockInOrder}, changed as (
       update gateways g set online = c.online, edge_id = case when c.online then $4 else g.edge_id end,
              online_changed_at = to_timestamp(c.at_ms / 1000),
              last_heard_at = greatest(g.last_heard_at, to_timestamp(c.at_ms / 1000))
         from unnest($1::text[], $2::bool[], $3::float8[]) as c (gateway_id, online, at_ms) join mine using (gateway_id)
        where g.gateway_id = c.gateway_id and (c.online or g.edge_id = $4)
       returning g.gateway_id, c.online, to_timestamp(c.at_ms / 1000) as at
     )${handToRules}`,
    [changes.map((c) => c.gatewayId), changes.map((c) => c.online), changes.map((c) => c.at), edgeId],
  )
}

/** What one statement drops: far below its deadline of 8 s, also on a slow disk. */
const droppedAtOnceMax = 5_000

/**
 * Marks the gateways of edges that stopped beating before `staleBefore` as offline. Returns how many. One statement for
 * some thousands at a time; what another process is at, or what has just come back, is left to it.
 */
export async function dropGatewaysOfDeadEdges(
  db: Database,
  p: { now: Date; staleBefore: Date; atOnceMax?: number },
): Promise<number> {
  const { atOnceMax = droppedAtOnceMax } = p
  let dropped = 0
  for (;;) {
    // Live edges as an array: a row that changed meanwhile is judged by it again, which a join would not do.
    const { rows } = await db.query<{ count: number }>(
      `with dead as (
         select gateway_id from gateways
          where online and (edge_id is null or edge_id <> all(array(select edge_id from edges where heartbeat_at >= $2)))
          limit $3 for update skip locked
       ), changed as (
         update gateways g set online = false, online_changed_at = $1 from dead where g.gateway_id = dead.gateway_id
         returning g.gateway_id, false as online, $1::timestamptz as at
       ), handed as (${handToRules})
       select count(*)::int as count from changed`,
      [p.now, p.staleBefore, atOnceMax],
    )
    dropped += rows[0]!.count
    if (rows[0]!.count < atOnceMax) return dropped
  }
}

const handToRules = `
  insert into arrivals (resident_id, received_at, entries, body)
  select d.resident_id, c.at, 1, jsonb_build_array(jsonb_build_object('type', 'presence', 'gatewayId', c.gateway_id,
           'online', c.online, 'receivedAt', round(extract(epoch from c.at) * 1000)))
    from changed c cross join lateral (
      select distinct resident_id from devices d where d.gateway_id = c.gateway_id and d.unbound_at is null) d`

/**
 * Which of these gateways, heard at this edge just now, are not on record as online here; of those at a broker to which
 * several edges are attached, not on record as online at all: they are heard at each of them.
 */
export async function findMissedOnline(
  db: Queryable,
  { edgeId, gatewayIds }: { edgeId: string; gatewayIds: string[] },
): Promise<string[]> {
  const { rows } = await db.query<{ gateway_id: string }>(
    `select gateway_id from gateways
      where gateway_id = any($2) and (not online or (via = 'own' and edge_id is distinct from $1))`,
    [edgeId, gatewayIds],
  )
  return rows.map((row) => row.gateway_id)
}

/** When gateways were last heard (epoch ms), and how far their clocks run ahead (seconds). */
export async function recordHeard(
  db: Queryable,
  { heard, clocks }: { heard: { gatewayId: string; at: number }[]; clocks: ClockReading[] },
): Promise<void> {
  for (const some of chunks(heard))
    await db.query(
      `with ${lockInOrder}
       update gateways g set last_heard_at = greatest(g.last_heard_at, to_timestamp(h.at_ms / 1000))
         from unnest($1::text[], $2::float8[]) as h (gateway_id, at_ms) join mine using (gateway_id)
        where g.gateway_id = h.gateway_id`,
      [some.map((h) => h.gatewayId), some.map((h) => h.at)],
    )
  for (const some of chunks(clocks))
    await db.query(
      `with ${lockInOrder}
       update gateways g set clock_ahead_s = c.ahead_s
         from unnest($1::text[], $2::float8[]) as c (gateway_id, ahead_s) join mine using (gateway_id)
        where g.gateway_id = c.gateway_id`,
      [some.map((c) => c.gatewayId), some.map((c) => c.aheadS)],
    )
}

/** Each statement commits by itself, so that only the order within one matters. */
function* chunks<T>(rows: T[]) {
  for (let start = 0; start < rows.length; start += writtenAtOnceMax) yield rows.slice(start, start + writtenAtOnceMax)
}
