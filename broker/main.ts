import { connectDatabase } from '../db/connect.js'
import { isMigrated } from '../db/readiness.js'
import { systemClock } from '../kit/clock.js'
import { startHealthServer } from '../kit/health-server.js'
import { runRole } from '../kit/role.js'
import { startEdge } from './edge.js'

await runRole({
  role: 'edge',
  start: async ({ settings, log, metrics, signal, teardown }) => {
    const db = await connectDatabase({ settings, signal, log, teardown })
    const health = await startHealthServer({
      host: settings.HOST,
      port: settings.EDGE_HTTP_PORT,
      setting: 'EDGE_HTTP_PORT',
      isReady: () => isMigrated(db),
      metrics,
    })
    teardown.add('health', health.stop)
    await startEdge({ db, settings, clock: systemClock, log, metrics, signal, teardown })
  },
})
