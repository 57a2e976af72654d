import pg from 'pg'
import type { Log } from '../kit/log.js'
import type { Signal, SignalName } from '../kit/signal.js'

const reconnectMs = 2_000
const names: readonly string[] = ['pages', 'alerts', 'arrivals', 'commands', 'messages'] satisfies SignalName[]

/**
 * Raises in this process what other processes notify through the database. While the connection is away, and on a
 * database that delivers no notifications, everything is still found by polling.
 */
export function listenForNotifications({ url, signal, log }: { url: string; signal: Signal; log: Log }): {
  stop(): Promise<void>
} {
  let stopped = false
  let client: pg.Client | undefined
  let timer: NodeJS.Timeout | undefined

  async function connect() {
    const mine = new pg.Client({ connectionString: url, application_name: 'shouwang listen', keepAlive: true })
    client = mine
    let gone = false
    const again = (error?: Error) => {
      if (gone) return
      gone = true
      if (stopped) return
      log.warn({ error: error?.message }, 'notifications.lost')
      mine.end().catch((lost: Error) => log.debug({ error: lost.message }, 'notifications.endFailed'))
      timer = setTimeout(() => void connect(), reconnectMs)
    }
    mine.on('error', again)
    mine.on('end', () => again())
    mine.on('notification', ({ payload }) => {
      if (payload && names.includes(payload)) signal.raise(payload as SignalName)
    })
    try {
      await mine.connect()
      await mine.query('listen shouwang')
    } catch (error) {
      again(error as Error)
    }
  }
  void connect()
  return {
    stop: async () => {
      stopped = true
      clearTimeout(timer)
      await client?.end()
    },
  }
}
