import { randomBytes } from 'node:crypto'
import { hashSecret, newSecret } from '../kit/secret-hash.js'
import type { Database, Queryable } from './pool.js'

/** A synthetic resident with what its gateway needs to log in and its watcher to know its page. */
export type WatchHome = {
  /** The community that is watched, not the one in which the synthetic resident is kept. */
  communityId: string
  residentId: string
  gatewayId: string
  deviceId: string
  staffId: string
  mqttSecret: string
  pageSecret: string
}

/** Where each goes on the circle of `everyMs`: the golden ratio spreads any number of them evenly. */
const turnOf = (index: number) => (index * 0.618_033_988_749_895) % 1

/**
 * Makes a synthetic resident for each community that has none, at most `homesMax` in one call (each costs a hash of
 * 50 ms). Its first round comes within `everyMs` from `firstAt` on, so that 200 communities do not all fire at once. Returns how many.
 */
export async function addMissingHomes(
  db: Database,
  p: { now: Date; firstAt: Date; everyMs: number; homesMax: number },
): Promise<number> {
  const { rows } = await db.query<{ communityId: string; timeZone: string; homes: number }>(
    `select c.community_id as "communityId", c.time_zone as "timeZone", (select count(*)::int from watch_homes) as homes
       from communities c where c.watches is null
        and not exists (select from watch_homes w where w.community_id = c.community_id)
      order by c.community_id limit $1`,
    [p.homesMax],
  )
  for (const [index, { communityId, timeZone, homes }] of rows.entries()) {
    const dueAt = new Date(p.firstAt.getTime() + Math.round(turnOf(homes + index) * p.everyMs))
    await addHome(db, { communityId, timeZone, now: p.now, dueAt })
  }
  return rows.length
}

async function addHome(
  db: Database,
  { communityId, timeZone, now, dueAt }: { communityId: string; timeZone: string; now: Date; dueAt: Date },
): Promise<void> {
  const id = `watch-${randomBytes(8).toString('hex')}`
  const own = `watch~${communityId}`
  const mqttSecret = newSecret()
  const secretHash = await hashSecret(mqttSecret)
  await db.transaction(async (tx) => {
    const { rowCount } = await tx.query(
      'insert into communities (community_id, name, time_zone, watches) values ($1, $2, $3, $4) on conflict do nothing',
      [own, '守望自检 (self-check)', timeZone, communityId],
    )
    // Another process was quicker.
    if (rowCount === 0) return
    await tx.query(`insert into staff (staff_id, name, role) values ($1, $2, 'watcher')`, [id, '守望自检 (self-check)'])
    await tx.query('insert into staff_communities (staff_id, community_id) values ($1, $2)', [id, own])
    await tx.query(
      `insert into staff_channels (staff_id, position, kind, address, secret) values ($1, 1, 'webhook', $2, $3)`,
      [id, 'http://127.0.0.1:9/not-yet', newSecret()],
    )
    await tx.query(
      `insert into residents (resident_id, community_id, name, address, time_zone, responsible_staff_id, synthetic)
       values ($1, $2, $3, $4, $5, $1, true)`,
      [id, own, '守望自检 (self-check)', '守望', timeZone],
    )
    await tx.query('insert into gateways (gateway_id, community_id, secret_hash, label) values ($1, $2, $3, $4)', [
      id,
      own,
      secretHash,
      '守望自检 (self-check)',
    ])
    await tx.query(
      `insert into devices (device_id, kind, gateway_id, resident_id, bound_at) values ($2, 'button', $1, $1, $3)`,
      [id, `${id}-button`, now],
    )
    await tx.query(
      `insert into watch_homes (community_id, resident_id, gateway_id, device_id, staff_id, mqtt_secret, due_at)
       values ($1, $2, $2, $3, $2, $4, $5)`,
      [communityId, id, `${id}-button`, mqttSecret, dueAt],
    )
  })
}

/**
 * Claims the rounds that are due, the longest waiting first, by moving their due time: of several processes one gets each.
 * Their pages go to `receiver`, an http URL of the caller's. Those that were due long ago (nobody ran) keep their places on
 * the circle. `except`: communities whose last round is still under way.
 */
export function claimRounds(
  db: Database,
  p: { now: Date; everyMs: number; roundsMax: number; receiver: string; except?: string[] },
): Promise<WatchHome[]> {
  return db.transaction(async (tx) => {
    const homes = await claim(tx, p)
    // A press would join what an earlier round has left behind, and page nobody.
    if (homes.length > 0)
      await closeTestAlerts(tx, { residentIds: homes.map(({ residentId }) => residentId), now: p.now })
    return homes
  })
}

async function claim(
  tx: Queryable,
  p: { now: Date; everyMs: number; roundsMax: number; receiver: string; except?: string[] },
): Promise<WatchHome[]> {
  const { rows } = await tx.query<WatchHome>(
    `with due as (
       select community_id from watch_homes
        where (due_at <= $1 or due_at > $1 + 2 * $2 * interval '1 millisecond') and community_id <> all($5)
        order by due_at limit $3 for update skip locked
     ), claimed as (
       update watch_homes w
          set due_at = case when w.due_at > $1 then $1 else w.due_at end + $2 * interval '1 millisecond'
                     * greatest(1, floor(extract(epoch from $1 - w.due_at)::float8 * 1000 / $2) + 1)
         from due where w.community_id = due.community_id
       returning w.*
     ), addressed as (
       update staff_channels h set address = $4, broken_at = null, broken_reason = null from claimed c
        where h.staff_id = c.staff_id and h.kind = 'webhook' and (h.address <> $4 or h.broken_at is not null)
     )
     select c.community_id as "communityId", c.resident_id as "residentId", c.gateway_id as "gatewayId",
            c.device_id as "deviceId", c.staff_id as "staffId", c.mqtt_secret as "mqttSecret", h.secret as "pageSecret"
       from claimed c join staff_channels h on h.staff_id = c.staff_id and h.kind = 'webhook'`,
    [p.now, p.everyMs, p.roundsMax, p.receiver, p.except ?? []],
  )
  return rows
}

/** The alerts of a synthetic resident are nobody's work: closed as tests, what has not left is not sent. */
export async function closeTestAlerts(
  tx: Queryable,
  { residentIds, now }: { residentIds: string[]; now: Date },
): Promise<void> {
  await tx.query(
    `with closing as (
       select alert_id from alerts where resident_id = any($1) and closed_at is null order by alert_id for no key update
     ), closed as (
       update alerts a set stage = 'closed', outcome = 'test', closed_at = $2, due_at = null
         from closing c where a.alert_id = c.alert_id returning a.alert_id
     ), cancelled as (
       update pages p set status = 'cancelled', claimed_until = null
         from closed c where p.alert_id = c.alert_id and p.status = 'pending'
     )
     insert into alert_events (alert_id, at, kind, detail) select alert_id, $2, 'closed', '{"outcome": "test"}' from closed`,
    [residentIds, now],
  )
}
