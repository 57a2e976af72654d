import { randomUUID } from 'node:crypto'
import { Counter, Gauge, Histogram, type Registry } from 'prom-client'
import type { Database } from '../db/pool.js'
import { insertQuarantine, type QuarantineRow } from '../db/quarantine.js'
import { insertReadings, type ReadingRow } from '../db/readings.js'
import type { Clock } from '../kit/clock.js'
import type { Log } from '../kit/log.js'
import type { Signal } from '../kit/signal.js'
import { type AlarmRow, commitAlarms, commitAlarmsPlainly } from './alarms.js'
import { presenceSchema } from './contract.js'
import { decodePayload } from './decode.js'
import { createDeviceLookup } from './devices.js'
import { createLane, type LaneLimits } from './lane.js'
import { createPresence } from './presence.js'
import { createQuarantineBudget } from './quarantine-budget.js'
import { isStorageFailure } from './storage-failure.js'
import { readTopic } from './topic.js'

/** One publish as the broker hands it over, its sender authenticated. */
export type Message = {
  gatewayId: string
  topic: string
  payload: Buffer
  retain: boolean
  receivedAt: Date
  /** Of a message that the broker found too large: the size of its payload, in bytes. `payload` is then only its start. */
  oversizeBytes?: number | undefined
}

type Work = { message: Message; readings: ReadingRow[]; alarms: AlarmRow[]; quarantine: QuarantineRow[] }

const meterLimits: LaneLimits = { commitsMax: 2, batchRowsMax: 5_000, queueRowsMax: 200_000, commitMsMax: 8_000 }
/** Emergencies have a lane of their own: they never wait behind meters, and keep their order. */
const alarmLimits: LaneLimits = { commitsMax: 1, batchRowsMax: 200, queueRowsMax: 50_000, commitMsMax: 8_000 }
/** An array of alarms is a backlog: judging a thousand takes seconds, which a press that is made now must not wait. */
const liveAlarmsMax = 5

export type Ingest = ReturnType<typeof createIngest>

/**
 * From a publish to the commit. `accept` resolves when the message is safe: its readings committed, an alarm's alert and
 * first pages with them, what could not be understood quarantined. It rejects only when the storage fails.
 */
export function createIngest({
  db,
  clock,
  log,
  metrics,
  signal,
  edgeId = randomUUID(),
}: {
  db: Database
  clock: Clock
  log: Log
  metrics: Registry
  signal: Signal
  edgeId?: string
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
  const lookUp = createDeviceLookup({ db, clock })
  const presence = createPresence({ db, edgeId, clock, log })
  const budget = createQuarantineBudget({
    dropped: new Counter({
      name: 'shouwang_quarantine_dropped_total',
      help: 'Messages or readings that a gateway sent beyond its hourly quarantine budget',
      registers,
    }),
  })

  const meters = createLane<Work>({
    name: 'meters',
    limits: meterLimits,
    clock,
    log,
    commit: (batch) => timed('meters', () => commitMeters(batch)),
    reject: commitOneByOne,
  })
  const alarmLane = (name: string) =>
    createLane<Work>({
      name,
      limits: alarmLimits,
      clock,
      log,
      commit: (batch) => timed(name, () => commitAlarmBatch(batch)),
      reject: commitUnjudged,
    })
  const alarms = alarmLane('alarms')
  const alarmBacklogs = alarmLane('alarm backlogs')
  new Gauge({
    name: 'shouwang_ingest_queued_readings',
    help: 'Readings that wait for their commit',
    registers,
    collect() {
      this.set(meters.queuedRows() + alarms.queuedRows() + alarmBacklogs.queuedRows())
    },
  })

  async function timed(lane: string, work: () => Promise<void>) {
    const end = commitSeconds.startTimer({ lane })
    try {
      await work()
    } finally {
      end()
    }
  }

  async function commitMeters(batch: Work[]) {
    const readings = batch.flatMap((work) => work.readings)
    const quarantine = batch.flatMap((work) => work.quarantine)
    if (quarantine.length === 0) await insertReadings(db, readings)
    else
      await db.transaction(async (tx) => {
        await insertReadings(tx, readings)
        await insertQuarantine(tx, quarantine)
      })
    count(readings.length, quarantine)
    signal.raise('arrivals')
  }

  async function commitAlarmBatch(batch: Work[]) {
    const rows = batch.flatMap((work) => work.alarms)
    const quarantine = batch.flatMap((work) => work.quarantine)
    await db.transaction(async (tx) => {
      await commitAlarms(tx, rows, clock.now())
      await insertQuarantine(tx, quarantine)
    })
    count(rows.length, quarantine)
    signal.raise('pages')
    signal.raise('alerts')
    signal.raise('arrivals')
  }

  /** Of a message that the database refuses, what it takes is kept. */
  async function commitOneByOne(work: Work, error: Error) {
    let refused: Error | undefined
    for (const reading of work.readings)
      await insertReadings(db, [reading]).catch((each: Error) => {
        if (isStorageFailure(each)) throw each
        refused = each
      })
    await commitQuarantine([...work.quarantine, asRejected(work, refused ?? error)])
  }

  /** An alarm that could not be judged is paged all the same, and the operator sees what it was. */
  async function commitUnjudged(work: Work, error: Error) {
    log.error({ err: error, gatewayId: work.message.gatewayId }, 'alarm.unjudged')
    const quarantine = [...work.quarantine, { ...asRejected(work, error), kept: true }]
    try {
      await db.transaction(async (tx) => {
        await commitAlarmsPlainly(tx, work.alarms, clock.now())
        await insertQuarantine(tx, quarantine)
      })
      count(work.alarms.length, quarantine)
      signal.raise('pages')
      signal.raise('alerts')
    } catch (again) {
      log.error({ err: again, gatewayId: work.message.gatewayId }, 'alarm.refused')
      await commitQuarantine([asRejected(work, error)])
    }
  }

  async function commitQuarantine(rows: QuarantineRow[]) {
    await insertQuarantine(db, rows)
    count(0, rows)
  }

  function count(readings: number, quarantine: QuarantineRow[]) {
    committed.inc(readings)
    for (const { reason } of quarantine) quarantined.inc({ reason })
  }

  const toQuarantine = (
    message: Message,
    reason: string,
    detail: string,
    payload: Uint8Array = message.payload,
  ): QuarantineRow => ({
    receivedAt: message.receivedAt.getTime(),
    gatewayId: message.gatewayId,
    topic: message.topic,
    reason,
    detail,
    payload,
    payloadBytes: message.oversizeBytes,
  })
  const asRejected = ({ message }: Work, error: Error) =>
    toQuarantine(message, 'refused by the database', error.message)

  async function understand(message: Message): Promise<Work> {
    const work: Work = { message, readings: [], alarms: [], quarantine: [] }
    if (message.oversizeBytes !== undefined) {
      // What the broker limits is the whole packet: a payload just below it can be too large with its topic.
      const detail = `${message.oversizeBytes.toLocaleString('en-US')} bytes, at most 65,536 with topic and header`
      work.quarantine.push(toQuarantine(message, 'payload too large', detail))
      return work
    }
    const address = readTopic(message.topic, message.gatewayId)
    if (address.kind === 'status') {
      if (!presenceSchema.safeParse(message.payload.toString()).success)
        work.quarantine.push(toQuarantine(message, 'wrong shape', 'a status is online or offline'))
      return work
    }
    if (address.kind === 'other') {
      work.quarantine.push(toQuarantine(message, 'topic not in contract', 'expected v1/{gateway}/{device}/{kind}'))
      return work
    }
    const found = await lookUp(message.gatewayId, address.deviceId)
    if (found.kind !== 'found') {
      work.quarantine.push(toQuarantine(message, found.kind, `device ${address.deviceId}`))
      return work
    }
    const { device } = found
    if (device.kind !== address.readingKind) {
      const detail = `device ${device.deviceId} is registered as ${device.kind}`
      work.quarantine.push(toQuarantine(message, 'kind does not match device', detail))
      return work
    }
    const receivedAt = message.receivedAt.getTime()
    const { readings, rejections } = decodePayload({ kind: device.kind, payload: message.payload, receivedAt })
    for (const { reason, detail, part, kept = false } of rejections) {
      const payload = part === undefined ? undefined : Buffer.from(part)
      work.quarantine.push({ ...toQuarantine(message, reason, detail, payload), kept })
    }
    const rows = readings.map((reading) => ({ ...reading, deviceNo: device.deviceNo, receivedAt }))
    if (device.kind === 'water' || device.kind === 'electricity') work.readings = rows
    else {
      const kind = device.kind
      work.alarms = rows.map((row) => ({ ...row, kind, retained: message.retain }))
    }
    const newest = readings.reduce((at, reading) => (reading.clockWrong ? at : Math.max(at, reading.observedAt)), 0)
    if (newest > 0) presence.sawClock(message.gatewayId, newest, receivedAt)
    return work
  }

  return {
    edgeId,
    presence,
    accept: async (message: Message): Promise<void> => {
      const work = await understand(message).catch((error: Error): Work => {
        if (isStorageFailure(error)) throw error
        // A bug of ours must not make a gateway come back with the same message for ever.
        log.error({ err: error, gatewayId: message.gatewayId }, 'message.notUnderstood')
        return {
          message,
          readings: [],
          alarms: [],
          quarantine: [toQuarantine(message, 'not understood', error.message)],
        }
      })
      work.quarantine = budget.spend(message.gatewayId, work.quarantine, message.receivedAt.getTime())
      if (work.alarms.length > 0)
        return (work.alarms.length > liveAlarmsMax ? alarmBacklogs : alarms).add(work, work.alarms.length)
      const rows = work.readings.length + work.quarantine.length
      return rows === 0 ? undefined : meters.add(work, rows)
    },
    start: () => presence.start(),
    stop: async () => {
      await Promise.all([meters.stop(), alarms.stop(), alarmBacklogs.stop()])
      await presence.stop()
    },
  }
}
