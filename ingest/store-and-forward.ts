import { Gauge, type Registry } from 'prom-client'
import type { Clock } from '../kit/clock.js'
import type { Log } from '../kit/log.js'
import { type Loop, startLoop } from '../kit/loop.js'
import type { EpisodeSeen } from './alarms.js'
import type { Commits } from './commit.js'
import { decodeMessage, encodeMessage } from './journal/entry.js'
import { type Journal, type JournalEntry, JournalFull, type JournalRange } from './journal/journal.js'
import { createShares, ShareSpent } from './journal/share.js'
import { type Lane, StorageUnavailable } from './lane.js'
import type { Message } from './message.js'
import type { StandIn } from './stand-in/stand-in.js'
import { isStorageFailure } from './storage-failure.js'
import { readTopic } from './topic.js'
import type { Work } from './understand.js'

const drainPauseMs = 500
/** A message has waited in its lane for less than this when it goes into the journal. */
const laneMsMax = 10_000
/** One piece of what is drained: about 6,000 readings in arrays. */
const metersDrain = { entriesMax: 2_000, bytesMax: 262_144 }
const alarmsDrain = { entriesMax: 20, bytesMax: 65_536 }

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
  /** Resolves when the database answers. */
  isDatabaseThere: () => Promise<unknown>
  clock: Clock
  log: Log
  metrics: Registry
}) {
  const since: Record<JournalRange, number | null> = { alarms: null, meters: null }
  /** When the oldest message that waits came, about. */
  const oldestAt: Record<JournalRange, number> = { alarms: 0, meters: 0 }
  const left: Record<JournalRange, Set<() => void>> = { alarms: new Set(), meters: new Set() }
  /** Messages that went into the journal while they waited in their lane: it need not commit them any more. */
  const kept = new WeakSet<Work>()
  const loops: Partial<Record<JournalRange, Loop>> = {}
  const shares = createShares({ bytesMax: shareBytesMax })
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
      for (const range of ['alarms', 'meters'] as const) this.set({ range }, journal.waiting(range))
    },
  })

  function goAway(range: JournalRange, error: Error) {
    if (since[range] !== null) return
    since[range] = clock.now().getTime()
    oldestAt[range] = since[range] - laneMsMax
    log.error({ range, error: error.message }, 'journal.begun: the database does not take what comes')
    for (const leave of left[range]) leave()
    left[range].clear()
    loops[range]?.nudge()
  }
  function comeBack(range: JournalRange) {
    const ms = clock.now().getTime() - since[range]!
    since[range] = null
    if (range === 'meters') full = false
    log.info({ range, ms }, 'journal.drained')
  }

  /** The lane's own outcome; false where the message has to go into the journal. */
  async function commitNow(range: JournalRange, work: Work): Promise<boolean> {
    const rows = rowsOf(withinBudget(work))
    if (rows === 0) return true
    const lane = range === 'meters' ? lanes.meters : work.alarms.length > liveAlarmsMax ? lanes.backlogs : lanes.alarms
    let leave: (() => void) | undefined
    const gone = new Promise<false>((resolve) => {
      leave = () => resolve(false)
      left[range].add(leave)
    })
    const committed = lane.add(work, rows).then(
      () => true,
      (error: Error) => {
        if (!(error instanceof StorageUnavailable)) throw error
        goAway(range, error)
        return false
      },
    )
    try {
      const outcome = await Promise.race([committed, gone])
      if (!outcome) kept.add(work)
      return outcome
    } finally {
      left[range].delete(leave!)
    }
  }

  async function keep(range: JournalRange, message: Message, work: Work | undefined): Promise<void> {
    const now = clock.now().getTime()
    const alarms = work?.alarms ?? []
    const alerts = standIn.judge(alarms, now)
    const value = encodeMessage(message)
    try {
      if (range === 'meters') shares.take(message.gatewayId, value.length)
      const seq = await journal.append(range, value, alerts.length > 0 ? alerts : undefined).catch((error) => {
        shares.giveBack(message.gatewayId, value.length)
        throw error
      })
      standIn.page(alerts, seq)
      standIn.adopt(alarms, seq)
      if (range === 'meters' && full) full = false
    } catch (error) {
      if (error instanceof JournalFull && !full && !(error instanceof ShareSpent)) {
        full = true
        log.error({ bytes: journal.bytes() }, 'journal.full: meter readings are not acknowledged any more')
      }
      // Nobody waits for the disk: told now, acknowledged when it can be kept.
      standIn.page(alerts, undefined)
      throw new StorageUnavailable((error as Error).message)
    }
    loops[range]?.nudge()
  }

  async function accept(message: Message): Promise<void> {
    let work: Work | undefined
    let range = rangeOf(message)
    try {
      work = await understand(message)
      range = work.alarms.length > 0 ? 'alarms' : 'meters'
    } catch (error) {
      if (!isStorageFailure(error)) throw error
      goAway(range, error as Error)
    }
    if (work && rowsOf(work) === 0) return
    if (work && since[range] === null && (await commitNow(range, work))) return
    await keep(range, message, work)
  }

  async function drain(range: JournalRange): Promise<'more' | 'idle'> {
    if (since[range] === null) {
      if (journal.waiting(range) === 0) return 'idle'
      goAway(range, new Error('messages wait in the journal'))
    }
    const entries = await journal.oldest(range, range === 'alarms' ? alarmsDrain : metersDrain)
    if (entries.length === 0) {
      if (journal.waiting(range) === 0) comeBack(range)
      return 'idle'
    }
    oldestAt[range] = Math.min(oldestAt[range], decodeMessage(entries[0]!.value).receivedAt.getTime())
    try {
      await isDatabaseThere()
      await (range === 'alarms' ? drainAlarms(entries) : drainMeters(entries))
    } catch (error) {
      log.warn({ range, waiting: journal.waiting(range), error: (error as Error).message }, 'journal.waits')
      return 'idle'
    }
    await journal.remove(range, entries)
    const messages = entries.map(({ value }) => decodeMessage(value))
    oldestAt[range] = messages.at(-1)!.receivedAt.getTime()
    if (range === 'meters')
      for (const [index, { gatewayId }] of messages.entries()) shares.giveBack(gatewayId, entries[index]!.value.length)
    return 'more'
  }

  const works = (entries: JournalEntry[]) =>
    Promise.all(entries.map(async ({ value }) => withinBudget(await understand(decodeMessage(value)))))

  async function drainMeters(entries: JournalEntry[]) {
    const batch = await works(entries)
    try {
      await commits.meters(batch)
    } catch (error) {
      if (isStorageFailure(error)) throw error
      for (const work of batch)
        await commits.meters([work]).catch(unlessStorage((each) => commits.metersOneByOne(work, each)))
    }
  }

  async function drainAlarms(entries: JournalEntry[]) {
    const seqs = entries.map(({ seq }) => seq)
    try {
      const batch = await works(entries)
      const told = await Promise.all(seqs.map((seq) => standIn.handOver(seq)))
      try {
        await commits.alarms('journal', batch, told.flat())
      } catch (error) {
        if (isStorageFailure(error)) throw error
        for (const [index, work] of batch.entries())
          await commits
            .alarms('journal', [work], told[index])
            .catch(unlessStorage((each) => commits.alarmsUnjudged(work, each)))
      }
      standIn.release(seqs)
    } catch (error) {
      standIn.takeBack(seqs)
      throw error
    }
  }

  return {
    accept,
    /** Of a batch of a lane, what is not in the journal meanwhile. */
    stillWanted: (batch: Work[]): Work[] => batch.filter((work) => !kept.has(work)),
    /** Alarms that were committed the usual way. */
    committed: (seen: EpisodeSeen[]) => {
      for (const { deviceNo, kind, episode } of seen) if (kind !== 'button') standIn.committed(deviceNo, episode)
    },
    keptSince: (): Date | null => {
      const from = (['alarms', 'meters'] as const).filter((range) => since[range] !== null)
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
      standIn.start()
      for (const range of ['alarms', 'meters'] as const) {
        loops[range] = startLoop({ name: `drain ${range}`, work: () => drain(range), pauseMs: drainPauseMs, log })
      }
    },
    stop: async () => {
      await Promise.all([loops.alarms?.stop(), loops.meters?.stop()])
      await standIn.stop()
    },
  }
}

/** What a message weighs in its lane. */
export const rowsOf = ({ alarms, readings, quarantine }: Work) =>
  alarms.length > 0 ? alarms.length : readings.length + quarantine.length

const unlessStorage = (handle: (error: Error) => Promise<unknown>) => (error: Error) =>
  isStorageFailure(error) ? Promise.reject(error) : handle(error)

/** Where a message belongs whose device is not known: by its topic. */
function rangeOf({ topic, gatewayId }: Message): JournalRange {
  const address = readTopic(topic, gatewayId)
  return address.kind === 'reading' && ['button', 'smoke', 'gas'].includes(address.readingKind) ? 'alarms' : 'meters'
}
