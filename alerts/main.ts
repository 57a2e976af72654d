import { connectDatabase } from '../db/connect.js'
import { systemClock } from '../kit/clock.js'
import { startHealthServer } from '../kit/health-server.js'
import { runRole } from '../kit/role.js'
import { publicUrlOf } from '../kit/settings.js'
import { startAlerts } from './alerts.js'
import { openChannels } from './channels/open.js'
import { watchLateness } from './lateness.js'
import { startDatabaseNotice } from './watch/database-notice.js'
import { startWatch } from './watch/start.js'

await runRole({
  role: 'alerts',
  start: async ({ settings, log, metrics, signal, teardown }) => {
    const db = await connectDatabase({ settings, signal, log, teardown })
    const keepsUp = watchLateness({ db, clock: systemClock, log, metrics })
    let isWell: () => Promise<true | string> = async () => true
    const health = await startHealthServer({
      host: settings.HOST,
      port: settings.ALERTS_HTTP_PORT,
      setting: 'ALERTS_HTTP_PORT',
      isReady: async () => {
        const ready = await keepsUp()
        return ready === true ? isWell() : ready
      },
      metrics,
    })
    teardown.add('health', health.stop)
    const channels = openChannels({ settings, db, clock: systemClock })
    await startAlerts({
      db,
      channels,
      publicUrl: publicUrlOf(settings, settings.HTTP_PORT),
      retentionDays: settings.RETENTION_DAYS,
      alarmsPerMonth: settings.SILENCE_ALARMS_PER_MONTH || null,
      replies: settings.IMAP_URL ? { imapUrl: settings.IMAP_URL, mailbox: settings.IMAP_MAILBOX } : undefined,
      clock: systemClock,
      log,
      metrics,
      signal,
      teardown,
    })
    const databaseNotice = startDatabaseNotice({ db, channels, clock: systemClock, log })
    teardown.add('database notice', databaseNotice.stop)
    isWell = await startWatch({
      db,
      mqttUrl: settings.WATCH_MQTT_URL,
      settings,
      isReady: keepsUp,
      clock: systemClock,
      log,
      metrics,
      teardown,
    })
    if (!settings.PUBLIC_URL)
      log.warn({ setting: 'PUBLIC_URL' }, 'setting.missing: the links in pages lead to localhost')
    log.info('alerts.started')
  },
})
