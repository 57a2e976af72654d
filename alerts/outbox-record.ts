import { recordAlertEvent } from '../db/alerts.js'
import { type ChannelNote, noteChannels } from '../db/channel-notes.js'
import { type Attempt, type Outcome, recordFailed, recordOutcomes } from '../db/page-outcomes.js'
import { lineOf } from '../db/pages.js'
import type { Database } from '../db/pool.js'
import type { Log } from '../kit/log.js'

/** Recorded in one statement: what came in while the one before was under way, at most so many. */
const togetherMax = 200
/** A channel that works need not be noted with each page. */
const noteMs = 60_000

export type ToRecord =
  | { kind: 'outcome'; outcome: Outcome; line: { staffId: string; channel: string; position: number } }
  | {
      kind: 'failed'
      attempt: Attempt
      alertId: number
      at: Date
      event: Record<string, unknown>
      note: ChannelNote
      /** What takes over waits until then for what failed together with it. */
      heldUntil: Date | null
    }

export type OutboxRecord = ReturnType<typeof createOutboxRecord>

/**
 * Records what came of sending. What was sent, or is to be tried again, is recorded together: while one transaction is
 * under way the next ones gather. Where that fails each is recorded alone, so that one that cannot be recorded keeps no
 * other from it. `record` resolves when it is on record and rejects when the database does not take it.
 */
export function createOutboxRecord({ db, log }: { db: Database; log: Log }) {
  let waiting: { outcome: Outcome; done: () => void; failed: (error: unknown) => void }[] = []
  let busy = false
  const notedAt = new Map<string, number>()

  async function recordTogether() {
    if (busy) return
    busy = true
    try {
      while (waiting.length > 0) {
        const batch = waiting.slice(0, togetherMax)
        waiting = waiting.slice(togetherMax)
        const outcomes = batch.map(({ outcome }) => outcome)
        try {
          await db.transaction((tx) => recordOutcomes(tx, outcomes))
          for (const { done } of batch) done()
        } catch (error) {
          if (batch.length === 1) batch[0]!.failed(error)
          else
            await Promise.all(
              batch.map(({ outcome, done, failed }) =>
                db.transaction((tx) => recordOutcomes(tx, [outcome])).then(done, failed),
              ),
            )
        }
      }
    } finally {
      busy = false
    }
  }

  async function note(channelNote: ChannelNote) {
    await noteChannels(db, [channelNote]).catch((error: Error) =>
      log.warn({ error: error.message }, 'channel.notNoted'),
    )
  }

  return {
    async record(what: ToRecord): Promise<'next channel' | 'next step' | 'others' | 'recorded'> {
      if (what.kind === 'failed') {
        const { attempt, alertId, at, event, heldUntil } = what
        const follows = await db.transaction(async (tx) => {
          const next = await recordFailed(tx, attempt, at, heldUntil)
          await recordAlertEvent(tx, { alertId, at, kind: 'page failed', detail: { ...event, follows: next } })
          return next
        })
        notedAt.clear()
        await note(what.note)
        return follows
      }
      const { outcome, line } = what
      await new Promise<void>((done, failed) => {
        waiting.push({ outcome, done, failed })
        void recordTogether()
      })
      if (outcome.result === 'retry') return 'recorded'
      const key = lineOf(line)
      const at = outcome.at.getTime()
      if (Math.abs(at - (notedAt.get(key) ?? 0)) < noteMs) return 'recorded'
      notedAt.set(key, at)
      await note({ at: outcome.at, ...line, result: 'sent' })
      return 'recorded'
    },
  }
}
