import { afterAll, beforeAll, expect, test, vi } from 'vitest'
import { startTestDatabase, type TestDatabase } from '../test/support/database.js'
import { createRightsSource } from './gateway-rights.js'
import { revokeSecret } from './gateway-secrets.js'

let database: TestDatabase
const gateways = 20_000

beforeAll(async () => {
  database = await startTestDatabase()
  await database.db.query("insert into communities values ('c', '示例社区', 'Asia/Shanghai')")
  await database.db.query(
    `insert into gateways (gateway_id, community_id, secret_hash) select 'gw' || n, 'c', 'none' from generate_series(1, $1::int) n`,
    [gateways],
  )
  await database.db.query('analyze gateways')
})
afterAll(() => database.stop())

type ChangedSince = ReturnType<typeof createRightsSource>['changedSince']
/** From where nothing is told: a transaction of anybody on this server, other tests' too, has what is older told again. */
const quietCursor = (changedSince: ChangedSince, from: string) =>
  vi.waitFor(
    async () => {
      const told = await changedSince(from)
      from = told.cursor
      expect(told.gatewayIds).toEqual([])
      return told.cursor
    },
    { timeout: 15_000, interval: 50 },
  )

test('of two transactions the one that began first and committed last is told too', async () => {
  const { changedSince } = createRightsSource(database.db)
  let cursor = await quietCursor(changedSince, (await changedSince(undefined)).cursor)
  const told: string[][] = []
  const look = async () => {
    const changed = await changedSince(cursor)
    cursor = changed.cursor
    told.push([...changed.gatewayIds].sort())
  }
  await database.db.transaction(async (slow) => {
    await slow.query("update gateways set secret_hash = 'x' where gateway_id = 'gw1'")
    await database.db.query("update gateways set secret_hash = 'x' where gateway_id = 'gw2'")
    await look()
  })
  await look()
  // While one is under way, who is above it is named again.
  expect(told).toEqual([['gw2'], ['gw1', 'gw2']])
  await quietCursor(changedSince, cursor)
})

test('a look costs the same however many gateways there are', async () => {
  const { changedSince } = createRightsSource(database.db)
  const cursor = await quietCursor(changedSince, (await changedSince(undefined)).cursor)
  await revokeSecret(database.db, { gatewayId: 'gw7', staffId: null, now: new Date() })
  const { rows } = await database.db.query<{ 'QUERY PLAN': string }>(
    `explain (analyze, buffers, timing off)
       select gateway_id from gateways where rights_xid >= $1::text::xid8 and rights_xid < pg_snapshot_xmax(pg_current_snapshot())`,
    [cursor],
  )
  const plan = rows.map((row) => row['QUERY PLAN']).join('\n')
  expect(plan).toContain('gateways_by_rights')
  expect(plan).not.toContain('Seq Scan')
  const startedAt = performance.now()
  for (let round = 0; round < 100; round++) await changedSince(cursor)
  console.log(`a look takes ${((performance.now() - startedAt) / 100).toFixed(2)} ms beside ${gateways} gateways`)
})
