import { clearAlert } from '../db/alerts.js'
import { takeCalmDevices } from '../db/flapping.js'
import { holdAlertsOf, releaseAlertsOf } from '../db/holds.js'
import { changeIncident, countHomes, lockIncident, openIncident, openIncidents, silentHomes } from '../db/incidents.js'
import type { Database } from '../db/pool.js'
import type { Clock } from '../kit/clock.js'
import type { Log } from '../kit/log.js'
import type { Signal } from '../kit/signal.js'
import { homesMin, judgeIncident, placesToCount, type SilentHome } from './incidents.js'
import { calmHeadline } from './rules/flapping.js'
import { tellOfIncident } from './tell-of-incident.js'

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
    const open = await openIncidents(db, { kinds: ['offline'] })
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
      const current = await lockIncident(tx, { communityId, kind: 'offline' })
      const verdict = judgeIncident({ silent, known, open: current }, now.getTime())
      if (verdict.kind === 'nothing') {
        if (current) await holdAlertsOf(tx, { incidentId: current.incidentId, now })
        return null
      }
      if (verdict.kind === 'open') {
        const incidentId = await openIncident(tx, { communityId, kind: 'offline', verdict, now })
        if (incidentId === null) return null
        await holdAlertsOf(tx, { incidentId, now })
        await tellOfIncident(tx, { communityId, incidentId, what: 'opened', now })
        return { incidentId, what: 'opened' }
      }
      const { incidentId } = current!
      const closes = verdict.kind === 'close'
      const grown = verdict.kind === 'changed' ? { joined: verdict.joined, lastAt: verdict.lastAt } : { joined: [] }
      await changeIncident(tx, { incidentId, back: verdict.back, closes, now, ...grown })
      await releaseAlertsOf(tx, { incidentId, residentIds: closes ? null : verdict.back, now })
      if (closes) await tellOfIncident(tx, { communityId, incidentId, what: 'closed', now })
      else await holdAlertsOf(tx, { incidentId, now })
      return { incidentId, what: closes ? 'closed' : 'changed' }
    })
    if (!changed) return
    signal.raise('alerts')
    if (changed.what !== 'changed') log.warn({ communityId, ...changed }, 'incident')
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
