import { setMaxListeners } from 'node:events'
import { Counter, Histogram, type Registry } from 'prom-client'
import { newLinkToken } from '../db/page-links.js'
import { hasNextChannel } from '../db/page-outcomes.js'
import { type ClaimedPage, claimPages, lineOf, lookAgain, releasePages } from '../db/pages.js'
import type { Database } from '../db/pool.js'
import type { Clock } from '../kit/clock.js'
import type { Log } from '../kit/log.js'
import { type Loop, startLoop } from '../kit/loop.js'
import type { Signal } from '../kit/signal.js'
import { audienceOf, type Channel, isTaken } from './channels/channel.js'
import { createLines } from './outbox-lines.js'
import { claimOthers } from './outbox-others.js'
import { createOutboxRecord, type OutboxRecord, type ToRecord } from './outbox-record.js'
import { createSend, type Sending, toRecord } from './outbox-send.js'
import { NotRecorded, recordPatiently } from './record-patiently.js'
import { sendMsMax } from './try-channel.js'

const sendsMax = 128
/** What is no emergency never takes all places: a slow mail server must not keep an emergency waiting. */
const otherSendsMax = 16
/** Longer than any channel's own deadline, so that a page is not claimed twice while it is being sent. */
const leaseMs = 15_000
const pollMs = 200
/** Each failed page is a transaction of its own: of a digest of thousands these must not take the pool's 8 connections from emergencies. */
const failedAtOnceMax = 3

/**
 * Sends what is due in the outbox, `sendsMax` pages at once. Emergencies first and one by one; what is less may be told
 * together (see digest.ts). What a crash interrupts is a row whose lease runs out: it is sent again, never forgotten.
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
  const attempts = new Counter({
    name: 'shouwang_page_attempts_total',
    help: 'Attempts to send a page or a digest of pages',
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
  setMaxListeners(sendsMax + 1, stopping.signal)
  const send = createSend({ channels, publicUrl, clock, log, stopping: stopping.signal })
  // Of their own, so that no emergency waits for the record of a digest of thousands.
  const records = { emergencies: createOutboxRecord({ db, log }), others: createOutboxRecord({ db, log }) }
  const underWay = new Set<Promise<void>>()
  const lines = createLines()
  /** Lines to which something that is no emergency is under way: what follows it waits to be grouped with it. */
  const otherLines = new Map<string, number>()
  let othersUnderWay = 0

  const turn = (send: () => Promise<number>) => async (): Promise<'more' | 'idle'> => {
    if (underWay.size >= sendsMax) {
      await Promise.race(underWay)
      return 'more'
    }
    return (await send()) > 0 ? 'more' : 'idle'
  }

  async function sendEmergencies(): Promise<number> {
    const now = clock.now()
    const places = sendsMax - underWay.size
    const limits = { now, leaseMs, pagesMax: places, linesMax: places, perLineMax: lines.perLineMax }
    const pages = await claimPages(db, { ...limits, of: 'emergencies', lineMax: lines.free() })
    await begin(
      pages.map((page) => ({ pages: [page], digestId: null })),
      now,
    )
    return pages.length
  }

  async function sendOthers(): Promise<number> {
    const places = Math.min(otherSendsMax - othersUnderWay, sendsMax - underWay.size)
    if (places <= 0) return 0
    const now = clock.now()
    const sendings = await claimOthers(db, { now, leaseMs, places, busyLines: [...otherLines.keys()] })
    await begin(sendings, now)
    return sendings.length
  }

  /** Looks once more whether each page is wanted, and sends those that are. */
  async function begin(sendings: Sending[], claimedAt: Date): Promise<void> {
    if (sendings.length === 0) return
    const asked = sendings.flatMap(({ pages, digestId }) =>
      pages.map((page) => ({
        pageId: page.pageId,
        // The family is told; it is not asked to come.
        link: digestId === null && !page.informs && audienceOf(page) !== 'family' ? newLinkToken() : null,
      })),
    )
    const pageIds = asked.map(({ pageId }) => pageId)
    const tokenHashes = asked.map(({ link }) => link?.tokenHash ?? null)
    const wanted = await lookAgain(db, { pageIds, tokenHashes, now: clock.now() }).catch(async (error: unknown) => {
      await releasePages(db, { pageIds })
      throw error
    })
    const startedAt = clock.now()
    // After a stall another process may have taken it over by the time it would arrive.
    const tooLate = startedAt.getTime() - claimedAt.getTime() > leaseMs - sendMsMax
    if (tooLate) return releasePages(db, { pageIds: [...wanted] })
    const tokens = new Map(asked.map(({ pageId, link }) => [pageId, link?.token]))
    for (const { pages, digestId } of sendings) {
      const still = pages.filter(({ pageId }) => wanted.has(pageId))
      if (still.length > 0) start({ pages: still, digestId, token: tokens.get(still[0]!.pageId) }, startedAt)
    }
  }

  function start(sending: Sending, startedAt: Date) {
    const { pages } = sending
    const [page] = pages as [ClaimedPage]
    const line = lineOf(page)
    const other = page.severity === 'emergency' ? 0 : 1
    let answer: { taken: boolean; ms: number } | undefined
    othersUnderWay += other
    lines.begin(line)
    if (other) otherLines.set(line, (otherLines.get(line) ?? 0) + 1)
    const promise: Promise<void> = deliver(sending, startedAt, (came) => {
      answer = came
    })
      .catch(async (error: unknown) => {
        log.error({ err: error, pageId: page.pageId }, 'page.failed')
        if (!(error instanceof NotRecorded)) await releasePages(db, { pageIds: pages.map(({ pageId }) => pageId) })
      })
      .catch((error: unknown) => log.error({ err: error, pageId: page.pageId }, 'page.leftToItsLease'))
      .finally(() => {
        underWay.delete(promise)
        othersUnderWay -= other
        lines.end(line, answer)
        const left = (otherLines.get(line) ?? 0) - other
        if (left > 0) otherLines.set(line, left)
        else otherLines.delete(line)
        nudge()
      })
    underWay.add(promise)
  }

  async function deliver(
    sending: Sending,
    startedAt: Date,
    answered: (answer: { taken: boolean; ms: number }) => void,
  ): Promise<void> {
    const { pages, digestId } = sending
    const [page] = pages as [ClaimedPage]
    const { pageId, alertId, channel } = page
    const isEmergency = page.severity === 'emergency'
    const result = await send(sending)
    const at = clock.now()
    const durationMs = Math.max(0, at.getTime() - startedAt.getTime())
    answered({ taken: isTaken(result), ms: durationMs })
    attempts.inc({ channel, result: result.kind })
    if (isTaken(result))
      for (const { severity, openedAt } of pages)
        firstPage.observe({ severity }, (at.getTime() - openedAt.getTime()) / 1_000)
    // Only an emergency turned away by a provider's limit asks: its next channel takes over at once.
    const isTurnedAway = result.kind === 'retry' && result.limited && isEmergency
    const hasNext = isTurnedAway ? await hasNextChannel(db, pageId).catch(() => false) : true
    const { record } = records[isEmergency ? 'emergencies' : 'others']
    const toKeep = pages.map((each) => toRecord(each, { sending, result, startedAt, at, hasNext }))
    const failed = toKeep.filter(({ kind }) => kind === 'failed')
    const recordFailedOnes = async () => {
      for (let next = failed.shift(); next; next = failed.shift()) await keep(next, record)
    }
    await Promise.all([
      ...toKeep.filter(({ kind }) => kind === 'outcome').map((each) => keep(each, record)),
      ...Array.from({ length: failedAtOnceMax }, recordFailedOnes),
    ])
    signal.raise('alerts')
    const digest = digestId === null ? {} : { digestId, pages: pages.length }
    log[isTaken(result) ? 'info' : 'warn'](
      { pageId, alertId, channel, result: result.kind, durationMs, ...digest },
      'page.attempted',
    )
  }

  async function keep(what: ToRecord, record: OutboxRecord['record']): Promise<void> {
    const isSent = what.kind === 'outcome' && what.outcome.result !== 'retry'
    const follows = await recordPatiently(() => record(what), {
      msMax: isSent ? leaseMs : 0,
      stopping: stopping.signal,
      onWait: ({ message: error }) =>
        log.warn({ pageId: what.kind === 'outcome' && what.outcome.pageId, error }, 'page.notRecordedYet'),
    })
    if (follows === 'next channel' || follows === 'next step') signal.raise('pages')
  }

  let loops: Loop[] = []
  const nudge = () => {
    for (const loop of loops) loop.nudge()
  }
  let unsubscribe: (() => void) | undefined
  return {
    start: () => {
      // A look at thousands that are no emergency must not keep the next emergency waiting.
      loops = [
        startLoop({ name: 'outbox', work: turn(sendEmergencies), pauseMs: pollMs, log }),
        startLoop({ name: 'outbox of others', work: turn(sendOthers), pauseMs: pollMs, log }),
      ]
      unsubscribe = signal.on('pages', nudge)
    },
    stop: async () => {
      unsubscribe?.()
      await Promise.all(loops.map((loop) => loop.stop()))
      const grace = setTimeout(() => stopping.abort(), 1_000)
      await Promise.all(underWay)
      clearTimeout(grace)
      await Promise.all(channels.map((channel) => channel.stop?.()))
    },
  }
}
