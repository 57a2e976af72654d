import { startAlerts } from './alerts/alerts.js'
import { openChannels } from './alerts/channels/open.js'
import { watchLateness } from './alerts/lateness.js'
import { startWatch } from './alerts/watch/start.js'
import { startEdge } from './broker/edge.js'
import { startDashboard } from './dashboard/serve.js'
import { connectDatabase } from './db/connect.js'
import { openFallback } from './ingest/fallback.js'
import { systemClock as clock } from './kit/clock.js'
import { runRole } from './kit/role.js'
import { publicUrlOf } from './kit/settings.js'
import { type Demo, startDemo } from './simulators/demo-start.js'

// Everything in one process: the way to try Shouwang out, and all that a small community needs.
await runRole({
  role: 'shouwang',
  quiet: true,
  start: async ({ settings: given, log, metrics, signal, teardown }) => {
    const print = (line: string) => console.log(line)
    print('Shouwang 守望 is starting ...')
    const isDemo = given.DEMO ?? given.DATABASE_URL === undefined
    const db = await connectDatabase({ settings: given, signal, log, teardown })
    const roles = { db, clock, log, metrics, signal, teardown }
    let isWell: () => Promise<true | string> = async () => true
    const { port } = await startDashboard({ ...roles, settings: given, isWell: () => isWell() })
    const publicUrl = publicUrlOf(given, port)
    const channels = openChannels({ settings: given, db, clock })
    await startAlerts({
      ...roles,
      channels,
      publicUrl,
      retentionDays: given.RETENTION_DAYS,
      alarmsPerMonth: given.SILENCE_ALARMS_PER_MONTH || null,
      replies: given.IMAP_URL ? { imapUrl: given.IMAP_URL, mailbox: given.IMAP_MAILBOX } : undefined,
    })
    const fallback = await openFallback({
      ...roles,
      dataDir: given.DATA_DIR,
      journalBytesMax: given.JOURNAL_MB_MAX * 1_048_576,
      channels: openChannels({ settings: given, db, clock }),
      publicUrl,
    })
    const {
      ports: { mqttPort },
    } = await startEdge({ ...roles, fallback, settings: given })
    const watchItself = async () => {
      const mqttUrl = given.WATCH_MQTT_URL ?? `mqtt://${ownHost(given.HOST)}:${mqttPort}`
      isWell = await startWatch({ ...roles, mqttUrl, settings: given, isReady: watchLateness(roles) })
    }
    if (!isDemo) {
      await watchItself()
      print(
        `Console  ${publicUrl}\nMQTT     port ${mqttPort}\nAdd communities, staff and homes with: npm run register -- FILE.json`,
      )
      return
    }
    const timeZone = given.TZ_DEFAULT
    const { demo, live } = await startDemo({ db, dataDir: given.DATA_DIR, timeZone, clock, log, print, teardown })
    print(whereToLook({ demo, publicUrl, mqttPort }))
    print('Writing the past of the 12 demo homes (30 days at the first start) ...')
    await live(`mqtt://127.0.0.1:${mqttPort}`)
    await watchItself()
    print(
      'The demo homes live now. Within five minutes: a call button, a long silence, a smoke alarm, a running tap. (After a second start the alerts that are still open take them in.)',
    )
  },
})

/** Where this machine reaches what listens on `host`. */
function ownHost(host: string): string {
  if (host === '0.0.0.0' || host === '::') return '127.0.0.1'
  return host.includes(':') ? `[${host}]` : host
}

function whereToLook({ demo, publicUrl, mqttPort }: { demo: Demo; publicUrl: string; mqttPort: number }): string {
  const { gatewayId, deviceId, secret } = demo.button
  const { worker, supervisor, operator } = demo.logins
  return `
  Console      ${publicUrl}
               login ${worker}, ${supervisor} or ${operator}; password ${demo.password}
  Family page  ${publicUrl}/f/${demo.familyToken}
  Press a button by hand
               mosquitto_pub -h 127.0.0.1 -p ${mqttPort} -q 1 -u ${gatewayId} -P ${secret} -t v1/${gatewayId}/${deviceId}/button -m '{"event":"pressed","ts":'$(date +%s)'}'
               npm run simulate -- --press ${gatewayId}/${deviceId} --secret ${secret}${mqttPort === 1883 ? '' : ` --mqtt mqtt://127.0.0.1:${mqttPort}`}
  Ctrl-C stops everything; the next start goes on from here.
`
}
