import { countDueTests } from '../../db/devices-tested.js'
import type { Queryable } from '../../db/pool.js'
import type { Here } from '../shell/here.js'
import { createRecent } from '../shell/recent.js'
import { watchText } from '../shell/text-watch.js'
import type { StaffViewer } from '../shell/viewer.js'
import { createGapCount } from './watch-coverage.js'

const dueMsMax = 60_000

/** What the console says in one quiet line: gaps in the cover (to supervisors), and devices to be tested. */
export function createPutInOrder(db: Queryable, channelKinds: readonly string[]) {
  const gapCount = createGapCount(db, channelKinds)
  const dueCount = createRecent({
    ageMsMax: dueMsMax,
    load: (communityIds: string[], now) => countDueTests(db, { communityIds, now }),
  })
  return async ({ role, communityIds }: StaffViewer, now: Date): Promise<{ gaps: number; dueTests: number }> => {
    const [gaps, due] = await Promise.all([
      role === 'supervisor' ? gapCount(communityIds, now) : 0,
      dueCount(communityIds, now),
    ])
    return { gaps: gaps ?? 0, dueTests: due.devices }
  }
}

export function PutInOrder({ gaps, dueTests, here }: { gaps: number; dueTests: number; here: Here }) {
  if (gaps + dueTests === 0) return null
  const t = watchText(here.language)
  return (
    <nav class="put-in-order" aria-label={t.consoleLabel}>
      {gaps > 0 && (
        <a class="put-in-order-what" href="/coverage">
          {t.consoleGaps(gaps)}
        </a>
      )}
      {dueTests > 0 && (
        <a class="put-in-order-what" href="/device-tests">
          {t.consoleTests(dueTests)}
        </a>
      )}
    </nav>
  )
}
