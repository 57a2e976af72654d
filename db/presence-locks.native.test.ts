import { afterAll, beforeAll, expect, test } from 'vitest'
import { startTestDatabase, type TestDatabase } from '../test/support/database.js'
import { saveMemories } from './announced.js'
import { recordHeard, recordPresence } from './presence.js'

// Row locks of several connections: the embedded database has only one.
let database: TestDatabase
const gateways = 400
const ids = Array.from({ length: gateways }, (_, i) => `g${i}`)
const reversed = [...ids].reverse()
const at = Date.parse('2026-06-01T04:00:00Z')

beforeAll(async () => {
  database = await startTestDatabase()
  await database.db.query("insert into communities values ('c', '示例', 'Asia/Shanghai')")
  await database.db.query(
    "insert into gateways (gateway_id, community_id, secret_hash) select id, 'c', 'none' from unnest($1::text[]) id",
    [ids],
  )
})
afterAll(() => database?.stop())

test.each(['heard', 'clocks', 'presence'] as const)(
  '%s waits for one gateway and holds none that comes after it',
  async (what) => {
    const { db } = database
    const write = (order: string[]) =>
      what === 'presence'
        ? recordPresence(db, { edgeId: 'e', changes: order.map((gatewayId) => ({ gatewayId, online: true, at })) })
        : recordHeard(db, {
            heard: what === 'heard' ? order.map((gatewayId) => ({ gatewayId, at })) : [],
            clocks: what === 'clocks' ? order.map((gatewayId) => ({ gatewayId, aheadS: 1 })) : [],
          })
    const inOrder = (await db.query<{ id: string }>('select gateway_id as id from gateways order by gateway_id')).rows
    const first = inOrder[0]!.id
    const others = inOrder.slice(1).map((row) => row.id)
    for (const order of [ids, reversed]) {
      let writing: Promise<void> = Promise.resolve()
      const free = await db.transaction(async (tx) => {
        await tx.query('select from gateways where gateway_id = $1 for no key update', [first])
        writing = write(order)
        for (let waits = 0; waits === 0; )
          waits = (await tx.query("select from pg_locks where not granted and locktype in ('transactionid', 'tuple')"))
            .rowCount!
        const { rowCount } = await tx.query(
          'select from gateways where gateway_id = any($1) for no key update skip locked',
          [others],
        )
        return rowCount
      })
      await writing
      expect(free).toBe(others.length)
    }
  },
)

test('what is written at once in any order never waits crosswise', async () => {
  const { db } = database
  const deadlocks = async () =>
    (
      await db.query<{ n: number }>(
        'select deadlocks::int as n from pg_stat_database where datname = current_database()',
      )
    ).rows[0]!.n
  const before = await deadlocks()
  const rounds = Array.from({ length: 10 }, (_, round) => round)
  const heard = (order: string[]) =>
    recordHeard(db, { heard: order.map((gatewayId) => ({ gatewayId, at })), clocks: [] })
  await Promise.all([
    ...rounds.map(() => heard(ids)),
    ...rounds.map(() => heard(reversed)),
    ...rounds.map((version) =>
      saveMemories(
        db,
        reversed.map((gatewayId) => ({ gatewayId, memory: { version }, version })),
      ),
    ),
  ])
  await db.query('select pg_stat_clear_snapshot()')
  expect(await deadlocks()).toBe(before)
})
