import { holdAlertsOf, releaseAlertsOf } from '../db/holds.js'
import { changeIncident, lockIncident, openIncident, openIncidents } from '../db/incidents.js'
import type { Database, Queryable } from '../db/pool.js'
import { quietGroups, quietHomes, quietKinds, residentsInIncidents } from '../db/quiet-streets.js'
import { handWordOfAll } from '../db/words.js'
import type { Clock } from '../kit/clock.js'
import type { Log } from '../kit/log.js'
import type { Signal } from '../kit/signal.js'
import { homesMin, type SilentHome } from './incidents.js'
import {
  followQuiet,
  freshMs,
  isNoChance,
  judgeQuiet,
  otherShareMax,
  provenMs,
  type QuietHome,
  type QuietKind,
} from './quiet-streets.js'
import { tellOfIncident } from './tell-of-incident.js'

const homesMax = 20_000

/**
 * Looks whether the homes of a street have lost their water or electricity at once, and holds their alerts about silence
 * meanwhile. One call is one look. Any number of processes may look: each change is made once, in a transaction of its own.
 */
export function createQuietStreetWatch({
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
  async function look(kind: QuietKind, now: Date): Promise<void> {
    const freshSince = new Date(now.getTime() - freshMs)
    const quietSince = new Date(now.getTime() - provenMs)
    const suspects = (await quietGroups(db, { kind, freshSince, quietSince, otherShareMax, homesMin })).filter(
      ({ unusual, homes }) => isNoChance(kind, unusual, homes),
    )
    const open = await openIncidents(db, { kinds: [kind] })
    for (const communityId of new Set([...suspects, ...open].map((one) => one.communityId))) {
      const homes = await quietHomes(db, { kind, communityId, homesMax })
      for (const { place } of open.filter((one) => one.communityId === communityId))
        await takeTurn((tx) => follow(tx, { kind, communityId, homes, place, now }))
      for (const { place } of suspects.filter((one) => one.communityId === communityId))
        await takeTurn((tx) => begin(tx, { kind, communityId, homes, place, now }))
    }
  }

  async function takeTurn(turn: (tx: Queryable) => Promise<Change | null>): Promise<void> {
    const change = await db.transaction(turn)
    if (!change) return
    signal.raise('alerts')
    log.warn(change, 'incident')
  }

  type At = { kind: QuietKind; communityId: string; homes: QuietHome[]; place: string; now: Date }
  type Change = { incidentId: number; what: 'opened' | 'closed' | 'held'; held: number }

  async function begin(tx: Queryable, { kind, communityId, homes, place, now }: At): Promise<Change | null> {
    const verdict = judgeQuiet({ kind, place, homes }, now.getTime())
    if (verdict.kind !== 'open') return null
    const residentIds = verdict.homes.map(({ residentId }) => residentId)
    // A street tells it for its houses.
    const told = await residentsInIncidents(tx, { kind, residentIds })
    if (told.size > residentIds.length / 2) return null
    const incidentId = await openIncident(tx, { communityId, kind, verdict, now })
    if (incidentId === null) return null
    await sayMains(tx, verdict.homes, now)
    const held = await holdAlertsOf(tx, { incidentId, now })
    await tellOfIncident(tx, { communityId, incidentId, what: 'opened', now })
    return { incidentId, what: 'opened', held }
  }

  async function follow(tx: Queryable, { kind, communityId, homes, place, now }: At): Promise<Change | null> {
    const open = await lockIncident(tx, { communityId, kind, place })
    if (!open) return null
    const { incidentId } = open
    const verdict = followQuiet({ open, homes, place }, now.getTime())
    if (verdict.kind === 'close') {
      await changeIncident(tx, { incidentId, back: verdict.back, joined: [], closes: true, now })
      await releaseAlertsOf(tx, { incidentId, residentIds: null, now })
      await tellOfIncident(tx, { communityId, incidentId, what: 'closed', now })
      return { incidentId, what: 'closed', held: 0 }
    }
    if (verdict.kind === 'changed') {
      await changeIncident(tx, { incidentId, back: verdict.back, joined: verdict.joined, closes: false, now })
      await releaseAlertsOf(tx, { incidentId, residentIds: verdict.back, now })
      await sayMains(tx, verdict.joined, now)
    }
    // What was opened by a transaction that did not see the incident yet is held from now on.
    const held = await holdAlertsOf(tx, { incidentId, now })
    return held > 0 ? { incidentId, what: 'held', held } : null
  }

  /** The rules do not learn from a silence that is no choice of hers. */
  const sayMains = (tx: Queryable, homes: SilentHome[], now: Date) =>
    handWordOfAll(tx, {
      residentIds: homes.map(({ residentId }) => residentId),
      word: { type: 'mains', receivedAt: now.getTime() },
    })

  return async () => {
    for (const kind of quietKinds) await look(kind, clock.now())
    return 'idle'
  }
}
