import type { Database, Queryable } from './pool.js'

export type HeldSession = { sessionNo: number; filters: string[] }

/**
 * Renews what this edge holds of `sessions` sessions, up to `leaseMs` from now, and takes what nobody holds any more, up to
 * its share: as many for each edge that asks. Those of an earlier, larger number are held too, so that what waits in them
 * is not lost. `share`: who holds more gives the others back, so that another edge, which has just come, can have them.
 */
export async function holdSessions(
  db: Database,
  p: { edgeId: string; sessions: number; keep: number[]; now: Date; leaseMs: number },
): Promise<{ held: HeldSession[]; share: number }> {
  const heldUntil = new Date(p.now.getTime() + p.leaseMs)
  return db.transaction(
    async (tx) => {
      await tx.query(
        'insert into attach_sessions (session_no) select generate_series(1, $1::int) on conflict do nothing',
        [p.sessions],
      )
      await tx.query(
        'insert into attach_edges (edge_id, seen_at) values ($1, $2) on conflict (edge_id) do update set seen_at = $2',
        [p.edgeId, p.now],
      )
      await tx.query('delete from attach_edges where seen_at < $1', [new Date(p.now.getTime() - p.leaseMs)])
      await tx.query('update attach_sessions set held_until = $2 where edge_id = $1 and session_no = any($3)', [
        p.edgeId,
        heldUntil,
        p.keep,
      ])
      const { rows } = await tx.query<{ share: number; mine: number }>(
        `select ceil(count(*)::numeric / (select count(*) from attach_edges))::int as share,
                count(*) filter (where edge_id = $1)::int as mine from attach_sessions`,
        [p.edgeId],
      )
      const { share, mine } = rows[0]!
      await tx.query(
        `update attach_sessions set edge_id = $1, held_until = $2 where session_no in (
           select session_no from attach_sessions where edge_id is null or held_until < $3
            order by session_no limit $4 for update skip locked)`,
        [p.edgeId, heldUntil, p.now, Math.max(share - mine, 0)],
      )
      const held = await tx.query<HeldSession>(
        'select session_no as "sessionNo", filters from attach_sessions where edge_id = $1 order by session_no',
        [p.edgeId],
      )
      return { held: held.rows, share }
    },
    { msMax: 4_000 },
  )
}

/** Gives sessions back, for another edge to take at once. */
export async function releaseSessions(
  db: Queryable,
  { edgeId, sessionNos, leave }: { edgeId: string; sessionNos: number[]; leave: boolean },
): Promise<void> {
  await db.query(
    'update attach_sessions set edge_id = null, held_until = null where edge_id = $1 and session_no = any($2)',
    [edgeId, sessionNos],
  )
  if (leave) await db.query('delete from attach_edges where edge_id = $1', [edgeId])
}

export async function saveSessionFilters(
  db: Queryable,
  { sessionNo, filters }: { sessionNo: number; filters: string[] },
): Promise<void> {
  await db.query('update attach_sessions set filters = $2 where session_no = $1', [sessionNo, filters])
}

/** A session that is gone at the broker too. */
export async function forgetSession(db: Queryable, { sessionNo }: { sessionNo: number }): Promise<void> {
  await db.query('delete from attach_sessions where session_no = $1', [sessionNo])
}
