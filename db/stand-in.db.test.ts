import { createHash, randomUUID } from 'node:crypto'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { commitAlarms } from '../ingest/alarms.js'
import type { StandInAlert, StandInPage } from '../ingest/stand-in/record.js'
import { registerCommunity } from '../test/support/community.js'
import { startTestDatabase, type TestDatabase } from '../test/support/database.js'
import { acknowledgeByLink, findPageLink } from './page-links.js'
import { reserveAlertIds } from './stand-in.js'

const now = new Date('2026-05-01T03:10:00Z')
const pressedAt = now.getTime() - 600_000
let database: TestDatabase
const devices = new Map<string, number>()
/** Of the worker's only channel. */
let position: number

beforeAll(async () => {
  database = await startTestDatabase()
  await registerCommunity(database.db, {
    key: 's',
    homes: 11,
    channelsOf: () => [{ kind: 'email', address: 'worker@example.org' }],
    now,
  })
  const { rows } = await database.db.query<{ device_id: string; device_no: number }>(
    'select device_id, device_no from devices',
  )
  for (const row of rows) devices.set(row.device_id, row.device_no)
  const [channel] = await query("select position from staff_channels where staff_id = 's-worker'")
  position = channel!.position
})
afterAll(() => database.stop())

const query = async (sql: string, values: unknown[] = []) => (await database.db.query(sql, values)).rows

function standInPage(changes: Partial<StandInPage> = {}): StandInPage {
  return {
    pageId: randomUUID(),
    step: 1,
    staffId: 's-worker',
    channel: 'email',
    position,
    createdAt: pressedAt,
    status: 'sent',
    nextAttemptAt: pressedAt,
    sentAt: pressedAt + 40,
    attempts: [{ startedAt: pressedAt, durationMs: 40, result: 'sent', detail: '250 ok' }],
    linkHashes: [],
    ...changes,
  }
}
function standInAlert(home: number, changes: Partial<StandInAlert> = {}): StandInAlert {
  return {
    alertId: null,
    residentId: `s-${home}`,
    deviceNo: devices.get(`s-${home}-button`)!,
    kind: 'button',
    reading: { observedAt: pressedAt, event: 'pressed' },
    openedAt: pressedAt,
    observedAt: pressedAt,
    headline: { zh: '呼叫按钮被按下。', en: 'Call button pressed.' },
    reason: {},
    step: 1,
    dueAt: pressedAt + 60_000,
    walked: false,
    told: [{ at: pressedAt, step: 1, role: 'responsible', staffId: 's-worker', channels: ['email'] }],
    pages: [standInPage()],
    ...changes,
  }
}
const press = (home: number, observedAt = pressedAt) => ({
  deviceNo: devices.get(`s-${home}-button`)!,
  kind: 'button' as const,
  event: 'pressed',
  observedAt,
  receivedAt: observedAt,
  clockWrong: false,
  retained: false,
  residentId: `s-${home}`,
  room: '',
})
const commit = (home: number, told: StandInAlert[], observedAt?: number) =>
  database.db.transaction((tx) => commitAlarms(tx, [press(home, observedAt)], now, told))
const alertsOf = (home: number) => query('select * from alerts where resident_id = $1 order by alert_id', [`s-${home}`])

test('the alert is the one that people were told of: its id, its pages as they stand, its history in order', async () => {
  const [alertId] = await reserveAlertIds(database.db, { count: 3 })
  const failed = standInPage({
    channel: 'webhook',
    position: position + 1,
    status: 'failed',
    sentAt: null,
    attempts: [{ startedAt: pressedAt, durationMs: 5, result: 'refused', detail: '404' }],
  })
  const alert = standInAlert(1, { alertId: alertId!, pages: [standInPage(), failed] })
  await commit(1, [alert])
  const [row] = await alertsOf(1)
  expect(row).toMatchObject({ alert_id: alertId, stage: 'open', severity: 'emergency', step: 1, round: 0 })
  expect(row!.opened_at.getTime()).toBe(pressedAt)
  expect(row!.due_at.getTime()).toBe(pressedAt + 60_000)
  expect(
    await query('select page_id, channel, status, attempts from pages where alert_id = $1 order by position', [
      alertId,
    ]),
  ).toEqual([
    { page_id: alert.pages[0]!.pageId, channel: 'email', status: 'sent', attempts: 1 },
    { page_id: failed.pageId, channel: 'webhook', status: 'failed', attempts: 1 },
  ])
  expect(await query('select kind from alert_events where alert_id = $1 order by alert_event_id', [alertId])).toEqual([
    { kind: 'opened' },
    { kind: 'told' },
    { kind: 'page sent' },
    { kind: 'page failed' },
  ])
  expect(
    await query('select episode.alert_id from alarm_episodes episode where device_no = $1', [alert.deviceNo]),
  ).toEqual([{ alert_id: alertId }])
})

test('sent to the database twice, it is there once', async () => {
  const alert = standInAlert(2)
  await commit(2, [alert])
  await commit(2, [alert])
  expect(await alertsOf(2)).toHaveLength(1)
  expect(await query("select from pages join alerts using (alert_id) where resident_id = 's-2'")).toHaveLength(1)
})

test('the whole chain was told: it has two minutes from now before it is told again', async () => {
  await commit(3, [standInAlert(3, { walked: true, step: 3, dueAt: pressedAt + 360_000 })])
  const [row] = await alertsOf(3)
  expect(row!.due_at.getTime()).toBe(now.getTime() + 120_000)
})

test('each of the chain was told a while ago: the first is not told again the moment the database is back', async () => {
  await commit(9, [standInAlert(9, { step: 3, dueAt: now.getTime() + 5_000 })])
  const [row] = await alertsOf(9)
  expect(row!.due_at.getTime()).toBe(now.getTime() + 120_000)
})

test('nobody could be told: the database tells at once', async () => {
  await commit(4, [standInAlert(4, { walked: true, step: 0, dueAt: pressedAt + 60_000, told: [], pages: [] })])
  const [row] = await alertsOf(4)
  expect(row!.due_at).toEqual(now)
})

test('the link that the page carried works from now on', async () => {
  const token = 'A'.repeat(43)
  const linkHash = createHash('sha256').update(token).digest('hex')
  await commit(5, [standInAlert(5, { pages: [standInPage({ linkHashes: [linkHash] })] })])
  const link = await findPageLink(database.db, { token, now })
  expect(link).toMatchObject({ residentId: 's-5', staffId: 's-worker', expired: false })
  const { alertId, staffId } = link!
  const taken = await acknowledgeByLink(database.db, { token, alertId, staffId, doorToken: undefined, now })
  expect(taken.result.kind).toBe('done')
})

test('its id was taken: it gets another one', async () => {
  const [taken] = await alertsOf(1)
  await commit(6, [standInAlert(6, { alertId: Number(taken!.alert_id) })])
  const [row] = await alertsOf(6)
  expect(row!.alert_id).not.toBe(taken!.alert_id)
})

test('the commit had gone through and only its answer was lost: what was sent meanwhile is not sent again', async () => {
  await commit(7, [])
  const before = await query("select status from pages join alerts using (alert_id) where resident_id = 's-7'")
  expect(before).toEqual([{ status: 'pending' }])
  await commit(7, [standInAlert(7)])
  expect(await alertsOf(7)).toHaveLength(1)
  expect(await query("select status from pages join alerts using (alert_id) where resident_id = 's-7'")).toEqual([
    { status: 'sent' },
  ])
})

test('the links of what was sent meanwhile work, the chain goes on where the edge has it, and doing it again changes nothing', async () => {
  const observedAt = pressedAt + 60_000
  await commit(11, [], observedAt)
  const token = 'B'.repeat(43)
  const linkHashes = [createHash('sha256').update(token).digest('hex')]
  const toColleague = standInPage({ staffId: 's-colleague', step: 2, createdAt: observedAt + 60_000 })
  const told = [1, 2].map((step) => ({
    at: observedAt + step,
    step,
    role: 'on duty' as const,
    staffId: 's-colleague',
    channels: ['email'],
  }))
  const alert = standInAlert(11, {
    reading: { observedAt, event: 'pressed' },
    step: 2,
    steps: 3,
    dueAt: now.getTime() + 20_000,
    told,
    pages: [standInPage({ linkHashes }), toColleague],
  })
  const state = async () => ({
    alerts: await query("select alert_id, step, due_at from alerts where resident_id = 's-11' order by alert_id"),
    pages: await query(
      `select p.alert_id, p.step, staff_id, status, attempts from pages p join alerts using (alert_id)
        where resident_id = 's-11' order by p.alert_id, p.step`,
    ),
    tries: await query(
      'select alert_id, count(*)::int from page_attempts join pages using (page_id) group by 1 order by 1',
    ),
    events: await query('select alert_id, kind, count(*)::int from alert_events group by 1, 2 order by 1, 2'),
  })
  await commit(11, [alert], observedAt)
  const once = await state()
  const { alertId } = (await findPageLink(database.db, { token, now }))!
  expect(once.alerts.find((row) => row.alert_id === alertId)).toMatchObject({ step: 2, due_at: new Date(alert.dueAt!) })
  expect(once.pages.filter((row) => row.alert_id === alertId)).toEqual([
    { alert_id: alertId, step: 1, staff_id: 's-worker', status: 'sent', attempts: 1 },
    { alert_id: alertId, step: 2, staff_id: 's-colleague', status: 'sent', attempts: 1 },
  ])
  expect(once.events.filter((row) => row.alert_id === alertId)).toEqual([
    { alert_id: alertId, kind: 'opened', count: 1 },
    { alert_id: alertId, kind: 'page sent', count: 2 },
    { alert_id: alertId, kind: 'told', count: 2 },
  ])
  await commit(11, [alert], observedAt)
  expect(await state()).toEqual(once)
})

test('a press that joins an open alert by the clock, but of which people were told, is an alert of its own', async () => {
  await commit(8, [], pressedAt - 120_000)
  await commit(8, [standInAlert(8)])
  expect(await alertsOf(8)).toHaveLength(2)
})

test('of a chain of five steps the fourth was told: the fifth comes in its time, and the family was only informed', async () => {
  const toFamily = standInPage({ staffId: 's-colleague', step: 4, informs: true, condition: 'not resolved' })
  const steps = { steps: 5, step: 4, dueAt: now.getTime() + 5_000 }
  await commit(10, [standInAlert(10, { ...steps, pages: [standInPage({ step: 4 }), toFamily] })])
  const [row] = await alertsOf(10)
  expect(row!.due_at.getTime()).toBe(now.getTime() + 5_000)
  expect(
    await query('select informs, condition from pages where alert_id = $1 order by informs', [row!.alert_id]),
  ).toEqual([
    { informs: false, condition: 'not acknowledged' },
    { informs: true, condition: 'not resolved' },
  ])
})
