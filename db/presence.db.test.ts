import { afterAll, beforeAll, beforeEach, expect, test } from 'vitest'
import { startTestDatabase, type TestDatabase } from '../test/support/database.js'
import type { Database } from './pool.js'
import { dropGatewaysOfDeadEdges, recordHeard, recordHeartbeat, recordPresence } from './presence.js'

let database: TestDatabase
let db: Database
const now = new Date('2026-06-01T04:00:00Z')
const staleBefore = new Date(now.getTime() - 60_000)
const homes = 90

beforeAll(async () => {
  database = await startTestDatabase()
  db = database.db
  await db.query("insert into communities values ('c', '示例', 'Asia/Shanghai')")
  await db.query(
    `insert into residents (resident_id, community_id, name, address, time_zone)
     select 'r' || n, 'c', '示例·居民', '示例路', 'Asia/Shanghai' from generate_series(1, ${homes}) n`,
  )
  await db.query(
    `insert into gateways (gateway_id, community_id, secret_hash) select 'g' || n, 'c', 'none' from generate_series(1, ${homes}) n`,
  )
  await db.query(
    `insert into devices (device_id, kind, gateway_id, resident_id, bound_at)
     select kind || n, kind, 'g' || n, 'r' || n, $1 from generate_series(1, ${homes}) n, unnest(array['water', 'button']) kind`,
    [now],
  )
})
afterAll(() => database.stop())

/** A third each: of an edge that beats, of one that stopped, and of one that never beat. */
beforeEach(async () => {
  await db.query('delete from arrivals')
  await recordHeartbeat(db, { edgeId: 'alive', now, keptSince: null })
  await recordHeartbeat(db, { edgeId: 'dead', now: new Date(staleBefore.getTime() - 1), keptSince: null })
  await db.query(
    `update gateways set online = true, online_changed_at = $1,
            edge_id = (array['alive', 'dead', null])[substr(gateway_id, 2)::int % 3 + 1]`,
    [new Date(now.getTime() - 3_600_000)],
  )
})

const online = async () =>
  (await db.query<{ edge: string }>('select distinct edge_id as edge from gateways where online')).rows.map(
    (r) => r.edge,
  )
/** Residents whose rules were told that their gateway is away, once for each time. */
const handed = async () =>
  (await db.query<{ id: string }>('select resident_id as id from arrivals order by 1')).rows.map(({ id }) => id)

test.each([
  ['one statement', 1_000, 1],
  ['some at a time', 7, 9],
  ['a number that divides them', 30, 3],
])('the gateways of dead edges go offline, those of a live one stay: %s', async (_, atOnceMax, statements) => {
  let asked = 0
  const counting = {
    ...db,
    query: ((...args: Parameters<typeof db.query>) => {
      asked += 1
      return db.query(...args)
    }) as typeof db.query,
  }
  expect(await dropGatewaysOfDeadEdges(counting, { now, staleBefore, atOnceMax })).toBe(60)
  expect(asked).toBe(statements)
  expect(await online()).toEqual(['alive'])
  const told = await handed()
  expect(told).toHaveLength(60)
  expect(new Set(told).size).toBe(60)
  expect(await dropGatewaysOfDeadEdges(db, { now, staleBefore })).toBe(0)
})

test('two processes at once: each gateway is dropped and handed to the rules once', async () => {
  const dropped = await Promise.all([1, 2].map(() => dropGatewaysOfDeadEdges(db, { now, staleBefore, atOnceMax: 4 })))
  expect(dropped[0]! + dropped[1]!).toBe(60)
  expect(await online()).toEqual(['alive'])
  expect(new Set(await handed()).size).toBe((await handed()).length)
})

test('more gateways than one statement takes are all written', async () => {
  const all = Array.from({ length: homes }, (_, i) => `g${i + 1}`)
  const none = Array.from({ length: 1_990 }, (_, i) => `nobody-${i}`)
  const at = now.getTime() + 60_000
  const ids = [...all.slice(0, 45), ...none, ...all.slice(45)]
  await recordHeard(db, {
    heard: ids.map((gatewayId) => ({ gatewayId, at })),
    clocks: ids.map((gatewayId) => ({ gatewayId, aheadS: 7 })),
  })
  await recordPresence(db, { edgeId: 'alive', changes: ids.map((gatewayId) => ({ gatewayId, online: true, at })) })
  const { rows } = await db.query(
    `select count(*)::int as n from gateways where last_heard_at = $1 and clock_ahead_s = 7 and edge_id = 'alive'`,
    [new Date(at)],
  )
  expect(rows).toEqual([{ n: homes }])
  expect(await handed()).toHaveLength(homes)
})
