import { connectAsync } from 'mqtt'
import { onTestFinished } from 'vitest'
import { gatewaySecret, registerCommunity, webhookSecret } from './community.js'
import type { TestDatabase } from './database.js'
import type { FaultyLine } from './faulty-line.js'
import type { Load, Sent } from './gateway-load.js'
import { expectLedgerToBalance } from './ledger.js'
import { eventually, freePort } from './processes.js'
import { residentOfButton, startRig } from './rig.js'

export const sentOf = (loads: Load[]): Sent[] => loads.flatMap((load) => load.sent)
export const acknowledged = (loads: Load[]): Sent[] => sentOf(loads).filter((reading) => reading.acknowledged)

/**
 * A rig behind a faulty line, its loads under way and its first page delivered, with one gateway more (`q-1`) that the test
 * publishes for by hand and that the edge has met before. Ends with the test.
 */
export async function startJournalScene({
  database,
  line,
  buttons,
  seed,
  env,
}: {
  database: TestDatabase
  line: FaultyLine
  buttons: number
  seed: number
  env: Record<string, string>
}) {
  await database.db.query('truncate communities, readings, arrivals, alerts, quarantine cascade')
  await database.db.query('truncate staff, gateways cascade')
  const EDGE_HTTP_PORT = String(await freePort())
  const rig = await startRig({
    db: database.db,
    databaseUrl: line.url,
    buttons,
    seed,
    env: { ...env, EDGE_HTTP_PORT },
  })
  const ready = async () => (await fetch(`http://127.0.0.1:${EDGE_HTTP_PORT}/readyz`)).text()
  // A gateway of its own, which the edge has met before.
  await registerCommunity(database.db, {
    key: 'q',
    channelsOf: (who) => [{ kind: 'webhook', address: `${rig.receiver.url}/${who}`, secret: webhookSecret }],
  })
  const loads = rig.startLoads()
  const extra = await connectAsync(rig.mqttUrl, {
    clientId: 'q-1',
    username: 'q-1',
    password: gatewaySecret('q-1'),
    protocolVersion: 4,
    reconnectPeriod: 50,
  })
  extra.on('error', () => undefined)
  const publish = (kind: string, body: unknown) =>
    extra.publishAsync(`v1/q-1/q-1-${kind}/${kind}`, JSON.stringify(body), { qos: 1 })
  await publish('water', { ts: Date.now(), litres: 1 })
  const finish = async () => {
    for (const load of loads) load.stop()
    await Promise.all(loads.map((load) => load.done))
  }
  onTestFinished(async () => {
    await line.mend()
    for (const load of loads) load.stop()
    await extra.endAsync(true)
    await rig.stop()
  })
  const balance = async () => {
    await database.db.query(
      `delete from readings using devices where readings.device_no = devices.device_no and gateway_id = 'q-1'`,
    )
    return expectLedgerToBalance({ db: database.db, loads, receiver: rig.receiver, residentOf: residentOfButton })
  }
  await eventually(
    'an acknowledgement of each',
    () => loads.every((load) => acknowledged([load]).length > 5) || undefined,
  )
  await eventually('a page', () => rig.receiver.requests.length > 2 || undefined)
  return { rig, loads, publish, ready, finish, balance }
}
