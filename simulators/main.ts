import { connectDatabase } from '../db/connect.js'
import { systemClock as clock } from '../kit/clock.js'
import { createTeardown } from '../kit/lifecycle.js'
import { createLog } from '../kit/log.js'
import { settingsOrExit } from '../kit/role.js'
import { createSignal } from '../kit/signal.js'
import { runSimulators } from './process.js'
import { createProvision } from './provision.js'
import type { Provision } from './simulated-home.js'

const settings = settingsOrExit()
const log = createLog({ role: 'simulate', level: settings.LOG_LEVEL ?? 'warn' })

/** Joins the database of the settings for as long as it takes to register the homes. */
const provision: Provision = async (homes) => {
  const teardown = createTeardown({ log })
  try {
    const db = await connectDatabase({ settings, signal: createSignal(), log, teardown })
    return await createProvision({ db, clock, timeZone: settings.TZ_DEFAULT })(homes)
  } finally {
    await teardown.run()
  }
}

await runSimulators({
  argv: process.argv.slice(2),
  defaults: { mqtt: `mqtt://127.0.0.1:${settings.MQTT_PORT}`, timeZone: settings.TZ_DEFAULT },
  provision,
  clock,
  log,
})
