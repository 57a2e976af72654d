import type { Log } from '../kit/log.js'
import { isStorageFailure } from './storage-failure.js'

/** What one message wants committed: all of it together, or none. */
export type Job<T> = { item: T; weight: number }

export type LaneLimits = {
  /** Commits under way at once, each on a connection of its own. */
  commitsMax: number
  /** Weight (readings) in one commit. */
  batchRowsMax: number
  /** Weight waiting in memory; beyond it a message is refused, and its acknowledgement withheld. */
  queueRowsMax: number
  /** How long a message may wait for its commit, retries included; then its acknowledgement is withheld. */
  commitMsMax: number
}

export class StorageUnavailable extends Error {}
/** The journal has no room for this one; for others it may have. */
export class NoRoom extends StorageUnavailable {}

export type Lane<T> = {
  /** Resolves when it is committed. @throws StorageUnavailable */
  add(item: T, weight: number): Promise<void>
  queuedRows(): number
  /** Fails all that waits: the caller has a better place for it. What is being committed is not tried again. */
  giveUp(reason: string): void
  stop(): Promise<void>
}

type Waiting<T> = { item: T; weight: number; since: number; done: () => void; fail: (error: Error) => void }

/** Somebody else holds a lock that one of the messages needs: the others need not wait for it. */
const isLocked = (error: unknown) => ['55P03', '57014', '40P01'].includes(String((error as { code?: unknown }).code))

const retryPauseMs = 250

/**
 * Commits what many gateways send in one transaction after the other, each as large as what came in meanwhile (group
 * commit): no timer, a lone message is committed at once. Order within a lane is kept for `commitsMax` 1.
 *
 * When a commit fails because of the data (or of a bug), its messages are committed one by one, so that the one that is
 * at fault goes to `reject` and the others are stored; one that waits for a lock goes to the end of the queue. When it fails because of the database, it is retried until the oldest has
 * waited `commitMsMax`, then all in it fail with StorageUnavailable.
 */
export function createLane<T>({
  name,
  commit,
  reject,
  limits,
  log,
}: {
  name: string
  commit: (items: T[]) => Promise<void>
  reject: (item: T, error: Error) => Promise<void>
  limits: LaneLimits
  log: Log
}): Lane<T> {
  const queue: Waiting<T>[] = []
  let queuedRows = 0
  let underWay = 0
  let givenUp = 0
  let stopping = false
  let idle: (() => void) | undefined

  function takeBatch(): Waiting<T>[] {
    let rows = 0
    let count = 0
    while (count < queue.length && (count === 0 || rows + queue[count]!.weight <= limits.batchRowsMax))
      rows += queue[count++]!.weight
    queuedRows -= rows
    return queue.splice(0, count)
  }

  function pump() {
    while (underWay < limits.commitsMax && queue.length > 0) {
      underWay++
      const batch = takeBatch()
      void settle(batch).finally(() => {
        underWay--
        if (underWay === 0 && queue.length === 0) idle?.()
        pump()
      })
    }
  }

  async function settle(batch: Waiting<T>[]): Promise<void> {
    const begun = givenUp
    for (;;) {
      try {
        await commit(batch.map(({ item }) => item))
        for (const job of batch) job.done()
        return
      } catch (error) {
        if (!isStorageFailure(error) || isLocked(error)) {
          if (batch.length > 1) return settleOneByOne(batch)
          if (!isLocked(error)) return settleRejected(batch[0]!, error as Error)
          // Behind the others, so that it is not what they wait for.
          if (performance.now() - batch[0]!.since <= limits.commitMsMax && !stopping) return putBack(batch[0]!)
        }
        const waitedMs = performance.now() - batch[0]!.since
        log.warn({ lane: name, error: (error as Error).message, jobs: batch.length, waitedMs }, 'commit.failed')
        const failed = new StorageUnavailable((error as Error).message)
        if (stopping || begun !== givenUp || waitedMs > limits.commitMsMax) return fail(batch, failed)
        await new Promise((resolve) => setTimeout(resolve, retryPauseMs))
        if (begun !== givenUp) return fail(batch, failed)
      }
    }
  }
  function fail(batch: Waiting<T>[], error: StorageUnavailable) {
    for (const job of batch) job.fail(error)
  }
  function putBack(job: Waiting<T>) {
    queue.push(job)
    queuedRows += job.weight
  }
  async function settleOneByOne(batch: Waiting<T>[]) {
    for (const job of batch) await settle([job])
  }
  async function settleRejected(job: Waiting<T>, error: Error) {
    await reject(job.item, error).then(job.done, (storageError: Error) =>
      job.fail(new StorageUnavailable(storageError.message)),
    )
  }

  return {
    add: (item, weight) => {
      if (stopping) return Promise.reject(new StorageUnavailable('stopping'))
      if (queuedRows + weight > limits.queueRowsMax && queue.length > 0)
        return Promise.reject(new StorageUnavailable(`more than ${limits.queueRowsMax} readings wait for the database`))
      return new Promise<void>((done, fail) => {
        queue.push({ item, weight, since: performance.now(), done, fail })
        queuedRows += weight
        pump()
      })
    },
    queuedRows: () => queuedRows,
    giveUp: (reason) => {
      givenUp++
      queuedRows = 0
      fail(queue.splice(0), new StorageUnavailable(reason))
    },
    stop: () => {
      stopping = true
      return underWay === 0 && queue.length === 0
        ? Promise.resolve()
        : new Promise((resolve) => {
            idle = resolve
          })
    },
  }
}
