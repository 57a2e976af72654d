import type { Attempt } from '../db/page-outcomes.js'
import type { ClaimedPage } from '../db/pages.js'
import type { Clock } from '../kit/clock.js'
import type { Log } from '../kit/log.js'
import { type Channel, isLastTry, type Recipient, type SendResult } from './channels/channel.js'
import { toDigest, toPage } from './outbox-message.js'
import type { ToRecord } from './outbox-record.js'
import { tryChannel } from './try-channel.js'

/** What failed in one message goes through the next channel in one: by then each has its row. */
const failedTogetherMs = 10_000

/** What leaves as one: a page with its link, or several pages in a digest. */
export type Sending = { pages: ClaimedPage[]; digestId: string | null; token?: string | undefined }

/** Sends through the channel that the pages name, within `sendMsMax`; what goes wrong is a value. */
export function createSend({
  channels,
  publicUrl,
  clock,
  log,
  stopping,
}: {
  channels: Channel[]
  publicUrl: string
  clock: Clock
  log: Log
  stopping: AbortSignal
}) {
  const byKind = new Map(channels.map((channel) => [channel.kind, channel]))

  return async ({ pages, digestId, token }: Sending): Promise<SendResult> => {
    const [page] = pages as [ClaimedPage]
    const channel = byKind.get(page.channel)
    if (!channel) return { kind: 'refused', reason: `channel ${page.channel} is not set up on this server` }
    if (page.address === null) return { kind: 'refused', reason: 'the person no longer has this channel' }
    const to: Recipient = { address: page.address, secret: page.secret, name: page.staffName }
    // The family looks at its own page.
    const url = token === undefined ? `${publicUrl}/` : `${publicUrl}/p/${token}`
    return tryChannel(
      (options) =>
        digestId === null
          ? channel.send(toPage(page, url), to, options)
          : channel.tell(toDigest({ digestId, pages, url: `${publicUrl}/`, at: clock.now() }), to, options),
      {
        attempt: page.attempts + 1,
        severity: page.severity,
        stopping,
        log,
        about: { pageId: page.pageId, channel: page.channel },
      },
    )
  }
}

/** What is recorded of one page of a sending. `hasNext`: the person has another channel for it. Pure. */
export function toRecord(
  page: ClaimedPage,
  p: { sending: Sending; result: SendResult; startedAt: Date; at: Date; hasNext: boolean },
): ToRecord {
  const { sending, result, startedAt, at, hasNext } = p
  const { pageId, alertId, staffId, channel, position, step, round, severity } = page
  const line = { staffId, channel, position }
  const detail = result.kind === 'refused' ? result.reason : result.detail
  const durationMs = Math.max(0, at.getTime() - startedAt.getTime())
  const attempt: Attempt = { pageId, startedAt, durationMs, result: result.kind, detail }
  const together = sending.digestId === null ? {} : { digest: sending.pages.length }
  const event = { staffId, channel, step, round, attempt: page.attempts + 1, ...together }
  if (result.kind === 'sent' || result.kind === 'delivered')
    return { kind: 'outcome', line, outcome: { ...attempt, result: result.kind, at, event } }
  if (result.kind === 'retry' && !isLastTry({ result, attempt: page.attempts + 1, severity, hasNext })) {
    const nextAttemptAt = new Date(at.getTime() + result.afterMs)
    return { kind: 'outcome', line, outcome: { ...attempt, result: 'retry', at, nextAttemptAt } }
  }
  const broken = result.kind === 'refused' && result.broken === true
  const note = { at, ...line, result: broken ? ('refused' as const) : ('failed' as const), reason: detail }
  const heldUntil = sending.pages.length > 1 ? new Date(at.getTime() + failedTogetherMs) : null
  return { kind: 'failed', attempt, alertId, at, event, note, heldUntil }
}
