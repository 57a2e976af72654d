import { Registry } from 'prom-client'
import type { EpochMs } from '../../alerts/model.js'
import type { Database } from '../../db/pool.js'
import { createIngest, type Ingest } from '../../ingest/ingest.js'
import type { Log } from '../../kit/log.js'
import type { Signal } from '../../kit/signal.js'
import type { EdgeFallback } from './edge-fallback.js'
import type { Life } from './life.js'
import type { VirtualTime } from './virtual-time.js'

export type OpenFallback = (life: Life, db: Database) => Promise<EdgeFallback>

/** One life of the edge. */
export type EdgeInstance = {
  life: Life
  ingest: Ingest
  fallback: EdgeFallback | undefined
  cuts: Map<string, () => void>
  /** When each message arrived that is not committed, and since when presence is not written. */
  underWay: Set<{ receivedAt: EpochMs }>
  presenceSince: EpochMs
  ticking: boolean
}

/** Starts an edge as this life. When it dies, what it had in memory is lost and its journal stays. */
export async function openEdge({
  time,
  life,
  db,
  openFallback,
  log,
  signal,
}: {
  time: VirtualTime
  life: Life
  db: Database
  openFallback: OpenFallback | undefined
  log: Log
  signal: Signal
}): Promise<EdgeInstance> {
  const fallback = await openFallback?.(life, db)
  const ingest = createIngest({
    db,
    clock: time.clock,
    log,
    metrics: new Registry(),
    signal,
    edgeId: life.name,
    fallback: fallback?.fallback,
  })
  const mine: EdgeInstance = {
    life,
    ingest,
    fallback,
    cuts: new Map(),
    underWay: new Set(),
    presenceSince: Number.POSITIVE_INFINITY,
    ticking: false,
  }
  await ingest.start()
  return mine
}
