import { learnedHomes, youngHomes } from '../db/neighbours.js'
import type { Database } from '../db/pool.js'
import { handWord } from '../db/words.js'
import type { Clock } from '../kit/clock.js'
import type { ResidentState } from './rules/fold.js'
import { warmDays } from './rules/line.js'
import { lineHours } from './rules/line-view.js'
import { neighboursOf } from './rules/neighbours.js'

const dayMs = 24 * 3_600_000
const youngMax = 5_000
/** The median of so many is as good as that of all. */
const learnedMax = 100

/**
 * Tells each home whose own line is young what the lines of its community are like. Every night again; said twice it
 * changes nothing. Returns how many homes were told.
 */
export function createNeighbours({
  db,
  alarmsPerMonth,
  clock,
}: {
  db: Database
  alarmsPerMonth: number | null
  clock: Clock
}): () => Promise<number> {
  return async () => {
    if (alarmsPerMonth === null) return 0
    const now = clock.now()
    const since = new Date(now.getTime() - warmDays * dayMs)
    let told = 0
    for (const [communityId, residentIds] of await youngHomes(db, { since, residentsMax: youngMax })) {
      const learned = await learnedHomes(db, { communityId, before: since, residentsMax: learnedMax })
      const limitMs = neighboursOf(
        learned.map(({ state, timeZone }) =>
          lineHours(state as ResidentState, now.getTime(), { timeZone, alarmsPerMonth }),
        ),
      )
      if (!limitMs) continue
      for (const residentId of residentIds)
        await handWord(db, { residentId, word: { type: 'neighbours', limitMs, receivedAt: now.getTime() } })
      told += residentIds.length
    }
    return told
  }
}
