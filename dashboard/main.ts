import { connectDatabase } from '../db/connect.js'
import { systemClock } from '../kit/clock.js'
import { runRole } from '../kit/role.js'
import { startDashboard } from './serve.js'

await runRole({
  role: 'dashboard',
  start: async ({ settings, log, metrics, signal, teardown }) => {
    const db = await connectDatabase({ settings, signal, log, teardown })
    await startDashboard({ db, settings, clock: systemClock, log, metrics, signal, teardown })
  },
})
