import { connectDatabase } from '../db/connect.js'
import { isMigrated } from '../db/readiness.js'
import { systemClock } from '../kit/clock.js'
import { startHealthServer } from '../kit/health-server.js'
import { runRole } from '../kit/role.js'
import { publicUrlOf } from '../kit/settings.js'
import { startAlerts } from './alerts.js'
import { openChannels } from './channels/open.js'

await runRole({
  role: 'alerts',
  start: async ({ settings, log, metrics, signal, teardown }) => {
    const db = await connectDatabase({ settings, signal, log, teardown })
    const health = await startHealthServer({
      host: settings.HOST,
      port: settings.ALERTS_HTTP_PORT,
      setting: 'ALERTS_HTTP_PORT',
      isReady: () => isMigrated(db),
      metrics,
    })
    teardown.add('health', health.stop)
    await startAlerts({
      db,
      channels: openChannels({ settings, clock: systemClock }),
      publicUrl: publicUrlOf(settings, settings.HTTP_PORT),
      retentionDays: settings.RETENTION_DAYS,
      clock: systemClock,
      log,
      metrics,
      signal,
      teardown,
    })
    log.info('alerts.started')
  },
})
