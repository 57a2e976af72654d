import { mkdtemp, readFile, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { afterAll, expect, test } from 'vitest'
import { startEmbedded } from '../db/embedded/start.js'
import { type Database, openDatabase } from '../db/pool.js'
import { createLog } from '../kit/log.js'
import { seededRandom } from '../simulators/random.js'
import { registerCommunity, webhookSecret } from './support/community.js'
import { keepingGateway, type Load, meterMessages, pressMessages } from './support/gateway-load.js'
import { expectLedgerToBalance } from './support/ledger.js'
import { createProcesses, eventually, freePort, isAlive, seedOf } from './support/processes.js'
import { startWebhookReceiver } from './support/webhook-receiver.js'

// All roles in one process, and the embedded database that it started: SIGKILL to all of it at once, under load.
const kills = 2
const homes = 8
const key = 'all'
const startMsMax = 60_000
const processes = createProcesses()
const dataDir = await mkdtemp(join(tmpdir(), 'shouwang-kill-'))
const receiver = await startWebhookReceiver({ secret: webhookSecret })
afterAll(async () => {
  await processes.stopAll()
  await receiver.stop()
  await rm(dataDir, { recursive: true, force: true })
})

/** Joins the database that runs in DATA_DIR. */
async function withDatabase<T>(work: (db: Database) => Promise<T>): Promise<T> {
  const embedded = await startEmbedded({ dataDir })
  const db = openDatabase({ url: embedded.url, log: createLog({ role: 'test', level: 'silent' }), connectionsMax: 2 })
  try {
    return await work(db)
  } finally {
    await db.end()
    await embedded.stop()
  }
}

test(`killed ${kills} times with its database: what was acknowledged is there, once, and each press was paged`, async () => {
  const random = seededRandom(seedOf('kill-all-in-one'), 'presses')
  const mqttPort = await freePort()
  const env = {
    DATA_DIR: dataDir,
    DEMO: '0',
    HTTP_PORT: String(await freePort()),
    MQTT_PORT: String(mqttPort),
    MQTT_WS_PORT: String(await freePort()),
  }
  const start = async () => {
    const running = processes.start('main', { env })
    await running.printed('MQTT     port', startMsMax)
    const { pid } = JSON.parse(await readFile(join(dataDir, 'embedded.json'), 'utf8')) as { pid: number }
    return { running, databasePid: pid }
  }
  let life = await start()
  await withDatabase((db) =>
    registerCommunity(db, {
      key,
      homes,
      channelsOf: (who) => [{ kind: 'webhook', address: `${receiver.url}/${who}`, secret: webhookSecret }],
    }),
  )
  const url = `mqtt://127.0.0.1:${mqttPort}`
  const loads: Load[] = Array.from({ length: homes }, (_, i) => {
    const gatewayId = `${key}-${i + 1}`
    const meter = meterMessages({ gatewayId, deviceId: `${gatewayId}-water`, perMessage: 1 + (i % 3) })
    const press = pressMessages({ gatewayId, deviceIds: [`${gatewayId}-button`], random })
    let left = 20 + Math.floor(random() * 400)
    return keepingGateway({ url, gatewayId, window: 3, pauseMs: 10, next: () => (left-- === 0 ? press() : meter()) })
  })
  const acknowledged = () => loads.flatMap((load) => load.sent).filter((reading) => reading.acknowledged).length
  for (let kill = 1; kill <= kills; kill++) {
    const before = acknowledged()
    await eventually('acknowledgements', () => acknowledged() > before + 100 || undefined, 30_000)
    await sleep(random() * 1_000)
    const { databasePid, running } = life
    await running.end('SIGKILL', { group: true })
    await eventually('the end of the database', () => !isAlive(databasePid) || undefined)
    life = await start()
  }
  const pressed = () =>
    loads.filter((load) => load.sent.some(({ value, acknowledged }) => value === null && acknowledged)).length
  await eventually('a press of each home', () => pressed() === homes || undefined, 30_000)
  for (const load of loads) load.stop()
  await Promise.all(loads.map((load) => load.done))
  const residentOf = (deviceId: string) => deviceId.replace('-button', '')
  console.log(await withDatabase((db) => expectLedgerToBalance({ db, loads, receiver, residentOf })))
  expect((await life.running.end('SIGINT')).code).toBe(0)
})
