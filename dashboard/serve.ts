import type { AddressInfo } from 'node:net'
import type { Registry } from 'prom-client'
import { usableKinds } from '../alerts/channels/address.js'
import type { Database } from '../db/pool.js'
import { vapidKeysOf } from '../db/vapid-keys.js'
import type { Clock } from '../kit/clock.js'
import { StartError, type Teardown } from '../kit/lifecycle.js'
import type { Log } from '../kit/log.js'
import { publicUrlOf, type Settings } from '../kit/settings.js'
import type { Signal } from '../kit/signal.js'
import { createDashboard } from './app.js'

/**
 * The dashboard role, listening. Returns the port it got.
 * @throws StartError when the port cannot be had
 */
export async function startDashboard({
  db,
  settings,
  clock,
  log,
  metrics,
  signal,
  teardown,
  isWell,
}: {
  db: Database
  settings: Settings
  clock: Clock
  log: Log
  metrics: Registry
  signal: Signal
  teardown: Teardown
  /** See DashboardDeps. */
  isWell?: () => Promise<true | string>
}): Promise<{ port: number }> {
  const app = await createDashboard({
    db,
    signal,
    clock,
    log,
    metrics,
    publicUrl: publicUrlOf(settings, settings.HTTP_PORT),
    mqtt: brokerPort(settings),
    trustProxy: settings.TRUST_PROXY,
    timeZoneDefault: settings.TZ_DEFAULT,
    channels: {
      kinds: usableKinds(settings),
      origins: settings.CHANNEL_ORIGINS,
      pushKey: async () => settings.VAPID_PUBLIC_KEY ?? (await vapidKeysOf(db, clock.now())).publicKey,
    },
    ...(isWell ? { isWell } : {}),
  })
  teardown.add('dashboard', () => app.close())
  try {
    await app.listen({ host: settings.HOST, port: settings.HTTP_PORT })
  } catch (error) {
    const { code, message } = error as NodeJS.ErrnoException
    const why = code === 'EADDRINUSE' ? 'the port is in use' : message
    throw new StartError(`setting HTTP_PORT = ${settings.HTTP_PORT}: ${why}`)
  }
  const { port } = app.server.address() as AddressInfo
  log.info({ port }, 'dashboard.listening')
  return { port }
}

/** As the edge has it: behind pages over https gateways come in over TLS, too, though the certificate is another process's. */
function brokerPort(settings: Settings) {
  const tls = settings.TLS_CERT_FILE !== undefined || settings.PUBLIC_URL?.startsWith('https:') === true
  return tls ? { port: settings.MQTTS_PORT, tls } : { port: settings.MQTT_PORT, tls }
}
