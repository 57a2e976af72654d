import { afterAll, beforeAll, expect, test } from 'vitest'
import { clearAlert, openAlert } from '../db/alerts.js'
import { registerCommunity } from '../test/support/community.js'
import { startTestDatabase, type TestDatabase } from '../test/support/database.js'

const minute = 60_000
const start = Date.parse('2026-06-01T00:00:00Z')
const since = start - 4 * 60 * minute
const at = (minutes: number) => new Date(start + minutes * minute)
const headline = { zh: '示例', en: 'sample' }
let database: TestDatabase

beforeAll(async () => {
  database = await startTestDatabase()
  await registerCommunity(database.db, {
    key: 'a',
    homes: 1,
    now: at(0),
    channelsOf: (who) => [{ kind: 'email', address: `${who}@example.org` }],
  })
})
afterAll(() => database?.stop())

/** Opens an alert about the silence that began then; returns until when (minutes) it is asked about, and how many were paged. */
async function open(minutes: number, began = since) {
  const alert = { residentId: 'a-1', deviceNo: null, kind: 'silence_unusual' as const, headline }
  const told = { openedAt: at(minutes), observedAt: at(minutes), reason: { since: began }, askUntil: at(minutes + 30) }
  const alertId = await database.db.transaction((tx) => openAlert(tx, { ...alert, ...told }, at(minutes)))
  const { rows } = await database.db.query<{ asked: Date | null; pages: number }>(
    `select asked_until as asked, (select count(*)::int from pages p where p.alert_id = a.alert_id) as pages
       from alerts a where alert_id = $1`,
    [alertId],
  )
  const after = (time: Date | null) => time && (time.getTime() - start) / minute
  return { asked: after(rows[0]!.asked), pages: rows[0]!.pages }
}
const said = (minutes: number) =>
  database.db.transaction((tx) =>
    clearAlert(tx, {
      ...{ residentId: 'a-1', kind: 'silence_unusual', deviceNo: null },
      ...{ at: at(minutes), headline, outcome: 'resident fine' },
    }),
  )

test('a word that was taken back buys no time: what was asked is asked no longer than before, then paged at once', async () => {
  expect(await open(0)).toEqual({ asked: 30, pages: 0 })
  await said(10)
  expect(await open(11)).toEqual({ asked: 30, pages: 0 })
  await said(28)
  const paged = await open(29)
  expect([paged.asked, paged.pages > 0]).toEqual([null, true])
  await said(40)
  // Another silence is another matter.
  expect(await open(300, start + 40 * minute)).toEqual({ asked: 330, pages: 0 })
})
