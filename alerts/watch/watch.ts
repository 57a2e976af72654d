import { Counter, Gauge, Histogram, type Registry } from 'prom-client'
import { queueMessage } from '../../db/messages.js'
import type { Database } from '../../db/pool.js'
import { recordRound, turnOutages, watchState } from '../../db/watch.js'
import { addMissingHomes, claimRounds, closeTestAlerts, type WatchHome } from '../../db/watch-homes.js'
import type { Clock } from '../../kit/clock.js'
import type { Log } from '../../kit/log.js'
import { type Loop, startLoop } from '../../kit/loop.js'
import { outageWords } from './outage-words.js'
import { startReceiver } from './receiver.js'
import { type Played, playRound } from './round.js'

/** Rounds under way at once in one process. */
const roundsMax = 4
/** Each costs a hash; the others come with the next look. */
const homesPerLook = 5
const lookMs = 1_000
/** Whether there are new communities is asked for not more often than this. */
const newHomesMs = 30_000
/** A process that has just started, with all that starts beside it, is not judged yet. */
const firstAfterMsDefault = 60_000
/** A round that was due so long ago has been forgotten. */
const overdueMsMin = 60_000

export type Watch = {
  start(): Promise<void>
  stop(): Promise<void>
  /** True, or in one line why Shouwang is not well as far as its synthetic residents tell. @throws when the database does not answer */
  isWell(): Promise<true | string>
}

/**
 * Plays the synthetic residents: every `everyMs` the button of each community's is pressed through the real broker at
 * `mqttUrl`, and its page has to come back through a real channel within 10 s. One that does not tells the operators of
 * that community, once for each outage, and once when all is well again. Any number of these may run against one database.
 */
export function createWatch({
  db,
  mqttUrl,
  receiverUrl,
  everyMs,
  firstAfterMs = firstAfterMsDefault,
  pageMsMax,
  timeZone,
  clock,
  log,
  metrics,
}: {
  db: Database
  mqttUrl: string
  receiverUrl?: string | undefined
  everyMs: number
  firstAfterMs?: number
  pageMsMax?: number
  /** IANA zone in which operators read times. */
  timeZone: string
  clock: Clock
  log: Log
  metrics: Registry
}): Watch {
  const pageSeconds = new Histogram({
    name: 'shouwang_watch_page_seconds',
    help: 'From the press of a synthetic resident to its page',
    buckets: [0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10],
    registers: [metrics],
  })
  const ackSeconds = new Histogram({
    name: 'shouwang_watch_ack_seconds',
    help: 'From the press of a synthetic resident to its PUBACK',
    buckets: [0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10],
    registers: [metrics],
  })
  const missedTotal = new Counter({
    name: 'shouwang_watch_missed_total',
    help: 'Test alarms whose page did not come back within 10 s',
    labelNames: ['why'],
    registers: [metrics],
  })
  for (const why of ['no connection', 'not acknowledged', 'no page']) missedTotal.inc({ why }, 0)
  new Gauge({
    name: 'shouwang_watch_failing',
    help: 'Communities whose newest test alarm did not come back',
    registers: [metrics],
    async collect() {
      const state = await watchState(db, { overdueBefore: clock.now() }).catch(() => undefined)
      this.set(state ? state.failing : Number.NaN)
    },
  })
  const stopping = new AbortController()
  /** By community. */
  const underWay = new Map<string, Promise<void>>()
  let receiver: Awaited<ReturnType<typeof startReceiver>> | undefined
  let loop: Loop | undefined
  let startedMs = 0
  let lookedForNewMs = Number.NEGATIVE_INFINITY

  async function work(): Promise<'more' | 'idle'> {
    const now = clock.now()
    // Every process has to have settled, also where there were homes before: what waits from before a stop is not judged.
    if (performance.now() - startedMs < firstAfterMs || !receiver) {
      await addNew(now)
      return 'idle'
    }
    if (await addNew(now)) return 'more'
    const free = roundsMax - underWay.size
    if (free <= 0) return 'idle'
    const except = [...underWay.keys()]
    const homes = await claimRounds(db, { now, everyMs, roundsMax: free, receiver: receiver.url, except })
    for (const home of homes) {
      const playing: Promise<void> = play(home)
        .catch((error: unknown) => log.error({ err: error, communityId: home.communityId }, 'watch.failed'))
        .finally(() => {
          underWay.delete(home.communityId)
          if (!stopping.signal.aborted) loop?.nudge()
        })
      underWay.set(home.communityId, playing)
    }
    return 'idle'
  }

  async function addNew(now: Date): Promise<boolean> {
    if (performance.now() - lookedForNewMs < newHomesMs) return false
    const waitMs = Math.max(0, firstAfterMs - (performance.now() - startedMs))
    const firstAt = new Date(now.getTime() + waitMs)
    const added = await addMissingHomes(db, { now, firstAt, everyMs, homesMax: homesPerLook })
    if (added < homesPerLook) lookedForNewMs = performance.now()
    if (added > 0) log.debug({ added }, 'watch.homesAdded')
    return added > 0
  }

  async function play(home: WatchHome): Promise<void> {
    const played = await playRound({
      home,
      mqttUrl,
      receiver: receiver!,
      clock,
      signal: stopping.signal,
      ...(pageMsMax ? { pageMsMax } : {}),
    })
    if (!played) return
    const { result } = played
    if (result.kind === 'came') {
      pageSeconds.observe(result.pageMs / 1_000)
      ackSeconds.observe(result.ackedMs / 1_000)
    } else missedTotal.inc({ why: result.why })
    const { communityId } = home
    log[result.kind === 'came' ? 'debug' : 'warn']({ communityId, ...result }, 'watch.round')
    await record(home, played)
  }

  /** With the alerts of the round closed, and the operators told, in one transaction. */
  async function record(home: WatchHome, { pressedAt, result }: Played): Promise<void> {
    const { communityId, residentId } = home
    const turned = await db.transaction(async (tx) => {
      const now = clock.now()
      await closeTestAlerts(tx, { residentIds: [residentId], now })
      const { turned } = await recordRound(tx, { communityId, pressedAt, result, now })
      if (!turned) return null
      const outages = await turnOutages(tx, { communityId, turned, now })
      for (const { staffId, ...outage } of outages)
        await queueMessage(tx, {
          staffId,
          kind: 'watch',
          ...outageWords(outage, { now, timeZone }),
          path: '/watch',
          now,
          urgent: true,
          dedupeKey: `watch ${turned} ${outage.since.toISOString()}`,
        })
      return turned
    })
    if (turned) log.warn({ communityId }, turned === 'failing' ? 'watch.pagesStayAway' : 'watch.pagesAreBack')
  }

  return {
    async start() {
      receiver = await startReceiver({ url: receiverUrl, clock })
      startedMs = performance.now()
      loop = startLoop({ name: 'watch', work, pauseMs: lookMs, log })
    },
    async stop() {
      stopping.abort()
      await loop?.stop()
      await Promise.all(underWay.values())
      await receiver?.stop()
    },
    async isWell() {
      const now = clock.now()
      const overdueMs = Math.max(overdueMsMin, everyMs)
      const state = await watchState(db, { overdueBefore: new Date(now.getTime() - overdueMs) })
      if (state.failing > 0) {
        const since = state.failingSince!.toISOString()
        return `the test page of ${state.failing} of ${state.communities} communities did not come back, since ${since}`
      }
      // Rounds of before the start were nobody's to play.
      const settled = performance.now() - startedMs > firstAfterMs + overdueMs
      if (settled && state.overdue > 0) return `the test alarm of ${state.overdue} communities is overdue`
      return true
    },
  }
}
