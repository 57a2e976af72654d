import { afterAll, beforeAll, expect, test } from 'vitest'
import { manualClock } from '../kit/clock.js'
import { createLog } from '../kit/log.js'
import { createSignal } from '../kit/signal.js'
import { startTestDatabase, type TestDatabase } from '../test/support/database.js'
import { type Community, seedCommunity } from '../test/support/fixtures.js'
import { seedLivedHome } from '../test/support/lived.js'
import { createArrivalFolder } from './fold-arrivals.js'
import { createNeighbours } from './neighbours.js'
import type { ResidentState } from './rules/fold.js'

/** A Tuesday, 03:17 in Shanghai. */
const now = new Date('2026-03-09T19:17:00Z')
const clock = manualClock(now)
const hourMs = 3_600_000
let database: TestDatabase
let street: Community
let small: Community

beforeAll(async () => {
  database = await startTestDatabase()
  const { db } = database
  street = await seedCommunity(db, { key: 'street', now, residents: 8 })
  small = await seedCommunity(db, { key: 'small', now, residents: 5 })
  for (const { community, learned } of [
    { community: street, learned: 6 },
    { community: small, learned: 4 },
  ])
    for (const [index, { residentId }] of community.residents.entries()) {
      const { communityId } = community
      const { state } = await seedLivedHome(db, {
        residentId,
        communityId,
        deviceNo: community.residents[index]!.devices.water,
        now,
        days: index < learned ? 60 : 10,
        alarmsPerMonth: 2,
        seed: index + 1,
      })
      expect(state.routine!.firstAt).toBeLessThan(now.getTime())
    }
})
afterAll(() => database?.stop())

const states = async (community: Community) => {
  const { rows } = await database.db.query<{ resident_id: string; state: ResidentState }>(
    'select resident_id, state from resident_state where resident_id = any($1) order by resident_id',
    [community.residents.map(({ residentId }) => residentId)],
  )
  return new Map(rows.map(({ resident_id, state }) => [resident_id, state]))
}

test('a home whose line is young is told what the lines around are like, where there are enough', async () => {
  const { db } = database
  const log = createLog({ role: 'test', level: 'silent' })
  const tell = createNeighbours({ db, alarmsPerMonth: 2, clock })
  expect(await tell()).toBe(2)
  await createArrivalFolder({ db, alarmsPerMonth: 2, clock, log, signal: createSignal() })()
  const known = await states(street)
  const told = street.residents.map(({ residentId }) => known.get(residentId)!.neighbours)
  expect(told.slice(0, 6)).toEqual(Array.from({ length: 6 }, () => undefined))
  for (const limits of told.slice(6)) {
    expect(limits).toHaveLength(24)
    for (const limitMs of limits!) {
      expect(limitMs).toBeGreaterThanOrEqual(2 * hourMs)
      expect(limitMs).toBeLessThanOrEqual(24 * hourMs)
    }
    // By day silence is short in all of these homes, and nobody is alarmed in her sleep.
    expect(limits![14]).toBeLessThan(limits![22]!)
  }
  for (const state of (await states(small)).values()) expect(state.neighbours).toBeUndefined()
  expect(await createNeighbours({ db, alarmsPerMonth: null, clock })()).toBe(0)
})

test('who has left teaches nobody, and four homes are too few', async () => {
  const { db } = database
  for (const { residentId } of street.residents.slice(0, 2))
    await db.query('update residents set left_at = $2 where resident_id = $1', [residentId, now])
  expect(await createNeighbours({ db, alarmsPerMonth: 2, clock })()).toBe(0)
})
