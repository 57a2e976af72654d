import { setTimeout as sleep } from 'node:timers/promises'
import { Gauge, type Registry } from 'prom-client'
import type { Clock } from '../kit/clock.js'
import type { Log } from '../kit/log.js'
import { type Loop, startLoop } from '../kit/loop.js'
import type { EpisodeSeen } from './alarms.js'
import type { Commits } from './commit.js'
import { type AlarmKind, isAlarmKind } from './contract.js'
import { createDrain } from './drain.js'
import { encodeMessage } from './journal/entry.js'
import { type Journal, JournalFull, type JournalRange } from './journal/journal.js'
import { createShares, ShareSpent } from './journal/share.js'
import { type Lane, NoRoom, StorageUnavailable } from './lane.js'
import type { Memories } from './memories.js'
import type { Message } from './message.js'
import type { StandIn } from './stand-in/stand-in.js'
import { isStorageFailure } from './storage-failure.js'
import { readTopic } from './topic.js'
import { type Reply, rowsOf, type Work } from './work.js'

const drainPauseMs = 500
/** A message has waited in its lane for less than this when it goes into the journal. */
const laneMsMax = 10_000
/** A disk that hangs keeps nobody from being told. */
const diskMsMax = 1_000
/**
 * A refused publish ends its connection. Said at once, a press that the gateway has behind it in its queue would never get
 * through.
 */
const refusalPauseMs = 2_000
const ranges = ['alarms', 'meters'] as const

/** What the operator is told: since when (epoch ms) the journal is in use, and what waits in it. */
export type JournalState = {
  sinceMs: number | null
  alarms: number
  meters: number
  bytes: number
  full: boolean
}

type Lanes = { meters: Lane<Work>; alarms: Lane<Work>; backlogs: Lane<Work> }

export type StoreAndForward = ReturnType<typeof createStoreAndForward>

/**
 * Where a message goes: to its lane, or, when the database does not take it in time, into the journal on disk, which is
 * as safe and is acknowledged as well. From then on all of its kind goes there, in the order in which it comes, until the
 * journal is drained. Emergencies that go there are paged by the stand-in.
 */
export function createStoreAndForward({
  journal,
  standIn,
  shareBytesMax,
  understand,
  withinBudget,
  lanes,
  liveAlarmsMax,
  commits,
  memories,
  isDatabaseThere,
  clock,
  log,
  metrics,
}: {
  journal: Journal
  standIn: StandIn
  /** What one gateway's meter readings may take of the journal. */
  shareBytesMax: number
  understand: (message: Message) => Work | Promise<Work>
  /** Takes out of a message what its gateway may not have quarantined any more. */
  withinBudget: (work: Work) => Work
  lanes: Lanes
  /** Alarms in one message beyond which it is a backlog. */
  liveAlarmsMax: number
  commits: Commits
  memories: Pick<Memories, 'takeBack' | 'journaled'>
  /** Resolves when the database answers. */
  isDatabaseThere: () => Promise<unknown>
  clock: Clock
  log: Log
  metrics: Registry
}) {
  const since: Record<JournalRange, number | null> = { alarms: null, meters: null }
  /** When the oldest message that waits came, about. */
  const oldestAt: Record<JournalRange, number> = { alarms: 0, meters: 0 }
  const lanesOf = { alarms: [lanes.alarms, lanes.backlogs], meters: [lanes.meters] }
  const loops: Partial<Record<JournalRange, Loop>> = {}
  const shares = createShares({ bytesMax: shareBytesMax })
  const drain = createDrain({ journal, standIn, understand, withinBudget, commits, isDatabaseThere, clock, log })
  let full = false

  new Gauge({
    name: 'shouwang_journal_bytes',
    help: 'What the journal on disk holds, in bytes',
    registers: [metrics],
    collect() {
      this.set(journal.bytes())
    },
  })
  new Gauge({
    name: 'shouwang_journal_messages',
    help: 'Messages in the journal that the database does not have yet',
    labelNames: ['range'],
    registers: [metrics],
    collect() {
      for (const range of ranges) this.set({ range }, journal.waiting(range))
    },
  })

  function goAway(range: JournalRange, error: Error) {
    if (since[range] !== null) return
    since[range] = clock.now().getTime()
    oldestAt[range] = since[range] - laneMsMax
    log.error({ range, error: error.message }, 'journal.begun: the database does not take what comes')
    for (const lane of lanesOf[range]) lane.giveUp(error.message)
    loops[range]?.nudge()
  }
  function comeBack(range: JournalRange) {
    const ms = clock.now().getTime() - since[range]!
    since[range] = null
    if (range === 'meters') full = false
    log.info({ range, ms }, 'journal.drained')
  }

  function accept(message: Message): Promise<Reply[] | undefined> {
    try {
      const work = understand(message)
      return work instanceof Promise
        ? work.then(takeAndReply, (error) => keepUnread(message, error as Error))
        : takeAndReply(work)
    } catch (error) {
      return keepUnread(message, error as Error)
    }
  }

  /** Whose it is nobody can tell now: it is kept as it came. */
  async function keepUnread(message: Message, error: Error): Promise<undefined> {
    if (!isStorageFailure(error)) throw error
    const range = rangeOf(message)
    goAway(range, error)
    await keep(range, message, undefined)
  }

  const takeAndReply = (work: Work): Promise<Reply[] | undefined> => {
    const { replies, memory } = work
    // Most messages: a promise less for each.
    if (replies === undefined && memory === undefined) return take(work) as Promise<undefined>
    return take(work).then(
      () => replies,
      (error) => {
        memories.takeBack(memory)
        throw error
      },
    )
  }

  function take(work: Work): Promise<void> {
    const range = work.alarms.length > 0 ? 'alarms' : 'meters'
    const toJournal = (error: Error) => {
      if (!(error instanceof StorageUnavailable) && !isStorageFailure(error)) throw error
      goAway(range, error)
      return keep(range, work.message, work)
    }
    if (rowsOf(work) === 0) return Promise.resolve()
    if (since[range] !== null) return keep(range, work.message, work)
    if (standIn.holds(work.alarms)) return drain.commitLate(work).catch(toJournal)
    const rows = rowsOf(withinBudget(work))
    if (rows === 0) return Promise.resolve()
    const lane = range === 'meters' ? lanes.meters : work.alarms.length > liveAlarmsMax ? lanes.backlogs : lanes.alarms
    return lane.add(work, rows).catch(toJournal)
  }

  async function keep(range: JournalRange, message: Message, work: Work | undefined): Promise<void> {
    const alarms = work?.alarms ?? []
    const alerts = standIn.judge(alarms, clock.now().getTime())
    const value = encodeMessage(message)
    let told = false
    const tell = (seq?: number) => {
      if (!told) standIn.page(alerts, seq)
      told = true
    }
    const tooSlow = setTimeout(tell, diskMsMax)
    try {
      if (range === 'meters') shares.check(message.gatewayId, value.length)
      const seq = await journal.append(range, value, alerts.length > 0 ? alerts : undefined)
      memories.journaled(work?.memory)
      if (range === 'meters') shares.add(message.gatewayId, value.length)
      tell(seq)
      standIn.adopt(alarms, seq)
      if (range === 'meters' && full) full = false
    } catch (error) {
      if (error instanceof JournalFull && !full && !(error instanceof ShareSpent)) {
        full = true
        log.error({ bytes: journal.bytes() }, 'journal.full: meter readings are not acknowledged any more')
      }
      // Nobody waits for the disk: told now, acknowledged when it can be kept.
      tell()
      if (range === 'meters' && !message.shared) await sleep(refusalPauseMs, undefined, { ref: false })
      const Refusal = error instanceof JournalFull ? NoRoom : StorageUnavailable
      throw new Refusal((error as Error).message)
    } finally {
      clearTimeout(tooSlow)
    }
    loops[range]?.nudge()
  }

  async function drainOnce(range: JournalRange): Promise<'more' | 'idle'> {
    if (since[range] === null) {
      if (journal.waiting(range) === 0) return 'idle'
      goAway(range, new Error('messages wait in the journal'))
    }
    const drained = await drain.drainPiece(range)
    if (drained.kind === 'empty') {
      if (journal.waiting(range) === 0) comeBack(range)
      return 'idle'
    }
    if (drained.kind === 'waits') {
      log.warn({ range, waiting: journal.waiting(range), error: drained.error.message }, 'journal.waits')
      return 'idle'
    }
    const { messages, entries } = drained
    oldestAt[range] = messages.at(-1)!.receivedAt.getTime()
    if (range === 'meters')
      for (const [index, { gatewayId }] of messages.entries()) shares.giveBack(gatewayId, entries[index]!.value.length)
    return 'more'
  }

  return {
    accept,
    /** Alarms that were committed the usual way. */
    committed: (batch: Work[], seen: EpisodeSeen[]) => {
      for (const work of batch) standIn.stored(work.alarms)
      for (const { deviceNo, kind, episode } of seen) if (standsUntilCleared(kind)) standIn.committed(deviceNo, episode)
    },
    keptSince: (): Date | null => {
      const from = ranges.filter((range) => since[range] !== null)
      return from.length > 0 ? new Date(Math.min(...from.map((range) => oldestAt[range]))) : null
    },
    state: (): JournalState => ({
      sinceMs: since.alarms === null ? since.meters : Math.min(since.alarms, since.meters ?? since.alarms),
      alarms: journal.waiting('alarms'),
      meters: journal.waiting('meters'),
      bytes: journal.bytes(),
      full,
    }),
    start: async () => {
      standIn.resume(await journal.notes())
      for (const range of ranges) {
        const at = await drain.oldestAt(range)
        if (at === undefined) continue
        goAway(range, new Error('messages wait in the journal'))
        oldestAt[range] = at
      }
      standIn.start()
      for (const range of ranges)
        loops[range] = startLoop({ name: `drain ${range}`, work: () => drainOnce(range), pauseMs: drainPauseMs, log })
    },
    stop: async () => {
      await Promise.all([loops.alarms?.stop(), loops.meters?.stop()])
      await standIn.stop()
    },
  }
}

/**
 * A press or a call for help is one moment. While the database is away nobody hears that its alert was closed, and the next
 * one must not join it.
 */
const standsUntilCleared = (kind: AlarmKind) => kind !== 'button' && kind !== 'voice'

/**
 * Where a message belongs whose gateway is not known: by its topic. What is not plainly a meter's may be an alarm in another
 * dialect.
 */
function rangeOf({ topic, gatewayId }: Message): JournalRange {
  const address = readTopic(topic, gatewayId)
  return address.kind === 'other' || (address.kind === 'reading' && isAlarmKind(address.readingKind))
    ? 'alarms'
    : 'meters'
}
