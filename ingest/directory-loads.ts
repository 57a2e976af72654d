import type { Log } from '../kit/log.js'
import { within } from '../kit/within.js'

/** The database cannot be asked, and nothing that is known answers. A storage failure: trying again later may help. */
export class DirectoryUnavailable extends Error {}

export const loadLimits = {
  /** Keys in one query. */
  keysMax: 500,
  /** Keys that wait for theirs. */
  waitingMax: 100_000,
  /** An answer that takes longer is none; what is in memory answers then. */
  lookupMsMax: 1_500,
  /** After a failure nothing is asked for so long. */
  restMs: 1_000,
}

/**
 * From one query's beginning to the next one's, unless a full one waits: a message waits for `soon`, a login for `login`,
 * nobody for `whenever`. 25 ms are 40 queries a second at most, 250 ms are 4.
 */
export const paceMs = { soon: 25, login: 100, whenever: 250 }

export type Loads = {
  /**
   * Resolves when what the database says of `key` now, or said an instant ago, has been taken over.
   * @throws DirectoryUnavailable
   */
  ask(key: string, pace: keyof typeof paceMs): Promise<void>
  /** As `ask` for `whenever`, with nothing said of the outcome. False where it is asked already, or cannot be. */
  askQuietly(key: string): boolean
  /** The last question had no answer in time: do not make anybody wait for the next one. */
  isAway(): boolean
  stop(): void
}

/**
 * Groups questions: one query is under way at a time, and whatever is asked for meanwhile goes into the next one. Paced by
 * a clock that never jumps. `take` gets each answer, a late one too; `begunAt` (epoch ms) is when its query began: what it
 * says is at least as new.
 */
export function createLoads<T>({
  name,
  load,
  take,
  epochNow,
  log,
  limits = loadLimits,
}: {
  name: string
  load: (keys: string[]) => Promise<T>
  take: (keys: string[], answer: T, begunAt: number) => void
  epochNow: () => number
  log: Log
  limits?: typeof loadLimits
}): Loads {
  type Waiter = { done: () => void; fail: (error: Error) => void }
  const pending = new Map<string, Promise<void>>()
  const waiting = new Map<string, Waiter>()
  let pauseMs = Number.POSITIVE_INFINITY
  let timer: NodeJS.Timeout | undefined
  let underWay = false
  /** A query that was given up and still holds a connection: nothing is asked before it ends, or they would all be held. */
  let givenUp = false
  let begunAtMs = Number.NEGATIVE_INFINITY
  let restUntilMs = Number.NEGATIVE_INFINITY
  let away = false
  let stopped = false

  const cannotAsk = () => stopped || performance.now() < restUntilMs || givenUp || waiting.size >= limits.waitingMax

  function arrange() {
    if (underWay || stopped || waiting.size === 0) return
    clearTimeout(timer)
    const leftMs = waiting.size >= limits.keysMax ? 0 : begunAtMs + pauseMs - performance.now()
    if (leftMs <= 0) void run()
    else timer = setTimeout(() => void run(), leftMs)
  }

  async function run() {
    const keys: string[] = []
    for (const key of waiting.keys()) if (keys.push(key) === limits.keysMax) break
    const group = keys.map((key) => waiting.get(key)!)
    for (const key of keys) waiting.delete(key)
    if (waiting.size === 0) pauseMs = Number.POSITIVE_INFINITY
    underWay = true
    begunAtMs = performance.now()
    const asked = askFor(keys)
    let ended = false
    const end = () => {
      ended = true
      givenUp = false
    }
    void asked.then(end, end)
    try {
      await within(limits.lookupMsMax, asked)
      if (away) log.info({ directory: name }, 'directory.back')
      away = false
      for (const { done } of group) done()
    } catch (error) {
      givenUp = !ended
      if (!away) log.warn({ directory: name, error: (error as Error).message }, 'directory.away')
      away = true
      restUntilMs = performance.now() + limits.restMs
      const unavailable = new DirectoryUnavailable((error as Error).message)
      for (const { fail } of [...group, ...waiting.values()]) fail(unavailable)
      for (const key of waiting.keys()) pending.delete(key)
      waiting.clear()
      pauseMs = Number.POSITIVE_INFINITY
    } finally {
      for (const key of keys) pending.delete(key)
      underWay = false
      arrange()
    }
  }

  async function askFor(keys: string[]) {
    const begunAt = epochNow()
    const answer = await load(keys)
    if (!stopped) take(keys, answer, begunAt)
  }

  function ask(key: string, pace: keyof typeof paceMs): Promise<void> {
    let asked = pending.get(key)
    if (!asked) {
      if (cannotAsk()) return Promise.reject(new DirectoryUnavailable(`${name}: the database cannot be asked`))
      asked = new Promise<void>((done, fail) => waiting.set(key, { done, fail }))
      pending.set(key, asked)
    } else if (!waiting.has(key)) return asked
    pauseMs = Math.min(pauseMs, paceMs[pace])
    arrange()
    return asked
  }

  return {
    ask,
    askQuietly: (key) => {
      if (pending.has(key) || cannotAsk()) return false
      ask(key, 'whenever').catch(() => undefined)
      return true
    },
    isAway: () => away,
    stop: () => {
      stopped = true
      clearTimeout(timer)
      for (const { fail } of waiting.values()) fail(new DirectoryUnavailable('stopping'))
      waiting.clear()
    },
  }
}
