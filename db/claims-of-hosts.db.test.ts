import { afterAll, beforeAll, expect, test } from 'vitest'
import { startTestDatabase, type TestDatabase } from '../test/support/database.js'
import { type Community, seedCommunity } from '../test/support/fixtures.js'
import { claimMessages, queueMessage } from './messages.js'
import { claimPages } from './pages.js'

const now = new Date('2026-06-01T06:00:00Z')
const later = (ms: number) => new Date(now.getTime() + ms)
const leaseMs = 15_000
let database: TestDatabase
let c: Community

beforeAll(async () => {
  database = await startTestDatabase()
  c = await seedCommunity(database.db, { key: 'h', now })
  await database.db.query("update pages set status = 'pending', sent_at = null, attempts = 0, claimed_until = null")
  await queueMessage(database.db, {
    staffId: c.staff.worker.staffId,
    kind: 'coverage',
    text: { zh: '一', en: 'one' },
    now,
  })
})
afterAll(() => database.stop())

/** Each with how many it gives to a host whose clock says `at`. */
const claims: [what: string, claim: (at: Date) => Promise<unknown[]>][] = [
  [
    'page',
    (at) =>
      claimPages(database.db, {
        now: at,
        leaseMs,
        of: 'emergencies',
        pagesMax: 10,
        perLineMax: 10,
        linesMax: 10,
        lineMax: new Map(),
      }),
  ],
  ['message', (at) => claimMessages(database.db, { now: at, leaseMs, messagesMax: 10, perPersonMax: 10 })],
]

test.each(claims)(
  'a %s that a host with a fast clock is sending is not sent by another one as well',
  async (_, claim) => {
    expect(await claim(later(20_000))).toHaveLength(1)
    expect(await claim(now)).toEqual([])
    expect(await claim(later(34_000))).toEqual([])
    // The process that had claimed it is gone.
    expect(await claim(later(36_000))).toHaveLength(1)
  },
)

test.each(claims)('a %s claimed before a clock jumped back is not held up by that', async (_, claim) => {
  expect(await claim(later(3_600_000))).toHaveLength(1)
  expect(await claim(now)).toHaveLength(1)
})
