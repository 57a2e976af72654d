import { afterAll, beforeAll, expect, test } from 'vitest'
import { type ActionEvent, timesOfActions } from '../alerts/numbers.js'
import { startTestDatabase, type TestDatabase } from '../test/support/database.js'
import { type Community, seedAlert, seedCommunity, seedPage } from '../test/support/fixtures.js'
import { actOnAlert, undoLast } from './alert-actions.js'
import { monthAlerts, monthNights, monthNotices, monthSpan, numbersCommunities } from './numbers.js'

const now = new Date('2026-04-20T02:00:00Z')
const timeZone = 'Asia/Shanghai'
let database: TestDatabase
let north: Community
let south: Community

beforeAll(async () => {
  database = await startTestDatabase()
  north = await seedCommunity(database.db, { key: 'north', now: new Date('2026-01-15T00:00:00Z') })
  south = await seedCommunity(database.db, { key: 'south', now: new Date('2026-01-15T00:00:00Z') })
})
afterAll(() => database.stop())

const at = (text: string) => new Date(`${text}+08:00`)
const open = (openedAt: Date, more: Partial<Parameters<typeof seedAlert>[1]> = {}) =>
  seedAlert(database.db, {
    communityId: north.communityId,
    residentId: north.residents[0]!.residentId,
    kind: 'button',
    openedAt,
    stage: 'closed',
    closedAt: new Date(openedAt.getTime() + 3_600_000),
    ...more,
  })
const happened = (alertId: number, when: Date, kind: string, staffId: string | null = north.staff.worker.staffId) =>
  database.db.query('insert into alert_events (alert_id, at, kind, staff_id) values ($1, $2, $3, $4)', [
    alertId,
    when,
    kind,
    staffId,
  ])
const after = (openedAt: Date, seconds: number) => new Date(openedAt.getTime() + seconds * 1_000)
const month = async (name: string, communityId = north.communityId) => {
  const span = await monthSpan(database.db, { month: name, timeZone })
  return monthAlerts(database.db, { communityId, span, now })
}
const opened = async (name: string) => (await month(name)).map(({ openedAtMs }) => new Date(openedAtMs).toISOString())

test('a month is one by the clock of the community, also where clocks change', async () => {
  const span = (name: string, zone: string) => monthSpan(database.db, { month: name, timeZone: zone })
  expect(await span('2026-02', timeZone)).toEqual({
    month: '2026-02',
    timeZone,
    from: new Date('2026-01-31T16:00:00Z'),
    to: new Date('2026-02-28T16:00:00Z'),
    days: 28,
  })
  const berlin = await span('2026-03', 'Europe/Berlin')
  expect([berlin.from.toISOString(), berlin.to.toISOString(), berlin.days]).toEqual([
    '2026-02-28T23:00:00.000Z',
    '2026-03-31T22:00:00.000Z',
    31,
  ])
})

test('what was opened in the month counts, by day of that clock; notices and synthetic residents do not', async () => {
  await open(at('2026-02-28T23:59:59.999'))
  await open(at('2026-03-01T00:00:00'))
  await open(at('2026-03-31T23:59:59.999'))
  await open(at('2026-04-01T00:00:00'))
  await open(at('2026-03-10T12:00:00'), { kind: 'battery_low' })
  await open(at('2026-03-10T12:00:00'), { communityId: south.communityId, residentId: south.residents[0]!.residentId })
  const synthetic = north.residents[1]!.residentId
  await database.db.query('update residents set synthetic = true where resident_id = $1', [synthetic])
  await open(at('2026-03-10T12:00:00'), { residentId: synthetic })
  expect(await opened('2026-03')).toEqual(['2026-02-28T16:00:00.000Z', '2026-03-31T15:59:59.999Z'])
  expect((await month('2026-03')).map(({ day }) => day)).toEqual([1, 31])
  expect(await month('2026-03', south.communityId)).toHaveLength(1)
  expect(await month('2025-03')).toEqual([])
  const span = await monthSpan(database.db, { month: '2026-03', timeZone })
  expect(await monthNotices(database.db, { communityId: north.communityId, span })).toBe(1)
  await database.db.query('delete from alert_events')
  await database.db.query("delete from alerts where community_id = $1 and opened_at > '2026-02-01'", [
    north.communityId,
  ])
})

test('times: the first page to somebody who could come, the first hand on it, the first at the door', async () => {
  const openedAt = at('2026-03-05T03:00:00')
  const alertId = await open(openedAt, { outcome: 'fall' })
  const { staffId } = north.staff.worker
  const told = await seedPage(database.db, { alertId, staffId, now: after(openedAt, 1), channel: 'email' })
  await database.db.query('update pages set informs = true where page_id = $1', [told.pageId])
  const failed = await seedPage(database.db, { alertId, staffId, now: after(openedAt, 2), channel: 'sms' })
  await database.db.query(`update pages set status = 'failed', sent_at = null where page_id = $1`, [failed.pageId])
  await seedPage(database.db, { alertId, staffId: north.staff.colleague.staffId, now: after(openedAt, 30) })
  await seedPage(database.db, { alertId, staffId, now: after(openedAt, 5) })
  await happened(alertId, after(openedAt, 61), 'acknowledged')
  await happened(alertId, after(openedAt, 400), 'returned', null)
  await happened(alertId, after(openedAt, 500), 'acknowledged')
  await happened(alertId, after(openedAt, 900), 'arrived')
  await happened(alertId, after(openedAt, 950), 'arrived')
  await happened(alertId, after(openedAt, 3_600), 'closed')
  expect(await month('2026-03')).toEqual([
    {
      alertId,
      kind: 'button',
      severity: 'emergency',
      outcome: 'fall',
      day: 5,
      openedAtMs: openedAt.getTime(),
      closedMs: 3_600_000,
      pageMs: 5_000,
      takenMs: 61_000,
      doorMs: 900_000,
      askMs: null,
      openMs: 3_600_000,
    },
  ])
})

test('what closed by itself was taken by nobody; what a person closed was; what is open is counted up to now', async () => {
  const day = (n: number) => at(`2026-02-0${n}T12:00:00`)
  const alone = await open(day(1))
  await happened(alone, after(day(1), 3_600), 'closed', null)
  const byPhone = await open(day(2))
  await happened(byPhone, after(day(2), 3_600), 'closed')
  await open(new Date(now.getTime() - 90_000), { stage: 'open' })
  // The clock of the host that opened it ran ahead.
  const early = await open(day(3))
  await happened(early, after(day(3), -2), 'acknowledged')
  const rows = [...(await month('2026-02')), ...(await month('2026-04'))]
  expect(rows.map(({ takenMs, closedMs, openMs, outcome }) => [takenMs, closedMs, openMs, outcome])).toEqual([
    [null, 3_600_000, 3_600_000, 'resident fine'],
    [3_600_000, 3_600_000, 3_600_000, 'resident fine'],
    [0, 3_600_000, 3_600_000, 'resident fine'],
    [null, null, 90_000, null],
  ])
})

test('what was taken back within the minute, as it is really written, did not happen', async () => {
  const { db } = database
  const openedAt = at('2025-12-10T08:00:00')
  const alertId = await open(openedAt, { stage: 'open' })
  const { staffId } = north.staff.worker
  const act = (kind: 'acknowledge' | 'arrived', seconds: number) =>
    actOnAlert(db, { alertId, action: { kind }, staffId, via: 'console', now: after(openedAt, seconds) })
  expect(await act('acknowledge', 20)).toEqual({ kind: 'done' })
  expect(await undoLast(db, { alertId, staffId, via: 'console', now: after(openedAt, 30) })).toEqual({ kind: 'done' })
  expect(await act('acknowledge', 70)).toEqual({ kind: 'done' })
  expect(await act('arrived', 600)).toEqual({ kind: 'done' })
  expect(await undoLast(db, { alertId, staffId, via: 'console', now: after(openedAt, 610) })).toEqual({ kind: 'done' })
  expect(await month('2025-12')).toMatchObject([{ alertId, takenMs: 70_000, doorMs: null, closedMs: null }])
})

test('the query and the pure definition agree over random histories, undone or not', async () => {
  const seed = Math.floor(Math.random() * 2 ** 31)
  let state = seed
  const roll = (n: number) => {
    state = (Math.imul(state, 1_103_515_245) + 12_345) & 0x7fffffff
    return Math.floor((state / 0x80000000) * n)
  }
  const kinds = ['acknowledged', 'en_route', 'arrived', 'closed', 'undone'] as const
  const expected = new Map<number, ReturnType<typeof timesOfActions>>()
  const openedAt = at('2025-11-10T08:00:00')
  for (let i = 0; i < 60; i++) {
    const alertId = await open(openedAt)
    const mayUndo = roll(2) === 0
    const events: ActionEvent[] = []
    for (let nth = 0; nth < roll(7); nth++) {
      const kind = kinds[roll(mayUndo ? 5 : 4)]!
      events.push({ kind, afterMs: (nth + 1) * 10_000 })
      await happened(alertId, after(openedAt, (nth + 1) * 10), kind)
    }
    expected.set(alertId, timesOfActions(events))
  }
  const rows = await month('2025-11')
  expect(rows).toHaveLength(60)
  for (const { alertId, takenMs, doorMs } of rows)
    expect({ takenMs, doorMs }, `seed ${seed}, alert ${alertId}`).toEqual(expected.get(alertId))
})

test('pages by person and night: from 22:00 to 6:00, named after the evening, families and watchers apart', async () => {
  const { db } = database
  const { worker, colleague } = north.staff
  await db.query(
    `insert into staff (staff_id, name, role) values ('n-daughter', '示例·女儿', 'family'), ('n-watch', '示例', 'watcher')`,
  )
  const first = await open(at('2025-10-03T21:00:00'))
  const second = await open(at('2025-10-04T01:00:00'))
  const page = (alertId: number, when: string, staffId = worker.staffId, channel = 'webhook') =>
    seedPage(db, { alertId, staffId, now: at(when), channel: `${channel}-${when}` })
  await page(first, '2025-10-03T21:59:59')
  await page(first, '2025-10-03T22:00:00')
  await page(second, '2025-10-04T05:59:59')
  await page(second, '2025-10-04T05:59:59', worker.staffId, 'email')
  await page(second, '2025-10-04T06:00:00')
  await page(second, '2025-10-04T02:00:00', colleague.staffId)
  await page(second, '2025-10-04T02:00:00', 'n-daughter')
  await page(second, '2025-10-04T02:00:00', 'n-watch')
  // The night of the last day reaches into the next month, and the one before into this.
  const last = await open(at('2025-10-31T23:00:00'))
  await page(last, '2025-11-01T03:00:00')
  const before = await open(at('2025-09-30T23:00:00'))
  await page(before, '2025-10-01T03:00:00')
  const span = await monthSpan(db, { month: '2025-10', timeZone })
  const nights = await monthNights(db, { communityId: north.communityId, span })
  expect(nights.map(({ staffId, night, pages, alerts }) => [staffId, night, pages, alerts])).toEqual([
    [colleague.staffId, '2025-10-03', 1, 1],
    [worker.staffId, '2025-10-03', 3, 2],
    [worker.staffId, '2025-10-31', 1, 1],
  ])
  expect(nights[0]!.name).toBe(colleague.name)
  const none = await monthNights(db, { communityId: south.communityId, span })
  expect(none).toEqual([])
})

test('an alert that is still open is paged at night, however long ago it was opened', async () => {
  const { db } = database
  const old = await open(at('2025-05-05T12:00:00'), { stage: 'open' })
  await seedPage(db, { alertId: old, staffId: north.staff.worker.staffId, now: at('2025-12-24T23:30:00') })
  const span = await monthSpan(db, { month: '2025-12', timeZone })
  expect(await monthNights(db, { communityId: north.communityId, span })).toMatchObject([
    { night: '2025-12-24', pages: 1 },
  ])
})

test('communities of the viewer, each with the beginning of its record', async () => {
  await database.db.query("insert into communities values ('empty', '示例', 'Asia/Urumqi')")
  const found = await numbersCommunities(database.db, { communityIds: ['empty', south.communityId] })
  expect(found.map(({ communityId, timeZone: zone, firstAlertAt }) => [communityId, zone, firstAlertAt])).toEqual([
    ['empty', 'Asia/Urumqi', null],
    [south.communityId, timeZone, expect.any(Date)],
  ])
})
