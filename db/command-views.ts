import type { CommandState } from '../ingest/commands/model.js'
import type { ReadingKind } from '../ingest/contract.js'
import type { CommandName } from '../ingest/dialects/dialect.js'
import type { Queryable } from './pool.js'

/** A command with what came of it, as pages show it. */
export type CommandRow = {
  commandId: string
  residentId: string
  residentName: string
  address: string
  timeZone: string
  deviceNo: number
  deviceKind: ReadingKind
  room: string
  gatewayOnline: boolean
  /** Its gateway hands over what the device says of it: without that, sent is the end. */
  answers: boolean
  name: CommandName
  text: string | null
  language: string | null
  on: boolean | null
  state: CommandState
  /** Null: Shouwang itself. */
  askedBy: { staffId: string; name: string } | null
  confirmedBy: string | null
  cancelledBy: string | null
  askedAt: Date
  expiresAt: Date
  sentAt: Date | null
  endedAt: Date | null
  detail: string
}

type Flat = Omit<CommandRow, 'askedBy'> & { askedById: string | null; askedByName: string | null }

const columns = (now: string) => `
  c.command_id as "commandId", r.resident_id as "residentId", r.name as "residentName", r.address, r.time_zone as "timeZone",
  d.device_no as "deviceNo", d.kind as "deviceKind", d.room, g.online as "gatewayOnline", g.dialect = 'v1' as answers,
  c.name, c.arguments->>'text' as text, c.arguments->>'language' as language, (c.arguments->>'on')::bool as on,
  case when c.state in ('waiting', 'pending') and c.expires_at <= ${now} and coalesce(c.claimed_until <= ${now}, true)
       then 'expired' else c.state end as state,
  c.asked_by as "askedById", asker.name as "askedByName", confirmer.name as "confirmedBy", canceller.name as "cancelledBy",
  c.asked_at as "askedAt", c.expires_at as "expiresAt", c.sent_at as "sentAt", c.ended_at as "endedAt", c.detail`
const tables = `
  commands c join residents r using (resident_id) join devices d using (device_no) join gateways g on g.gateway_id = c.gateway_id
  left join staff asker on asker.staff_id = c.asked_by left join staff confirmer on confirmer.staff_id = c.confirmed_by
  left join staff canceller on canceller.staff_id = c.cancelled_by`

const unflat = ({ askedById, askedByName, ...row }: Flat): CommandRow => ({
  ...row,
  askedBy: askedById === null ? null : { staffId: askedById, name: askedByName ?? askedById },
})

/** The last commands to a home, newest first. The caller has checked that the viewer may see the resident. */
export async function listCommands(
  db: Queryable,
  p: { residentId: string; now: Date; rowsMax: number },
): Promise<CommandRow[]> {
  const { rows } = await db.query<Flat>(
    `select ${columns('$2')} from ${tables} where c.resident_id = $1 order by c.command_no desc limit $3`,
    [p.residentId, p.now, p.rowsMax],
  )
  return rows.map(unflat)
}

/** One command to a home of these communities; undefined for anybody else's, or none. */
export async function findCommand(
  db: Queryable,
  p: { commandId: string; communityIds: string[]; now: Date },
): Promise<CommandRow | undefined> {
  const { rows } = await db.query<Flat>(
    `select ${columns('$2')} from ${tables} where c.command_id = $1 and r.community_id = any($3) and r.left_at is null`,
    [p.commandId, p.now, p.communityIds],
  )
  return rows.map(unflat)[0]
}

/** What waits for a second person in these communities, oldest first. */
export async function listWaitingCommands(
  db: Queryable,
  p: { communityIds: string[]; now: Date; rowsMax: number },
): Promise<CommandRow[]> {
  const { rows } = await db.query<Flat>(
    `select ${columns('$1')} from ${tables}
      where c.state = 'waiting' and c.expires_at > $1 and r.community_id = any($2) and r.left_at is null
      order by c.command_no limit $3`,
    [p.now, p.communityIds, p.rowsMax],
  )
  return rows.map(unflat)
}

/** A number that grows with each change of any command. */
export async function newestCommandChange(db: Queryable): Promise<number> {
  const { rows } = await db.query<{ newest: number }>('select coalesce(max(change_no), 0) as newest from commands')
  return rows[0]!.newest
}
