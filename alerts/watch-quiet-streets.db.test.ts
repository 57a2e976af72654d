import { afterAll, beforeAll, beforeEach, expect, test } from 'vitest'
import { openAlert } from '../db/alerts.js'
import { quietGroups } from '../db/quiet-streets.js'
import { manualClock } from '../kit/clock.js'
import { createLog } from '../kit/log.js'
import { createSignal } from '../kit/signal.js'
import { startTestDatabase, type TestDatabase } from '../test/support/database.js'
import { type Community, seedCommunity } from '../test/support/fixtures.js'
import { placeOf } from './incidents.js'
import { otherShareMax, streetOf } from './quiet-streets.js'
import { createQuietStreetWatch } from './watch-quiet-streets.js'

let database: TestDatabase
let c: Community
let look: () => Promise<unknown>
const clock = manualClock(new Date('2026-03-04T03:00:00Z'))
const minute = 60_000
const homes = 20
const rows = async (sql: string, values: unknown[] = []) => (await database.db.query(sql, values)).rows
let communities = 0

beforeAll(async () => {
  database = await startTestDatabase()
  const log = createLog({ role: 'test', level: 'silent' })
  look = createQuietStreetWatch({ db: database.db, clock, log, signal: createSignal() })
})
afterAll(() => database?.stop())
beforeEach(async () => {
  await rows('update incidents set closed_at = opened_at where closed_at is null')
  await rows('delete from resident_knowledge')
  c = await seedCommunity(database.db, { key: `q${++communities}`, now: clock.now(), residents: homes })
  for (const [i, { residentId }] of c.residents.entries())
    await rows('update residents set address = $2 where resident_id = $1', [
      residentId,
      `${i < 12 ? '示例路' : '样板街'} ${i + 1} 号`,
    ])
})

type Told = { usedAgo: number; long?: boolean; untilAgo?: number }
/** What the meters of homes `from` to `to` tell of a flow, in minutes before now. */
async function tell(
  flow: 'water' | 'power',
  [from, to]: [number, number],
  { usedAgo, long = true, untilAgo = 5 }: Told,
) {
  const at = (ago: number) => new Date(clock.now().getTime() - ago * minute)
  await rows(
    `insert into resident_knowledge (resident_id, knowledge, silent_long, ${flow}_at, ${flow}_until)
     select unnest($1::text[]), 'used', $2, $3, $4
     on conflict (resident_id) do update set silent_long = excluded.silent_long, ${flow}_at = excluded.${flow}_at, ${flow}_until = excluded.${flow}_until`,
    [c.residents.slice(from - 1, to).map(({ residentId }) => residentId), long, at(usedAgo), at(untilAgo)],
  )
}
const incidents = async () =>
  (
    await rows(
      `select kind, place, closed_at is null as open, (select count(*)::int from incident_homes h where h.incident_id = i.incident_id) as homes
         from incidents i where community_id = $1 order by incident_id`,
      [c.communityId],
    )
  ).map(({ kind, place, open, homes }) => `${open ? 'open' : 'closed'} ${kind} ${homes} at "${place}"`)

test('a street without water is an incident of that street, and holds in the same moment what was asked about', async () => {
  await tell('water', [1, 12], { usedAgo: 170 })
  await tell('water', [13, 20], { usedAgo: 10, long: false })
  const openedAt = new Date(clock.now().getTime() - 10 * minute)
  const alertId = await database.db.transaction((tx) =>
    openAlert(
      tx,
      {
        residentId: c.residents[0]!.residentId,
        deviceNo: null,
        kind: 'silence_unusual',
        openedAt,
        observedAt: openedAt,
        headline: { zh: '示例', en: 'sample' },
        reason: { since: clock.now().getTime() - 170 * minute },
        askUntil: new Date(openedAt.getTime() + 30 * minute),
      },
      openedAt,
    ),
  )
  await Promise.all([look(), look(), look()])
  expect(await incidents()).toEqual(['open no water 12 at "示例路"'])
  const [alert] = await rows('select held_since, held_until, due_at from alerts where alert_id = $1', [alertId])
  const until = new Date(openedAt.getTime() + 120 * minute)
  expect(alert).toEqual({ held_since: clock.now(), held_until: until, due_at: until })
  expect(
    await rows("select urgent from messages where kind = 'incident' and staff_id like $1", [`${c.key}-%`]),
  ).toEqual([{ urgent: false }, { urgent: false }])
  // Told by nobody else again, and followed; what a transaction opened that did not see it is held at the next look.
  await rows(
    'update alerts set held_since = null, held_until = null, held_incident_id = null, due_at = $2 where alert_id = $1',
    [alertId, new Date(openedAt.getTime() + 30 * minute)],
  )
  await look()
  expect((await rows('select due_at from alerts where alert_id = $1', [alertId]))[0].due_at).toEqual(until)
  expect(await incidents()).toHaveLength(1)
  await tell('water', [1, 10], { usedAgo: 10, long: false })
  await look()
  expect(await incidents()).toEqual(['closed no water 12 at "示例路"'])
  expect((await rows('select held_until from alerts where alert_id = $1', [alertId]))[0].held_until).toEqual(
    new Date(clock.now().getTime() + 30 * minute),
  )
})

test('two streets are two incidents; what a house tells, its street has told', async () => {
  await tell('water', [13, 20], { usedAgo: 10, long: false })
  await tell('water', [1, 12], { usedAgo: 170 })
  await look()
  await tell('water', [13, 20], { usedAgo: 175 })
  await look()
  expect(await incidents()).toEqual(['open no water 12 at "示例路"', 'open no water 8 at "样板街"'])
  await look()
  expect(await incidents()).toHaveLength(2)
})

test('electricity meters that stand still, of a community whose water runs', async () => {
  await tell('water', [1, 20], { usedAgo: 10, long: false })
  await tell('power', [1, 20], { usedAgo: 65 })
  await look()
  expect(await incidents()).toEqual(['open no power 20 at ""'])
  expect(
    await rows("select urgent from messages where kind = 'incident' and staff_id like $1", [`${c.key}-%`]),
  ).toEqual([{ urgent: true }, { urgent: true }])
  await tell('power', [1, 17], { usedAgo: 5 })
  await look()
  expect(await incidents()).toEqual(['closed no power 20 at ""'])
})

test('those who have left, and who are played, are nobody', async () => {
  await tell('water', [1, 20], { usedAgo: 170 })
  await rows('update residents set left_at = $2 where resident_id = any($1)', [
    c.residents.slice(0, 10).map(({ residentId }) => residentId),
    clock.now(),
  ])
  await rows('update residents set synthetic = true where resident_id = any($1)', [
    c.residents.slice(10).map(({ residentId }) => residentId),
  ])
  await look()
  expect(await incidents()).toEqual([])
})

test('the database groups addresses as the rules do', async () => {
  const addresses = [
    '示例路 12 号 301 室',
    '示例小区3栋2单元501',
    '12 Example Street',
    'Example Street 12, flat 3',
    '无门牌',
    '#12',
    ' 3',
  ]
  for (const [i, address] of addresses.entries())
    await rows('update residents set address = $2 where resident_id = $1', [c.residents[i]!.residentId, address])
  await tell('water', [1, addresses.length], { usedAgo: 170 })
  const ago = (minutes: number) => new Date(clock.now().getTime() - minutes * minute)
  const groups = await quietGroups(database.db, {
    kind: 'no water',
    freshSince: ago(90),
    quietSince: ago(30),
    otherShareMax,
    homesMin: 1,
  })
  const expected = new Set(['', ...addresses.flatMap((address) => [streetOf(address), placeOf(address)])])
  expect(new Set(groups.map(({ place }) => place))).toEqual(expected)
  expect(groups.filter(({ place }) => place === '')).toEqual([
    { communityId: c.communityId, place: '', homes: addresses.length, unusual: addresses.length },
  ])
})
