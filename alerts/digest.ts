import type { EpochMs, Headline, Severity } from './model.js'
import { oneLine } from './page-message.js'

/** What waits to be told to one person through one channel. */
export type WaitingPage = {
  severity: Severity
  /** Attempts on record. */
  attempts: number
  /** The digest in which it was tried before. */
  digestId: string | null
  /** It has waited for others until then. */
  heldUntil: EpochMs | null
  /** The person can read of many alerts on the console; whoever cannot is told of each. */
  hasConsole: boolean
}

/** What left to this person through this channel lately, or is just leaving. */
export type LeftLately = {
  /** Messages about urgent alerts within the last `stormMs`, when the last of them left, and the last digest. */
  urgent: { messages: number; lastAt: EpochMs; lastDigestAt: EpochMs | null } | null
  /** When a warning left last. */
  warningAt: EpochMs | null
}

export type Grouped<T> = {
  singles: T[]
  /** Each one message; `digestId` of one that is tried again. */
  digests: { digestId: string | null; pages: T[] }[]
  /** Another look is taken at `until`. */
  held: { until: EpochMs; pages: T[] }[]
}

/** What follows a warning within this waits for the end of it, and goes as one message. */
export const quietMs = 15 * 60_000
/** More urgent pages than these at a time are one message, and the next one is this long after it. */
export const urgentMax = 5
export const stormMs = 60_000

/**
 * Which pages leave one by one, which together, and which wait. An emergency leaves at once and alone, always. Of warnings
 * the first leaves at once and what follows within `quietMs` goes together. Urgent pages leave one by one until there are
 * more than `urgentMax` a minute. What was tried before is tried again as it was. Pure.
 */
export function groupPages<T extends WaitingPage>(pages: readonly T[], left: LeftLately, now: EpochMs): Grouped<T> {
  const grouped: Grouped<T> = { singles: [], digests: [], held: [] }
  const begun = new Map<string, T[]>()
  const fresh: T[] = []
  for (const page of pages) {
    if (page.digestId !== null) begun.set(page.digestId, [...(begun.get(page.digestId) ?? []), page])
    else if (page.severity === 'emergency' || page.attempts > 0 || !page.hasConsole) grouped.singles.push(page)
    else fresh.push(page)
  }
  for (const [digestId, again] of begun) grouped.digests.push({ digestId, pages: again })
  groupUrgent(
    fresh.filter(({ severity }) => severity === 'urgent'),
    left.urgent,
    now,
    grouped,
  )
  groupWarnings(
    fresh.filter(({ severity }) => severity !== 'urgent'),
    left.warningAt,
    now,
    grouped,
  )
  return grouped
}

function groupUrgent<T extends WaitingPage>(pages: T[], left: LeftLately['urgent'], now: EpochMs, into: Grouped<T>) {
  if (pages.length === 0) return
  const afterDigest = left?.lastDigestAt == null ? null : left.lastDigestAt + stormMs
  if (afterDigest !== null && afterDigest > now) into.held.push({ until: afterDigest, pages })
  else if (pages.length > urgentMax) into.digests.push({ digestId: null, pages })
  else if (left && left.lastAt + stormMs > now && left.messages + pages.length > urgentMax)
    into.held.push({ until: left.lastAt + stormMs, pages })
  else into.singles.push(...pages)
}

function groupWarnings<T extends WaitingPage>(pages: T[], leftAt: EpochMs | null, now: EpochMs, into: Grouped<T>) {
  const [first, ...others] = pages
  if (!first) return
  if (leftAt !== null && leftAt <= now && leftAt + quietMs > now) into.held.push({ until: leftAt + quietMs, pages })
  else if (pages.some(({ heldUntil }) => heldUntil !== null))
    if (pages.length === 1) into.singles.push(first)
    else into.digests.push({ digestId: null, pages })
  else {
    into.singles.push(first)
    if (others.length > 0) into.held.push({ until: now + quietMs, pages: others })
  }
}

export type DigestPage = {
  severity: Severity
  openedAt: Date
  headlineZh: string
  headlineEn: string
  residentName: string
  residentAddress: string
}

export const digestLinesMax = 20
const order: Severity[] = ['emergency', 'urgent', 'warning', 'notice']
const words: Record<Severity, { zh: string; one: string; many: string }> = {
  emergency: { zh: '起紧急情况', one: 'emergency', many: 'emergencies' },
  urgent: { zh: '条急办预警', one: 'urgent alert', many: 'urgent alerts' },
  warning: { zh: '条警告', one: 'warning', many: 'warnings' },
  notice: { zh: '条提醒', one: 'notice', many: 'notices' },
}

/**
 * A digest in words: how many of what, then one line for each alert, worst and oldest first, at most `digestLinesMax` of
 * them, and how many more there are. Pure.
 */
export function digestText(pages: readonly DigestPage[]): { text: Headline; lines: Headline[] } {
  const sorted = [...pages].sort(
    (a, b) => order.indexOf(a.severity) - order.indexOf(b.severity) || a.openedAt.getTime() - b.openedAt.getTime(),
  )
  const counts = order
    .map((severity) => ({ severity, n: pages.filter((page) => page.severity === severity).length }))
    .filter(({ n }) => n > 0)
  const text = {
    zh: `${counts.map(({ severity, n }) => `${n} ${words[severity].zh}`).join('、')}等待处理`,
    en: `${counts.map(({ severity, n }) => `${n} ${n === 1 ? words[severity].one : words[severity].many}`).join(' and ')} waiting for somebody`,
  }
  const lines = sorted.slice(0, digestLinesMax).map((page) => {
    const name = oneLine(page.residentName, 60)
    const address = oneLine(page.residentAddress, 100)
    return {
      zh: `${name}（${address}）：${oneLine(page.headlineZh, 300)}`,
      en: `${name} (${address}): ${oneLine(page.headlineEn, 300)}`,
    }
  })
  const more = pages.length - lines.length
  return {
    text,
    lines:
      more > 0 ? [...lines, { zh: `另有 ${more} 条，见值守台。`, en: `And ${more} more, on the console.` }] : lines,
  }
}
