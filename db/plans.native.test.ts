import { afterAll, beforeAll, expect, test } from 'vitest'
import { startTestDatabase, type TestDatabase } from '../test/support/database.js'
import { listClosedAlerts, listOpenAlerts } from './alert-views.js'
import { claimDueResidents } from './fold.js'
import { measureLateness } from './lateness.js'
import type { Queryable } from './pool.js'
import { listResidents } from './resident-list.js'
import { residentAlerts, residentDevices } from './residents.js'
import { loadUsage } from './usage.js'

/** Plans that must not go through all rows of a city, on statistics of 20,000 residents in 40 communities. */
let database: TestDatabase
const residents = 20_000
const communities = 40
const now = new Date('2026-03-10T06:05:00Z')
const all = Array.from({ length: communities }, (_, i) => `c${i + 1}`)

beforeAll(async () => {
  database = await startTestDatabase()
  const seed = (sql: string, values: unknown[] = []) => database.db.query(sql, values)
  await seed("insert into communities select 'c' || n, '示例', 'Asia/Shanghai' from generate_series(1, $1::int) n", [
    communities,
  ])
  await seed(
    `insert into residents (resident_id, community_id, name, address, time_zone)
     select 'r' || n, 'c' || (n % $2::int + 1), '示例·居民' || n * 7919 % 10007, '示例路 ' || n, 'Asia/Shanghai' from generate_series(1, $1::int) n`,
    [residents, communities],
  )
  await seed("insert into gateways (gateway_id, community_id, secret_hash) values ('g1', 'c1', 'none')")
  await seed(
    `insert into devices (device_id, kind, gateway_id, resident_id, bound_at)
     select 'd' || n, 'water', 'g1', 'r' || n, $2 from generate_series(1, $1::int) n`,
    [residents, now],
  )
  await seed(
    `insert into resident_state (resident_id, state, wake_at, folded_at)
     select resident_id, jsonb_build_object('filler', repeat('x', 1500)), $1::timestamptz + interval '1 hour', $1 from residents`,
    [now],
  )
  await seed(
    `insert into alerts (resident_id, community_id, kind, severity, stage, opened_at, observed_at, headline_zh, headline_en, outcome, closed_at)
     select resident_id, community_id, 'silent_12h', case when n % 9 = 0 then 'emergency' else 'urgent' end,
            case when n <= 200 then 'open' else 'closed' end, at, at, '示例', 'Invented',
            case when n > 200 then 'other' end, case when n > 200 then at + interval '1 hour' end
       from generate_series(1, $2::int) n join residents on resident_id = 'r' || n
            cross join lateral (select $1::timestamptz - n * interval '7 minutes' as at) a`,
    [now, residents],
  )
  await seed("insert into alert_events (alert_id, at, kind) select alert_id, opened_at, 'opened' from alerts")
  await seed(
    `insert into readings (device_no, observed_at, received_at, value)
     select n, at, at, 1 from generate_series($1::timestamptz - interval '20 days', $1, interval '4 hours') at, generate_series(1, 2000) n`,
    [now],
  )
  await database.db.patiently((client) => client.query('vacuum analyze'))
}, 60_000)
afterAll(() => database.stop())

type Node = { 'Node Type': string; 'Relation Name'?: string; Plans?: Node[] }
const nodesOf = (node: Node): Node[] => [node, ...(node.Plans ?? []).flatMap(nodesOf)]

/** What `ask` goes through whole: the tables under sequential scans, in the plans that the server makes for it. */
async function scannedBy(ask: (db: Queryable) => Promise<unknown>): Promise<string[]> {
  const scanned: string[] = []
  const spy = {
    query: async (sql: string, values?: unknown[]) => {
      const { rows } = await database.db.query<{ 'QUERY PLAN': { Plan: Node }[] }>(
        `explain (format json) ${sql}`,
        values,
      )
      for (const node of nodesOf(rows[0]!['QUERY PLAN'][0]!.Plan))
        if (node['Node Type'].endsWith('Seq Scan')) scanned.push(node['Relation Name'] ?? '')
      return database.db.query(sql, values)
    },
  }
  await ask(spy as unknown as Queryable)
  return scanned.filter((table) => /^(residents|resident_state|devices|alerts|alert_events|_hyper.*)$/.test(table))
}

const nothing: string[] = []
const scopes = [
  ['of one community', ['c1']],
  ['of all communities', all],
] as const

test.each(scopes)('the open and the closed alerts %s', async (_, communityIds) => {
  const scope = { communityIds: [...communityIds], rowsMax: 100 }
  expect(await scannedBy((db) => listOpenAlerts(db, { ...scope, notices: false }))).toEqual(nothing)
  expect(
    await scannedBy((db) => listClosedAlerts(db, { ...scope, since: new Date(now.getTime() - 86_400_000) })),
  ).toEqual(nothing)
})
test.each(scopes)('a page of the residents %s', async (_, communityIds) => {
  const page = { communityIds: [...communityIds], search: '', rowsMax: 50 }
  expect(await scannedBy((db) => listResidents(db, { ...page, offset: 0 }))).toEqual(nothing)
  expect(await scannedBy((db) => listResidents(db, { ...page, offset: 250 }))).toEqual(nothing)
})
test("a resident's devices, alerts and use", async () => {
  const residentId = 'r77'
  const from = now.getTime() - 14 * 86_400_000
  expect(await scannedBy((db) => residentDevices(db, { residentId, since: new Date(from) }))).toEqual(nothing)
  expect(await scannedBy((db) => residentAlerts(db, { residentId, closedMax: 10 }))).toEqual(nothing)
  expect(await scannedBy((db) => loadUsage(db, { deviceNos: [77], from, to: now.getTime() }))).toEqual(nothing)
})
test('what is due, and how late it is', async () => {
  const limits = { now, residentsMax: 200, entriesMax: 10_000, except: [] }
  expect(await scannedBy((db) => claimDueResidents(db, limits))).toEqual(nothing)
  expect(await scannedBy((db) => measureLateness(db, { now }))).toEqual(nothing)
})
