import { randomUUID } from 'node:crypto'
import { Counter, Gauge, type Registry } from 'prom-client'
import type { Channel } from '../alerts/channels/channel.js'
import { createDirectorySource } from '../db/directory.js'
import type { Database } from '../db/pool.js'
import type { Clock } from '../kit/clock.js'
import type { Log } from '../kit/log.js'
import type { Signal } from '../kit/signal.js'
import { createAttachedPresence } from './attach/presence.js'
import { createCommits } from './commit.js'
import { createDirectory, type Directory, type Shelf } from './directory.js'
import type { Journal } from './journal/journal.js'
import { createLane, type LaneLimits } from './lane.js'
import { createMemories } from './memories.js'
import type { Message } from './message.js'
import { createPresence } from './presence.js'
import { createQuarantineBudget } from './quarantine-budget.js'
import type { StandIn } from './stand-in/stand-in.js'
import { isStorageFailure } from './storage-failure.js'
import { createStoreAndForward, type StoreAndForward } from './store-and-forward.js'
import { createUnderstand } from './understand.js'
import { createUnderstandDialect } from './understand-dialect.js'
import { newWork, type Reply, rowsOf, toQuarantine, type Work } from './work.js'

const meterLimits: Omit<LaneLimits, 'commitMsMax'> = { commitsMax: 2, batchRowsMax: 2_500, queueRowsMax: 200_000 }
/** Emergencies have a lane of their own: they never wait behind meters, and keep their order. */
const alarmLimits: Omit<LaneLimits, 'commitMsMax'> = { commitsMax: 1, batchRowsMax: 200, queueRowsMax: 50_000 }
/** How long the database is waited for, with nothing to fall back on and with a journal: seconds are only slower. */
const waitMsMax = 8_000
const meterWaitMsMax = 5_000
const alarmWaitMsMax = 500
/** An array of alarms is a backlog: judging a thousand takes seconds, which a press that is made now must not wait. */
const liveAlarmsMax = 5

const forgetfulShelf: Shelf = { put: () => {}, delete: () => {}, entries: async () => [] }

export type Ingest = ReturnType<typeof createIngest>
/** What the edge has for the time when the database is away. */
export type Fallback = {
  journal: Journal
  /** What one gateway's meter readings may take of the journal. */
  shareBytesMax: number
  standIn: StandIn
  directory: Directory
  channels: Channel[]
}

/**
 * From a publish to the commit. `accept` resolves when the message is safe: its readings committed, an alarm's alert and
 * first pages with them, what could not be understood quarantined; or, while the database is away and there is a
 * `fallback`, when it is in the journal on disk; with what its gateway waits for as an answer. It rejects only when the
 * storage fails.
 */
export function createIngest({
  db,
  clock,
  log,
  metrics,
  signal,
  edgeId = randomUUID(),
  fallback,
}: {
  db: Database
  clock: Clock
  log: Log
  metrics: Registry
  signal: Signal
  edgeId?: string
  fallback?: Fallback | undefined
}) {
  const ownDirectory = fallback
    ? undefined
    : createDirectory({ source: createDirectorySource(db), shelf: forgetfulShelf, clock, log })
  const { lookUp, lookUpOwn, cardOf, findGateway, noteMemory } = (fallback?.directory ?? ownDirectory)!
  let store: StoreAndForward | undefined
  const presence = createPresence({ db, edgeId, keptSince: () => store?.keptSince() ?? null, clock, log })
  const memories = createMemories({ shelve: noteMemory })
  const budget = createQuarantineBudget({
    dropped: new Counter({
      name: 'shouwang_quarantine_dropped_total',
      help: 'Messages or readings that a gateway sent beyond its hourly quarantine budget',
      registers: [metrics],
    }),
  })
  const commits = createCommits({ db, clock, log, metrics, signal, memories, budget })
  const attachedPresence = createAttachedPresence({ presence, clock })
  const said = {
    sawClock: presence.sawClock,
    connected: (gatewayId: string) => attachedPresence.said(gatewayId, true),
    disconnected: (gatewayId: string) => attachedPresence.said(gatewayId, false),
  }
  const understandDialect = createUnderstandDialect({ lookUpOwn, memories, presence: said })
  const read = createUnderstand({ lookUp, cardOf, findGateway, understandDialect, presence: said })

  const meters = createLane<Work>({
    name: 'meters',
    limits: { ...meterLimits, commitMsMax: fallback ? meterWaitMsMax : waitMsMax },
    log,
    commit: commits.meters,
    reject: commits.metersOneByOne,
  })
  const alarmLane = (name: string) =>
    createLane<Work>({
      name,
      limits: { ...alarmLimits, commitMsMax: fallback ? alarmWaitMsMax : waitMsMax },
      log,
      commit: async (batch) => {
        // Awaited by itself: inside of `store?.…()` it would not be, where there is no store.
        const seen = await commits.alarms(name, batch)
        store?.committed(batch, seen)
      },
      reject: (work, error) => commits.alarmsUnjudged(work, error),
    })
  const alarms = alarmLane('alarms')
  const backlogs = alarmLane('alarm backlogs')
  new Gauge({
    name: 'shouwang_ingest_queued_readings',
    help: 'Readings that wait for their commit',
    registers: [metrics],
    collect() {
      this.set(meters.queuedRows() + alarms.queuedRows() + backlogs.queuedRows())
    },
  })

  /** A bug of ours must not make a gateway come back with the same message for ever. */
  const asNotUnderstood = (message: Message, error: Error): Work => {
    log.error({ err: error, gatewayId: message.gatewayId }, 'message.notUnderstood')
    return { ...newWork(message), quarantine: [toQuarantine(message, 'not understood', error.message)] }
  }
  function understand(message: Message): Work | Promise<Work> {
    const orNotUnderstood = (error: unknown) => {
      if (isStorageFailure(error)) throw error
      return asNotUnderstood(message, error as Error)
    }
    try {
      const work = read(message)
      return work instanceof Promise ? work.catch(orNotUnderstood) : work
    } catch (error) {
      return orNotUnderstood(error)
    }
  }
  function withinBudget(work: Work): Work {
    if (work.quarantine.length > 0)
      work.quarantine = budget.spend(work.message.gatewayId, work.quarantine, work.message.receivedAt.getTime())
    return work
  }

  async function commitOnly(message: Message): Promise<Reply[] | undefined> {
    const work = withinBudget(await understand(message))
    const rows = rowsOf(work)
    const lane = work.alarms.length === 0 ? meters : work.alarms.length > liveAlarmsMax ? backlogs : alarms
    try {
      if (rows > 0) await lane.add(work, rows)
    } catch (error) {
      memories.takeBack(work.memory)
      throw error
    }
    return work.replies
  }

  if (fallback)
    store = createStoreAndForward({
      ...fallback,
      understand,
      withinBudget,
      lanes: { meters, alarms, backlogs },
      liveAlarmsMax,
      commits,
      memories,
      isDatabaseThere: () => db.transaction(async () => undefined, { msMax: 1_000 }),
      clock,
      log,
      metrics,
    })

  return {
    edgeId,
    presence,
    attachedPresence,
    accept: store ? store.accept : commitOnly,
    /** Undefined without a fallback. */
    journalState: () => store?.state(),
    start: async () => {
      await ownDirectory?.start()
      await store?.start()
      await presence.start()
    },
    stop: async () => {
      // Together: a commit that hangs must not keep what is being drained or told from coming to its end.
      await Promise.all([meters.stop(), alarms.stop(), backlogs.stop(), store?.stop()])
      await presence.stop()
      await ownDirectory?.stop()
    },
  }
}
