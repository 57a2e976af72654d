import { afterAll, beforeAll, expect, test } from 'vitest'
import { startTestDatabase, type TestDatabase } from '../test/support/database.js'
import { seedCommunity } from '../test/support/fixtures.js'
import { seedIncident } from '../test/support/incident.js'
import { clearAlert, openAlert } from './alerts.js'
import { releaseAlertsOf } from './holds.js'
import { lockIncident } from './incidents.js'

// Row locks of two connections: the embedded database has only one.
let database: TestDatabase
const now = new Date('2026-03-04T03:00:00Z')

beforeAll(async () => {
  database = await startTestDatabase()
})
afterAll(() => database?.stop())

test('whoever follows an incident and whoever folds its homes never wait crosswise', async () => {
  const { db } = database
  const c = await seedCommunity(db, { key: 'locks', now, residents: 2 })
  const [one, other] = c.residents.map(({ residentId }) => residentId)
  await seedIncident(db, { ...c, now, kind: 'no water' })
  const silence = (residentId: string) => ({
    ...{ residentId, deviceNo: null, kind: 'silence_unusual' as const, openedAt: now, observedAt: now },
    headline: { zh: '示例', en: 'sample' },
    reason: { since: now.getTime() - 3 * 3_600_000 },
  })
  const first = await db.transaction((tx) => openAlert(tx, silence(one!), now))
  let follows: Promise<void> = Promise.resolve()
  // After a deadlock a transaction is tried again.
  let tries = 0
  const second = await db.transaction(async (fold) => {
    tries += 1
    const back = { kind: 'silence_unusual' as const, deviceNo: null, at: now, headline: { zh: '示例', en: 'sample' } }
    await clearAlert(fold, { residentId: one!, outcome: 'resident fine', ...back })
    // It has the incident, and waits for the alert that is being cleared.
    await new Promise<void>((hasIncident) => {
      follows = db.transaction(async (watch) => {
        tries += 1
        const { incidentId } = (await lockIncident(watch, { communityId: c.communityId, kind: 'no water' }))!
        hasIncident()
        await releaseAlertsOf(watch, { incidentId, residentIds: null, now })
      })
    })
    return openAlert(fold, silence(other!), now)
  })
  await follows
  const { rows } = await db.query<{ alertId: number; stage: string; held: boolean }>(
    'select alert_id as "alertId", stage, held_until is not null as held from alerts where alert_id = any($1) order by 1',
    [[first, second]],
  )
  expect(tries).toBe(2)
  expect(rows).toEqual([
    { alertId: first, stage: 'closed', held: true },
    { alertId: second, stage: 'open', held: true },
  ])
})
