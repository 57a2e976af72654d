import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { connectAsync, type MqttClient } from 'mqtt'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { confirmCommand } from '../db/command-decisions.js'
import { type CommandRow, findCommand } from '../db/command-views.js'
import { askCommand } from '../db/commands.js'
import { commandFilter, commandResultTopic, commandSchemas } from '../ingest/contract.js'
import type { DeviceCommand } from '../ingest/dialects/dialect.js'
import { gatewaySecret, registerCommunity } from './support/community.js'
import { startTestDatabase, type TestDatabase } from './support/database.js'
import { createProcesses, eventually, freePort, type Running } from './support/processes.js'

/** Commands to homes through two edge processes on one database, with real gateways. */
type Received = { id: string; command: string; deviceId: string; expiresAt: string }
type Gateway = {
  client: MqttClient
  received: Received[]
  /** While held, what arrives is not acknowledged. */
  hold: { on: boolean }
}

const processes = createProcesses()
const sleepMs = 1_500
let database: TestDatabase
let dataDir: string
let edges: { edge: Running; url: string; env: Record<string, string> }[]

beforeAll(async () => {
  database = await startTestDatabase()
  dataDir = await mkdtemp(join(tmpdir(), 'shouwang-commands-'))
  await registerCommunity(database.db, { key: 'd', homes: 4 })
  edges = await Promise.all([startEdge(0), startEdge(1)])
})
afterAll(async () => {
  await processes.stopAll()
  await database?.stop()
  if (dataDir) await rm(dataDir, { recursive: true, force: true })
})

async function startEdge(index: number, given?: Record<string, string>) {
  const env = given ?? {
    DATABASE_URL: database.url,
    MQTT_PORT: String(await freePort()),
    MQTT_WS_PORT: String(await freePort()),
    EDGE_HTTP_PORT: String(await freePort()),
    DATA_DIR: join(dataDir, String(index)),
    LOG_LEVEL: 'info',
  }
  const edge = processes.start('broker/main', { env })
  await edge.printed('edge.listening')
  return { edge, url: `mqtt://127.0.0.1:${env.MQTT_PORT}`, env }
}

async function connectGateway(gatewayId: string, url: string, subscribes = true): Promise<Gateway> {
  const options = { username: gatewayId, password: gatewaySecret(gatewayId), reconnectPeriod: 0 } as const
  const client = await connectAsync(url, { ...options, protocolVersion: 4, connectTimeout: 20_000 }, false)
  client.on('error', () => undefined)
  const gateway: Gateway = { client, received: [], hold: { on: false } }
  client.handleMessage = (packet, done) => {
    const { topic, payload } = packet as unknown as { topic: string; payload: Buffer }
    const json = JSON.parse(payload.toString())
    const schema = commandSchemas[json.command as keyof typeof commandSchemas]
    expect(schema.safeParse(json).success, payload.toString()).toBe(true)
    gateway.received.push({ ...json, deviceId: topic.split('/')[2] })
    if (!gateway.hold.on) done()
  }
  if (subscribes) await client.subscribeAsync(commandFilter(gatewayId), { qos: 1 })
  return gateway
}

async function ask(home: string, kind: string, command: DeviceCommand, agoMs = 0): Promise<string> {
  const { rows } = await database.db.query<{ device_no: number }>(
    'select device_no from devices where device_id = $1 and unbound_at is null',
    [`${home}-${kind}`],
  )
  const result = await askCommand(database.db, {
    residentId: home,
    deviceNo: rows[0]!.device_no,
    command,
    staffId: 'd-worker',
    communityIds: ['d'],
    now: new Date(Date.now() - agoMs),
  })
  if (result.kind !== 'asked') throw new Error(result.kind)
  return result.commandId
}
const rowOf = async (commandId: string): Promise<CommandRow> =>
  (await findCommand(database.db, { commandId, communityIds: ['d'], now: new Date() }))!
const until = (commandId: string, state: CommandRow['state']) =>
  eventually(
    `${commandId} ${state}`,
    async () => {
      const row = await rowOf(commandId)
      return row.state === state ? row : undefined
    },
    30_000,
  )
const say = ({ client }: Gateway, home: string, deviceId: string, body: object) =>
  client.publishAsync(commandResultTopic(home, deviceId), JSON.stringify(body), { qos: 1 })

test.concurrent('each command goes to its own gateway through the edge that it is connected to, once, and comes back as done or failed', async () => {
  const one = await connectGateway('d-1', edges[0]!.url)
  const two = await connectGateway('d-2', edges[1]!.url)
  const [test, chime] = await Promise.all([
    ask('d-1', 'smoke', { name: 'self-test' }),
    ask('d-2', 'button', { name: 'chime' }),
  ])
  const valve = await ask('d-1', 'gas', { name: 'close valve' })
  await Promise.all([until(test, 'sent'), until(chime, 'sent')])
  expect(one.received).toMatchObject([{ id: test, command: 'self-test', deviceId: 'd-1-smoke' }])
  expect(two.received).toMatchObject([{ id: chime, command: 'chime', deviceId: 'd-2-button' }])

  // Acknowledged when accept has it on record.
  await say(one, 'd-1', 'd-1-smoke', { id: test, result: 'done' })
  await say(two, 'd-2', 'd-2-button', { id: chime, result: 'failed', detail: '喇叭没有接好' })
  expect((await rowOf(test)).state).toBe('done')
  expect(await rowOf(chime)).toMatchObject({ state: 'failed', detail: '喇叭没有接好' })

  // The valve stays open until somebody else has looked.
  await sleep(sleepMs)
  expect(one.received).toHaveLength(1)
  const decision = { commandId: valve, communityIds: ['d'], now: new Date() }
  expect(await confirmCommand(database.db, { ...decision, staffId: 'd-worker' })).toEqual({ kind: 'same person' })
  expect(await confirmCommand(database.db, { ...decision, staffId: 'd-colleague' })).toEqual({ kind: 'done' })
  await until(valve, 'sent')
  // Another home cannot say that it was done.
  await say(two, 'd-2', 'd-2-gas', { id: valve, result: 'done' })
  expect((await rowOf(valve)).state).toBe('sent')
  await say(one, 'd-1', 'd-1-gas', { id: valve, result: 'done' })
  expect((await rowOf(valve)).state).toBe('done')
  expect(one.received.map(({ id }) => id)).toEqual([test, valve])
  const { rows } = await database.db.query(`select gateway_id, reason from quarantine`)
  expect(rows).toEqual([{ gateway_id: 'd-2', reason: 'unknown command' }])
  await Promise.all([one.client.endAsync(), two.client.endAsync()])
})

test.concurrent('a gateway that is away gets what is still in time when it comes back, wherever it does, and nothing else', async () => {
  const late = await ask('d-3', 'button', { name: 'led', on: false }, 298_000)
  const waiting = await ask('d-3', 'smoke', { name: 'self-test' })
  await eventually('the note', async () => (await rowOf(late)).detail === 'gateway away' || undefined, 20_000)
  expect((await rowOf(late)).state).toBe('expired')
  expect((await rowOf(waiting)).state).toBe('pending')
  const deaf = await connectGateway('d-3', edges[0]!.url, false)
  await eventually('why it waits', async () => (await rowOf(waiting)).detail === 'not subscribed' || undefined, 20_000)
  await deaf.client.endAsync()
  const back = await connectGateway('d-3', edges[1]!.url)
  await until(waiting, 'sent')
  await sleep(sleepMs)
  expect(back.received).toMatchObject([{ id: waiting, command: 'self-test' }])
  await back.client.endAsync()
})

test('an edge killed between sending and noting it: nothing is lost, and it comes at most once more, with the same id', async () => {
  const before = await connectGateway('d-4', edges[0]!.url)
  before.hold.on = true
  // Behind it for the same device: on before off, also through a crash.
  const held = await ask('d-4', 'button', { name: 'led', on: true })
  const behind = await ask('d-4', 'button', { name: 'led', on: false })
  await eventually('the first delivery', () => before.received.length > 0 || undefined, 20_000)
  expect((await rowOf(held)).state).toBe('pending')
  await edges[0]!.edge.end('SIGKILL')
  const killedAt = Date.now()
  const after = await connectGateway('d-4', edges[1]!.url)
  await Promise.all([until(held, 'sent'), until(behind, 'sent')])
  console.log(`sent again ${Date.now() - killedAt} ms after the kill`)
  await sleep(sleepMs)
  const times = (id: string) => [...before.received, ...after.received].filter((each) => each.id === id).length
  expect({ held: times(held), behind: times(behind) }).toEqual({ held: 2, behind: 1 })
  edges[0] = await startEdge(0, edges[0]!.env)
  await sleep(sleepMs)
  expect(after.received.map(({ id }) => id)).toEqual([held, behind])
  await after.client.endAsync()
  for (const { edge } of edges) {
    const { code, ms } = await edge.end('SIGINT')
    expect({ code, stderr: edge.stderr(), inTime: ms < 5_000 }).toEqual({ code: 0, stderr: '', inTime: true })
  }
})
