import { statesBefore } from '../ingest/commands/model.js'
import type { Queryable } from './pool.js'

/** What a device says of a command; times in epoch ms. */
export type CommandAnswer = {
  commandId: string
  gatewayId: string
  deviceId: string
  result: 'done' | 'failed'
  detail: string
  receivedAt: number
}

/**
 * Notes what devices say of their commands; the first answer counts. Returns those that are not an answer to anything
 * that this device was asked.
 */
export async function recordAnswers(tx: Queryable, answers: CommandAnswer[]): Promise<CommandAnswer[]> {
  if (answers.length === 0) return []
  const { rows } = await tx.query<{ place: number }>(
    `with answers as (
       select * from unnest($1::uuid[], $2::text[], $3::text[], $4::text[], $5::text[], $6::float8[])
         with ordinality as a (command_id, gateway_id, device_id, result, detail, at_ms, place)
     ), known as (
       select a.* from answers a join commands c using (command_id) join devices d using (device_no)
        where c.gateway_id = a.gateway_id and d.device_id = a.device_id and c.attempts > 0
     ), first as (
       select distinct on (command_id) * from known order by command_id, place
     ), changed as (
       update commands c set state = f.result, detail = f.detail, claimed_until = null,
              ended_at = to_timestamp(f.at_ms / 1000), sent_at = coalesce(c.sent_at, to_timestamp(f.at_ms / 1000))
         from first f where c.command_id = f.command_id and c.state = any($7)
     )
     select place::int as place from known`,
    [
      answers.map(({ commandId }) => commandId),
      answers.map(({ gatewayId }) => gatewayId),
      answers.map(({ deviceId }) => deviceId),
      answers.map(({ result }) => result),
      answers.map(({ detail }) => detail),
      answers.map(({ receivedAt }) => receivedAt),
      statesBefore('done'),
    ],
  )
  const known = new Set(rows.map(({ place }) => place))
  return answers.filter((_, index) => !known.has(index + 1))
}
