import { afterAll, beforeAll, expect, test } from 'vitest'
import { startTestDatabase, type TestDatabase } from '../test/support/database.js'
import { type Community, seedCommunity } from '../test/support/fixtures.js'
import { measureLateness } from './lateness.js'

const now = new Date('2026-06-01T06:00:00Z')
let database: TestDatabase
let c: Community

beforeAll(async () => {
  database = await startTestDatabase()
  c = await seedCommunity(database.db, { key: 'late', now })
})
afterAll(() => database.stop())

test('an emergency of which only the family was told has been told to nobody who could come', async () => {
  const untold = async () => (await measureLateness(database.db, { now: new Date(now.getTime() + 120_000) })).untold
  const sent = (informs: boolean) =>
    database.db.query("update pages set status = 'sent', informs = $2 where page_id = $1", [c.pageId, informs])
  await sent(false)
  expect(await untold()).toBe(0)
  await sent(true)
  expect(await untold()).toBe(1)
})
