import type { IncidentKind } from '../../alerts/incidents.js'
import { openIncident } from '../../db/incidents.js'
import type { Database } from '../../db/pool.js'

/** An open incident in which all residents of a seeded community are silent. Returns its id. */
export async function seedIncident(
  db: Database,
  p: {
    communityId: string
    gatewayId: string
    residents: readonly { residentId: string }[]
    now: Date
    kind?: IncidentKind
  },
): Promise<number> {
  const { communityId, gatewayId, residents, now, kind: what = 'offline' } = p
  const firstAt = now.getTime() - 8 * 60_000
  const homes = residents.map(({ residentId }, i) => {
    const silentAt = firstAt + Math.round((i / residents.length) * 120_000)
    return { residentId, gatewayId, silentAt, address: '' }
  })
  const verdict = {
    kind: 'open',
    place: '',
    firstAt,
    lastAt: firstAt + 120_000,
    homes,
    homesKnown: 3 * homes.length,
  } as const
  const incidentId = await db.transaction((tx) => openIncident(tx, { communityId, kind: what, verdict, now }))
  if (incidentId === null) throw new Error('there is an open incident already')
  return incidentId
}
