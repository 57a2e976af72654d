import type { Log } from './log.js'

export type Loop = { nudge(): void; stop(): Promise<void> }

/**
 * Calls `work` again and again, one call at a time: at once while it says there is more to do, else after
 * `pauseMs` or the next `nudge()`. An error is logged and the loop goes on after `pauseMs`: work that failed is still a
 * row in the database.
 */
export function startLoop({
  name,
  work,
  pauseMs,
  log,
}: {
  name: string
  work: () => Promise<'more' | 'idle'>
  pauseMs: number
  log: Log
}): Loop {
  let stopped = false
  let nudged = false
  let wake: (() => void) | undefined
  const nudge = () => {
    nudged = true
    wake?.()
  }
  const pause = () =>
    new Promise<void>((resolve) => {
      const timer = setTimeout(resolve, pauseMs)
      wake = () => {
        clearTimeout(timer)
        resolve()
      }
    })
  async function run() {
    while (!stopped) {
      nudged = false
      const outcome = await work().catch((error: unknown) => {
        log.error({ err: error, loop: name }, 'loop.failed')
        return 'failed' as const
      })
      if (stopped || outcome === 'more') continue
      if (nudged && outcome !== 'failed') continue
      await pause()
      wake = undefined
    }
  }
  const done = run()
  return {
    nudge,
    stop: () => {
      stopped = true
      wake?.()
      return done
    },
  }
}
