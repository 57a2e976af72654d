import type { EpochMs } from '../../alerts/model.js'
import type { Database } from '../../db/pool.js'
import type { Log } from '../../kit/log.js'
import type { Signal } from '../../kit/signal.js'
import { type Random, whole } from '../../simulators/random.js'
import { type JournalBooks, messageKey } from './edge-fallback.js'
import { type EdgeInstance, type OpenFallback, openEdge } from './edge-instance.js'
import type { Outage } from './faulty-database.js'
import type { Door, Parcel } from './gateway.js'
import { timeText } from './history.js'
import { type Life, liveAs, wake } from './life.js'
import { minuteMs, secondMs } from './plan.js'
import type { VirtualTime } from './virtual-time.js'

/** Presence is gathered and written each second; the simulation wakes the loops when there is something to do. */
const pollMs = [500, 1_000, 5_000]
/** How often the loops of an edge that has something in its journal are woken, and where the database is away. */
const drainTickMs = 500
const awayTickMs = 20 * secondMs

/** The edge, killed and started again, with the gateways that are connected to it; the network stands for the broker. */
export function createEdgeRole({
  time,
  database,
  openFallback,
  books,
  outage,
  isStored,
  complain,
  log,
  signal,
  random,
  note,
  gone,
}: {
  time: VirtualTime
  database: (life: Life, random: Random) => Database
  /** Undefined where this edge has no journal. */
  openFallback: OpenFallback | undefined
  books: JournalBooks
  outage: Outage
  /** Whether the database has these readings; asked past all faults. */
  isStored: (parcel: Parcel, receivedAt: EpochMs) => Promise<boolean>
  complain: (what: string) => void
  log: Log
  signal: Signal
  random: Random
  note: (event: string) => void
  /** An edge has died. */
  gone: (edgeId: string) => Promise<void>
}) {
  let started = 0
  let current: EdgeInstance | undefined
  const lives: Life[] = []

  function start() {
    const life = time.newLife(`edge-${++started}`, pollMs)
    lives.push(life)
    life.died.catch(() => died(life))
    liveAs(life, () => openEdge({ time, life, db: database(life, random), openFallback, log, signal })).then(
      (mine) => {
        if (!life.alive) return
        current = mine
        note(`${life.name} up`)
        tick(mine)
      },
      (error: Error) => {
        note(`${life.name} did not start: ${error.message}`)
        life.kill()
      },
    )
  }
  function died(life: Life) {
    const mine = current?.life === life ? current : undefined
    if (mine) current = undefined
    note(`${life.name} died`)
    void gone(life.name)
    for (const cut of mine?.cuts.values() ?? []) time.after(whole(random, 1, 5_000), cut)
    const pauseMs = whole(random, 0, 3) > 0 ? whole(random, 200, 20_000) : whole(random, 20, 1_800) * secondMs
    time.after(pauseMs, start)
  }
  /** Wakes the loops while something waits in the journal, as their polling would. */
  function tick(mine: EdgeInstance) {
    const { fallback, life, ingest } = mine
    if (!fallback || mine.ticking || !life.alive) return
    const { journal } = fallback.fallback
    const alarms = journal.waiting('alarms')
    mine.ticking = alarms + journal.waiting('meters') > 0 || ingest.journalState()?.sinceMs != null
    if (!mine.ticking) return flushPresence(mine)
    if (alarms > 0) wake(fallback.standInLife)
    const untilBack = outage.until - time.now()
    const isAway = untilBack > 0
    if (!isAway || time.now() % awayTickMs < drainTickMs) wake(life)
    const pauseMs =
      isAway && alarms === 0 ? Math.min(untilBack + whole(random, 1, drainTickMs), awayTickMs) : drainTickMs
    time.after(pauseMs, () => {
      mine.ticking = false
      tick(mine)
    })
  }
  function flushPresence(mine: EdgeInstance) {
    mine.presenceSince = Math.min(mine.presenceSince, time.now())
    time.after(whole(random, 1, 1_000), () => wake(mine.life))
  }

  const door: Door = {
    connect(gatewayId, onCut) {
      if (!current) return false
      const mine = current
      mine.cuts.set(gatewayId, onCut)
      liveAs(mine.life, () => mine.ingest.presence.connected(gatewayId))
      flushPresence(mine)
      // As the broker does for its secret: a gateway that nobody can be asked for does not come in.
      const directory = mine.fallback?.fallback.directory
      if (directory)
        liveAs(mine.life, () => directory.findGateway(gatewayId)).catch(() => {
          if (current !== mine || mine.cuts.get(gatewayId) !== onCut) return
          door.disconnect(gatewayId)
          onCut()
        })
      return true
    },
    disconnect(gatewayId) {
      const mine = current
      if (!mine?.cuts.delete(gatewayId)) return
      liveAs(mine.life, () => mine.ingest.presence.disconnected(gatewayId))
      flushPresence(mine)
    },
    publish: (parcel: Parcel) =>
      new Promise((resolve) => {
        const mine = current
        if (!mine) return
        const { gatewayId, topic } = parcel
        const receivedAt = time.now()
        const message = {
          gatewayId,
          topic,
          payload: Buffer.from(parcel.payload),
          retain: false,
          receivedAt: new Date(receivedAt),
        }
        for (const reading of parcel.readings) reading.receivedAt.push(receivedAt)
        const waiting = { receivedAt }
        mine.underWay.add(waiting)
        note(`${topic} ${parcel.readings.length} arrives`)
        // What the directory has learnt is on its shelf a moment later.
        if (mine.fallback) time.after(whole(random, 500, 3_000), () => wake(mine.life))
        liveAs(mine.life, () => mine.ingest.accept(message)).then(
          async () => {
            mine.underWay.delete(waiting)
            if (!mine.life.alive) return
            note(`${topic} acknowledged`)
            const inJournal = books.messages.has(messageKey(topic, parcel.payload))
            for (const reading of parcel.readings) {
              if (reading.ackedAt === null && inJournal) reading.keptAt = time.now()
              reading.ackedAt ??= time.now()
            }
            tick(mine)
            resolve()
            if (mine.ingest.journalState()?.sinceMs == null || inJournal) return
            if (!(await isStored(parcel, receivedAt)))
              complain(
                `${topic} of ${timeText(receivedAt)} acknowledged, and neither in the journal nor in the database`,
              )
          },
          () => {
            // The broker ends the connection without an acknowledgement.
            mine.underWay.delete(waiting)
            tick(mine)
            const cut = mine.cuts.get(gatewayId)
            if (!mine.life.alive || !cut) return
            door.disconnect(gatewayId)
            cut()
          },
        )
      }),
  }

  return {
    door,
    start,
    kill: () => current?.life.kill(),
    /** The heartbeat, which its loop writes each 10 s. */
    beat: () => current && wake(current.life),
    /** Since when something that has arrived is not committed. */
    underWaySince: () =>
      Math.min(
        books.messages.size > 0 ? Number.NEGATIVE_INFINITY : Number.POSITIVE_INFINITY,
        current?.presenceSince ?? Number.POSITIVE_INFINITY,
        ...[...(current?.underWay ?? [])].map(({ receivedAt }) => receivedAt),
      ),
    presenceWritten: () => {
      if (current) current.presenceSince = Number.POSITIVE_INFINITY
    },
    lives,
    beatMs: 15 * secondMs,
    staleMs: minuteMs,
  }
}
