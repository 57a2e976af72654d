import { Counter, type Registry } from 'prom-client'
import { issueAskLink } from '../db/ask-links.js'
import { noteChannels } from '../db/channel-notes.js'
import {
  type ClaimedMessage,
  claimMessages,
  isStillWanted,
  type MessageAttempt,
  postponeMessage,
  recordMessageNotSent,
  recordMessageSent,
} from '../db/messages.js'
import type { Database } from '../db/pool.js'
import type { Clock } from '../kit/clock.js'
import type { Log } from '../kit/log.js'
import { startLoop } from '../kit/loop.js'
import type { Signal } from '../kit/signal.js'
import type { Channel, SendResult } from './channels/channel.js'
import { decideMessage, type MessageFailure } from './message-retry.js'
import { quietEndOf, toMessage } from './outgoing-message.js'
import { NotRecorded, recordPatiently } from './record-patiently.js'
import { sendMsMax, tryChannel } from './try-channel.js'

/** Few: the channels are shared with the pages, and nobody dies of a late digest. */
const sendsMax = 4
const perPersonMax = 2
/** Longer than any channel's own deadline, so that a message is not claimed twice while it is being sent. */
const leaseMs = 20_000

/**
 * Sends what is due in the outbox of messages: quiet hours are waited for, what fails goes to the person's next channel
 * and is tried for a day. What a crash interrupts is a row whose lease runs out.
 */
export function createMessagesOutbox({
  db,
  channels,
  publicUrl,
  clock,
  log,
  metrics,
  signal,
  pollMs = 1_000,
}: {
  db: Database
  channels: Channel[]
  publicUrl: string
  clock: Clock
  log: Log
  metrics: Registry
  signal: Signal
  pollMs?: number
}) {
  const byKind = new Map(channels.map((channel) => [channel.kind, channel]))
  const attempts = new Counter({
    name: 'shouwang_message_attempts_total',
    help: 'Attempts to send a message that is no page',
    labelNames: ['channel', 'result'],
    registers: [metrics],
  })
  const failed = new Counter({
    name: 'shouwang_messages_failed_total',
    help: 'Messages that no channel took',
    labelNames: ['kind'],
    registers: [metrics],
  })
  const stopping = new AbortController()
  const underWay = new Set<Promise<void>>()

  async function work(): Promise<'more' | 'idle'> {
    if (underWay.size >= sendsMax) {
      await Promise.race(underWay)
      return 'more'
    }
    const claimedAt = clock.now()
    const messagesMax = sendsMax - underWay.size
    const messages = await claimMessages(db, { now: claimedAt, leaseMs, messagesMax, perPersonMax })
    for (const message of messages) {
      const { messageId } = message
      const sending: Promise<void> = deliver(message, claimedAt)
        .catch(async (error: unknown) => {
          log.error({ err: error, messageId }, 'message.failed')
          if (!(error instanceof NotRecorded)) await postponeMessage(db, { messageId })
        })
        .catch((error: unknown) => log.error({ err: error, messageId }, 'message.leftToItsLease'))
        .finally(() => underWay.delete(sending))
      underWay.add(sending)
    }
    return messages.length > 0 ? 'more' : 'idle'
  }

  async function deliver(message: ClaimedMessage, claimedAt: Date): Promise<void> {
    const { messageId } = message
    const startedAt = clock.now()
    if (message.isDisabled) return giveUp(message, 'the person has left')
    const quiet = quietEndOf(message, startedAt)
    if (quiet) return postponeMessage(db, { messageId, until: quiet })
    if (!message.channelId || !message.channel) return settle(message, null, { kind: 'none left' }, startedAt)
    if (!(await isStillWanted(db, messageId))) return
    // After a stall another process may have taken it over by the time it would arrive.
    if (clock.now().getTime() - claimedAt.getTime() > leaseMs - sendMsMax - 2_000)
      return postponeMessage(db, { messageId })
    const isTask = message.kind === 'call task'
    const askToken = isTask ? await issueAskLink(db, { messageId, now: startedAt }) : undefined
    const result = await send(message, askToken)
    const at = clock.now()
    const attempt: MessageAttempt = {
      messageId,
      channelId: message.channelId,
      channel: message.channel,
      startedAt,
      durationMs: Math.max(0, at.getTime() - startedAt.getTime()),
      result: result.kind,
      detail: result.kind === 'refused' ? result.reason : result.detail,
    }
    attempts.inc({ channel: attempt.channel, result: attempt.result })
    log[result.kind === 'retry' || result.kind === 'refused' ? 'warn' : 'info'](
      {
        messageId,
        kind: message.kind,
        channel: attempt.channel,
        result: attempt.result,
        durationMs: attempt.durationMs,
      },
      'message.attempted',
    )
    if (result.kind === 'retry' || result.kind === 'refused') return settle(message, attempt, result, at)
    await recordPatiently(() => db.transaction((tx) => recordMessageSent(tx, attempt, at)), {
      msMax: leaseMs,
      stopping: stopping.signal,
      onWait: ({ message: error }) => log.warn({ messageId, error }, 'message.notRecordedYet'),
    })
    await noteChannels(db, [{ channelId: attempt.channelId, at, result: 'sent' }])
  }

  async function send(message: ClaimedMessage, askToken: string | undefined): Promise<SendResult> {
    const channel = byKind.get(message.channel!)
    if (!channel) return { kind: 'refused', reason: `channel ${message.channel} is not set up on this server` }
    const to = { address: message.address!, secret: message.secret, name: message.staffName }
    return tryChannel((options) => channel.tell(toMessage(message, publicUrl, askToken), to, options), {
      attempt: message.attempts + 1,
      severity: 'notice',
      stopping: stopping.signal,
      log,
      about: { messageId: message.messageId, channel: message.channel },
    })
  }

  async function settle(message: ClaimedMessage, attempt: MessageAttempt | null, failure: MessageFailure, at: Date) {
    const { messageId, refusedBy, givenUpOn, kind } = message
    const state = {
      channelId: message.channelId,
      attempts: message.attempts + 1,
      refusedBy,
      givenUpOn,
      isTest: kind === 'test',
      givesUpAt: message.givesUpAt.getTime(),
    }
    const next = decideMessage(state, failure, at.getTime())
    const isLast =
      failure.kind === 'refused' || next.kind === 'failed' || next.givenUpOn.includes(message.channelId ?? '')
    if (attempt && isLast) await note(attempt, failure.kind === 'refused' && failure.broken === true, at)
    if (next.kind === 'failed') return giveUp(message, attempt?.detail ?? 'no channel took it', attempt)
    const { attempts: tried, refusedBy: refused, givenUpOn: given } = next
    const again = {
      kind: 'again' as const,
      at: new Date(next.at),
      attempts: tried,
      refusedBy: refused,
      givenUpOn: given,
    }
    await db.transaction((tx) => recordMessageNotSent(tx, messageId, attempt, again))
    if (next.at <= at.getTime()) loop?.nudge()
  }

  /** What was learned of the channel. That this server has no such channel says nothing of the address. */
  async function note({ channel, channelId, detail: reason }: MessageAttempt, isBroken: boolean, at: Date) {
    if (!byKind.has(channel)) return
    await noteChannels(db, [{ channelId, at, result: isBroken ? 'refused' : 'failed', reason }])
  }

  async function giveUp(message: ClaimedMessage, reason: string, attempt: MessageAttempt | null = null): Promise<void> {
    failed.inc({ kind: message.kind })
    log.warn({ messageId: message.messageId, kind: message.kind, staffId: message.staffId }, 'message.givenUp')
    await db.transaction((tx) => recordMessageNotSent(tx, message.messageId, attempt, { kind: 'failed', reason }))
  }

  let loop: ReturnType<typeof startLoop> | undefined
  let unsubscribe: (() => void) | undefined
  return {
    start: () => {
      loop = startLoop({ name: 'messages', work, pauseMs: pollMs, log })
      unsubscribe = signal.on('messages', loop.nudge)
    },
    stop: async () => {
      unsubscribe?.()
      await loop?.stop()
      const grace = setTimeout(() => stopping.abort(), 1_000)
      await Promise.all(underWay)
      clearTimeout(grace)
    },
  }
}
