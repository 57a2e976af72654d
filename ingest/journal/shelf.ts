import type { Log } from '../../kit/log.js'
import { type Loop, startLoop } from '../../kit/loop.js'
import type { Shelf } from '../directory.js'
import type { Journal } from './journal.js'

const flushPauseMs = 1_000
const folder = 'directory/'

/**
 * Where the directory keeps its cards: beside the messages, under names of their own. Gathered and written once a second,
 * unsynced: 200,000 cards of a first run must not stand between an emergency and the disk.
 */
export function createShelf({ journal, log }: { journal: Pick<Journal, 'keep' | 'named'>; log: Log }): Shelf & {
  start(): void
  stop(): Promise<void>
} {
  let changes = new Map<string, unknown>()
  let loop: Loop | undefined

  async function flush(): Promise<'idle'> {
    if (changes.size === 0) return 'idle'
    const taken = changes
    changes = new Map()
    await journal.keep([...taken]).catch((error: Error) => {
      log.warn({ error: error.message, cards: taken.size }, 'directory.notKept')
      // Once more with the next ones: without them an edge that is restarted knows nobody.
      changes = new Map([...taken, ...changes])
    })
    return 'idle'
  }

  return {
    put: (key, value) => void changes.set(`${folder}${key}`, value),
    delete: (key) => void changes.set(`${folder}${key}`, undefined),
    entries: async () =>
      (await journal.named(folder)).map(([key, value]): [string, unknown] => [key.slice(folder.length), value]),
    start: () => {
      loop = startLoop({ name: 'shelf', work: flush, pauseMs: flushPauseMs, log })
    },
    stop: async () => {
      await loop?.stop()
      await flush()
    },
  }
}
