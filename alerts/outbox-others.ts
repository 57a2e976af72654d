import { randomUUID } from 'node:crypto'
import { joinDigest, leftLately } from '../db/page-digests.js'
import { type ClaimedPage, claimPages, lineOf, releasePages } from '../db/pages.js'
import type { Database } from '../db/pool.js'
import { groupPages, quietMs, stormMs } from './digest.js'
import { hasConsole } from './outbox-message.js'
import type { Sending } from './outbox-send.js'

/** What is no emergency is looked at together, so that it can be told together: all that one person may have waiting. */
const pagesMax = 5_000

/**
 * Claims what is due and no emergency, of at most `places` lines, and decides what leaves alone, what together and what
 * waits. `busyLines`: where something is under way, with which what follows is grouped later. Returns what is to leave,
 * still claimed, at most `places` messages.
 */
export async function claimOthers(
  db: Database,
  p: { now: Date; leaseMs: number; places: number; busyLines: readonly string[] },
): Promise<Sending[]> {
  const { now, leaseMs, places } = p
  const lineMax = new Map(p.busyLines.map((line) => [line, 0]))
  const limits = { now, leaseMs, pagesMax, perLineMax: pagesMax, linesMax: places, lineMax }
  const pages = await claimPages(db, { ...limits, of: 'others' })
  if (pages.length === 0) return []
  const own = idsOf(pages)
  const staffIds = [...new Set(pages.map(({ staffId }) => staffId))]
  const left = await leftLately(db, { staffIds, own, now, leaseMs, stormMs, quietMs })
  const sendings: Sending[] = []
  const byLine = new Map<string, ClaimedPage[]>()
  for (const page of pages) {
    const waiting = byLine.get(lineOf(page))
    if (waiting) waiting.push(page)
    else byLine.set(lineOf(page), [page])
  }
  for (const [line, waiting] of byLine) {
    const listed = waiting.map((page) => ({
      page,
      severity: page.severity,
      attempts: page.attempts,
      digestId: page.digestId,
      heldUntil: page.heldUntil?.getTime() ?? null,
      hasConsole: hasConsole(page),
    }))
    const grouped = groupPages(listed, left.get(line) ?? { urgent: null, warningAt: null }, now.getTime())
    for (const { page } of grouped.singles) sendings.push({ pages: [page], digestId: null })
    for (const { digestId, pages: together } of grouped.digests)
      sendings.push({ digestId: digestId ?? randomUUID(), pages: together.map(({ page }) => page) })
    for (const { until, pages: held } of grouped.held)
      await releasePages(db, { pageIds: idsOf(held.map(({ page }) => page)), heldUntil: new Date(until) })
  }
  const tooMany = sendings.splice(places).flatMap((sending) => sending.pages)
  if (tooMany.length > 0) await releasePages(db, { pageIds: idsOf(tooMany) })
  // On record before it leaves: after a crash it is the same message again.
  for (const { digestId, pages: together } of sendings)
    if (digestId !== null) await joinDigest(db, { digestId, pageIds: idsOf(together) })
  return sendings
}

const idsOf = (pages: readonly ClaimedPage[]) => pages.map(({ pageId }) => pageId)
