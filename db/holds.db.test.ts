import { afterAll, beforeAll, beforeEach, expect, test } from 'vitest'
import type { IncidentKind } from '../alerts/incidents.js'
import type { AlertKind } from '../alerts/model.js'
import { startTestDatabase, type TestDatabase } from '../test/support/database.js'
import { type Community, seedCommunity } from '../test/support/fixtures.js'
import { seedIncident } from '../test/support/incident.js'
import { actOnAlert } from './alert-actions.js'
import { escalate, openAlert } from './alerts.js'
import { holdAlertsOf, releaseAlertsOf } from './holds.js'
import { changeIncident } from './incidents.js'
import { claimPages } from './pages.js'

let database: TestDatabase
let c: Community
const now = new Date('2026-03-04T03:00:00Z')
const minute = 60_000
const hour = 60 * minute
const later = (ms: number) => new Date(now.getTime() + ms)
const rows = async (sql: string, values: unknown[] = []) => (await database.db.query(sql, values)).rows
let communities = 0

beforeAll(async () => {
  database = await startTestDatabase()
})
afterAll(() => database?.stop())
beforeEach(async () => {
  c = await seedCommunity(database.db, { key: `h${++communities}`, now, residents: 2 })
  for (const { staffId } of Object.values(c.staff))
    await rows(
      "insert into staff_channels (staff_id, position, kind, address) values ($1, 1, 'webhook', 'http://127.0.0.1:9/')",
      [staffId],
    )
})

const her = () => c.residents[0]!.residentId
const incident = (kind: IncidentKind = 'no water') => seedIncident(database.db, { ...c, now, kind })
/** Opens an alert about a silence that began so long before now. */
const open = (kind: AlertKind, sinceMs = 3 * hour, openedAt = now, askUntil?: Date) =>
  database.db.transaction((tx) =>
    openAlert(
      tx,
      {
        residentId: her(),
        deviceNo: null,
        kind,
        openedAt,
        observedAt: openedAt,
        headline: { zh: '示例', en: 'sample' },
        reason: { since: now.getTime() - sinceMs },
        ...(askUntil ? { askUntil } : {}),
      },
      openedAt,
    ),
  ) as Promise<number>
const step = (alertId: number, at: Date) => database.db.transaction((tx) => escalate(tx, { alertId, now: at }))
const hold = (incidentId: number, at: Date) =>
  database.db.transaction((tx) => holdAlertsOf(tx, { incidentId, now: at }))
const release = (incidentId: number, at: Date, residentIds: string[] | null = null) =>
  database.db.transaction((tx) => releaseAlertsOf(tx, { incidentId, residentIds, now: at }))
/** Minutes from now on; "-" where there is none. */
const minutes = (at: Date | null) => (at === null ? '-' : (at.getTime() - now.getTime()) / minute)
const about = async (alertId: number) => {
  const [alert] = await rows(
    `select stage, due_at, held_until, (select count(*)::int from pages p where p.alert_id = a.alert_id) as pages,
            array(select kind from alert_events e where e.alert_id = a.alert_id order by alert_event_id) as events
       from alerts a where alert_id = $1`,
    [alertId],
  )
  return `due ${minutes(alert.due_at)} held ${minutes(alert.held_until)} pages ${alert.pages}: ${alert.events.join(', ')}`
}

test.each<[string, AlertKind, number, IncidentKind, string]>([
  ['of a home without water', 'silence_unusual', 3 * hour, 'no water', 'due 120 held 120 pages 0: opened, held'],
  ['of a home without a line', 'silence_unusual', 3 * hour, 'offline', 'due 120 held 120 pages 0: opened, held'],
  ['by the fixed rule', 'silent_12h', 3 * hour, 'no power', 'due 120 held 120 pages 0: opened, held'],
  ['that began long before', 'silence_unusual', 5 * hour, 'no water', 'pages'],
  ['of a day', 'silent_24h', 3 * hour, 'no water', 'pages'],
  ['which is no silence but an emergency', 'button', 3 * hour, 'no water', 'pages'],
])('an alert about a silence %s', async (_name, kind, sinceMs, incidentKind, expected) => {
  await incident(incidentKind)
  const alertId = await open(kind, sinceMs)
  const said = await about(alertId)
  if (expected === 'pages') expect(said).toMatch(/held - pages [1-9].*: opened, told/)
  else expect(said).toBe(expected)
})

test('nobody is asked while it is held, and it is paged when that is over', async () => {
  await incident()
  const alertId = await open('silence_unusual', 3 * hour, now, later(30 * minute))
  expect(await about(alertId)).toBe('due 120 held 120 pages 0: opened, held')
  expect(await step(alertId, later(119 * minute))).toBe(false)
  expect(await step(alertId, later(120 * minute))).toBe(true)
  expect(await about(alertId)).toMatch(/held 120 pages 1: opened, held, told/)
  const limits = { leaseMs: 1_000, pagesMax: 10, perLineMax: 10, linesMax: 10, lineMax: new Map() }
  const claimed = await claimPages(database.db, { ...limits, now: later(121 * minute), of: 'others' })
  expect(claimed.filter((page) => page.alertId === alertId).map(({ held }) => held)).toEqual([
    { atMs: now.getTime(), kind: 'no water' },
  ])
})

test('what was opened before the incident was seen waits from then on, for 2 h from its beginning', async () => {
  const alertId = await open('silence_unusual', 3 * hour, now, later(30 * minute))
  const asked = await about(alertId)
  expect(asked).toMatch(/^due 30 held - pages 0: opened, asked/)
  const incidentId = await incident()
  expect(await hold(incidentId, later(20 * minute))).toBe(1)
  expect(await about(alertId)).toMatch(/^due 120 held 120 pages 0: .*held$/)
  // Once: the next look, and the next incident, add nothing.
  expect(await hold(incidentId, later(21 * minute))).toBe(0)
  await incident('no power')
  expect(await about(alertId)).toMatch(/^due 120 held 120 pages 0/)
})

test('what somebody has been paged or sent for, or has taken, is not held any more', async () => {
  const paged = await open('silence_unusual')
  const incidentId = await incident()
  expect(await hold(incidentId, later(minute))).toBe(0)
  expect(await about(paged)).toMatch(/held - pages 1/)
  await rows("update alerts set stage = 'closed', outcome = 'test', closed_at = opened_at where alert_id = $1", [paged])
  await rows('update incidents set closed_at = $2 where incident_id = $1', [incidentId, now])
  const sentFor = await open('silence_unusual', 3 * hour, now, later(30 * minute))
  await rows('update alerts set due_at = $2, asked_until = $2 where alert_id = $1', [sentFor, later(minute)])
  await rows('update incidents set closed_at = null where incident_id = $1', [incidentId])
  expect(await hold(incidentId, later(minute))).toBe(0)
  await rows('update alerts set due_at = $2, asked_until = $2 where alert_id = $1', [sentFor, later(30 * minute)])
  expect(
    (
      await actOnAlert(database.db, {
        alertId: sentFor,
        action: { kind: 'acknowledge' },
        staffId: c.staff.worker.staffId,
        via: 'console',
        now: later(2 * minute),
      })
    ).kind,
  ).toBe('done')
  expect(await hold(incidentId, later(3 * minute))).toBe(0)
})

test('when it is over, what is still silent is paged within half an hour, and never later than it would have been', async () => {
  const incidentId = await incident()
  const alertId = await open('silence_unusual')
  await release(incidentId, later(20 * minute))
  expect(await about(alertId)).toBe('due 50 held 50 pages 0: opened, held, hold shortened')
  await release(incidentId, later(40 * minute))
  expect(await about(alertId)).toMatch(/^due 50 held 50/)
  expect(await step(alertId, later(50 * minute))).toBe(true)
  expect(await about(alertId)).toMatch(/pages 1/)
})

test('a home that has come back is waited for no longer, though the others are', async () => {
  const incidentId = await incident('no power')
  const alertId = await open('silence_unusual')
  await release(incidentId, later(10 * minute), [c.residents[1]!.residentId])
  expect(await about(alertId)).toMatch(/^due 120 held 120/)
  await release(incidentId, later(10 * minute), [her()])
  expect(await about(alertId)).toMatch(/^due 40 held 40/)
  await database.db.transaction((tx) =>
    changeIncident(tx, { incidentId, joined: [], back: [her()], closes: false, now: later(10 * minute) }),
  )
  await rows("update alerts set stage = 'closed', outcome = 'test', closed_at = opened_at where alert_id = $1", [
    alertId,
  ])
  // What begins after it is her own.
  const next = await open('silence_unusual', 3 * hour, later(hour))
  expect(await about(next)).toMatch(/held - pages 1/)
})
