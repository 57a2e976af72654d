import { Counter, Histogram, type Registry } from 'prom-client'
import type { Database } from '../db/pool.js'
import { insertQuarantine, type QuarantineRow } from '../db/quarantine.js'
import { insertReadings } from '../db/readings.js'
import type { Clock } from '../kit/clock.js'
import type { Log } from '../kit/log.js'
import type { Signal } from '../kit/signal.js'
import { within } from '../kit/within.js'
import { commitAlarms, commitAlarmsPlainly, type EpisodeSeen } from './alarms.js'
import type { StandInAlert } from './stand-in/record.js'
import { isStorageFailure } from './storage-failure.js'
import { toQuarantine, type Work } from './understand.js'

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
}: {
  db: Database
  clock: Clock
  log: Log
  metrics: Registry
  signal: Signal
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

  async function meters(batch: Work[]): Promise<void> {
    const readings = batch.flatMap((work) => work.readings)
    const quarantine = batch.flatMap((work) => work.quarantine)
    // One statement is its own transaction, and spares two round trips. Late, it does no harm: readings are stored once.
    await timed<unknown>('meters', () =>
      quarantine.length === 0
        ? within(meterCommitMsMax, insertReadings(db, readings))
        : db.transaction(
            async (tx) => {
              await insertReadings(tx, readings)
              await insertQuarantine(tx, quarantine)
            },
            { msMax: meterCommitMsMax },
          ),
    )
    count(readings.length, quarantine)
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
    const quarantine = batch.flatMap((work) => work.quarantine)
    const seen = await timed(lane, () =>
      db.transaction(
        async (tx) => {
          const episodes = await commitAlarms(tx, rows, clock.now(), told)
          await insertQuarantine(tx, quarantine)
          return episodes
        },
        { msMax: alarmCommitMsMax + (lane === 'alarms' ? 0 : rows.length * backlogMsPerAlarm) },
      ),
    )
    count(rows.length, quarantine)
    raiseAlarm()
    return seen
  }

  /** An alarm that could not be judged is paged all the same, and the operator sees what it was. */
  async function alarmsUnjudged(work: Work, error: Error): Promise<void> {
    log.error({ err: error, gatewayId: work.message.gatewayId }, 'alarm.unjudged')
    const quarantine = [...work.quarantine, { ...asRejected(work, error), kept: true }]
    try {
      await db.transaction(async (tx) => {
        await commitAlarmsPlainly(tx, work.alarms, clock.now())
        await insertQuarantine(tx, quarantine)
      })
      count(work.alarms.length, quarantine)
      raiseAlarm()
    } catch (again) {
      log.error({ err: again, gatewayId: work.message.gatewayId }, 'alarm.refused')
      await commitQuarantine([asRejected(work, error)])
    }
  }

  function raiseAlarm() {
    signal.raise('pages')
    signal.raise('alerts')
    signal.raise('arrivals')
  }

  return { meters, metersOneByOne, alarms, alarmsUnjudged }
}
