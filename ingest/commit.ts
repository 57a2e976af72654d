import { Counter, Histogram, type Registry } from 'prom-client'
import { noteAnnounced, saveMemories } from '../db/announced.js'
import { recordAnswers } from '../db/command-answers.js'
import type { Database, Queryable } from '../db/pool.js'
import { insertQuarantine, type QuarantineRow } from '../db/quarantine.js'
import { insertReadings } from '../db/readings.js'
import type { Clock } from '../kit/clock.js'
import type { Log } from '../kit/log.js'
import type { Signal } from '../kit/signal.js'
import { within } from '../kit/within.js'
import { commitAlarms, commitAlarmsPlainly, type EpisodeSeen } from './alarms.js'
import type { Memories } from './memories.js'
import type { QuarantineBudget } from './quarantine-budget.js'
import type { StandInAlert } from './stand-in/record.js'
import { isStorageFailure } from './storage-failure.js'
import { toQuarantine, type Work } from './work.js'

/** A commit of meter readings takes 5 to 50 ms; one that hangs must let go of its gateways. */
const meterCommitMsMax = 5_000
/** An alarm that is not committed by then goes another way; 2 s is what its first page may take. */
const alarmCommitMsMax = 1_200
/** What nobody waits for any more, a backlog or the journal, gets this for each alarm on top: 10 ms is what opening one takes. */
const backlogMsPerAlarm = 50

export type Commits = ReturnType<typeof createCommits>

/** What is done with understood messages in the database: each function is one commit, and safe to do twice. */
export function createCommits({
  db,
  clock,
  log,
  metrics,
  signal,
  memories,
  budget,
}: {
  db: Database
  clock: Clock
  log: Log
  metrics: Registry
  signal: Signal
  memories: Pick<Memories, 'saved'>
  /** For what only the commit finds out. */
  budget: QuarantineBudget
}) {
  const registers = [metrics]
  const committed = new Counter({
    name: 'shouwang_readings_committed_total',
    help: 'Readings committed, duplicates included',
    registers,
  })
  const quarantined = new Counter({
    name: 'shouwang_quarantined_total',
    help: 'Messages or readings quarantined',
    labelNames: ['reason'],
    registers,
  })
  const commitSeconds = new Histogram({
    name: 'shouwang_commit_seconds',
    help: 'Time of one commit',
    labelNames: ['lane'],
    buckets: [0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10],
    registers,
  })

  function count(readings: number, quarantine: QuarantineRow[]) {
    committed.inc(readings)
    for (const { reason } of quarantine) quarantined.inc({ reason })
  }
  async function timed<T>(lane: string, work: () => Promise<T>): Promise<T> {
    const end = commitSeconds.startTimer({ lane })
    try {
      return await work()
    } finally {
      end()
    }
  }
  const asRejected = ({ message }: Work, error: Error) =>
    toQuarantine(message, 'refused by the database', error.message)

  async function commitQuarantine(rows: QuarantineRow[]) {
    await insertQuarantine(db, rows)
    count(0, rows)
  }

  const isPlain = ({ quarantine, announced, memory, answer }: Work) =>
    quarantine.length === 0 && announced.length === 0 && memory === undefined && answer === undefined

  /** What a message brings beside readings. */
  async function insertRest(tx: Queryable, batch: Work[]): Promise<void> {
    await insertQuarantine(
      tx,
      batch.flatMap((work) => work.quarantine),
    )
    await insertHearsay(tx, batch)
    await commitAnswers(tx, batch)
  }
  /** What a gateway told of its devices, and what its adapter keeps. */
  async function insertHearsay(tx: Queryable, batch: Work[]): Promise<void> {
    await noteAnnounced(
      tx,
      batch.flatMap((work) => work.announced),
    )
    await saveMemories(tx, memoriesOf(batch))
  }
  /**
   * After the commit of alarms, which must not wait for the row of a gateway that somebody else is writing. When it fails,
   * the next message that changes the same brings it again.
   */
  function insertHearsayLater(batch: Work[]): void {
    if (batch.every(({ announced, memory }) => announced.length === 0 && memory === undefined)) return
    db.transaction((tx) => insertHearsay(tx, batch), { msMax: meterCommitMsMax }).then(
      () => memories.saved(memoriesOf(batch), clock.now().getTime()),
      (error: Error) => log.warn({ error: error.message }, 'hearsay.notKept'),
    )
  }
  /** An answer to what this device was never asked is for the operator to see. */
  async function commitAnswers(tx: Queryable, batch: Work[]): Promise<void> {
    const strange = new Set(
      await recordAnswers(
        tx,
        batch.flatMap(({ answer }) => answer ?? []),
      ),
    )
    const rows = batch.flatMap(({ answer, message }) =>
      answer && strange.has(answer)
        ? budget.spend(
            message.gatewayId,
            [toQuarantine(message, 'unknown command', `this device was not asked ${answer.commandId}`)],
            message.receivedAt.getTime(),
          )
        : [],
    )
    await insertQuarantine(tx, rows)
    count(0, rows)
  }
  function committedRest(batch: Work[], readings: number) {
    count(
      readings,
      batch.flatMap((work) => work.quarantine),
    )
    memories.saved(memoriesOf(batch), clock.now().getTime())
    if (batch.some(({ answer }) => answer)) signal.raise('commands')
  }

  async function meters(batch: Work[]): Promise<void> {
    const readings = batch.flatMap((work) => work.readings)
    // One statement is its own transaction, and spares two round trips. Late, it does no harm: readings are stored once.
    await timed<unknown>('meters', () =>
      batch.every(isPlain)
        ? within(meterCommitMsMax, insertReadings(db, readings))
        : db.transaction(
            async (tx) => {
              await insertReadings(tx, readings)
              await insertRest(tx, batch)
            },
            { msMax: meterCommitMsMax },
          ),
    )
    committedRest(batch, readings.length)
    signal.raise('arrivals')
  }

  /** Of a message that the database refuses, what it takes is kept. */
  async function metersOneByOne(work: Work, error: Error): Promise<void> {
    let refused: Error | undefined
    for (const reading of work.readings)
      await insertReadings(db, [reading]).catch((each: Error) => {
        if (isStorageFailure(each)) throw each
        refused = each
      })
    await commitQuarantine([...work.quarantine, asRejected(work, refused ?? error)])
  }

  /** `told`: see commitAlarms. Returns the episodes that the alarm devices are in now. */
  async function alarms(lane: string, batch: Work[], told: StandInAlert[] = []): Promise<EpisodeSeen[]> {
    const rows = batch.flatMap((work) => work.alarms)
    const readings = batch.flatMap((work) => work.readings)
    const quarantine = batch.flatMap((work) => work.quarantine)
    const seen = await timed(lane, () =>
      db.transaction(
        async (tx) => {
          const episodes = await commitAlarms(tx, rows, clock.now(), told)
          await insertReadings(tx, readings)
          await insertQuarantine(tx, quarantine)
          return episodes
        },
        { msMax: alarmCommitMsMax + (lane === 'alarms' ? 0 : rows.length * backlogMsPerAlarm) },
      ),
    )
    count(rows.length + readings.length, quarantine)
    raiseAlarm()
    insertHearsayLater(batch)
    return seen
  }

  /**
   * A message with an alarm that the database refuses: the alarm alone is tried first, for something beside it may be what
   * was refused; then it is paged with the plainest words. The operator sees what it was. @throws when the storage fails
   */
  async function alarmsUnjudged(work: Work, error: Error, told: StandInAlert[] = []): Promise<void> {
    log.error({ err: error, gatewayId: work.message.gatewayId }, 'alarm.unjudged')
    const quarantine = [...work.quarantine, { ...asRejected(work, error), kept: true }]
    const commit = (alarms: (tx: Queryable) => Promise<unknown>) =>
      db
        .transaction(async (tx) => {
          await alarms(tx)
          await insertQuarantine(tx, quarantine)
        })
        .then(
          () => true,
          (again: Error) => {
            if (isStorageFailure(again)) throw again
            log.error({ err: again, gatewayId: work.message.gatewayId }, 'alarm.refused')
            return false
          },
        )
    const isPaged =
      (await commit((tx) => commitAlarms(tx, work.alarms, clock.now(), told))) ||
      (await commit((tx) => commitAlarmsPlainly(tx, work.alarms, clock.now())))
    if (!isPaged) await commitQuarantine([asRejected(work, error)])
    else {
      count(work.alarms.length, quarantine)
      raiseAlarm()
    }
    for (const reading of work.readings)
      await insertReadings(db, [reading]).catch((each: Error) => {
        if (isStorageFailure(each)) throw each
      })
  }

  function raiseAlarm() {
    signal.raise('pages')
    signal.raise('alerts')
    signal.raise('arrivals')
  }

  return { meters, metersOneByOne, alarms, alarmsUnjudged }
}

const memoriesOf = (batch: Work[]) => batch.flatMap(({ memory }) => memory ?? [])
