import { randomUUID } from 'node:crypto'
import type { Registry } from 'prom-client'
import type { Database } from '../../db/pool.js'
import { noteBeat, noteProcess } from '../../db/watch.js'
import type { Clock } from '../../kit/clock.js'
import type { Teardown } from '../../kit/lifecycle.js'
import type { Log } from '../../kit/log.js'
import { startLoop } from '../../kit/loop.js'
import type { Settings } from '../../kit/settings.js'
import { startDeadMan } from './dead-man.js'
import { createWatch } from './watch.js'

const noteEveryMs = 30_000

type WatchSettings = Pick<Settings, 'WATCH_EVERY_SECONDS' | 'WATCH_RECEIVER_URL' | 'DEAD_MAN_URL' | 'TZ_DEFAULT'>

/**
 * The watcher of this process, where it is wanted: the synthetic residents, played at the broker at `mqttUrl` (undefined,
 * or every 0 s: off), and the dead man's switch. Returns what to ask whether all is well: true, or why not in one line; it throws when
 * the database does not answer. `isReady`: what else has to be so for the switch to hold still.
 */
export async function startWatch({
  db,
  mqttUrl,
  settings,
  isReady,
  clock,
  log,
  metrics,
  teardown,
}: {
  db: Database
  mqttUrl: string | undefined
  settings: WatchSettings
  isReady: () => Promise<boolean | string>
  clock: Clock
  log: Log
  metrics: Registry
  teardown: Teardown
}): Promise<() => Promise<true | string>> {
  const { WATCH_EVERY_SECONDS: everySeconds, WATCH_RECEIVER_URL: receiverUrl, DEAD_MAN_URL: deadManUrl } = settings
  const watch =
    mqttUrl && everySeconds > 0
      ? createWatch({
          db,
          mqttUrl,
          receiverUrl,
          everyMs: everySeconds * 1_000,
          timeZone: settings.TZ_DEFAULT,
          clock,
          log,
          metrics,
        })
      : undefined
  if (!watch)
    log.info(
      { setting: mqttUrl ? 'WATCH_EVERY_SECONDS' : 'WATCH_MQTT_URL' },
      'watch.off: no synthetic resident is played',
    )
  await watch?.start()
  if (watch) teardown.add('watch', watch.stop)
  const isWell = async () => watch?.isWell() ?? true
  const processId = randomUUID()
  const startedAt = clock.now()
  if (watch || deadManUrl) {
    const noting = startLoop({
      name: 'watch process',
      pauseMs: noteEveryMs,
      log,
      work: async () => {
        await noteProcess(db, {
          processId,
          startedAt,
          now: clock.now(),
          plays: watch !== undefined,
          hasSwitch: deadManUrl !== undefined,
        })
        return 'idle'
      },
    })
    teardown.add('watch process', noting.stop)
  }
  if (deadManUrl) {
    const deadMan = startDeadMan({
      url: deadManUrl,
      isWell: async () => {
        const ready = await isReady()
        return ready === true ? isWell() : ready
      },
      beaten: ({ at, failed }) => noteBeat(db, { processId, now: at, failed }),
      clock,
      log,
      metrics,
    })
    teardown.add('dead man', deadMan.stop)
  }
  return isWell
}
