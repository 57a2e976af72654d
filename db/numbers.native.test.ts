import { afterAll, beforeAll, expect, test } from 'vitest'
import { monthNumbers } from '../alerts/numbers.js'
import { startTestDatabase, type TestDatabase } from '../test/support/database.js'
import { monthAlerts, monthNights, monthNotices, monthSpan } from './numbers.js'

/**
 * The month of a community of 2,000 residents with 10,000 alerts in it and as many in the month before, each with its
 * history and pages, in a database that holds as much of ten other communities.
 */
let database: TestDatabase
const msMax = 300
const now = new Date('2026-04-02T00:00:00Z')
const timeZone = 'Asia/Shanghai'
const communityId = 'c1'

beforeAll(async () => {
  database = await startTestDatabase()
  await database.db.patiently(async (db) => {
    await db.query("insert into communities select 'c' || n, '示例', $1 from generate_series(1, 11) n", [timeZone])
    await db.query(`insert into staff (staff_id, name, role, login, password_hash)
      select 's' || n, '示例·社工' || n, 'social_worker', 's' || n, 'none' from generate_series(1, 8) n`)
    await db.query(`insert into residents (resident_id, community_id, name, address, time_zone)
      select 'r' || n, case when n <= 2000 then 'c1' else 'c' || 2 + n % 10 end, '示例·居民', '示例路', '${timeZone}' from generate_series(1, 4000) n`)
    await db.query(`insert into alerts (resident_id, community_id, kind, severity, stage, opened_at, observed_at, headline_zh, headline_en, outcome, closed_at)
      select resident_id, community_id, (array['button', 'silence_unusual', 'water_running', 'battery_low'])[1 + n / 2 % 4],
             (array['emergency', 'urgent', 'warning', 'notice'])[1 + n / 2 % 4], 'closed', at, at, '示例', 'Invented',
             (array['resident fine', 'fall', 'leak', 'device fault', 'test'])[1 + n / 2 % 5], at + interval '40 minutes'
        from generate_series(1, 53200) n
             join residents on resident_id = 'r' || case when n % 2 = 0 then 1 + n * 7919 % 2000 else 2001 + n * 7919 % 2000 end
             cross join lateral (select timestamptz '2026-01-31T16:00Z' + n * interval '95.8 seconds' as at) a`)
    await db.query(`insert into alert_events (alert_id, at, kind, staff_id)
      select alert_id, opened_at + after * interval '1 second', event, case when after > 9 then 's1' end
        from alerts, (values (0, 'opened'), (0, 'told'), (2, 'page sent'), (40, 'acknowledged'), (90, 'en_route'), (900, 'arrived'), (2400, 'closed')) e (after, event)
       where severity <> 'notice' order by 2`)
    await db.query(`insert into pages (alert_id, round, step, staff_id, channel, position, status, created_at, attempts, next_attempt_at, sent_at)
      select alert_id, 0, 1, 's' || 1 + (alert_id + position) % 8, 'webhook', position, 'sent', opened_at, 1, opened_at, opened_at + interval '2 seconds'
        from alerts, generate_series(1, 3) position where severity <> 'notice' order by opened_at`)
    await db.query('vacuum analyze')
  })
}, 120_000)
afterAll(() => database.stop())

test(`10,000 alerts of a month and 10,000 of the one before are counted in ${msMax} ms`, async () => {
  const { db } = database
  const took: number[] = []
  for (let round = 0; round < 8; round++) {
    const begun = performance.now()
    const [span, before] = await Promise.all([
      monthSpan(db, { month: '2026-03', timeZone }),
      monthSpan(db, { month: '2026-02', timeZone }),
    ])
    const [both, nights, notices] = await Promise.all([
      monthAlerts(db, { communityId, span: { ...span, from: before.from }, now }),
      monthNights(db, { communityId, span }),
      monthNotices(db, { communityId, span }),
    ])
    const alerts = both.filter(({ openedAtMs }) => openedAtMs >= span.from.getTime())
    const earlier = both.filter(({ openedAtMs }) => openedAtMs < span.from.getTime())
    const numbers = monthNumbers(alerts, span)
    monthNumbers(earlier, before)
    took.push(performance.now() - begun)
    expect(alerts.length).toBeGreaterThan(9_000)
    expect(earlier.length).toBeGreaterThan(9_000)
    expect(numbers.times.door.urgent?.medianMs).toBe(900_000)
    expect(nights.length).toBeGreaterThan(200)
    expect(notices).toBeGreaterThan(0)
  }
  console.info(`ms: ${took.map(Math.round).join(', ')}`)
  // The machine may be busy with something else: one quick round is proof that it can.
  expect(Math.min(...took)).toBeLessThan(msMax)
})
