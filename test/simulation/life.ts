import { AsyncLocalStorage } from 'node:async_hooks'
import type { EpochMs } from '../../alerts/model.js'
import type { Timer } from './virtual-time.js'

/** The life of one simulated process: what it was waiting for when it was killed never comes. */
export type Life = {
  name: string
  alive: boolean
  bornAt: EpochMs
  diedAt: EpochMs | null
  /** When its connection to the database broke. */
  brokeAt: EpochMs[]
  /** Rejects with `death` when the process is killed. */
  died: Promise<never>
  kill(): void
  /** Pauses of this length are the pauses of a polling loop: they end when the simulation wakes the process. */
  pollMs: readonly number[]
  parked: Set<VirtualTimeout>
}
/** With the code of a server that ends a session: what was begun is rolled back. */
export const death = Object.assign(new Error('the process died'), { code: '57P01' })

export type VirtualTimeout = { timer: Timer | undefined; life: Life; fire(): void; unref(): VirtualTimeout }

/** Whose code is running; undefined: that of no simulated process. */
export const lives = new AsyncLocalStorage<Life | undefined>()

/** Runs `work` as this process: the timers that it sets, now and later, are on virtual time and end with its life. */
export const liveAs = <T>(life: Life, work: () => T): T => lives.run(life, work)
/** Runs `work` outside of the simulation, on real timers: the driver of the real database. */
export const outside = <T>(work: () => T): T => lives.run(undefined, work)
/** Ends the polling pauses of a process. */
export function wake(life: Life): void {
  const waiting = [...life.parked]
  life.parked.clear()
  for (const timeout of waiting) timeout.fire()
}
