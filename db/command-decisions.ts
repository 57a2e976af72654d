import { type CommandState, commandAfter } from '../ingest/commands/model.js'
import type { Database } from './pool.js'

export type DecisionResult =
  | { kind: 'done' }
  | { kind: 'missing' }
  /** Who asked cannot confirm. */
  | { kind: 'same person' }
  /** It is too late, or somebody else decided, or it is on its way. */
  | { kind: 'refused' }

type Decision = { commandId: string; staffId: string; communityIds: string[]; now: Date }

/** The second pair of eyes: from now on it has its full time to be delivered. */
export const confirmCommand = (db: Database, p: Decision): Promise<DecisionResult> => decide(db, p, 'confirmed')

/** Takes it back, as long as it was not handed to the gateway. */
export const cancelCommand = (db: Database, p: Decision): Promise<DecisionResult> => decide(db, p, 'cancelled')

function decide(db: Database, p: Decision, event: 'confirmed' | 'cancelled'): Promise<DecisionResult> {
  return db.transaction(async (tx): Promise<DecisionResult> => {
    const { rows } = await tx.query<{ state: CommandState; askedBy: string | null; open: boolean; underWay: boolean }>(
      `select c.state, c.asked_by as "askedBy", c.expires_at > $3 as open, coalesce(c.claimed_until > $3, false) as "underWay"
         from commands c join residents r using (resident_id)
        where c.command_id = $1 and r.community_id = any($2) and r.left_at is null for no key update of c`,
      [p.commandId, p.communityIds, p.now],
    )
    const command = rows[0]
    if (!command) return { kind: 'missing' }
    const state = commandAfter(command.state, event)
    if (!state || !command.open || command.underWay) return { kind: 'refused' }
    if (event === 'confirmed') {
      if (command.askedBy === p.staffId) return { kind: 'same person' }
      await tx.query(
        `update commands set state = $2, confirmed_by = $3, confirmed_at = $4, due_at = $4,
                expires_at = $4::timestamptz + make_interval(secs => expires_after_s) where command_id = $1`,
        [p.commandId, state, p.staffId, p.now],
      )
    } else
      await tx.query('update commands set state = $2, cancelled_by = $3, ended_at = $4 where command_id = $1', [
        p.commandId,
        state,
        p.staffId,
        p.now,
      ])
    return { kind: 'done' }
  })
}
