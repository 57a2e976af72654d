import type { EpochMs } from '../../alerts/model.js'
import type { Clock } from '../../kit/clock.js'
import { death, type Life, outside } from './life.js'

export type Timer = { at: EpochMs; cancelled: boolean }
type Scheduled = Timer & { order: number; run: () => void }

export type VirtualTime = ReturnType<typeof createVirtualTime>

/**
 * Virtual time with one queue of events. An event runs only when everything that the one before has set off is done or
 * waits for a later event, so that nothing but the queue decides what comes before what. Real work that takes real time
 * (a statement) is announced with `begin` or `busy`.
 */
export function createVirtualTime(start: EpochMs) {
  let now = start
  let order = 0
  let busyCount = 0
  let onIdle: (() => void) | undefined
  const queue: Scheduled[] = []
  const clock: Clock = { now: () => new Date(now) }

  const before = (a: Scheduled, b: Scheduled) => a.at < b.at || (a.at === b.at && a.order < b.order)
  function push(item: Scheduled) {
    let index = queue.push(item) - 1
    while (index > 0) {
      const parent = (index - 1) >> 1
      if (!before(item, queue[parent]!)) break
      queue[index] = queue[parent]!
      index = parent
    }
    queue[index] = item
  }
  function pop(): Scheduled | undefined {
    const top = queue[0]
    const last = queue.pop()
    if (!top || !last || queue.length === 0) return top
    let index = 0
    for (;;) {
      let child = 2 * index + 1
      if (child >= queue.length) break
      if (child + 1 < queue.length && before(queue[child + 1]!, queue[child]!)) child++
      if (!before(queue[child]!, last)) break
      queue[index] = queue[child]!
      index = child
    }
    queue[index] = last
    return top
  }

  function at(time: EpochMs, run: () => void): Timer {
    const item = { at: Math.max(now, Math.round(time)), order: order++, run, cancelled: false }
    push(item)
    return item
  }

  async function settle(): Promise<void> {
    for (;;) {
      await new Promise((resolve) => setImmediate(resolve))
      if (busyCount === 0) return
      await new Promise<void>((resolve) => {
        onIdle = resolve
      })
    }
  }

  function begin(): () => void {
    let ended = false
    busyCount++
    return () => {
      if (ended) return
      ended = true
      busyCount--
      if (busyCount === 0) onIdle?.()
    }
  }

  function newLife(name: string, pollMs: readonly number[]): Life {
    let reject: () => void = () => undefined
    const died = new Promise<never>((_, fail) => {
      reject = () => fail(death)
    })
    died.catch(() => undefined)
    const life: Life = {
      name,
      alive: true,
      bornAt: now,
      diedAt: null,
      brokeAt: [],
      died,
      kill: () => {
        life.alive = false
        life.diedAt ??= now
        reject()
      },
      pollMs,
      parked: new Set(),
    }
    return life
  }

  return {
    clock,
    newLife,
    now: () => now,
    start,
    at,
    after: (ms: number, run: () => void) => at(now + ms, run),
    sleep: (ms: number) => new Promise<void>((resolve) => void at(now + ms, resolve)),
    /** Announces work that takes real time: no event runs before the function that is returned was called. */
    begin,
    async busy<T>(work: () => Promise<T>): Promise<T> {
      const end = begin()
      return await outside(work).finally(end)
    },
    /** Runs events up to `end` (epoch ms) and sets the clock there. */
    async runUntil(end: EpochMs): Promise<void> {
      await settle()
      while (queue.length > 0 && queue[0]!.at <= end) {
        const event = pop()!
        if (event.cancelled) continue
        now = event.at
        event.run()
        await settle()
      }
      now = end
    },
  }
}
