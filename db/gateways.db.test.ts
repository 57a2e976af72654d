import { afterAll, beforeAll, expect, test } from 'vitest'
import { seededRandom, whole } from '../simulators/random.js'
import { startTestDatabase, type TestDatabase } from '../test/support/database.js'
import {
  findGateway,
  type GatewayCondition,
  type GatewayRow,
  listGateways,
  operatorSummary,
  searchGateways,
} from './gateways.js'

/** Gateways in every condition that chance makes of what is on record, against the definition of each condition. */
let database: TestDatabase
const now = new Date('2026-06-01T04:30:00Z')
const seed = Number(process.env.TEST_SEED ?? Math.floor(Math.random() * 1e9))
const gateways = 300
const communityIds = ['a', 'b']
const scope = { communityIds, now }
const order: GatewayCondition[] = ['silent', 'idle', 'clock', 'never', 'well', 'disabled']

type Made = {
  gatewayId: string
  community: string
  online: boolean
  disabled: boolean
  changedMin: number
  heardMin: number | null
  aheadS: number | null
}
const minutesAgo = (minutes: number) => new Date(now.getTime() - minutes * 60_000)
let all: Made[]

beforeAll(async () => {
  console.info(`gateways seed ${seed}`)
  database = await startTestDatabase()
  const random = seededRandom(seed, 'gateways')
  const of = <T>(...values: T[]): T => values[whole(random, 0, values.length - 1)]!
  all = Array.from({ length: gateways }, (_, i) => ({
    gatewayId: `${of('g', 'h')}-${String(i).padStart(3, '0')}`,
    community: of('a', 'a', 'b', 'c'),
    online: of(true, true, false),
    disabled: of(true, false, false, false),
    changedMin: of(3, 90, 90, 1_000),
    // On both sides of the 2 h, in the hour in which they end as well.
    heardMin: of(null, 0, 1, 89, 91, 119, 121, 149, 151, 5_000),
    aheadS: of(null, 0, 3, -119, 120, 121, -7_500),
  }))
  const { db } = database
  await db.query("insert into communities select c, '示例', 'Asia/Shanghai' from unnest(array['a', 'b', 'c']) c")
  for (const g of all)
    await db.query(
      `insert into gateways (gateway_id, community_id, secret_hash, label, online, disabled_at, online_changed_at, last_heard_at, clock_ahead_s)
       values ($1, $2, 'none', 'Label ' || $1, $3, $4, $5, $6, $7)`,
      [
        g.gatewayId,
        g.community,
        g.online,
        g.disabled ? now : null,
        minutesAgo(g.changedMin),
        g.heardMin === null ? null : minutesAgo(g.heardMin),
        g.aheadS,
      ],
    )
})
afterAll(() => database.stop())

function conditionOf({ online, disabled, heardMin, aheadS }: Made): GatewayCondition {
  if (disabled) return 'disabled'
  if (!online) return heardMin === null ? 'never' : 'silent'
  if (heardMin === null || heardMin > 120) return 'idle'
  return Math.abs(aheadS ?? 0) > 120 ? 'clock' : 'well'
}
const seen = () => all.filter(({ community }) => communityIds.includes(community))
const expected = (of: (made: Made) => boolean = () => true) =>
  seen()
    .filter(of)
    .sort(
      (a, b) =>
        order.indexOf(conditionOf(a)) - order.indexOf(conditionOf(b)) ||
        (conditionOf(a) === 'silent' ? b.changedMin - a.changedMin : 0) ||
        (a.gatewayId < b.gatewayId ? -1 : 1),
    )
    .map((made) => `${made.gatewayId} ${conditionOf(made)}`)
const told = (rows: GatewayRow[]) => rows.map(({ gatewayId, condition }) => `${gatewayId} ${condition}`)

test('page by page, the list is every gateway once: worst first, the longest silence first', async () => {
  const { conditions: counts } = await operatorSummary(database.db, scope)
  for (const limit of [7, 50]) {
    const pages: string[] = []
    for (let offset = 0; offset < seen().length + limit; offset += limit)
      pages.push(...told(await listGateways(database.db, { ...scope, offset, limit, counts })))
    expect(pages).toEqual(expected())
  }
})

test('the summary counts each condition, and wrong clocks whatever else is the matter', async () => {
  const summary = await operatorSummary(database.db, scope)
  for (const condition of order)
    expect(summary.conditions[condition], condition).toBe(seen().filter((g) => conditionOf(g) === condition).length)
  const used = seen().filter(({ disabled }) => !disabled)
  expect(summary.gateways).toBe(used.length)
  expect(summary.clocksWrong).toBe(used.filter(({ aheadS }) => Math.abs(aheadS ?? 0) > 120).length)
})

test('counts that are no longer right move the page a little, and repeat nothing on it', async () => {
  const counts = (await operatorSummary(database.db, scope)).conditions
  const stale = { ...counts, silent: counts.silent - 3, idle: counts.idle + 2 }
  const rows = told(await listGateways(database.db, { ...scope, offset: 0, limit: 50, counts: stale }))
  expect(rows).toEqual(expected().slice(0, 50))
  for (let offset = 0; offset < seen().length; offset += 20) {
    const page = told(await listGateways(database.db, { ...scope, offset, limit: 20, counts: stale }))
    expect(new Set(page).size).toBe(page.length)
  }
})

test('a search keeps the order and looks in id and label; one gateway is found by its id in its community only', async () => {
  const found = await searchGateways(database.db, { ...scope, search: 'LABEL H-', offset: 5, limit: 20 })
  const right = expected(({ gatewayId }) => gatewayId.startsWith('h'))
  expect(found.total).toBe(right.length)
  expect(told(found.rows)).toEqual(right.slice(5, 25))
  expect(await searchGateways(database.db, { ...scope, search: '%', offset: 0, limit: 5 })).toEqual({
    rows: [],
    total: 0,
  })
  for (const made of all.slice(0, 60)) {
    const one = await findGateway(database.db, { ...scope, gatewayId: made.gatewayId })
    expect(one?.condition).toBe(communityIds.includes(made.community) ? conditionOf(made) : undefined)
  }
})
