import { Registry } from 'prom-client'
import type { Channel } from '../../alerts/channels/channel.js'
import { createEscalator } from '../../alerts/escalate-due.js'
import { createArrivalFolder } from '../../alerts/fold-arrivals.js'
import type { EpochMs } from '../../alerts/model.js'
import { createOutbox } from '../../alerts/outbox.js'
import type { Database } from '../../db/pool.js'
import type { Log } from '../../kit/log.js'
import type { Signal } from '../../kit/signal.js'
import { type Random, whole } from '../../simulators/random.js'
import type { DueWork } from './due-work.js'
import type { Outage } from './faulty-database.js'
import { type Life, liveAs, wake } from './life.js'
import { secondMs } from './plan.js'
import type { Timer, VirtualTime } from './virtual-time.js'

const outboxPollMs = 200
/** A pass comes this much later than what it is to find: the polling pause, and more where a host is busy. */
const lateMsMax = { fold: 3_000, escalate: 500, send: 500 }
/** A pass that was due and found nothing (a resident is passed over) need not be made again at once. */
const foundNothingMs = 5_000
type LoopName = 'fold' | 'escalate' | 'send'

/**
 * An alerts process, killed and started again. Its loops poll every few hundred milliseconds; a poll that finds nothing
 * changes nothing, so that the simulation makes only those that have something to find, each at a time that the seed
 * chooses within the polling pause.
 */
export function createAlertsRole({
  name,
  time,
  database,
  channelsOf,
  outage,
  log,
  signal,
  random,
  note,
  looked,
}: {
  name: string
  time: VirtualTime
  database: (life: Life, random: Random) => Database
  channelsOf: (life: Life, by: 'outbox') => Channel[]
  outage: Outage
  log: Log
  signal: Signal
  random: Random
  note: (event: string) => void
  /** Something may be due at another time now. */
  looked: () => void
}) {
  type Loop = { pass: () => Promise<'more' | 'idle'>; busy: boolean; next: Timer | undefined; notBefore: EpochMs }
  type Instance = { life: Life; loops: Record<LoopName, Loop>; stop: () => Promise<void> }
  let started = 0
  let current: Instance | undefined
  let wanted = true

  function start() {
    if (current || !wanted) return
    const life = time.newLife(`${name}-${++started}`, [outboxPollMs])
    const db = database(life, random)
    const loop = (pass: Loop['pass']): Loop => ({ pass, busy: false, next: undefined, notBefore: 0 })
    current = liveAs(life, (): Instance => {
      const parts = { db, clock: time.clock, log, signal }
      const outbox = createOutbox({
        ...parts,
        channels: channelsOf(life, 'outbox'),
        publicUrl: 'http://localhost',
        metrics: new Registry(),
      })
      outbox.start()
      const send = async () => {
        wake(life)
        return 'idle' as const
      }
      const loops = { fold: loop(createArrivalFolder(parts)), escalate: loop(createEscalator(parts)), send: loop(send) }
      return { life, loops, stop: outbox.stop }
    })
    note(`${life.name} up`)
    const mine = current
    life.died.catch(() => died(mine))
    for (const loopName of ['fold', 'escalate'] as const) wakeLoop(mine, loopName, time.now())
  }
  function died(mine: Instance) {
    if (current === mine) current = undefined
    note(`${mine.life.name} died`)
    const pauseMs = whole(random, 0, 3) > 0 ? whole(random, 200, 20_000) : whole(random, 20, 2_400) * secondMs
    time.after(pauseMs, start)
  }

  function wakeLoop(mine: Instance, loopName: LoopName, dueAt: EpochMs) {
    const loop = mine.loops[loopName]
    const at = Math.max(time.now(), dueAt, loop.notBefore) + whole(random, 1, lateMsMax[loopName])
    if (loop.busy || (loop.next && loop.next.at <= at)) return
    if (loop.next) loop.next.cancelled = true
    loop.next = time.at(at, () => {
      loop.next = undefined
      if (mine.life.alive) void runPass(mine, loopName)
    })
  }

  async function runPass(mine: Instance, loopName: LoopName) {
    const loop = mine.loops[loopName]
    loop.busy = true
    const outcome = await liveAs(mine.life, loop.pass).catch(() => 'failed' as const)
    if (!mine.life.alive) return
    loop.busy = false
    // Nothing changes before the database is back.
    if (outcome === 'failed') return wakeLoop(mine, loopName, Math.max(outage.until, time.now() + secondMs))
    loop.notBefore = outcome === 'idle' && loopName === 'fold' ? time.now() + foundNothingMs : 0
    looked()
  }

  return {
    start: () => {
      wanted = true
      start()
    },
    /** Ends the process for good: killed, or asked to stop. */
    stop: async (gently: boolean) => {
      wanted = false
      const mine = current
      if (!mine) return
      if (gently) await liveAs(mine.life, mine.stop)
      mine.life.kill()
    },
    kill: () => current?.life.kill(),
    isUp: () => current !== undefined,
    /** Readings are there to be folded. */
    arrivals: () => current && wakeLoop(current, 'fold', time.now()),
    due: ({ foldAt, escalateAt, sendAt }: DueWork) => {
      if (!current) return
      if (foldAt !== null) wakeLoop(current, 'fold', foldAt)
      if (escalateAt !== null) wakeLoop(current, 'escalate', escalateAt)
      if (sendAt !== null) wakeLoop(current, 'send', sendAt)
    },
  }
}
