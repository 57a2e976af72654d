import { commandsOf, messageOf, type Target } from '../ingest/commands/message.js'
import {
  type CommandState,
  cannotDetail,
  expiryMsOf,
  needsSecondPerson,
  openPerDeviceMax,
  sameAgainMs,
} from '../ingest/commands/model.js'
import type { CommandName, DeviceCommand } from '../ingest/dialects/dialect.js'
import type { Database, Queryable } from './pool.js'

/** A device of a resident that can be asked something, and what. */
export type AskableDevice = {
  deviceNo: number
  kind: Target['kind']
  room: string
  gatewayOnline: boolean
  commands: CommandName[]
}

type TargetRow = Target & { deviceNo: number; residentId: string; room: string; gatewayOnline: boolean }

const targetColumns = `
  d.device_no as "deviceNo", d.device_id as "deviceId", d.kind, d.room, d.resident_id as "residentId",
  g.gateway_id as "gatewayId", g.online as "gatewayOnline", g.dialect, g.base_topics as "baseTopics",
  g.dialect_memory as memory, a.native_id as "nativeId"`
const targetTables = `
  devices d join gateways g using (gateway_id) join residents r using (resident_id)
  left join announced_devices a on a.gateway_id = d.gateway_id and a.device_id = d.device_id`

/**
 * The devices of a resident that can be asked something: as their kind or their adapter says, without what a device of v1
 * has said itself that it cannot do. The caller has checked that the viewer may see the resident.
 */
export async function askableDevices(db: Queryable, residentId: string): Promise<AskableDevice[]> {
  const { rows } = await db.query<TargetRow & { cannot: CommandName[] }>(
    `select ${targetColumns},
            array(select distinct c.name from commands c where c.resident_id = $1 and c.device_no = d.device_no
                     and g.dialect = 'v1' and c.state = 'failed' and c.detail = $2) as cannot
       from ${targetTables}
      where d.resident_id = $1 and d.unbound_at is null and r.left_at is null order by d.kind = 'voice' desc, d.room, d.device_no`,
    [residentId, cannotDetail],
  )
  return rows
    .map((row) => ({ ...row, commands: commandsOf(row).filter((name) => !row.cannot.includes(name)) }))
    .filter(({ commands }) => commands.length > 0)
    .map(({ deviceNo, kind, room, gatewayOnline, commands }) => ({ deviceNo, kind, room, gatewayOnline, commands }))
}

export type AskResult =
  | { kind: 'asked'; commandId: string; state: 'waiting' | 'pending' }
  /** The same is being asked already: by a double tap, or a valve by somebody else. */
  | { kind: 'asked before'; commandId: string }
  | { kind: 'missing' }
  | { kind: 'cannot' }
  | { kind: 'too many' }

/**
 * Puts down what a member of staff asks of a device, within the communities of that person. What needs a second person
 * waits for one. A prompt's language is kept as what the resident speaks.
 */
export function askCommand(
  db: Database,
  p: {
    residentId: string
    deviceNo: number
    command: DeviceCommand
    staffId: string
    communityIds: string[]
    now: Date
  },
): Promise<AskResult> {
  return db.transaction(async (tx): Promise<AskResult> => {
    // The lock on the device makes two taps at once one after the other.
    const { rows } = await tx.query<TargetRow>(
      `select ${targetColumns} from ${targetTables}
        where d.device_no = $1 and d.resident_id = $2 and r.community_id = any($3) and d.unbound_at is null and r.left_at is null
          for no key update of d`,
      [p.deviceNo, p.residentId, p.communityIds],
    )
    const target = rows[0]
    if (!target) return { kind: 'missing' }
    const { name, ...given } = p.command
    const expiresAfterMs = expiryMsOf(name)
    const expiresAt = new Date(p.now.getTime() + expiresAfterMs)
    const trial = { commandId: '00000000-0000-4000-8000-000000000000', command: p.command, expiresAt }
    if (!messageOf(target, trial)) return { kind: 'cannot' }

    const state = needsSecondPerson(name) ? 'waiting' : 'pending'
    const open = await openCommands(tx, { deviceNo: p.deviceNo, now: p.now })
    const same = open.find(
      (each) =>
        each.name === name &&
        (each.state === 'waiting' ||
          (each.askedBy === p.staffId &&
            sameArguments(each.arguments, given) &&
            p.now.getTime() - each.askedAt.getTime() < sameAgainMs)),
    )
    if (same) return { kind: 'asked before', commandId: same.commandId }
    if (open.length >= openPerDeviceMax) return { kind: 'too many' }
    const inserted = await tx.query<{ commandId: string }>(
      `insert into commands (resident_id, device_no, gateway_id, name, arguments, state, asked_by, asked_at, due_at, expires_at, expires_after_s)
       values ($1, $2, $3, $4, $5, $6, $7, $8, $8, $9, $10) returning command_id as "commandId"`,
      [
        p.residentId,
        p.deviceNo,
        target.gatewayId,
        name,
        given,
        state,
        p.staffId,
        p.now,
        expiresAt,
        expiresAfterMs / 1_000,
      ],
    )
    if (p.command.name === 'prompt')
      await tx.query('update residents set speaks = $2 where resident_id = $1 and speaks is distinct from $2', [
        p.residentId,
        p.command.language,
      ])
    return { kind: 'asked', commandId: inserted.rows[0]!.commandId, state }
  })
}

type OpenCommand = {
  commandId: string
  name: CommandName
  arguments: Record<string, unknown>
  state: CommandState
  askedBy: string | null
  askedAt: Date
}

/** What is open for a device; what ran out is so no longer, and no longer in the way of the next valve. */
async function openCommands(tx: Queryable, { deviceNo, now }: { deviceNo: number; now: Date }): Promise<OpenCommand[]> {
  await tx.query(
    `update commands set state = 'expired', ended_at = expires_at, detail = 'not confirmed'
      where device_no = $1 and state = 'waiting' and expires_at <= $2`,
    [deviceNo, now],
  )
  const { rows } = await tx.query<OpenCommand>(
    `select command_id as "commandId", name, arguments, state, asked_by as "askedBy", asked_at as "askedAt" from commands
      where device_no = $1 and state in ('waiting', 'pending') and expires_at > $2 order by command_no desc`,
    [deviceNo, now],
  )
  return rows
}

const sameArguments = (a: Record<string, unknown>, b: Record<string, unknown>) =>
  Object.keys({ ...a, ...b }).every((key) => a[key] === b[key])

/** What the resident speaks, as far as anybody has said so. */
export async function findSpeaks(db: Queryable, residentId: string): Promise<string | null> {
  const { rows } = await db.query<{ speaks: string | null }>('select speaks from residents where resident_id = $1', [
    residentId,
  ])
  return rows[0]?.speaks ?? null
}
