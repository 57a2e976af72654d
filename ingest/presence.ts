import type { Queryable } from '../db/pool.js'
import { findMissedOnline, type PresenceChange, recordHeard, recordHeartbeat, recordPresence } from '../db/presence.js'
import type { Clock } from '../kit/clock.js'
import type { Log } from '../kit/log.js'
import { type Loop, startLoop } from '../kit/loop.js'

const changesFlushMs = 1_000
const heardFlushMs = 10_000
/** How many messages the clock of a gateway is judged on: of a backlog only the newest readings say what its clock shows. */
const clockSamplesMax = 20

type Clockwork = { aheadMs: number[]; toldS: number | undefined }

/**
 * What this edge knows of its gateways' presence and clocks, gathered in memory and written every few seconds in a few
 * statements, however many gateways there are.
 */
export function createPresence({
  db,
  edgeId,
  keptSince = () => null,
  clock,
  log,
}: {
  db: Queryable
  edgeId: string
  /** Since when what comes may not be in the database yet; null: all is. */
  keptSince?: () => Date | null
  clock: Clock
  log: Log
}) {
  let changes = new Map<string, PresenceChange>()
  let heard = new Map<string, number>()
  const clocks = new Map<string, Clockwork>()
  const clocksChanged = new Set<string>()
  let heardFlushedAt = 0
  let told: Date | null = null
  let beatAt = 0
  let loop: Loop | undefined

  const change = (gatewayId: string, online: boolean) => {
    changes.set(gatewayId, { gatewayId, online, at: clock.now().getTime() })
  }

  async function beat(now: Date) {
    const kept = keptSince()
    await recordHeartbeat(db, { edgeId, now, keptSince: kept })
    told = kept
    beatAt = now.getTime()
  }
  /** When the database is back after a while, and when the journal begins, moves on or is drained, that is said at once. */
  async function beatEarly(now: Date) {
    const late = Math.abs(now.getTime() - beatAt) > 2 * heardFlushMs
    if (late || keptSince()?.getTime() !== told?.getTime()) await beat(now)
  }

  async function flush(): Promise<'idle'> {
    const now = clock.now()
    await beatEarly(now)
    // What they sent before has to be there before: a rule that hears "connected" first takes all that for late.
    if (keptSince() !== null) return 'idle'
    const takenChanges = changes
    changes = new Map()
    try {
      await recordPresence(db, { edgeId, changes: [...takenChanges.values()] })
    } catch (error) {
      changes = new Map([...takenChanges, ...changes])
      throw error
    }
    // Either way: the clock may have jumped back.
    if (Math.abs(now.getTime() - heardFlushedAt) < heardFlushMs) return 'idle'
    const takenHeard = heard
    heard = new Map()
    heardFlushedAt = now.getTime()
    await beat(now)
    // After a stall of this edge they may have been written off meanwhile.
    for (const gatewayId of await findMissedOnline(db, { edgeId, gatewayIds: [...takenHeard.keys()] }))
      if (!changes.has(gatewayId)) change(gatewayId, true)
    const told = [...clocksChanged].map((gatewayId) => ({
      gatewayId,
      aheadS: Math.round(Math.max(...(clocks.get(gatewayId)?.aheadMs ?? [0])) / 1_000),
    }))
    clocksChanged.clear()
    await recordHeard(db, { heard: [...takenHeard].map(([gatewayId, at]) => ({ gatewayId, at })), clocks: told })
    for (const { gatewayId, aheadS } of told) {
      const clockwork = clocks.get(gatewayId)
      if (clockwork) clockwork.toldS = aheadS
    }
    return 'idle'
  }

  return {
    connected: (gatewayId: string) => change(gatewayId, true),
    disconnected: (gatewayId: string) => {
      change(gatewayId, false)
      heard.delete(gatewayId)
      clocks.delete(gatewayId)
      clocksChanged.delete(gatewayId)
    },
    heard: (gatewayId: string) => void heard.set(gatewayId, clock.now().getTime()),
    /** One message's newest reading, with the time it arrived; both epoch ms. */
    sawClock: (gatewayId: string, observedAt: number, receivedAt: number) => {
      const clockwork = clocks.get(gatewayId) ?? { aheadMs: [], toldS: undefined }
      clocks.set(gatewayId, clockwork)
      clockwork.aheadMs.push(observedAt - receivedAt)
      if (clockwork.aheadMs.length > clockSamplesMax) clockwork.aheadMs.shift()
      const aheadS = Math.max(...clockwork.aheadMs) / 1_000
      if (clockwork.toldS === undefined || Math.abs(aheadS - clockwork.toldS) >= 5) clocksChanged.add(gatewayId)
    },
    start: async () => {
      await beat(clock.now()).catch((error: Error) => log.warn({ error: error.message }, 'presence.heartbeatMissed'))
      loop = startLoop({ name: 'presence', work: flush, pauseMs: changesFlushMs, log })
    },
    stop: async () => {
      await loop?.stop()
      heardFlushedAt = 0
      await flush()
    },
  }
}
export type Presence = ReturnType<typeof createPresence>
