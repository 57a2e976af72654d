import type { Language } from '../alerts/model.js'
import { dropClosedAlerts } from './maintenance.js'
import type { Database, Queryable } from './pool.js'

export const missedKinds = ['no connection', 'not acknowledged', 'no page'] as const
export type Missed = (typeof missedKinds)[number]

/** What became of one round. Times in ms from the publish. */
export type RoundResult =
  | { kind: 'came'; ackedMs: number; pageMs: number }
  | { kind: 'missed'; why: Missed; ackedMs: number | null; detail: string }

export type Recorded = {
  /** The first miss of this community, or the first page after misses. */
  turned: 'failing' | 'well' | null
}

/** Keeps what became of a round of `communityId` that was pressed at `pressedAt`. */
export async function recordRound(
  tx: Queryable,
  { communityId, pressedAt, result, now }: { communityId: string; pressedAt: Date; result: RoundResult; now: Date },
): Promise<Recorded> {
  const came = result.kind === 'came'
  await tx.query(
    `insert into watch_rounds (community_id, pressed_at, acked_ms, page_ms, missed, detail)
     values ($1, $2, $3, $4, $5, $6)`,
    [
      communityId,
      pressedAt,
      result.ackedMs === null ? null : Math.round(result.ackedMs),
      came ? Math.round(result.pageMs) : null,
      came ? null : result.why,
      came ? '' : result.detail.slice(0, 500),
    ],
  )
  const { rows } = await tx.query<{ was: Date | null }>(
    `with before as (select failing_since from watch_homes where community_id = $1 for no key update)
     update watch_homes set pressed_at = $2, missed = $4,
            came_at = case when $4::text is null then $3::timestamptz else came_at end,
            failing_since = case when $4::text is null then null else coalesce(watch_homes.failing_since, $2) end
       from before where community_id = $1 returning before.failing_since as was`,
    [communityId, pressedAt, now, came ? null : result.why],
  )
  const wasFailing = rows[0] !== undefined && rows[0].was !== null
  return { turned: came ? (wasFailing ? 'well' : null) : wasFailing ? null : 'failing' }
}

export type Failing = { communityId: string; name: string; since: Date; missed: Missed }
export type OperatorOutage = {
  staffId: string
  since: Date
  /** Those communities of this operator whose pages stay away; none: all are well again. */
  failing: Failing[]
  /** Of how many. */
  communities: number
}

/**
 * Whom the turn of a community concerns: each operator for whom an outage begins with it, or ends with it. Each is
 * returned once for each outage, whatever number of processes and communities find out at the same time.
 */
export async function turnOutages(
  tx: Queryable,
  { communityId, turned, now }: { communityId: string; turned: 'failing' | 'well'; now: Date },
): Promise<OperatorOutage[]> {
  const { rows: operators } = await tx.query<{ staffId: string }>(
    `select s.staff_id as "staffId" from staff s join staff_communities c using (staff_id)
      where c.community_id = $1 and s.role = 'operator' and s.disabled_at is null order by 1 for no key update of s`,
    [communityId],
  )
  const outages: OperatorOutage[] = []
  for (const { staffId } of operators) {
    const { rows } = await tx.query<Failing & { communities: number }>(
      `select w.community_id as "communityId", c.name, w.failing_since as since, w.missed,
              count(*) over ()::int as communities
         from watch_homes w join staff_communities m using (community_id) join communities c using (community_id)
        where m.staff_id = $1 order by w.failing_since, c.name`,
      [staffId],
    )
    const failing = rows.filter(({ since }) => since !== null).map(({ communities: _, ...each }) => each)
    if (turned === 'well' && failing.length > 0) continue
    const { rows: changed } = await tx.query<{ since: Date }>(
      turned === 'failing'
        ? 'insert into watch_outages (staff_id, since) values ($1, $2) on conflict do nothing returning since'
        : 'update watch_outages set ended_at = $2 where staff_id = $1 and ended_at is null returning since',
      [staffId, now],
    )
    if (changed[0]) outages.push({ staffId, since: changed[0].since, failing, communities: rows.length })
  }
  return outages
}

export type WatchState = {
  communities: number
  failing: number
  /** Since the first of those that are failing does. */
  failingSince: Date | null
  /** Communities whose newest round is older than was asked for: nobody plays them. */
  overdue: number
}

/** How the synthetic residents are, all of them. `overdueBefore`: a round that was due before then has not been played. */
export async function watchState(db: Queryable, { overdueBefore }: { overdueBefore: Date }): Promise<WatchState> {
  const { rows } = await db.query<WatchState>(
    `select count(*)::int as communities, count(failing_since)::int as failing, min(failing_since) as "failingSince",
            count(*) filter (where due_at < $1)::int as overdue from watch_homes`,
    [overdueBefore],
  )
  return rows[0]!
}

export type OperatorContact = {
  name: string
  language: Language
  channels: { kind: string; address: string; secret: string | null }[]
}

/** How each operator is reached, those channels first that work: to be kept for when there is no database to ask. */
export async function operatorContacts(db: Queryable): Promise<OperatorContact[]> {
  const { rows } = await db.query<OperatorContact>(
    `select name, language, (
              select json_agg(json_build_object('kind', kind, 'address', address, 'secret', secret)
                              order by broken_at is not null, position)
                from staff_channels h where h.staff_id = staff.staff_id) as channels
       from staff where role = 'operator' and disabled_at is null
        and exists (select from staff_channels h where h.staff_id = staff.staff_id) order by staff_id`,
  )
  return rows
}

/** Says that this process watches. */
export async function noteProcess(
  db: Queryable,
  p: { processId: string; startedAt: Date; now: Date; plays: boolean; hasSwitch: boolean },
): Promise<void> {
  await db.query(
    `insert into watch_processes (process_id, started_at, seen_at, plays, has_switch) values ($1, $2, $3, $4, $5)
     on conflict (process_id) do update set seen_at = $3`,
    [p.processId, p.startedAt, p.now, p.plays, p.hasSwitch],
  )
}

/** What the dead man's switch of this process was answered. */
export async function noteBeat(
  db: Queryable,
  p: { processId: string; now: Date; failed: string | null },
): Promise<void> {
  await db.query(
    p.failed === null
      ? 'update watch_processes set beat_at = $2 where process_id = $1'
      : 'update watch_processes set beat_failed_at = $2, beat_why = $3 where process_id = $1',
    p.failed === null ? [p.processId, p.now] : [p.processId, p.now, p.failed.slice(0, 500)],
  )
}

const dayMs = 86_400_000
const roundsKeptDays = 8
/** Younger readings are compressed nowhere, and each is written within minutes of its time. */
const readingsBackDays = 5

/** Deletes what synthetic residents left behind more than a day ago; their rounds are kept for a week. */
export async function dropOldWatch(db: Database, { now }: { now: Date }): Promise<void> {
  const daysAgo = (days: number) => new Date(now.getTime() - days * dayMs)
  await db.query('delete from watch_rounds where pressed_at < $1', [daysAgo(roundsKeptDays)])
  await db.query('delete from watch_processes where seen_at < $1', [daysAgo(roundsKeptDays)])
  await db.query('delete from watch_outages where ended_at < $1', [daysAgo(90)])
  await dropClosedAlerts(db, { closedBefore: daysAgo(1), syntheticOnly: true })
  await db.query(
    `delete from readings where observed_at >= $1 and observed_at < $2
        and device_no = any(array(select device_no from devices join residents using (resident_id) where synthetic))`,
    [daysAgo(readingsBackDays), daysAgo(1)],
  )
}
