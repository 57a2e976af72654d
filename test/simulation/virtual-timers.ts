import type { EpochMs } from '../../alerts/model.js'
import { lives, type VirtualTimeout } from './life.js'
import type { Timer } from './virtual-time.js'

/**
 * Makes setTimeout, setInterval and performance.now virtual for all that runs as a simulated process, and nothing else.
 * Returns how to end that.
 */
export function takeOverTimers(time: {
  start: EpochMs
  now: () => EpochMs
  at: (time: EpochMs, run: () => void) => Timer
}): () => void {
  const { setTimeout, clearTimeout, setInterval, clearInterval } = globalThis
  const timeouts = new WeakSet<object>()
  const newTimeout = (run: (...args: unknown[]) => void, args: unknown[]): VirtualTimeout | undefined => {
    const life = lives.getStore()
    if (!life) return undefined
    const timeout: VirtualTimeout = {
      timer: undefined,
      life,
      fire: () => life.alive && lives.run(life, () => run(...args)),
      unref: () => timeout,
    }
    timeouts.add(timeout)
    return timeout
  }
  const set = (run: (...args: unknown[]) => void, ms = 0, ...args: unknown[]) => {
    const timeout = newTimeout(run, args)
    if (!timeout) return setTimeout(run, ms, ...args)
    if (timeout.life.pollMs.includes(ms)) timeout.life.parked.add(timeout)
    else timeout.timer = time.at(time.now() + ms, timeout.fire)
    return timeout
  }
  const setEvery = (run: (...args: unknown[]) => void, ms = 0, ...args: unknown[]) => {
    const timeout = newTimeout(run, args)
    if (!timeout) return setInterval(run, ms, ...args)
    const again = () => {
      timeout.timer = time.at(time.now() + ms, () => {
        if (!timeout.life.alive) return
        again()
        timeout.fire()
      })
    }
    again()
    return timeout
  }
  const clearWith = (clearReal: (handle: NodeJS.Timeout) => void) => (handle: unknown) => {
    if (typeof handle !== 'object' || handle === null || !timeouts.has(handle))
      return clearReal(handle as NodeJS.Timeout)
    const timeout = handle as VirtualTimeout
    if (timeout.timer) timeout.timer.cancelled = true
    timeout.life.parked.delete(timeout)
  }
  const realNow = performance.now
  performance.now = () => (lives.getStore() ? time.now() - time.start : realNow.call(performance))
  Object.assign(globalThis, {
    setTimeout: set,
    setInterval: setEvery,
    clearTimeout: clearWith(clearTimeout),
    clearInterval: clearWith(clearInterval),
  })
  return () => {
    performance.now = realNow
    Object.assign(globalThis, { setTimeout, clearTimeout, setInterval, clearInterval })
  }
}
