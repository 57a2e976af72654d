import { afterAll, beforeAll, expect, test } from 'vitest'
import type { Arrival } from '../alerts/model.js'
import { flowsOf } from '../alerts/rules/flows.js'
import { emptyState, fold, knowledge } from '../alerts/rules/fold.js'
import { holdsUntil } from '../alerts/rules/holds.js'
import { startTestDatabase, type TestDatabase } from '../test/support/database.js'
import { type Community, seedCommunity } from '../test/support/fixtures.js'
import { setAway } from './absences.js'
import { saveStates } from './fold.js'
import { summariseResidents } from './resident-summary.js'

let database: TestDatabase
let c: Community
const now = new Date('2026-03-10T06:05:00Z')
const minute = 60_000
const hour = 60 * minute

beforeAll(async () => {
  database = await startTestDatabase()
  c = await seedCommunity(database.db, { key: 's', now, residents: 5 })
})
afterAll(() => database.stop())

/** Two days of a water meter, the newest reading so long ago, the newest use so long before now. */
function stateOf(deviceNo: number, { silentMs, unusedMs }: { silentMs: number; unusedMs: number }) {
  const arrivals: Arrival[] = []
  let value = 0
  for (let at = now.getTime() - 48 * hour; at <= now.getTime() - silentMs; at += 10 * minute) {
    if (at <= now.getTime() - unusedMs) value += 5
    arrivals.push({ type: 'reading', kind: 'water', deviceNo, observedAt: at, receivedAt: at, event: '', value })
  }
  return fold(emptyState(), arrivals, now.getTime(), { timeZone: 'Asia/Shanghai', alarmsPerMonth: null })
}

async function save(index: number, p: { silentMs: number; unusedMs: number }) {
  const { residentId, devices } = c.residents[index]!
  const { state, wakeAt } = stateOf(devices.water, p)
  const { knowledge: word, lastUseAt } = knowledge(state, now.getTime())
  const holds = holdsUntil(state, now.getTime())
  await database.db.query(
    "insert into resident_state (resident_id, state, folded_at) values ($1, 'null', $2) on conflict do nothing",
    [residentId, now],
  )
  await saveStates(database.db, {
    states: [{ residentId, state, wakeAt, knowledge: word, lastUseAt, holdsUntil: holds, flows: flowsOf(state) }],
    now,
  })
  return lastUseAt
}

const summarise = (at: Date) => summariseResidents(database.db, { communityIds: [c.communityId], now: at })

test('residents are counted by what was known when they were folded, and as unknown once that no longer holds', async () => {
  const oldest = await save(0, { silentMs: 0, unusedMs: 5 * hour })
  await save(1, { silentMs: 0, unusedMs: hour })
  await save(2, { silentMs: 0, unusedMs: 13 * hour })
  await save(3, { silentMs: 3 * hour, unusedMs: 4 * hour })
  const { summary, states } = await summarise(now)
  expect(summary).toEqual({ residents: 5, away: 0, unknown: 1, idle: 1, oldestUseAt: new Date(oldest!) })
  // Of the fifth nothing was ever heard.
  expect(states).toEqual([null])
  const later = await summarise(new Date(now.getTime() + hour))
  expect(later.summary).toEqual({ residents: 5, away: 0, unknown: 4, idle: 0, oldestUseAt: null })
})

test('who is away is neither idle nor unknown, and not the oldest, until the end of it', async () => {
  const until = new Date(now.getTime() + hour)
  const by = { staffId: c.staff.worker.staffId }
  for (const index of [0, 2, 3]) {
    const { residentId } = c.residents[index]!
    expect((await setAway(database.db, { residentId, by, now, until, note: '' })).kind).toBe('set')
  }
  const { summary } = await summarise(now)
  expect(summary).toMatchObject({ residents: 5, away: 3, unknown: 0, idle: 0 })
  expect(summary.oldestUseAt!.getTime()).toBeGreaterThan(now.getTime() - 2 * hour)
  expect((await summarise(until)).summary).toMatchObject({ away: 0, unknown: 4 })
  await database.db.query('delete from absences')
})

test('those folded before their knowledge was kept come with their states', async () => {
  await database.db.query('delete from resident_knowledge where resident_id = $1', [c.residents[1]!.residentId])
  const { summary, states } = await summarise(now)
  expect(summary).toMatchObject({ residents: 5, unknown: 1, idle: 1 })
  expect(states.map((state) => (state ? knowledge(state, now.getTime()).knowledge : 'never heard of')).sort()).toEqual([
    'never heard of',
    'used',
  ])
})
