import type { Queryable } from './pool.js'
import type { Missed } from './watch.js'

/** How the test alarms of a community fared; `rounds` to `p99Ms` since the time that was asked for. */
export type WatchedCommunity = {
  communityId: string
  name: string
  /** Null: no round has been played yet. */
  pressedAt: Date | null
  cameAt: Date | null
  failingSince: Date | null
  missed: Missed | null
  /** Of the newest round; null where it did not come. */
  pageMs: number | null
  rounds: number
  missedRounds: number
  p50Ms: number | null
  p99Ms: number | null
}

const sums = `count(*)::int as rounds, count(missed)::int as "missedRounds",
       percentile_disc(0.5) within group (order by page_ms) as "p50Ms",
       percentile_disc(0.99) within group (order by page_ms) as "p99Ms"`

/** The synthetic residents of these communities: those whose pages stay away first, then by name. */
export async function listWatched(
  db: Queryable,
  { communityIds, since }: { communityIds: string[]; since: Date },
): Promise<WatchedCommunity[]> {
  const { rows } = await db.query<WatchedCommunity>(
    `with played as (
       select community_id, ${sums} from watch_rounds where community_id = any($1) and pressed_at >= $2 group by 1
     )
     select w.community_id as "communityId", c.name, w.pressed_at as "pressedAt", w.came_at as "cameAt",
            w.failing_since as "failingSince", w.missed,
            (select page_ms from watch_rounds r where r.community_id = w.community_id
              order by pressed_at desc limit 1) as "pageMs",
            coalesce(p.rounds, 0) as rounds, coalesce(p."missedRounds", 0) as "missedRounds", p."p50Ms", p."p99Ms"
       from watch_homes w join communities c using (community_id) left join played p using (community_id)
      where w.community_id = any($1) order by w.failing_since, c.name, w.community_id`,
    [communityIds, since],
  )
  return rows
}

export type WatchedHour = Pick<WatchedCommunity, 'rounds' | 'missedRounds' | 'p50Ms' | 'p99Ms'> & { hour: Date }

/** The same hour by hour (full hours since 1970), all these communities together; an hour without a round is not there. */
export async function watchedHours(
  db: Queryable,
  { communityIds, since }: { communityIds: string[]; since: Date },
): Promise<WatchedHour[]> {
  const { rows } = await db.query<WatchedHour>(
    `select to_timestamp(floor(extract(epoch from pressed_at) / 3600) * 3600) as hour, ${sums}
       from watch_rounds where community_id = any($1) and pressed_at >= $2 group by 1 order by 1`,
    [communityIds, since],
  )
  return rows
}

export type WatchProcess = {
  processId: string
  startedAt: Date
  seenAt: Date
  plays: boolean
  hasSwitch: boolean
  /** The last beat of its dead man's switch, and the last time that it held still, and why. */
  beatAt: Date | null
  beatFailedAt: Date | null
  beatWhy: string | null
}

/** The processes that have watched since then, those seen last first; at most 20. */
export async function listWatchProcesses(db: Queryable, { since }: { since: Date }): Promise<WatchProcess[]> {
  const { rows } = await db.query<WatchProcess>(
    `select process_id as "processId", started_at as "startedAt", seen_at as "seenAt", plays, has_switch as "hasSwitch",
            beat_at as "beatAt", beat_failed_at as "beatFailedAt", beat_why as "beatWhy"
       from watch_processes where seen_at >= $1 order by seen_at desc limit 20`,
    [since],
  )
  return rows
}
