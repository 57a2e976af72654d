import { setTimeout as sleep } from 'node:timers/promises'
import type { Log } from '../../kit/log.js'
import { openConnection, type Received } from './connection.js'

/** What a broker has kept comes at once: after such a pause it was all. */
const quietMs = 2_000
const msMax = 60_000

/**
 * Takes what a broker has kept under these filters, on a short connection of its own: who shares a subscription is not
 * given it, and what a bridge said of its devices weeks ago is needed to understand them. Never rejects.
 */
export async function readRetained({
  url,
  clientId,
  filters,
  receive,
  log,
}: {
  url: string
  clientId: string
  filters: string[]
  receive: (message: Received) => Promise<unknown>
  log: Log
}): Promise<void> {
  let lastAt = performance.now()
  let kept = 0
  try {
    const connection = await openConnection({
      url,
      clientId,
      version: 5,
      clean: true,
      // The others come to those who share.
      receive: async (message) => {
        if (!message.retain) return
        lastAt = performance.now()
        kept++
        await receive(message)
      },
    })
    await connection.subscribe(filters)
    const end = performance.now() + msMax
    while (connection.isOpen() && performance.now() - lastAt < quietMs && performance.now() < end) await sleep(100)
    await connection.close()
    log.info({ kept }, 'attach.readKept')
  } catch (error) {
    log.warn({ error: (error as Error).message }, 'attach.keptNotRead')
  }
}
