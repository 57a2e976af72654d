import { setTimeout as sleep } from 'node:timers/promises'
import type { Log } from '../../kit/log.js'
import { type Connection, OlderBroker, openConnection, type ProtocolVersion, type Received } from './connection.js'
import { sharedFilter } from './topics.js'

const retryMsMin = 500
const retryMsMax = 15_000
/** A connection that lived longer was a good one. */
const goodMsMin = 10_000
/** Longer than it takes to learn that another edge holds the session now. */
const takenOverPauseMs = 7_000
/** A session that is asked for nothing any more is empty when nothing has come for so long. */
const quietMs = 3_000

export type Session = {
  readonly sessionNo: number
  isConnected(): boolean
  /** Since when it is not connected (performance.now()); undefined: it is. */
  awaySince(): number | undefined
  /** The connection of the moment, to publish. */
  connection(): Connection | undefined
  /** Asks for these, and for nothing else any more. */
  ask(filters: string[]): void
  stop(): Promise<void>
  /** Takes what waits in it, then has the broker forget it; false: that did not work, and nothing is lost. */
  retire(): Promise<boolean>
}

/**
 * One session at the broker, connected again and again until it is stopped. `group` says that several share the messages;
 * where the broker cannot do that, only the first of them is connected. `known`: what the session has asked for before.
 */
export function keepSession({
  sessionNo,
  url,
  clientId,
  group,
  known,
  saveFilters,
  receive,
  onConnected,
  log,
}: {
  sessionNo: number
  url: string
  clientId: string
  group: string | undefined
  known: string[]
  saveFilters: (filters: string[]) => Promise<void>
  receive: (message: Received) => Promise<unknown>
  /** Connected, and all that was asked for is granted or refused. */
  onConnected: (connection: Connection, shared: boolean) => void
  log: Log
}): Session {
  const has = new Set(known)
  let wanted: string[] = []
  let version: ProtocolVersion = 5
  let current: Connection | undefined
  let awaySince: number | undefined = performance.now()
  let stopped = false
  let receivedAt = 0
  let wake: (() => void) | undefined
  let asking = Promise.resolve()

  const pause = (ms: number) =>
    new Promise<void>((resolve) => {
      const timer = setTimeout(resolve, ms)
      wake = () => {
        clearTimeout(timer)
        resolve()
      }
    })

  const take = (message: Received) => {
    receivedAt = performance.now()
    return receive(message)
  }
  async function open(): Promise<Connection> {
    try {
      return await openConnection({ url, clientId, version, receive: take })
    } catch (error) {
      if (!(error instanceof OlderBroker)) throw error
      version = 4
      return openConnection({ url, clientId, version, receive: take })
    }
  }

  /** What is noted is never less than what the broker has: a subscription that nobody knows of goes on for ever. */
  async function note() {
    await saveFilters([...has]).catch((error: Error) =>
      log.warn({ sessionNo, error: error.message }, 'attach.filtersNotSaved'),
    )
  }

  async function subscribe(connection: Connection, { anew }: { anew: boolean }) {
    const shares = group !== undefined && connection.canShare
    const want = new Set(shares ? wanted.map((filter) => sharedFilter(group, filter)) : wanted)
    const tooMany = [...has].filter((filter) => !want.has(filter))
    const toAsk = anew ? [...want] : [...want].filter((filter) => !has.has(filter))
    const isNew = toAsk.some((filter) => !has.has(filter))
    for (const filter of toAsk) has.add(filter)
    if (isNew) await note()
    const refused = await connection.subscribe(toAsk)
    if (refused.length > 0)
      log.error({ sessionNo, refused: refused.length, first: refused[0] }, 'attach.subscriptionRefused')
    await connection.unsubscribe(tooMany)
    for (const filter of [...tooMany, ...refused]) has.delete(filter)
    if (tooMany.length + refused.length > 0) await note()
    log.info({ sessionNo, filters: want.size, shares }, 'attach.subscribed')
    if (anew || toAsk.length > 0) onConnected(connection, shares)
  }

  async function live(connection: Connection) {
    if (group !== undefined && sessionNo > 1 && !connection.canShare) {
      log.error({ sessionNo }, 'attach.cannotShare: the broker has no shared subscriptions, one session takes all')
      await connection.close({ forget: true })
      return
    }
    current = connection
    awaySince = undefined
    if (!connection.sessionPresent) has.clear()
    const { sessionPresent } = connection
    log.info({ sessionNo, version, sessionPresent }, 'attach.connected')
    const subscribed = subscribe(connection, { anew: true })
    asking = subscribed.catch(async (error: Error) => {
      log.warn({ sessionNo, error: error.message }, 'attach.notSubscribed')
      await connection.close()
    })
    const { why, takenOver } = await connection.ended
    current = undefined
    awaySince = performance.now()
    log.warn({ sessionNo, why }, 'attach.disconnected')
    if (takenOver && !stopped) await pause(takenOverPauseMs)
  }

  async function run() {
    let retryMs = retryMsMin
    while (!stopped) {
      const startedAt = performance.now()
      try {
        await live(await open())
      } catch (error) {
        log.warn({ sessionNo, error: (error as Error).message }, 'attach.connectFailed')
      }
      if (stopped) return
      if (performance.now() - startedAt > goodMsMin) retryMs = retryMsMin
      await pause(retryMs)
      retryMs = Math.min(2 * retryMs, retryMsMax)
    }
  }
  let running: Promise<void> | undefined

  return {
    sessionNo,
    isConnected: () => current?.isOpen() ?? false,
    awaySince: () => awaySince,
    connection: () => current,
    ask(filters) {
      wanted = filters
      running ??= run()
      const connection = current
      if (!connection) return
      asking = asking
        .then(() => (connection.isOpen() ? subscribe(connection, { anew: false }) : undefined))
        .catch((error: Error) => log.warn({ sessionNo, error: error.message }, 'attach.notSubscribed'))
    },
    async stop() {
      stopped = true
      wake?.()
      await current?.close()
      await running
    },
    async retire() {
      const connection = current
      wanted = []
      if (!connection) return false
      await asking
      const asked = await subscribe(connection, { anew: false }).then(
        () => true,
        () => false,
      )
      receivedAt = performance.now()
      while (connection.isOpen() && performance.now() - receivedAt < quietMs) await sleep(quietMs / 10)
      if (!asked || !connection.isOpen()) return false
      if (!(await connection.close({ forget: true }))) return false
      stopped = true
      wake?.()
      await running
      return true
    },
  }
}
