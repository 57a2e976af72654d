import type { Directory } from '../ingest/directory.js'
import type { RightsSource } from './rights-watch.js'

/**
 * The same changes of gateways; of those that are in memory the card is asked for anew. A device that was moved a moment ago
 * must not go on speaking for whom it hung at before, for as long as cards are used without asking.
 */
export function withFreshCards(
  source: RightsSource,
  directory: Pick<Directory, 'cardOf' | 'findGateway'>,
): RightsSource {
  return {
    ...source,
    async changedSince(cursor) {
      const changed = await source.changedSince(cursor)
      // Where it cannot be had now, the card grows old and is asked for then.
      for (const gatewayId of changed.gatewayIds)
        if (directory.cardOf(gatewayId)) directory.findGateway(gatewayId).catch(() => undefined)
      return changed
    },
  }
}
