import { countDevices } from '../../db/device-list.js'
import { type OperatorSummary, operatorSummary } from '../../db/gateways.js'
import type { Database } from '../../db/pool.js'
import { createRecent } from '../shell/recent.js'

/** What goes through all gateways is asked for not more often than this, however many pages are open. */
const summaryMsMax = 5_000
/** How many devices there are changes when somebody registers some; to count 300,000 takes 100 ms. */
const deviceCountMsMax = 60_000
/** Fewer than these are counted anew each time: that takes 1 ms. */
const countedAnewMax = 5_000

/** The numbers of the operator's pages, for a set of communities: as they are now, or where there are many, as of late. */
export function createOperatorNumbers(db: Database) {
  const recentSummary = createRecent({
    ageMsMax: summaryMsMax,
    load: (communityIds: string[], now) => operatorSummary(db, { communityIds, now }),
  })
  const recentDevices = createRecent({
    ageMsMax: deviceCountMsMax,
    load: (communityIds: string[]) => countDevices(db, { communityIds }),
  })
  return {
    /** At most 5 s old. */
    summary: async (communityIds: string[], now: Date): Promise<OperatorSummary> => {
      const recent = await recentSummary(communityIds, now)
      return gatewaysListed(recent) > countedAnewMax ? recent : operatorSummary(db, { communityIds, now })
    },
    /** At most a minute old. */
    devices: async (communityIds: string[], now: Date): Promise<number> => {
      const recent = await recentDevices(communityIds, now)
      return recent > countedAnewMax ? recent : countDevices(db, { communityIds })
    },
  }
}

/** Also those that are switched off. */
export const gatewaysListed = ({ conditions }: OperatorSummary): number =>
  Object.values(conditions).reduce((sum, count) => sum + count, 0)
