import { afterAll, beforeAll, expect, test } from 'vitest'
import { startTestDatabase, type TestDatabase } from '../test/support/database.js'
import { listDevices } from './device-list.js'
import { listGateways, operatorSummary } from './gateways.js'
import type { Queryable } from './pool.js'

/** How many rows the operator's pages go through, on 20,000 gateways in 40 communities, every fiftieth of them away. */
let database: TestDatabase
const gateways = 20_000
const communities = 40
const rowsOfPage = 50
const now = new Date('2026-03-10T06:05:00Z')
const all = Array.from({ length: communities }, (_, i) => `c${i + 1}`)

beforeAll(async () => {
  database = await startTestDatabase()
  const seed = (sql: string, values: unknown[] = []) => database.db.query(sql, values)
  await seed("insert into communities select c, '示例', 'Asia/Shanghai' from unnest($1::text[]) c", [all])
  await seed(
    "insert into residents (resident_id, community_id, name, address, time_zone) values ('r1', 'c1', '示例', '示例路', 'Asia/Shanghai')",
  )
  await seed(
    `insert into gateways (gateway_id, community_id, secret_hash, online, online_changed_at, last_heard_at, clock_ahead_s)
     select 'g' || n, 'c' || (n % ${communities} + 1), 'none', n % 50 <> 0, $1, $1::timestamptz - n % 100 * interval '1 minute', 0.3
       from generate_series(1, ${gateways}) n`,
    [now],
  )
  await seed(
    `insert into devices (device_id, kind, gateway_id, resident_id, bound_at)
     select kind || n, kind, 'g' || n, 'r1', $1 from generate_series(1, ${gateways}) n, unnest(array['water', 'electricity', 'button']) kind`,
    [now],
  )
  await database.db.patiently((client) => client.query('vacuum analyze'))
}, 60_000)
afterAll(() => database.stop())

type Node = { 'Actual Rows': number; 'Actual Loops': number; 'Rows Removed by Filter'?: number; Plans?: Node[] }
const rowsOf = (node: Node): number =>
  Math.max(
    (node['Actual Rows'] + (node['Rows Removed by Filter'] ?? 0)) * node['Actual Loops'],
    ...(node.Plans ?? []).map(rowsOf),
  )

/** The most rows that any step of what `ask` asks for goes through. */
async function rowsReadBy(ask: (db: Queryable) => Promise<unknown>): Promise<number> {
  let most = 0
  const spy = {
    query: async (sql: string, values?: unknown[]) => {
      const { rows } = await database.db.query<{ 'QUERY PLAN': { Plan: Node }[] }>(
        `explain (analyze, format json) ${sql}`,
        values,
      )
      most = Math.max(most, rowsOf(rows[0]!['QUERY PLAN'][0]!.Plan))
      return database.db.query(sql, values)
    },
  }
  await ask(spy as unknown as Queryable)
  return most
}

test('the first pages read little more than what they show', async () => {
  const scope = { communityIds: all, now, limit: rowsOfPage }
  const { conditions: counts } = await operatorSummary(database.db, scope)
  expect(counts.silent).toBe(gateways / 50)
  // The second begins among those away and the tenth among those that are well.
  for (const offset of [0, rowsOfPage, 9 * rowsOfPage])
    expect(await rowsReadBy((db) => listGateways(db, { ...scope, offset, counts }))).toBeLessThan(600)
  for (const offset of [0, rowsOfPage])
    expect(await rowsReadBy((db) => listDevices(db, { ...scope, offset }))).toBeLessThan(600)
})
