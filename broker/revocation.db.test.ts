import { setTimeout as sleep } from 'node:timers/promises'
import { afterAll, beforeAll, expect, onTestFinished, test } from 'vitest'
import { createDirectorySource } from '../db/directory.js'
import { createRightsSource } from '../db/gateway-rights.js'
import { endOverlap, revokeSecret, rotateSecret } from '../db/gateway-secrets.js'
import { createDirectory } from '../ingest/directory.js'
import { systemClock } from '../kit/clock.js'
import { createLog } from '../kit/log.js'
import { hashSecret, verifySecret } from '../kit/secret-hash.js'
import { startTestDatabase, type TestDatabase } from '../test/support/database.js'
import { publishPacket, rawClient, startBroker } from './testkit.js'

let database: TestDatabase
beforeAll(async () => {
  database = await startTestDatabase()
  await database.db.query("insert into communities values ('c', '示例社区', 'Asia/Shanghai')")
  await database.db.query(
    `insert into gateways (gateway_id, community_id, secret_hash) select 'gw' || n, 'c', $1 from generate_series(1, 3) n`,
    [await hashSecret('first')],
  )
})
afterAll(() => database.stop())

const log = createLog({ role: 'test', level: 'silent' })
const shelf = { put: () => {}, delete: () => {}, entries: async () => [] }

/** As an edge process puts them together, each with a directory of its own. */
async function startEdge() {
  const directory = createDirectory({ source: createDirectorySource(database.db), shelf, clock: systemClock, log })
  await directory.start()
  onTestFinished(directory.stop)
  return startBroker({
    rights: createRightsSource(database.db),
    findGateway: directory.findGateway,
    verify: verifySecret,
    limits: { failedLoginDelayMsMin: 1 },
  })
}
const startEdges = async () => [await startEdge(), await startEdge()] as const
const by = (gatewayId: string) => ({ gatewayId, staffId: null, now: new Date() })
const login = (username: string, secret: string) => ({ username, password: Buffer.from(secret) })

test('what a page revokes is out at every edge within 2 s, and cannot come in at any', async () => {
  const edges = await startEdges()
  const clients = edges.map((edge) => rawClient(edge))
  for (const client of clients) expect(await client.connect(login('gw1', 'first'))).toBe(0)
  const neighbour = rawClient(edges[1])
  expect(await neighbour.connect(login('gw2', 'first'))).toBe(0)
  const startedAt = performance.now()
  expect(await revokeSecret(database.db, by('gw1'))).toBe(true)
  await Promise.all(clients.map(({ closed }) => closed))
  const ms = Math.round(performance.now() - startedAt)
  console.log(`out at both edges after ${ms} ms`)
  expect(ms).toBeLessThan(5_000)
  for (const edge of edges) expect(await rawClient(edge).connect(login('gw1', 'first'))).toBe(4)
  neighbour.send(publishPacket('v1/gw2/meter/water', 1))
  expect(await neighbour.next('puback')).toBeDefined()
})

test('a rotation with an overlap ends nothing until the overlap does', async () => {
  const edges = await startEdges()
  const old = rawClient(edges[0])
  expect(await old.connect(login('gw3', 'first'))).toBe(0)
  const rotation = await rotateSecret(database.db, { ...by('gw3'), overlapMs: 3_600_000 })
  if (rotation.kind !== 'rotated') throw new Error(rotation.kind)
  // Until the edges have seen it: what they knew of the gateway a moment ago does not have the new secret.
  await sleep(1_500)
  const fresh = rawClient(edges[1])
  expect(await fresh.connect(login('gw3', rotation.secret))).toBe(0)
  expect(await rawClient(edges[1]).connect({ ...login('gw3', 'first'), clientId: 'old too' })).toBe(0)
  expect(old.socket.destroyed).toBe(false)
  expect(await endOverlap(database.db, by('gw3'))).toBe(true)
  await old.closed
  await sleep(700)
  expect(fresh.socket.destroyed).toBe(false)
  expect(await rawClient(edges[0]).connect(login('gw3', 'first'))).toBe(4)
})
