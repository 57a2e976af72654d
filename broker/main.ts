import { openChannels } from '../alerts/channels/open.js'
import { nameDatabase, prepareDatabase } from '../db/connect.js'
import { isMigrated } from '../db/readiness.js'
import { openFallback } from '../ingest/fallback.js'
import { journalInUse } from '../ingest/journal/in-use.js'
import { systemClock as clock } from '../kit/clock.js'
import { startHealthServer } from '../kit/health-server.js'
import { runRole } from '../kit/role.js'
import { publicUrlOf } from '../kit/settings.js'
import { startEdge } from './edge.js'

await runRole({
  role: 'edge',
  start: async ({ settings, log, metrics, signal, teardown }) => {
    const db = await nameDatabase({ settings, signal, log, teardown })
    const fallback = await openFallback({
      db,
      dataDir: settings.DATA_DIR,
      journalBytesMax: settings.JOURNAL_MB_MAX * 1_048_576,
      channels: openChannels({ settings, db, clock }),
      publicUrl: publicUrlOf(settings, settings.HTTP_PORT),
      clock,
      log,
      metrics,
      teardown,
    })
    // An edge that has been here before knows its gateways: they need not wait for the database.
    await prepareDatabase({ db, settings, signal, log, teardown, mayWait: !fallback.directory.isEmpty() })
    const { journalState } = await startEdge({ db, fallback, settings, clock, log, metrics, signal, teardown })
    const health = await startHealthServer({
      host: settings.HOST,
      port: settings.EDGE_HTTP_PORT,
      setting: 'EDGE_HTTP_PORT',
      isReady: async () => journalInUse(journalState(), clock.now()) ?? (await isMigrated(db)),
      metrics,
    })
    teardown.add('health', health.stop)
  },
})
