import { createHash, randomBytes } from 'node:crypto'
import type { AlertKind, Severity } from '../alerts/model.js'
import { mayAct } from './paged-actions.js'
import type { Queryable } from './pool.js'

export const doorSessionMsMax = 12 * 3_600_000
/** Time to write down what was found, after the alert was closed. */
const afterCloseMsMax = 15 * 60_000
const tokenBytes = 32
const tokenPattern = /^[A-Za-z0-9_-]{43}$/

/** Only the hash is stored: who reads the database cannot act. */
const hashOf = (token: string) => createHash('sha256').update(token).digest()

export type DoorSession = { token: string | undefined; alertId: number; staffId: string; now: Date }

/**
 * Lets a browser go on with one alert as one person for 12 h. Returns the token for its cookie: the one that it has, where
 * that is of the same person, so that one browser can have several alerts at once.
 */
export async function beginDoorSession(tx: Queryable, p: DoorSession): Promise<string> {
  const known = p.token !== undefined && (await isOf(tx, { token: p.token, staffId: p.staffId, now: p.now }))
  const token = known ? p.token! : randomBytes(tokenBytes).toString('base64url')
  await tx.query(
    `insert into door_sessions (token_hash, alert_id, staff_id, created_at, expires_at) values ($1, $2, $3, $4, $5)
     on conflict (token_hash, alert_id) do update set staff_id = $3, created_at = $4, expires_at = $5`,
    [hashOf(token), p.alertId, p.staffId, p.now, new Date(p.now.getTime() + doorSessionMsMax)],
  )
  return token
}

async function isOf(tx: Queryable, p: { token: string; staffId: string; now: Date }): Promise<boolean> {
  if (!tokenPattern.test(p.token)) return false
  const { rows } = await tx.query<{ own: boolean }>(
    'select coalesce(bool_and(staff_id = $2), false) as own from door_sessions where token_hash = $1 and expires_at > $3',
    [hashOf(p.token), p.staffId, p.now],
  )
  return rows[0]!.own
}

/**
 * True where this browser may act on this alert as this person: it took the alert by its link, nobody else has taken it
 * since, and it was not closed over 15 min ago.
 */
export async function mayActAtDoor(db: Queryable, p: DoorSession): Promise<boolean> {
  if (p.token === undefined || !tokenPattern.test(p.token)) return false
  const { rowCount } = await db.query(
    `select from door_sessions d join alerts a using (alert_id) join staff s on s.staff_id = d.staff_id
      where d.token_hash = $1 and d.alert_id = $2 and d.staff_id = $3 and d.expires_at > $4
        and ${mayAct}
        and (a.stage = 'open' or a.handled_by = d.staff_id) and (a.closed_at is null or a.closed_at > $5)
        and not exists (select from alert_events e
              where e.alert_id = d.alert_id and e.at >= d.created_at and e.staff_id <> d.staff_id
                and e.kind in ('acknowledged', 'en_route', 'arrived', 'closed')
                -- A slip of somebody else's thumb takes the door from nobody.
                and not exists (select from alert_events u where u.alert_id = e.alert_id and u.staff_id = e.staff_id
                                   and u.kind = 'undone' and u.alert_event_id > e.alert_event_id))`,
    [hashOf(p.token), p.alertId, p.staffId, p.now, new Date(p.now.getTime() - afterCloseMsMax)],
  )
  return rowCount === 1
}

/** What somebody needs who goes there, as far as that person may know it. */
export type AtDoor = {
  kind: AlertKind
  severity: Severity
  address: string
  communityName: string
  phone: string | null
  doorCode: string | null
  keyHolder: string | null
  healthNote: string | null
  room: string
  outcomeNote: string
  /** When others are told again unless something is done before. */
  dueAt: Date | null
}

/**
 * The door of an alert, for one who may act there: a volunteer gets no door code and nothing of health, others of health
 * what the resident allowed to be said in pages.
 */
export async function findAtDoor(db: Queryable, p: { alertId: number; staffId: string }): Promise<AtDoor | null> {
  const { rows } = await db.query(
    `select a.kind, a.severity, r.address, c.name as "communityName", r.phone, r.key_holder as "keyHolder",
            case when s.role <> 'volunteer' then r.door_code end as "doorCode",
            case when s.role <> 'volunteer' and r.health_in_pages then r.health_note end as "healthNote",
            coalesce(d.room, '') as room, a.outcome_note as "outcomeNote", a.due_at as "dueAt"
       from alerts a join residents r using (resident_id) join communities c on c.community_id = a.community_id
       join staff s on s.staff_id = $2 left join devices d using (device_no)
      where a.alert_id = $1`,
    [p.alertId, p.staffId],
  )
  return (rows[0] as AtDoor | undefined) ?? null
}
