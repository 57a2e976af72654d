import { setTimeout as sleep } from 'node:timers/promises'
import { Counter, type Registry } from 'prom-client'
import type { Clock } from '../../kit/clock.js'
import type { Log } from '../../kit/log.js'
import { type Loop, startLoop } from '../../kit/loop.js'
import { within } from '../../kit/within.js'

/** The other side alarms when it hears nothing for a few of these. */
const everyMsDefault = 60_000
const attemptsMax = 3
const attemptMsMax = 10_000
const retryPauseMsDefault = 5_000
/** Whoever cannot say within this that all is well is not. */
const judgeMsMax = 10_000
const reasonCharsMax = 500

export type Beat = { at: Date; failed: string | null }

/** As healthchecks.io and its like have it: the same address with `/fail` behind its path says that something is wrong. */
export function failUrl(url: string): string {
  const fail = new URL(url)
  fail.pathname = `${fail.pathname.replace(/\/+$/, '')}/fail`
  return fail.href
}

/**
 * A dead man's switch: posts to an address outside once a minute, only while this process is really well as `isWell`
 * judges; otherwise to the same address with `/fail`, with the reason. Whoever is at that address alarms when nothing comes.
 * `beaten` hears what came of each beat.
 */
export function startDeadMan({
  url,
  isWell,
  beaten = async () => {},
  everyMs = everyMsDefault,
  retryPauseMs = retryPauseMsDefault,
  clock,
  log,
  metrics,
}: {
  url: string
  isWell: () => Promise<boolean | string>
  beaten?: (beat: Beat) => Promise<void>
  everyMs?: number
  retryPauseMs?: number
  clock: Clock
  log: Log
  metrics: Registry
}): { stop(): Promise<void> } {
  const beats = new Counter({
    name: 'shouwang_dead_man_beats_total',
    help: "Posts to the dead man's switch: well, unwell, or not delivered",
    labelNames: ['result'],
    registers: [metrics],
  })
  const stopping = new AbortController()
  let wasSilent = false

  /** True, or why not. */
  async function judge(): Promise<true | string> {
    try {
      const well = await within(judgeMsMax, isWell())
      return well === true ? true : typeof well === 'string' ? well : 'not ready'
    } catch (error) {
      return `not ready: ${(error as Error).message}`
    }
  }

  async function post(to: string, body: string): Promise<string | null> {
    let said = ''
    for (let attempt = 1; attempt <= attemptsMax && !stopping.signal.aborted; attempt++) {
      if (attempt > 1) await sleep(retryPauseMs, undefined, { signal: stopping.signal }).catch(() => undefined)
      try {
        const signal = AbortSignal.any([stopping.signal, AbortSignal.timeout(attemptMsMax)])
        const headers = { 'user-agent': 'Shouwang-DeadMan/1', 'content-type': 'text/plain; charset=utf-8' }
        const answer = await fetch(to, { method: 'POST', body, headers, signal, redirect: 'follow' })
        await answer.body?.cancel()
        if (answer.ok) return null
        said = `HTTP ${answer.status}`
        // The address is wrong: asking again changes nothing.
        if (answer.status < 500 && answer.status !== 429) return said
      } catch (error) {
        const { cause, message } = error as Error & { cause?: NodeJS.ErrnoException }
        said = cause?.code ?? cause?.message ?? message
      }
    }
    return said || 'stopped'
  }

  async function beat(): Promise<'idle'> {
    const well = await judge()
    if (stopping.signal.aborted) return 'idle'
    const reason = well === true ? 'ok' : well.slice(0, reasonCharsMax)
    const undelivered = await post(well === true ? url : failUrl(url), reason)
    if (stopping.signal.aborted) return 'idle'
    beats.inc({ result: undelivered !== null ? 'undelivered' : well === true ? 'well' : 'unwell' })
    const failed = well !== true ? reason : undelivered === null ? null : `not delivered: ${undelivered}`
    if (failed !== null) log.warn({ reason: failed }, 'deadMan.silent')
    else if (wasSilent) log.info('deadMan.beatsAgain')
    wasSilent = failed !== null
    await beaten({ at: clock.now(), failed }).catch((error: Error) =>
      log.debug({ error: error.message }, 'deadMan.notNoted'),
    )
    return 'idle'
  }

  const loop: Loop = startLoop({ name: 'dead man', work: beat, pauseMs: everyMs, log })
  return {
    stop: () => {
      stopping.abort()
      return loop.stop()
    },
  }
}
