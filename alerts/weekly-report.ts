import { listWatchedCommunities, type MorningCommunity, morningReaders } from '../db/coverage.js'
import { queueMessage } from '../db/messages.js'
import type { Database } from '../db/pool.js'
import { listChangedResidents, takeWeek } from '../db/weekly-report.js'
import type { Clock } from '../kit/clock.js'
import type { Log } from '../kit/log.js'
import type { Headline } from './model.js'
import { dateOfDay, wallOf, weekdayOf } from './roster-time.js'
import type { ResidentState } from './rules/state.js'
import { changesOf } from './rules/trends.js'

/** Local time at which social workers are told; when nobody ran then, until the evening, or on the next day. */
const fromMinute = 8 * 60
const untilMinute = 20 * 60
const weekMs = 7 * 86_400_000
const linesMax = 50

/**
 * Tells each social worker on Monday morning of which residents the nights or the weeks have changed since the last report;
 * nobody is told that nothing has. Of residents for whom nobody is responsible the supervisors are told. Run it every few
 * minutes, in any number of processes: each week is one.
 */
export function createWeeklyReports({ db, clock, log }: { db: Database; clock: Clock; log: Log }): () => Promise<void> {
  async function report(community: MorningCommunity, now: Date): Promise<void> {
    const { communityId, timeZone } = community
    const { day, minute } = wallOf(now.getTime(), timeZone)
    if (minute < fromMinute || minute >= untilMinute) return
    const weekOf = dateOfDay(day - weekdayOf(day) + 1)
    const told = await db.transaction(async (tx) => {
      const week = await takeWeek(tx, { communityId, weekOf, now })
      if (week === null) return null
      const since = week.since?.getTime() ?? now.getTime() - weekMs
      const readers = await morningReaders(tx, communityId)
      const byReader = new Map<string, { residentId: string; name: string; changes: Headline[] }[]>()
      for (const { residentId, name, staffId, state } of await listChangedResidents(tx, communityId)) {
        const changes = changesOf(state as ResidentState).filter(({ at }) => at > since)
        if (changes.length === 0) continue
        for (const reader of staffId === null ? readers : [staffId]) {
          const mine = byReader.get(reader) ?? []
          mine.push({ residentId, name, changes: changes.map(({ headline }) => headline) })
          byReader.set(reader, mine)
        }
      }
      for (const [staffId, residents] of byReader) {
        const lines = residents.flatMap(({ name, changes }) => changes.map((change) => lineWords(name, change)))
        const unlisted = lines.length - linesMax
        await queueMessage(tx, {
          staffId,
          kind: 'weekly report',
          text: leadWords(community.name, residents.length),
          lines: unlisted > 0 ? [...lines.slice(0, linesMax), moreWords(unlisted)] : lines,
          path: residents.length === 1 ? `/residents/${encodeURIComponent(residents[0]!.residentId)}` : '/',
          now,
          dedupeKey: `weekly report ${communityId} ${weekOf}`,
        })
      }
      return byReader.size
    })
    if (told !== null) log.info({ communityId, told }, 'weeklyReport.told')
  }

  return async () => {
    const now = clock.now()
    for (const community of await listWatchedCommunities(db))
      await report(community, now).catch((error: unknown) =>
        log.error({ err: error, communityId: community.communityId }, 'weeklyReport.failed'),
      )
  }
}

const leadWords = (community: string, residents: number): Headline => ({
  zh: `${community}：近几周有 ${residents} 位居民的生活规律有变化，不是紧急情况，方便时看看。`,
  en: `${community}: over the last weeks the habits of ${residents === 1 ? '1 resident have' : `${residents} residents have`} changed. Not urgent: look in when you can.`,
})

const lineWords = (name: string, { zh, en }: Headline): Headline => ({ zh: `${name}：${zh}`, en: `${name}: ${en}` })

const moreWords = (n: number): Headline => ({ zh: `另有 ${n} 条`, en: `and ${n} more` })
