import type { Arrival, Decision } from '../../alerts/model.js'
import { emptyState, fold, type ResidentState } from '../../alerts/rules/fold.js'
import { livedHome } from '../../alerts/rules/lived-home.test-support.js'
import type { Queryable } from '../../db/pool.js'
import { seedAlert } from './fixtures.js'
import { insertReadings } from './usage.js'

const dayMs = 24 * 3_600_000
/** How many of its readings a home has in the database: what charts draw. */
const readingDays = 15

/**
 * An invented home of which the rules know `days` days up to `now` (see `livedHome`), as the alerts process would have left
 * it: what they know, the readings of the last days, and the alerts about silence of the last 30, closed where silence was
 * over. `quiet`, `heardUntil`: epoch ms.
 */
export async function seedLivedHome(
  db: Queryable,
  p: {
    residentId: string
    communityId: string
    deviceNo: number
    now: Date
    days: number
    alarmsPerMonth: number | null
    quiet?: readonly (readonly [from: number, to: number])[]
    heardUntil?: number
    words?: Arrival[]
    timeZone?: string
    seed?: number
  },
): Promise<{ state: ResidentState; alertIds: number[] }> {
  const { residentId, deviceNo, timeZone = 'Asia/Shanghai' } = p
  const now = p.now.getTime()
  const to = Math.min(now, p.heardUntil ?? now)
  // Midnight in Shanghai, and near enough elsewhere.
  const night = Math.floor((now + 8 * 3_600_000) / dayMs) * dayMs - 8 * 3_600_000 - p.days * dayMs
  const readings = livedHome({
    to,
    days: p.days,
    night,
    deviceNo,
    ...(p.quiet ? { quiet: p.quiet } : {}),
    ...(p.seed === undefined ? {} : { seed: p.seed }),
  })
  const arrivals: Arrival[] = [...readings, ...(p.words ?? [])].sort((a, b) => a.receivedAt - b.receivedAt)
  const { state, decisions } = fold(emptyState(), arrivals, now, { timeZone, alarmsPerMonth: p.alarmsPerMonth })
  await db.query(
    `insert into resident_state (resident_id, state, folded_at) values ($1, $2, $3)
     on conflict (resident_id) do update set state = excluded.state, folded_at = excluded.folded_at`,
    [residentId, JSON.stringify(state), p.now],
  )
  await insertReadings(
    db,
    readings
      .filter(({ observedAt }) => observedAt > now - readingDays * dayMs)
      .map(({ observedAt, value }) => ({ deviceNo, kind: 'water' as const, at: observedAt, value: value! })),
  )
  return { state, alertIds: await seedAlertsOf(db, { ...p, decisions, from: now - 30 * dayMs }) }
}

async function seedAlertsOf(
  db: Queryable,
  p: { residentId: string; communityId: string; decisions: Decision[]; from: number },
): Promise<number[]> {
  const { residentId, communityId, decisions } = p
  const alertIds: number[] = []
  for (const [index, open] of decisions.entries()) {
    if (open.type !== 'open' || !/^silen/.test(open.kind) || open.openedAt < p.from) continue
    const { kind, openedAt, headline, reason } = open
    const clear = decisions.slice(index).find((later) => later.type === 'clear' && later.kind === kind)
    const closed = clear?.type === 'clear' ? { stage: 'closed' as const, closedAt: new Date(clear.at) } : {}
    alertIds.push(
      await seedAlert(db, { residentId, communityId, kind, openedAt: new Date(openedAt), headline, reason, ...closed }),
    )
  }
  return alertIds
}
