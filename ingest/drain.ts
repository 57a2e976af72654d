import type { Clock } from '../kit/clock.js'
import type { Log } from '../kit/log.js'
import type { Commits } from './commit.js'
import { decodeMessage } from './journal/entry.js'
import type { Journal, JournalEntry, JournalRange } from './journal/journal.js'
import type { Message } from './message.js'
import type { StandInAlert } from './stand-in/record.js'
import type { StandIn } from './stand-in/stand-in.js'
import { isStorageFailure } from './storage-failure.js'
import type { Work } from './work.js'

/** One piece of what is drained: about 6,000 readings in arrays. */
const pieces = {
  meters: { entriesMax: 2_000, bytesMax: 262_144 },
  alarms: { entriesMax: 20, bytesMax: 65_536 },
}
/** After a failure the next piece is so many times smaller: it may have been too much for one commit. */
const shrink = 8

export type Drained =
  | { kind: 'empty' }
  /** The database did not take them; they are tried again. */
  | { kind: 'waits'; error: Error }
  | { kind: 'committed'; messages: Message[]; entries: JournalEntry[] }

/** Takes the oldest piece of a range out of the journal and commits it, with what the stand-in has told of it. */
export function createDrain({
  journal,
  standIn,
  understand,
  withinBudget,
  commits,
  isDatabaseThere,
  clock,
  log,
}: {
  journal: Journal
  standIn: StandIn
  understand: (message: Message) => Work | Promise<Work>
  withinBudget: (work: Work) => Work
  commits: Commits
  /** Resolves when the database answers. */
  isDatabaseThere: () => Promise<unknown>
  clock: Clock
  log: Log
}) {
  const share: Record<JournalRange, number> = { alarms: 1, meters: 1 }

  async function drainPiece(range: JournalRange): Promise<Drained> {
    const { entriesMax, bytesMax } = pieces[range]
    const limits = { entriesMax: Math.max(1, Math.floor(entriesMax / share[range])), bytesMax: bytesMax / share[range] }
    try {
      const entries = await journal.oldest(range, limits)
      if (entries.length === 0) return { kind: 'empty' }
      await isDatabaseThere()
      const messages = entries.map(messageOf)
      const batch = await Promise.all(messages.map(async (message) => withinBudget(await understand(message))))
      // Of a device that has been claimed since it was kept, what was for nobody is an alarm.
      const isUrgent = ({ alarms }: Work) => range === 'alarms' || alarms.length > 0
      const [urgent, others] = [batch.filter(isUrgent), batch.filter((work) => !isUrgent(work))]
      if (urgent.length > 0) await commitAlarms(urgent)
      if (others.length > 0) await commitMeters(others)
      await journal.remove(range, entries)
      share[range] = 1
      return { kind: 'committed', messages, entries }
    } catch (error) {
      if (range === 'alarms') standIn.takeBack()
      share[range] = Math.min(share[range] * shrink, entriesMax)
      return { kind: 'waits', error: error as Error }
    }
  }

  /** What the disk has spoilt goes into quarantine as it is: nothing must wait behind it. */
  function messageOf({ seq, value }: JournalEntry): Message {
    try {
      return decodeMessage(value)
    } catch (error) {
      log.error({ err: error, seq }, 'journal.unreadable')
      const topic = `journal/${seq}`
      return { gatewayId: 'journal', topic, payload: value, retain: false, receivedAt: clock.now() }
    }
  }

  async function commitMeters(batch: Work[]) {
    try {
      await commits.meters(batch)
    } catch (error) {
      if (isStorageFailure(error)) throw error
      for (const work of batch)
        await commits.meters([work]).catch(unlessStorage((each) => commits.metersOneByOne(work, each)))
    }
  }

  async function commitAlarms(batch: Work[]) {
    const told = await Promise.all(batch.map((work) => standIn.handOver(work.alarms)))
    try {
      await commits.alarms('journal', batch, told.flat())
      for (const work of batch) standIn.release(work.alarms)
    } catch (error) {
      if (isStorageFailure(error)) throw error
      for (const [index, work] of batch.entries()) await commitTold(work, told[index]!)
    }
  }

  async function commitTold(work: Work, told: StandInAlert[]) {
    await commits
      .alarms('journal', [work], told)
      .catch(unlessStorage((error) => commits.alarmsUnjudged(work, error, told)))
    standIn.release(work.alarms)
  }

  return {
    drainPiece,
    /** When the oldest entry of a range came (epoch ms); undefined where there is none. */
    oldestAt: async (range: JournalRange): Promise<number | undefined> => {
      const [oldest] = await journal.oldest(range, { entriesMax: 1, bytesMax: 1 })
      return oldest && messageOf(oldest).receivedAt.getTime()
    },
    /**
     * Neither the database nor the disk took this message, but people were told of it: it is committed as it was told.
     * @throws when the database does not take it
     */
    commitLate: async (work: Work): Promise<void> => {
      try {
        await commitTold(withinBudget(work), await standIn.handOver(work.alarms))
      } catch (error) {
        standIn.takeBack()
        throw error
      }
    },
  }
}

const unlessStorage = (handle: (error: Error) => Promise<unknown>) => (error: Error) =>
  isStorageFailure(error) ? Promise.reject(error) : handle(error)
