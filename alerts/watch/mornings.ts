import {
  listWatchedCommunities,
  loadCoverage,
  type MorningCommunity,
  morningReaders,
  takeMorning,
} from '../../db/coverage.js'
import { countDueTests, testEveryDays } from '../../db/devices-tested.js'
import { queueMessage } from '../../db/messages.js'
import type { Database, Queryable } from '../../db/pool.js'
import type { Clock } from '../../kit/clock.js'
import type { Log } from '../../kit/log.js'
import { coverage } from '../coverage.js'
import { coverageLead, findingWords } from '../coverage-words.js'
import type { Headline } from '../model.js'
import { wallClock } from '../rules/zone.js'

export const coverageDays = 14
const dayMs = 86_400_000
/** Local time at which supervisors are told; when nobody ran then, until the evening. */
const fromHour = 8
const untilHour = 20
const linesMax = 20
/** Day 0, 1970-01-01, was a Thursday. */
const isMonday = (day: number) => (day + 3) % 7 === 0

/**
 * What is done each morning, community by community: whether everybody is covered in the coming 14 days, and on Mondays
 * which devices are due for their test. A community that is new has its first morning tomorrow. Run it every few minutes,
 * in any number of processes: each morning is one.
 */
export function createMornings({
  db,
  channelKinds,
  clock,
  log,
}: {
  db: Database
  channelKinds: readonly string[]
  clock: Clock
  log: Log
}): () => Promise<void> {
  async function morning(community: MorningCommunity, now: Date): Promise<void> {
    const { communityId, timeZone } = community
    const { day, hour } = wallClock(now.getTime(), timeZone)
    if (hour < fromHour || hour >= untilHour) return
    const date = new Date(day * dayMs).toISOString().slice(0, 10)
    const gaps = await db.transaction(async (tx) => {
      if (!(await takeMorning(tx, { communityId, date, now }))) return null
      const readers = await morningReaders(tx, communityId)
      const count = await tellCoverage(tx, { community, readers, date, now, weekly: isMonday(day) })
      if (isMonday(day)) await tellDueTests(tx, { community, readers, date, now })
      return count
    })
    if (gaps !== null) log.info({ communityId, gaps }, 'morning.coverageChecked')
  }

  async function tellCoverage(
    tx: Queryable,
    p: { community: MorningCommunity; readers: string[]; date: string; now: Date; weekly: boolean },
  ): Promise<number> {
    const { community, now } = p
    const until = new Date(now.getTime() + coverageDays * dayMs)
    const findings = coverage(
      await loadCoverage(tx, { communityId: community.communityId, from: now, until, channelKinds }),
    )
    // That all is well is said once a week, so that silence is not taken for it.
    if (findings.length === 0 && !p.weekly) return 0
    const lines = findings
      .slice(0, linesMax)
      .map((finding) => findingWords(finding, { timeZone: community.timeZone, days: coverageDays }))
    const unlisted = findings.length - lines.length
    for (const staffId of p.readers)
      await queueMessage(tx, {
        staffId,
        kind: 'coverage',
        text: coverageLead(findings.length, { community: community.name, days: coverageDays }),
        lines: unlisted > 0 ? [...lines, moreWords(unlisted)] : lines,
        path: '/coverage',
        now,
        dedupeKey: `coverage ${community.communityId} ${p.date}`,
      })
    return findings.length
  }

  async function tellDueTests(
    tx: Queryable,
    p: { community: MorningCommunity; readers: string[]; date: string; now: Date },
  ): Promise<void> {
    const { communityId, name } = p.community
    const due = await countDueTests(tx, { communityIds: [communityId], now: p.now })
    if (due.devices === 0) return
    for (const staffId of p.readers)
      await queueMessage(tx, {
        staffId,
        kind: 'device tests',
        text: dueWords(name, due),
        path: '/device-tests',
        now: p.now,
        dedupeKey: `device tests ${communityId} ${p.date}`,
      })
  }

  return async () => {
    const now = clock.now()
    for (const community of await listWatchedCommunities(db))
      await morning(community, now).catch((error: unknown) =>
        log.error({ err: error, communityId: community.communityId }, 'morning.failed'),
      )
  }
}

const moreWords = (n: number): Headline => ({ zh: `另有 ${n} 处`, en: `and ${n} more` })

const dueWords = (community: string, { devices, homes }: { devices: number; homes: number }): Headline => ({
  zh: `${community}：${homes} 位居民的 ${devices} 台报警设备该测试了（每 ${testEveryDays} 天一次）。`,
  en: `${community}: ${devices === 1 ? '1 alarm device' : `${devices} alarm devices`} at ${homes === 1 ? '1 resident’s' : `${homes} residents’`} ${devices === 1 ? 'is' : 'are'} due for a test (every ${testEveryDays} days).`,
})
