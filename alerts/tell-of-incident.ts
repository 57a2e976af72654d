import { findIncident, toldOfIncidents } from '../db/incidents.js'
import { queueMessage } from '../db/messages.js'
import type { Queryable } from '../db/pool.js'
import { incidentClosed, incidentOpened } from './incident-words.js'

/**
 * One message to each, once: at the beginning, and when it is over. That nobody can call is told at night too; without
 * water it can wait until those who sleep are up.
 */
export async function tellOfIncident(
  tx: Queryable,
  p: { communityId: string; incidentId: number; what: 'opened' | 'closed'; now: Date },
): Promise<void> {
  const { communityId, incidentId, what, now } = p
  const incident = await findIncident(tx, { incidentId, communityIds: [communityId] })
  if (!incident) return
  const { kind, firstAt, lastAt } = incident
  const told = { ...incident, firstAt: firstAt.getTime(), lastAt: lastAt.getTime() }
  const say = what === 'opened' ? incidentOpened : incidentClosed
  for (const staffId of await toldOfIncidents(tx, { communityId }))
    await queueMessage(tx, {
      staffId,
      kind: 'incident',
      text: say(kind, told, now.getTime()),
      path: `/incidents/${incidentId}`,
      now,
      dedupeKey: `incident ${incidentId} ${what}`,
      urgent: what === 'opened' && kind !== 'no water',
    })
}
