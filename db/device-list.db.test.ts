import { afterAll, beforeAll, expect, test } from 'vitest'
import { registerCommunity } from '../test/support/community.js'
import { startTestDatabase, type TestDatabase } from '../test/support/database.js'
import { countDevices, devicesOfGateway, listDevices, searchDevices } from './device-list.js'

let database: TestDatabase
const now = new Date('2026-06-01T04:00:00Z')
const minutesAgo = (minutes: number) => new Date(now.getTime() - minutes * 60_000)
const daysAgo = (days: number) => minutesAgo(days * 1_440)
const read = (deviceId: string, at: Date, battery: number | null) =>
  database.db.query(
    `insert into readings (device_no, observed_at, received_at, battery)
     select device_no, $2, $2, $3 from devices where device_id = $1`,
    [deviceId, at, battery],
  )

beforeAll(async () => {
  database = await startTestDatabase()
  const { db } = database
  await registerCommunity(db, { key: 'a', homes: 3, now })
  await registerCommunity(db, { key: 'b', now })
  await registerCommunity(db, { key: 'old', now })
  for (const [gatewayId, online, minutes] of [
    ['a-1', true, 1],
    ['a-2', false, 30],
    ['a-3', false, 90],
    ['old-1', true, 1],
  ] as const)
    await db.query('update gateways set online = $2, last_heard_at = $3 where gateway_id = $1', [
      gatewayId,
      online,
      minutesAgo(minutes),
    ])
  await read('a-1-water', minutesAgo(1), null)
  await read('a-1-water', minutesAgo(60), 0.5)
  await read('a-1-smoke', minutesAgo(5_000), 0.25)
  await read('a-1-gas', minutesAgo(10), null)
  await read('a-2-water', minutesAgo(30), null)
})
afterAll(() => database.stop())

const communityIds = ['a']
const list = (p: Partial<Parameters<typeof listDevices>[1]> = {}) =>
  listDevices(database.db, { communityIds, offset: 0, limit: 50, ...p })
const search = (text: string) => searchDevices(database.db, { communityIds, search: text, offset: 0, limit: 50 })
const idsOf = (rows: { deviceId: string }[]) => rows.map(({ deviceId }) => deviceId)
const kinds = ['button', 'electricity', 'gas', 'smoke', 'water']

test('pages go by gateway, those away first; within a page by silence', async () => {
  expect(idsOf(await list({ limit: 5 }))).toEqual(kinds.map((kind) => `a-3-${kind}`))
  expect(idsOf(await list({ limit: 5, offset: 5 }))).toEqual(kinds.map((kind) => `a-2-${kind}`))
  const third = await list({ limit: 5, offset: 10 })
  expect(third.map(({ deviceId, lastObservedAt, battery }) => [deviceId, lastObservedAt, battery])).toEqual([
    ['a-1-button', null, null],
    ['a-1-electricity', null, null],
    ['a-1-smoke', minutesAgo(5_000), 0.25],
    ['a-1-gas', minutesAgo(10), null],
    ['a-1-water', minutesAgo(1), 0.5],
  ])
  expect(await list({ offset: 15 })).toEqual([])
  expect(await countDevices(database.db, { communityIds })).toBe(15)
})

test('by gateway, by search, and never of another community', async () => {
  const of = (gatewayId: string) => devicesOfGateway(database.db, { communityIds, gatewayId, devicesMax: 50 })
  expect(idsOf(await of('a-1'))).toEqual(['a-1-button', 'a-1-electricity', 'a-1-smoke', 'a-1-gas', 'a-1-water'])
  expect(await of('b-1')).toEqual([])
  expect(await search('A-2-WAT')).toMatchObject({ total: 1, rows: [{ deviceId: 'a-2-water' }] })
  expect((await search('a-2')).total).toBe(5)
  for (const nothing of ['b-1', '%', '_']) expect(await search(nothing)).toEqual({ total: 0, rows: [] })
})

test('a reading is found however old it is, and though nothing was ever heard of the gateway', async () => {
  const own = { communityIds: ['old'], offset: 0, limit: 50 }
  await read('old-1-water', daysAgo(2), null)
  await read('old-1-water', daysAgo(4), 0.9)
  await read('old-1-smoke', daysAgo(200), 0.75)
  await read('old-1-gas', daysAgo(20), null)
  await read('old-1-gas', daysAgo(21), 0.25)
  const expected = [
    ['old-1-button', null, null],
    ['old-1-electricity', null, null],
    ['old-1-smoke', daysAgo(200), 0.75],
    ['old-1-gas', daysAgo(20), 0.25],
    // What was said two days before it, or earlier, is not its battery of today.
    ['old-1-water', daysAgo(2), null],
  ]
  const seen = async () =>
    (await listDevices(database.db, own)).map(({ deviceId, lastObservedAt, battery }) => [
      deviceId,
      lastObservedAt,
      battery,
    ])
  expect(await seen()).toEqual(expected)
  await database.db.query("update gateways set last_heard_at = null where gateway_id = 'old-1'")
  expect(await seen()).toEqual(expected)
})

test('the newest reading is looked up for the devices of the page, in the newest days when it is there', async () => {
  const { db } = database
  const plans: string[] = []
  const watching = {
    query: async (text: string, values?: unknown[]) => {
      if (text.includes('from readings')) {
        const { rows } = await db.query(`explain (analyze, format json) ${text}`, values)
        plans.push(JSON.stringify(rows[0]))
      }
      return db.query(text, values)
    },
  } as typeof db
  // What lies long back is in chunks of its own.
  await read('a-2-water', daysAgo(100), null)
  await read('a-2-water', daysAgo(50), null)
  await searchDevices(watching, { communityIds: ['a'], search: 'a-2-water', offset: 0, limit: 2 })
  expect(plans).toHaveLength(1)
  const chunksIn = (plan: string) => new Set(plan.match(/_hyper_\d+_\d+_chunk/g)).size
  expect(chunksIn(plans[0]!)).toBeLessThanOrEqual(2)
  plans.length = 0
  await listDevices(watching, { communityIds: ['a', 'b'], offset: 0, limit: 2 })
  const loops = plans.flatMap((plan) =>
    [...plan.matchAll(/"Relation Name":"_hyper[^}]*?"Actual Loops":([\d.]+)/g)].map(([, n]) => Number(n)),
  )
  expect(loops.length).toBeGreaterThan(0)
  expect(Math.max(...loops)).toBeLessThanOrEqual(2)
})
