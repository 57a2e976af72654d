import { afterAll, beforeAll, expect, test } from 'vitest'
import { findSilenceBudget } from '../db/silence-budget.js'
import { manualClock } from '../kit/clock.js'
import { createTeardown } from '../kit/lifecycle.js'
import { createLog } from '../kit/log.js'
import { createMetrics } from '../kit/metrics.js'
import { createSignal } from '../kit/signal.js'
import { startTestDatabase, type TestDatabase } from '../test/support/database.js'
import { startAlerts } from './alerts.js'

let database: TestDatabase
beforeAll(async () => {
  database = await startTestDatabase()
})
afterAll(() => database?.stop())

test('whoever judges silence tells the pages by which rules, at each start anew', async () => {
  const { db } = database
  expect(await findSilenceBudget(db)).toBeNull()
  for (const alarmsPerMonth of [0.2, 2, null]) {
    const log = createLog({ role: 'test', level: 'silent' })
    const teardown = createTeardown({ log })
    await startAlerts({
      ...{ db, alarmsPerMonth, log, teardown },
      channels: [],
      publicUrl: 'http://localhost:8080',
      retentionDays: 396,
      clock: manualClock(new Date('2026-03-10T06:05:00Z')),
      metrics: createMetrics({ role: 'test' }),
      signal: createSignal(),
    })
    expect(await findSilenceBudget(db)).toBe(alarmsPerMonth)
    await teardown.run()
  }
})
