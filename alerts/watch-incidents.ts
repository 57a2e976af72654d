import { clearAlert } from '../db/alerts.js'
import { takeCalmDevices } from '../db/flapping.js'
import {
  changeIncident,
  countHomes,
  findIncident,
  lockIncident,
  openIncident,
  openIncidents,
  silentHomes,
  toldOfIncidents,
} from '../db/incidents.js'
import { queueMessage } from '../db/messages.js'
import type { Database, Queryable } from '../db/pool.js'
import type { Clock } from '../kit/clock.js'
import type { Log } from '../kit/log.js'
import type { Signal } from '../kit/signal.js'
import { closedText, homesMin, judgeIncident, openedText, placesToCount, type SilentHome } from './incidents.js'
import type { Headline } from './model.js'
import { calmHeadline } from './rules/flapping.js'

/** Homes that fell silent longer ago belong to no incident that begins now. */
const lookBackMs = 30 * 60_000
/** An edge beats every 10 s; one that does not is the reason itself why its homes are silent. */
const beatMsMax = 45_000
const homesMax = 20_000
const devicesMax = 500

/**
 * Looks whether many homes fell silent together, and whether devices that went on and off have become calm. One call is
 * one look. Any number of processes may look: each change is made once, in a transaction of its own with its messages.
 */
export function createIncidentWatch({
  db,
  clock,
  log,
  signal,
}: {
  db: Database
  clock: Clock
  log: Log
  signal: Signal
}): () => Promise<'idle'> {
  async function lookAtHomes(now: Date): Promise<void> {
    const open = await openIncidents(db)
    // What is open is followed as long as it lasts.
    const since = Math.min(now.getTime() - lookBackMs, ...open.map(({ firstAt }) => firstAt.getTime() - lookBackMs))
    const beatSince = new Date(now.getTime() - beatMsMax)
    const silent = await silentHomes(db, { since: new Date(since), beatSince, homesMax })
    const many = [...silent].filter(([, homes]) => homes.length >= homesMin).map(([communityId]) => communityId)
    for (const communityId of new Set([...many, ...open.map((incident) => incident.communityId)]))
      await lookAtCommunity(communityId, silent.get(communityId) ?? [], now)
  }

  async function lookAtCommunity(communityId: string, silent: SilentHome[], now: Date): Promise<void> {
    const known = await countHomes(db, { communityId, places: placesToCount(silent) })
    const changed = await db.transaction(async (tx) => {
      const current = await lockIncident(tx, { communityId })
      const verdict = judgeIncident({ silent, known, open: current }, now.getTime())
      if (verdict.kind === 'nothing') return null
      if (verdict.kind === 'open') {
        const incidentId = await openIncident(tx, { communityId, verdict, now })
        if (incidentId === null) return null
        await tell(tx, { communityId, incidentId, what: 'opened', now })
        return { incidentId, what: 'opened' }
      }
      const { incidentId } = current!
      const closes = verdict.kind === 'close'
      const grown = verdict.kind === 'changed' ? { joined: verdict.joined, lastAt: verdict.lastAt } : { joined: [] }
      await changeIncident(tx, { incidentId, back: verdict.back, closes, now, ...grown })
      if (closes) await tell(tx, { communityId, incidentId, what: 'closed', now })
      return { incidentId, what: closes ? 'closed' : 'changed' }
    })
    if (!changed) return
    signal.raise('alerts')
    if (changed.what !== 'changed') log.warn({ communityId, ...changed }, 'incident')
  }

  /** One message to each, once: at the beginning, also at night, for nobody in those homes can call; and when it is over. */
  async function tell(
    tx: Queryable,
    p: { communityId: string; incidentId: number; what: 'opened' | 'closed'; now: Date },
  ): Promise<void> {
    const { communityId, incidentId, what, now } = p
    const incident = await findIncident(tx, { incidentId, communityIds: [communityId] })
    if (!incident) return
    const { firstAt, lastAt } = incident
    const told = { ...incident, firstAt: firstAt.getTime(), lastAt: lastAt.getTime() }
    const text: Headline = what === 'opened' ? openedText(told, now.getTime()) : closedText(told, now.getTime())
    for (const staffId of await toldOfIncidents(tx, { communityId }))
      await queueMessage(tx, {
        staffId,
        kind: 'incident',
        text,
        path: `/incidents/${incidentId}`,
        now,
        dedupeKey: `incident ${incidentId} ${what}`,
        urgent: what === 'opened',
      })
  }

  /** A device that was steady for long enough is no longer said to flap. */
  async function lookAtDevices(now: Date): Promise<void> {
    await db.transaction(async (tx) => {
      for (const { deviceNo, residentId, kind, room } of await takeCalmDevices(tx, { now, devicesMax }))
        await clearAlert(tx, {
          residentId,
          kind: 'device_flapping',
          deviceNo,
          at: now,
          headline: calmHeadline({ kind, room }),
          outcome: 'device fault',
        })
    })
  }

  return async () => {
    const now = clock.now()
    await lookAtDevices(now)
    await lookAtHomes(now)
    return 'idle'
  }
}
