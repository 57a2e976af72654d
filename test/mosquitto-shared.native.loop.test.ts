import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { startTestDatabase, type TestDatabase } from './support/database.js'
import { expectLedgerToBalance } from './support/ledger.js'
import { type Mosquitto, startCalmLoads, startMosquitto } from './support/mosquitto.js'
import { createProcesses, eventually, freePort, type Running, seedOf } from './support/processes.js'
import { type Rig, residentOfButton, rigKey, startRig } from './support/rig.js'

const buttons = 200
const seed = seedOf('mosquitto-shared')
const processes = createProcesses()
const attachSettings = { ATTACH_SESSIONS: '2', ATTACH_NAME: 'demo' }
let database: TestDatabase
let mosquitto: Mosquitto
let rig: Rig
let dataDir: string
let second: { edge: Running; healthPort: number }

beforeAll(async () => {
  database = await startTestDatabase()
  mosquitto = await startMosquitto()
  rig = await startRig({
    db: database.db,
    databaseUrl: database.url,
    buttons,
    seed,
    env: { ATTACH_URL: mosquitto.url, ...attachSettings },
  })
  await database.db.query(`update gateways set via = 'attached' where starts_with(gateway_id, $1)`, [`${rigKey}-`])
  // It would see that after 15 s.
  await rig.edge().end('SIGINT')
  await rig.startEdge()
  dataDir = await mkdtemp(join(tmpdir(), 'shouwang-second-'))
  const healthPort = await freePort()
  const edge = processes.start('broker/main', {
    env: {
      DATABASE_URL: database.url,
      DATA_DIR: dataDir,
      MQTT_PORT: '0',
      MQTT_WS_PORT: '0',
      EDGE_HTTP_PORT: String(healthPort),
      LOG_LEVEL: 'info',
      ATTACH_URL: mosquitto.url,
      ...attachSettings,
    },
  })
  second = { edge, healthPort }
  await edge.printed('edge.listening')
})
afterAll(async () => {
  await processes.stopAll()
  await rig?.stop()
  await mosquitto?.stop()
  await database?.stop()
  if (dataDir) await rm(dataDir, { recursive: true, force: true })
})

test('two edges share what comes; when one is killed the other takes over what waits for it: each message once, none lost', async () => {
  // The first edge held both sessions and gives one back.
  await eventually('each edge holds a session', async () => (await holders()) === 2 || undefined, 30_000)
  await second.edge.printed('attach.subscribed', 30_000)
  await rig.edge().printed('attach.subscribed')
  const loads = startCalmLoads({ url: mosquitto.url, buttons, seed })
  const sent = () => loads.flatMap((load) => load.sent)
  await eventually(
    'both edges at work',
    async () => {
      const [first, other] = [await rig.edgeSample(accepted), await sampleOfSecond()]
      return (first > 100 && other > 100) || undefined
    },
    40_000,
  )
  await second.edge.end('SIGKILL')
  const killedAt = Date.now()
  await eventually('more', () => sent().filter(({ acknowledged }) => acknowledged).length > 2_000 || undefined)
  for (const load of loads) load.stop()
  await Promise.all(loads.map((load) => load.done))
  const counts = await expectLedgerToBalance({
    db: database.db,
    loads,
    receiver: rig.receiver,
    residentOf: residentOfButton,
    msMax: 60_000,
  })
  expect(await holders()).toBe(1)
  console.log(`all there ${Date.now() - killedAt} ms after the kill: ${JSON.stringify(counts)}`)
  expect(counts.presses).toBeGreaterThan(10)
})

const accepted = 'shouwang_attach_messages_total{result="accepted",role="edge"}'
async function sampleOfSecond(): Promise<number> {
  const text = await (await fetch(`http://127.0.0.1:${second.healthPort}/metrics`)).text()
  return Number(text.match(/^shouwang_attach_messages_total\{result="accepted".* (\d+)$/m)?.[1] ?? 0)
}

async function holders(): Promise<number> {
  const { rows } = await database.db.query<{ n: number }>(
    'select count(distinct edge_id)::int as n from attach_sessions where edge_id is not null',
  )
  return rows[0]!.n
}
