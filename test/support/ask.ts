import { randomBytes } from 'node:crypto'
import type { Queryable } from '../../db/pool.js'
import { type Community, seedAlert, sha256 } from './fixtures.js'

const minute = 60_000

/** An alert about silence that is being asked about: by a call task to the social worker, or by a voice panel. */
export async function seedAsked(
  db: Queryable,
  c: Community,
  p: { now: Date; home?: number; way?: 'task' | 'home'; minutesLeft?: number },
): Promise<{ alertId: number; token: string }> {
  const { residentId, devices } = c.residents[p.home ?? 1]!
  await db.query(
    `update alerts set stage = 'closed', outcome = 'test', closed_at = opened_at, due_at = null
      where resident_id = $1 and kind = 'silence_unusual' and closed_at is null`,
    [residentId],
  )
  const minutesLeft = p.minutesLeft ?? 25
  const askedAt = new Date(p.now.getTime() - (30 - minutesLeft) * minute)
  const until = new Date(askedAt.getTime() + 30 * minute)
  const alertId = await seedAlert(db, {
    communityId: c.communityId,
    residentId,
    kind: 'silence_unusual',
    openedAt: askedAt,
    dueAt: until,
    headline: {
      zh: '10:05 起没有用水用电；这个时段平时最多安静 3 小时 20 分钟。',
      en: 'No water or electricity used since 10:05; at this hour she is normally silent for at most 3 h 20 min.',
    },
  })
  await db.query('update alerts set asked_until = $2, round_at = $2, step = 0 where alert_id = $1', [alertId, until])
  const isHome = p.way === 'home'
  const { rows } = await db.query<{ ask_id: number }>(
    'insert into asks (alert_id, way, device_no, staff_id, asked_at) values ($1, $2, $3, $4, $5) returning ask_id',
    [alertId, p.way ?? 'task', isHome ? devices.button : null, isHome ? null : c.staff.worker.staffId, askedAt],
  )
  const token = randomBytes(32).toString('base64url')
  await db.query('insert into ask_links (token_hash, ask_id, created_at, expires_at) values ($1, $2, $3, $4)', [
    sha256(token),
    rows[0]!.ask_id,
    askedAt,
    new Date(askedAt.getTime() + 24 * 60 * minute),
  ])
  return { alertId, token }
}
