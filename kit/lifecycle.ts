import type { Log } from './log.js'

const leastMs = 200

export type Teardown = { add(name: string, stop: () => Promise<void> | void): void; run(): Promise<void> }

/**
 * A named stack of things to stop, last in first out. A stop that fails or hangs does not keep the ones below it from
 * stopping: each has `stopMsMax`, all of them together `totalMsMax`, of which the last ones always get a little.
 */
export function createTeardown({
  log,
  stopMsMax = 2_000,
  totalMsMax = 4_500,
}: {
  log: Log
  stopMsMax?: number
  totalMsMax?: number
}): Teardown {
  const stack: { name: string; stop: () => Promise<void> | void }[] = []
  let running: Promise<void> | undefined
  async function unwind() {
    const endsAt = Date.now() + totalMsMax
    for (let entry = stack.pop(); entry; entry = stack.pop()) {
      const { name, stop } = entry
      let timer: NodeJS.Timeout | undefined
      const msMax = Math.min(stopMsMax, Math.max(endsAt - Date.now(), leastMs))
      const late = new Promise<never>((_, reject) => {
        timer = setTimeout(() => reject(new Error(`not stopped after ${msMax} ms`)), msMax)
      })
      await Promise.race([Promise.resolve().then(stop), late])
        .catch((error: Error) => log.warn({ part: name, error: error.message }, 'stop.failed'))
        .finally(() => clearTimeout(timer))
    }
  }
  return {
    add: (name, stop) => void stack.push({ name, stop }),
    run: () => (running ??= unwind()),
  }
}

/** An error whose message is the one line that the operator needs: printed without a stack. */
export class StartError extends Error {}

/**
 * Runs one role as a process: starts it, stops it on SIGINT and SIGTERM, exits 1 with one clear line when the start
 * fails. `start` registers what it opened on the teardown as it goes, so that a half start is undone too.
 */
export async function runProcess({
  log,
  start,
}: {
  log: Log
  start: (teardown: Teardown) => Promise<void>
}): Promise<void> {
  const teardown = createTeardown({ log })
  let stopping = false
  const stop = (signal: string) => {
    if (stopping) return
    stopping = true
    log.info({ signal }, 'process.stopping')
    teardown.run().then(() => process.exit(0))
  }
  process.on('SIGINT', () => stop('SIGINT'))
  process.on('SIGTERM', () => stop('SIGTERM'))
  process.on('unhandledRejection', (error) => {
    log.fatal({ err: error }, 'process.unhandledRejection')
    process.exit(1)
  })
  try {
    await start(teardown)
  } catch (error) {
    // A stop in the middle of the start takes away what the start stands on.
    if (stopping) return
    if (error instanceof StartError) console.error(`shouwang: ${error.message}`)
    else console.error('shouwang: could not start:', error)
    await teardown.run()
    process.exit(1)
  }
}
