import { afterAll, beforeAll, expect, test } from 'vitest'
import { onDutyAt } from '../alerts/roster.js'
import { startTestDatabase, type TestDatabase } from '../test/support/database.js'
import { seedCommunity } from '../test/support/fixtures.js'
import { loadChain } from './chain.js'
import { addWeekly } from './roster-weekly-edits.js'
import { rosterOf } from './rosters.js'

const now = new Date('2026-12-30T06:00:00Z')
const hour = 3_600_000
let database: TestDatabase

beforeAll(async () => {
  database = await startTestDatabase()
})
afterAll(() => database.stop())

// The first two are names of Node's that some databases do not know; the others are as far from UTC as a zone can be.
test.each(['Asia/Calcutta', 'PRC', 'Pacific/Kiritimati', 'Etc/GMT+12'])(
  'an alert in zone %s finds who is on duty at any hour of the week',
  async (timeZone) => {
    const { db } = database
    const c = await seedCommunity(db, { key: timeZone.toLowerCase().replace(/\W/g, ''), now, timeZone })
    await db.query(
      `insert into staff_channels (staff_id, position, kind, address)
       select staff_id, 1, 'email', 'a@example.org' from staff_communities where community_id = $1`,
      [c.communityId],
    )
    const { worker, colleague, supervisor } = c.staff
    const shift = { weekdays: [1, 2, 3, 4, 5, 6, 7], start: '23:30', validUntil: null, everyWeeks: 1 }
    const weekly = [
      { ...shift, staffId: worker.staffId, minutes: 60, validFrom: '2026-12-01' },
      { ...shift, staffId: colleague.staffId, weekdays: [3], start: '00:00', minutes: 30, validFrom: '2026-12-01' },
      { ...shift, staffId: supervisor.staffId, weekdays: [5], minutes: 7 * 1_440, validFrom: '2026-12-01' },
    ]
    await addWeekly(db, { communityId: c.communityId, byStaffId: supervisor.staffId, now, weekly })
    const residentId = c.residents[0]!.residentId
    const until = new Date(+now + 7 * 24 * hour)
    const whole = await rosterOf(db, c.communityId, { from: now, until })
    let met = 0
    for (let at = +now; at < +until; at += 0.75 * hour) {
      const chain = await loadChain(db, { residentId, severity: 'emergency', now: new Date(at) })
      const found = chain!.steps[1]!.people.map(({ staffId }) => staffId)
      expect(found, new Date(at).toISOString()).toEqual(onDutyAt(whole, at))
      met += found.length
    }
    expect(met).toBeGreaterThan(0)
  },
)
