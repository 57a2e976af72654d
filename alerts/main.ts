import { connectDatabase } from '../db/connect.js'
import { systemClock } from '../kit/clock.js'
import { startHealthServer } from '../kit/health-server.js'
import { runRole } from '../kit/role.js'
import { publicUrlOf } from '../kit/settings.js'
import { startAlerts } from './alerts.js'
import { openChannels } from './channels/open.js'
import { watchLateness } from './lateness.js'

await runRole({
  role: 'alerts',
  start: async ({ settings, log, metrics, signal, teardown }) => {
    const db = await connectDatabase({ settings, signal, log, teardown })
    const health = await startHealthServer({
      host: settings.HOST,
      port: settings.ALERTS_HTTP_PORT,
      setting: 'ALERTS_HTTP_PORT',
      isReady: watchLateness({ db, clock: systemClock, log, metrics }),
      metrics,
    })
    teardown.add('health', health.stop)
    await startAlerts({
      db,
      channels: openChannels({ settings, clock: systemClock }),
      publicUrl: publicUrlOf(settings, settings.HTTP_PORT),
      retentionDays: settings.RETENTION_DAYS,
      alarmsPerMonth: settings.SILENCE_ALARMS_PER_MONTH ?? null,
      clock: systemClock,
      log,
      metrics,
      signal,
      teardown,
    })
    if (!settings.PUBLIC_URL)
      log.warn({ setting: 'PUBLIC_URL' }, 'setting.missing: the links in pages lead to localhost')
    log.info('alerts.started')
  },
})
