import { afterAll, beforeAll, expect, test } from 'vitest'
import { registerCommunity } from '../test/support/community.js'
import { startTestDatabase, type TestDatabase } from '../test/support/database.js'
import { listDevices } from './gateways.js'

let database: TestDatabase
const now = new Date('2026-06-01T04:00:00Z')
const minutesAgo = (minutes: number) => new Date(now.getTime() - minutes * 60_000)

beforeAll(async () => {
  database = await startTestDatabase()
  const { db } = database
  await registerCommunity(db, { key: 'a', homes: 3, now })
  await registerCommunity(db, { key: 'b', now })
  for (const [gatewayId, online, minutes] of [
    ['a-1', true, 1],
    ['a-2', false, 30],
    ['a-3', false, 90],
  ] as const)
    await db.query('update gateways set online = $2, last_heard_at = $3 where gateway_id = $1', [
      gatewayId,
      online,
      minutesAgo(minutes),
    ])
  for (const [deviceId, minutes, battery] of [
    ['a-1-water', 1, null],
    ['a-1-water', 60, 0.5],
    ['a-1-smoke', 5_000, 0.25],
    ['a-1-gas', 10, null],
    ['a-2-water', 30, null],
  ] as const)
    await db.query(
      `insert into readings (device_no, observed_at, received_at, battery)
       select device_no, $2, $2, $3 from devices where device_id = $1`,
      [deviceId, minutesAgo(minutes), battery],
    )
})
afterAll(() => database.stop())

const list = (p: Partial<Parameters<typeof listDevices>[1]> = {}) =>
  listDevices(database.db, { communityIds: ['a'], search: '', offset: 0, limit: 50, ...p })
const ids = async (p: Parameters<typeof list>[0]) => (await list(p)).rows.map(({ deviceId }) => deviceId)

test('pages go by gateway, those away first; within a page by silence', async () => {
  expect(await ids({ limit: 5 })).toEqual(['button', 'electricity', 'gas', 'smoke', 'water'].map((k) => `a-3-${k}`))
  expect(await ids({ limit: 5, offset: 5 })).toEqual([
    'a-2-button',
    'a-2-electricity',
    'a-2-gas',
    'a-2-smoke',
    'a-2-water',
  ])
  const third = await list({ limit: 5, offset: 10 })
  expect(third.total).toBe(15)
  expect(third.rows.map(({ deviceId, lastObservedAt, battery }) => [deviceId, lastObservedAt, battery])).toEqual([
    ['a-1-button', null, null],
    ['a-1-electricity', null, null],
    ['a-1-smoke', minutesAgo(5_000), 0.25],
    ['a-1-gas', minutesAgo(10), null],
    ['a-1-water', minutesAgo(1), 0.5],
  ])
})

test('by gateway, by search, and never of another community', async () => {
  expect(await ids({ gatewayId: 'a-1' })).toEqual([
    'a-1-button',
    'a-1-electricity',
    'a-1-smoke',
    'a-1-gas',
    'a-1-water',
  ])
  expect(await list({ search: 'A-2-WAT' })).toMatchObject({ total: 1, rows: [{ deviceId: 'a-2-water' }] })
  expect(await list({ search: 'b-1' })).toEqual({ total: 0, rows: [] })
})

test('the newest reading is looked up for the devices of the page, not for all', async () => {
  const { db } = database
  const { rows: devices } = await db.query('select count(*)::int as n from devices where unbound_at is null')
  let analysed: unknown
  const watching = {
    query: async (text: string, values?: unknown[]) => {
      const { rows } = await db.query(`explain (analyze, format json) ${text}`, values)
      analysed = rows[0]
      return db.query(text, values)
    },
  } as typeof db
  await listDevices(watching, { communityIds: ['a', 'b'], search: '', offset: 0, limit: 2 })
  expect(devices[0].n).toBe(20)
  const plan = JSON.stringify(analysed)
  const loops = [...plan.matchAll(/"Relation Name":"_hyper[^}]*?"Actual Loops":([\d.]+)/g)].map(([, n]) => Number(n))
  expect(loops.length).toBeGreaterThan(0)
  expect(Math.max(...loops)).toBeLessThanOrEqual(2)
})
