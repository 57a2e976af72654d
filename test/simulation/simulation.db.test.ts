import { afterAll, beforeAll, expect, test } from 'vitest'
import type { TestDatabase } from '../support/database.js'
import { startSimulationDatabase } from './database.js'
import { judgeSeed, lineOf } from './judge.js'

let database: TestDatabase
beforeAll(async () => {
  database = await startSimulationDatabase()
})
afterAll(() => database.stop())

/** SIMULATION_SEED replays one. */
const seed = Number(process.env.SIMULATION_SEED ?? Math.floor(Math.random() * 1_000_000))

test('whatever fails, guarantees 1, 2, 3 and 7 hold', { timeout: 120_000 }, async () => {
  const verdict = await judgeSeed(database.db, { seed, homes: 3, hours: 20 })
  console.log(lineOf(seed, verdict))
  expect(verdict.violations, `seed ${seed}: npm run soak -- --seed ${seed} --homes 3 --hours 20`).toEqual([])
  expect(verdict.run.history.published.length).toBeGreaterThan(50)
})

test('the same seed gives the same events', { timeout: 60_000 }, async () => {
  const once = await judgeSeed(database.db, { seed: 20, homes: 2, hours: 4 })
  const again = await judgeSeed(database.db, { seed: 20, homes: 2, hours: 4 })
  expect(once.run.events).toBeGreaterThan(50)
  expect(again.run.hash).toBe(once.run.hash)
})
