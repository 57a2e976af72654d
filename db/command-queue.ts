import type { CommandToSend, Target } from '../ingest/commands/message.js'
import { statesBefore } from '../ingest/commands/model.js'
import type { CommandName, DeviceCommand } from '../ingest/dialects/dialect.js'
import type { Queryable } from './pool.js'

/** A command that this process has claimed; `device` is undefined where it hangs here, at this resident, no longer. */
export type ClaimedCommand = CommandToSend & { gatewayId: string; attempt: number; device: Target | undefined }

/** A claim further ahead than this is of a clock that was wrong. */
const claimMsMax = 60_000

/**
 * The gateways for which something could be sent now, and whether anything has run out. One look at an index that holds
 * open commands and nothing else. Of a gateway at somebody else's broker the database tells whether it is there.
 */
export async function lookForCommands(db: Queryable, now: Date): Promise<{ gatewayIds: string[]; expired: boolean }> {
  const { rows } = await db.query<{ gatewayId: string; expired: boolean }>(
    `select distinct gateway_id as "gatewayId", expires_at <= $1 as expired from commands c
      where state in ('waiting', 'pending') and (claimed_until is null or claimed_until <= $1 or claimed_until > $2)
        and (expires_at <= $1 or (state = 'pending' and due_at <= $1 and not exists (
              select from gateways g where g.gateway_id = c.gateway_id and g.via = 'attached' and not g.online)))`,
    [now, new Date(now.getTime() + claimMsMax)],
  )
  return {
    gatewayIds: rows.filter(({ expired }) => !expired).map(({ gatewayId }) => gatewayId),
    expired: rows.some(({ expired }) => expired),
  }
}

/** Ends what nobody confirmed, or what could not be sent in time. */
export async function expireCommands(db: Queryable, now: Date): Promise<void> {
  await db.query(
    `update commands set state = 'expired', ended_at = expires_at, claimed_until = null,
            detail = case when state = 'waiting' then 'not confirmed' when detail = '' then 'gateway away' else detail end
      where state = any($2) and expires_at <= $1 and (claimed_until is null or claimed_until <= $1 or claimed_until > $3)`,
    [now, statesBefore('expired'), new Date(now.getTime() + claimMsMax)],
  )
}

type ClaimedRow = Target & {
  commandId: string
  name: CommandName
  arguments: object
  expiresAt: Date
  attempt: number
  isThere: boolean
}

/**
 * Claims commands of these gateways for `leaseMs`, to each device one at a time in the order in which they were asked. A
 * process that dies meanwhile leaves them to the next one after that.
 */
export async function claimCommands(
  db: Queryable,
  p: { gatewayIds: string[]; now: Date; leaseMs: number; rowsMax: number },
): Promise<ClaimedCommand[]> {
  const { rows } = await db.query<ClaimedRow>(
    `with due as (
       select command_id from commands c
        where state = 'pending' and gateway_id = any($2) and due_at <= $1 and expires_at > $1
          and (claimed_until is null or claimed_until <= $1 or claimed_until > $5)
          and not exists (select from commands before where before.device_no = c.device_no and before.gateway_id = c.gateway_id
                             and before.state = 'pending' and before.expires_at > $1 and before.command_no < c.command_no)
        order by command_no limit $4 for no key update skip locked
     ), claimed as (
       update commands c set claimed_until = $3, attempts = attempts + 1 from due where c.command_id = due.command_id
       returning c.*
     )
     select c.command_id as "commandId", c.gateway_id as "gatewayId", c.name, c.arguments, c.expires_at as "expiresAt",
            c.attempts as attempt, d.device_id as "deviceId", d.kind, g.dialect, g.base_topics as "baseTopics",
            g.dialect_memory as memory, a.native_id as "nativeId",
            d.unbound_at is null and d.gateway_id = c.gateway_id and d.resident_id = c.resident_id and r.left_at is null as "isThere"
       from claimed c join devices d using (device_no) join residents r on r.resident_id = c.resident_id
       join gateways g on g.gateway_id = c.gateway_id
       left join announced_devices a on a.gateway_id = c.gateway_id and a.device_id = d.device_id
      order by c.command_no`,
    [p.now, p.gatewayIds, new Date(p.now.getTime() + p.leaseMs), p.rowsMax, new Date(p.now.getTime() + claimMsMax)],
  )
  return rows.map(({ commandId, gatewayId, name, arguments: given, expiresAt, attempt, isThere, ...device }) => ({
    commandId,
    gatewayId,
    command: { name, ...given } as DeviceCommand,
    expiresAt,
    attempt,
    device: isThere ? { gatewayId, ...device } : undefined,
  }))
}

/** Its gateway has it, or, where nothing acknowledges, it was handed over. What the device has answered meanwhile stays. */
export async function recordCommandSent(
  db: Queryable,
  p: { commandId: string; now: Date; acknowledged?: boolean },
): Promise<void> {
  await db.query(
    `update commands set state = 'sent', sent_at = $2, claimed_until = null, detail = $4
      where command_id = $1 and state = any($3)`,
    [p.commandId, p.now, statesBefore('sent'), (p.acknowledged ?? true) ? '' : 'not acknowledged'],
  )
}

/** It will never be sent. */
export async function recordCommandFailed(
  db: Queryable,
  p: { commandId: string; now: Date; detail: string },
): Promise<void> {
  await db.query(
    `update commands set state = 'failed', ended_at = $2, claimed_until = null, detail = $3
      where command_id = $1 and state = 'pending'`,
    [p.commandId, p.now, p.detail],
  )
}

/** Not now, but at `dueAt` again. `neverLeft`: nothing was handed to the gateway. */
export async function postponeCommand(
  db: Queryable,
  p: { commandId: string; dueAt: Date; detail: string; neverLeft: boolean },
): Promise<void> {
  await db.query(
    `update commands set claimed_until = null, due_at = $2, detail = $3, attempts = attempts - $4::int
      where command_id = $1 and state = 'pending'`,
    [p.commandId, p.dueAt, p.detail, p.neverLeft ? 1 : 0],
  )
}
