import { randomUUID } from 'node:crypto'
import { setTimeout as sleep } from 'node:timers/promises'
import type { Database } from '../../db/pool.js'
import { type OperatorContact, operatorContacts } from '../../db/watch.js'
import type { Clock } from '../../kit/clock.js'
import type { Log } from '../../kit/log.js'
import { startLoop } from '../../kit/loop.js'
import { within } from '../../kit/within.js'
import type { Channel, Message } from '../channels/channel.js'
import type { Headline } from '../model.js'
import { databaseAwayWords, databaseBackWords } from './outage-words.js'

/** Longer than the edge waits: where the database is away for both, its word comes first. */
const awayMsMinDefault = 60_000
const lookMs = 5_000
const answerMsMax = 5_000
const attemptsMax = 5
const sendMsMax = 12_000
const retryPauseMsDefault = 5_000

/**
 * Tells the operators when the database has not answered this process for a minute, and when it does again: once each,
 * past all that needs a database, through the first of their channels that takes it. How they are reached is known from before.
 */
export function startDatabaseNotice({
  db,
  channels,
  clock,
  log,
  awayMsMin = awayMsMinDefault,
  pauseMs = lookMs,
  retryPauseMs = retryPauseMsDefault,
}: {
  db: Database
  channels: Channel[]
  clock: Clock
  log: Log
  awayMsMin?: number
  pauseMs?: number
  retryPauseMs?: number
}): { stop(): Promise<void> } {
  const stopping = new AbortController()
  const telling = new Set<Promise<void>>()
  let contacts: OperatorContact[] = []
  let awayAtMs: number | undefined
  let told = false

  async function work(): Promise<'idle'> {
    try {
      contacts = await within(answerMsMax, operatorContacts(db))
      awayAtMs = undefined
      if (told) tell('database back', databaseBackWords)
      told = false
    } catch (error) {
      awayAtMs ??= performance.now()
      const awayMs = performance.now() - awayAtMs
      log.warn({ error: (error as Error).message, awayMs: Math.round(awayMs) }, 'watch.databaseAway')
      if (awayMs >= awayMsMin && !told) {
        told = true
        tell('database away', databaseAwayWords(Math.round(awayMs / 1_000)))
      }
    }
    return 'idle'
  }

  function tell(kind: Message['kind'], text: Headline) {
    for (const contact of contacts) {
      const message = { messageId: randomUUID(), kind, text, at: clock.now(), language: contact.language }
      const insisting = insist(message, contact).finally(() => telling.delete(insisting))
      telling.add(insisting)
    }
  }

  /** Each channel in turn, all of them again after a pause. */
  async function insist(message: Message, { name, channels: own }: OperatorContact): Promise<void> {
    for (let attempt = 1; attempt <= attemptsMax; attempt++) {
      for (const { kind, address, secret } of own) {
        const channel = channels.find((each) => each.kind === kind)
        if (!channel || stopping.signal.aborted) continue
        const signal = AbortSignal.any([stopping.signal, AbortSignal.timeout(sendMsMax)])
        const result = await channel.tell(message, { address, secret, name }, { attempt, signal }).catch((error) => {
          log.error({ err: error, channel: kind }, 'channel.threw')
          return { kind: 'retry' as const }
        })
        if (result.kind !== 'retry' && result.kind !== 'refused') return
      }
      await sleep(retryPauseMs, undefined, { signal: stopping.signal }).catch(() => undefined)
      if (stopping.signal.aborted) return
    }
    log.error({ kind: message.kind }, 'watch.operatorNotReached')
  }

  const loop = startLoop({ name: 'database notice', work, pauseMs, log })
  return {
    stop: async () => {
      stopping.abort()
      await loop.stop()
      await Promise.all(telling)
    },
  }
}
