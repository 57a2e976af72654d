import { Counter, Histogram, type Registry } from 'prom-client'
import { recordAlertEvent } from '../db/alerts.js'
import { issuePageLink } from '../db/page-links.js'
import {
  type Attempt,
  type ClaimedPage,
  cancelPage,
  claimPages,
  isStillOpen,
  lineOf,
  recordFailed,
  recordRetry,
  recordSent,
  releasePage,
} from '../db/pages.js'
import type { Database } from '../db/pool.js'
import type { Clock } from '../kit/clock.js'
import type { Log } from '../kit/log.js'
import { startLoop } from '../kit/loop.js'
import type { Signal } from '../kit/signal.js'
import { attemptsMax, type Channel, type Page, retryPauseMs, type SendResult } from './channels/channel.js'

const sendsMax = 64
/** What is no emergency never takes all places: a slow mail server must not keep an emergency waiting. */
const otherSendsMax = 16
/** Sends under way to one person through one channel: a phone that hangs takes no more places than these. */
const perLineMax = 8
/** Longer than any channel's own deadline, so that a page is not claimed twice while it is being sent. */
const leaseMs = 15_000
const sendMsMax = 12_000
const pollMs = 200
const recordPauseMs = 500

/** It was sent, or refused, and the database does not know: it is left to its lease. */
class NotRecorded extends Error {
  constructor(cause: unknown) {
    super((cause as Error).message, { cause })
  }
}

/**
 * Sends what is due in the outbox, `sendsMax` pages at once. What a crash interrupts is a row whose lease runs out: it
 * is sent again, never forgotten.
 */
export function createOutbox({
  db,
  channels,
  publicUrl,
  clock,
  log,
  metrics,
  signal,
}: {
  db: Database
  channels: Channel[]
  publicUrl: string
  clock: Clock
  log: Log
  metrics: Registry
  signal: Signal
}) {
  const byKind = new Map(channels.map((channel) => [channel.kind, channel]))
  const attempts = new Counter({
    name: 'shouwang_page_attempts_total',
    help: 'Attempts to send a page',
    labelNames: ['channel', 'result'],
    registers: [metrics],
  })
  const firstPage = new Histogram({
    name: 'shouwang_page_delay_seconds',
    help: 'From the creation of a page to its delivery',
    labelNames: ['severity'],
    buckets: [0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 15, 60, 300],
    registers: [metrics],
  })
  const stopping = new AbortController()
  const underWay = new Set<Promise<void>>()
  let othersUnderWay = 0
  const perLine = new Map<string, number>()

  async function work(): Promise<'more' | 'idle'> {
    if (underWay.size >= sendsMax) {
      await Promise.race(underWay)
      return 'more'
    }
    const free = sendsMax - underWay.size
    const claimedAt = clock.now()
    const emergenciesOnly = othersUnderWay >= otherSendsMax
    const pagesMax = emergenciesOnly ? free : Math.min(free, otherSendsMax)
    const busyLines = [...perLine].filter(([, sends]) => sends >= perLineMax).map(([line]) => line)
    const pages = await claimPages(db, { now: claimedAt, leaseMs, pagesMax, emergenciesOnly, perLineMax, busyLines })
    for (const page of pages) {
      const other = page.severity === 'emergency' ? 0 : 1
      const line = lineOf(page)
      othersUnderWay += other
      perLine.set(line, (perLine.get(line) ?? 0) + 1)
      const sending: Promise<void> = deliver(page, claimedAt)
        .catch(async (error: unknown) => {
          log.error({ err: error, pageId: page.pageId }, 'page.failed')
          if (!(error instanceof NotRecorded)) await releasePage(db, page.pageId)
        })
        .catch((error: unknown) => log.error({ err: error, pageId: page.pageId }, 'page.leftToItsLease'))
        .finally(() => {
          underWay.delete(sending)
          othersUnderWay -= other
          const left = perLine.get(line)! - 1
          if (left > 0) perLine.set(line, left)
          else perLine.delete(line)
          if (left === perLineMax - 1) loop?.nudge()
        })
      underWay.add(sending)
    }
    return pages.length > 0 ? 'more' : 'idle'
  }

  async function deliver(page: ClaimedPage, claimedAt: Date): Promise<void> {
    if (!(await isStillOpen(db, page.pageId))) return cancelPage(db, page.pageId)
    const token = await issuePageLink(db, { pageId: page.pageId, now: clock.now() })
    const startedAt = clock.now()
    // After a stall another process may have taken it over by the time it would arrive.
    if (startedAt.getTime() - claimedAt.getTime() > leaseMs - sendMsMax) return releasePage(db, page.pageId)
    const result = await send(page, token)
    const at = clock.now()
    const attempt: Attempt = {
      pageId: page.pageId,
      startedAt,
      durationMs: at.getTime() - startedAt.getTime(),
      result: result.kind,
      detail: result.kind === 'refused' ? result.reason : result.detail,
    }
    attempts.inc({ channel: page.channel, result: result.kind })
    await recordPatiently(page, result, attempt, at)
    signal.raise('alerts')
    log[result.kind === 'sent' ? 'info' : 'warn'](
      {
        pageId: page.pageId,
        alertId: page.alertId,
        channel: page.channel,
        result: result.kind,
        durationMs: attempt.durationMs,
      },
      'page.attempted',
    )
  }

  async function send(page: ClaimedPage, token: string): Promise<SendResult> {
    const channel = byKind.get(page.channel)
    if (!channel) return { kind: 'refused', reason: `channel ${page.channel} is not set up on this server` }
    if (page.address === null) return { kind: 'refused', reason: 'the person no longer has this channel' }
    const attempt = page.attempts + 1
    const to = { address: page.address, secret: page.secret, name: page.staffName }
    const abort = AbortSignal.any([stopping.signal, AbortSignal.timeout(sendMsMax)])
    try {
      return await within(
        sendMsMax + 1_000,
        channel.send(toMessage(page, `${publicUrl}/p/${token}`), to, { attempt, signal: abort }),
      )
    } catch (error) {
      // A channel answers with values; what it throws is a bug of ours, and the page must still arrive.
      log.error({ err: error, pageId: page.pageId, channel: page.channel }, 'channel.threw')
      return {
        kind: 'retry',
        afterMs: retryPauseMs(attempt, page.severity),
        detail: `internal error: ${(error as Error).message}`,
      }
    }
  }

  /** What has been sent is not sent again because the database cannot note it now: that is tried until its lease is over. */
  async function recordPatiently(page: ClaimedPage, result: SendResult, attempt: Attempt, at: Date): Promise<void> {
    const endsAt = performance.now() + leaseMs
    for (;;) {
      try {
        return await record(page, result, attempt, at)
      } catch (error) {
        if (result.kind !== 'sent' || stopping.signal.aborted || performance.now() > endsAt)
          throw new NotRecorded(error)
        log.warn({ pageId: page.pageId, error: (error as Error).message }, 'page.notRecordedYet')
        await new Promise((resolve) => setTimeout(resolve, recordPauseMs))
      }
    }
  }

  async function record(page: ClaimedPage, result: SendResult, attempt: Attempt, at: Date): Promise<void> {
    const { alertId, staffId, channel } = page
    const tell = { staffId, channel, step: page.step, round: page.round, attempt: page.attempts + 1 }
    if (result.kind === 'sent') {
      firstPage.observe({ severity: page.severity }, (at.getTime() - page.openedAt.getTime()) / 1_000)
      return db.transaction(async (tx) => {
        await recordSent(tx, attempt, at)
        await recordAlertEvent(tx, { alertId, at, kind: 'page sent', detail: tell })
      })
    }
    const lastTry = result.kind === 'refused' || page.attempts + 1 >= attemptsMax(page.severity)
    if (!lastTry) return db.transaction((tx) => recordRetry(tx, attempt, new Date(at.getTime() + result.afterMs)))
    await db.transaction(async (tx) => {
      const follows = await recordFailed(tx, attempt, at)
      await recordAlertEvent(tx, { alertId, at, kind: 'page failed', detail: { ...tell, follows } })
    })
    signal.raise('pages')
  }

  let loop: ReturnType<typeof startLoop> | undefined
  let unsubscribe: (() => void) | undefined
  return {
    start: () => {
      loop = startLoop({ name: 'outbox', work, pauseMs: pollMs, log })
      unsubscribe = signal.on('pages', loop.nudge)
    },
    stop: async () => {
      unsubscribe?.()
      await loop?.stop()
      const grace = setTimeout(() => stopping.abort(), 1_000)
      await Promise.all(underWay)
      clearTimeout(grace)
      await Promise.all(channels.map((channel) => channel.stop?.()))
    },
  }
}

function toMessage(page: ClaimedPage, url: string): Page {
  return {
    ...page,
    alertId: String(page.alertId),
    resident: { id: page.residentId, name: page.residentName, address: page.residentAddress },
    headline: { zh: page.headlineZh, en: page.headlineEn },
    url,
  }
}

/** A channel that ignores its deadline must not keep its place for ever. */
function within<T>(msMax: number, work: Promise<T>): Promise<T> {
  let timer: NodeJS.Timeout | undefined
  const late = new Promise<never>((_, reject) => {
    timer = setTimeout(() => reject(new Error(`no answer within ${msMax} ms`)), msMax)
  })
  return Promise.race([work, late]).finally(() => clearTimeout(timer))
}
