import { afterAll, beforeAll, expect, test } from 'vitest'
import { clearAlert, openAlert } from '../db/alerts.js'
import { openNotices } from '../db/notices.js'
import { manualClock } from '../kit/clock.js'
import { createLog } from '../kit/log.js'
import { createSignal } from '../kit/signal.js'
import { registerCommunity } from '../test/support/community.js'
import { startTestDatabase, type TestDatabase } from '../test/support/database.js'
import type { AlertKind } from './model.js'
import { createIncidentWatch } from './watch-incidents.js'

let database: TestDatabase
let look: () => Promise<unknown>
const clock = manualClock(new Date('2026-06-01T04:00:00Z'))
const minute = 60_000
const hour = 60 * minute
const rows = async (sql: string, values: unknown[] = []) => (await database.db.query(sql, values)).rows

beforeAll(async () => {
  database = await startTestDatabase()
  await registerCommunity(database.db, { key: 'w', homes: 20, now: clock.now() })
  await registerCommunity(database.db, { key: 'x', homes: 20, now: clock.now() })
  const log = createLog({ role: 'test', level: 'silent' })
  look = createIncidentWatch({ db: database.db, clock, log, signal: createSignal() })
  await beat()
  await rows("update gateways set online = true, edge_id = 'edge', online_changed_at = $1, last_heard_at = $1", [
    clock.now(),
  ])
})
afterAll(() => database.stop())

const beat = () =>
  rows(
    'insert into edges (edge_id, heartbeat_at) values ($2, $1) on conflict (edge_id) do update set heartbeat_at = $1',
    [clock.now(), 'edge'],
  )
/** Time passes while the edge lives, with a look each half a minute. */
const pass = async (ms: number) => {
  for (let left = ms; left > 0; left -= 30_000) {
    clock.advance(Math.min(left, 30_000))
    await beat()
    await look()
  }
}
/** Gateways `from` to `to` of community `key` go, or come back. */
const turn = (key: string, from: number, to: number, online: boolean) =>
  rows(`update gateways set online = $3, online_changed_at = $4 where gateway_id = any($1) and community_id = $2`, [
    Array.from({ length: to - from + 1 }, (_, i) => `${key}-${from + i}`),
    key,
    online,
    clock.now(),
  ])
const incidents = async (key: string) =>
  (
    await rows(
      `select i.closed_at is null as open, count(*)::int as homes, count(*) filter (where back_at is null)::int as silent
         from incidents i join incident_homes using (incident_id) where community_id = $1 group by incident_id order by incident_id`,
      [key],
    )
  ).map(({ open, homes, silent }) => `${open ? 'open' : 'closed'} ${silent}/${homes}`)
const messages = async (key: string) =>
  (
    await rows('select staff_id, urgent, text_en from messages where staff_id like $1 order by created_at, staff_id', [
      `${key}-%`,
    ])
  ).map(({ staff_id, urgent, text_en }) => `${staff_id} ${urgent ? 'urgent' : 'quiet'}: ${text_en.slice(0, 60)}`)

const device = async (deviceId: string) =>
  (await rows('select device_no from devices where device_id = $1', [deviceId]))[0].device_no as number
const notice = async (home: string, kind: AlertKind, deviceNo: number | null) => {
  const now = clock.now()
  const headline = { zh: `示例 ${now.toISOString()}`, en: `sample ${now.toISOString()}` }
  await database.db.transaction((tx) =>
    openNotices(tx, [{ residentId: home, deviceNo, kind, openedAt: now, observedAt: now, headline, reason: {} }]),
  )
}
const clear = async (home: string, kind: AlertKind, deviceNo: number | null) => {
  const headline = { zh: '好了', en: 'well again' }
  await database.db.transaction((tx) =>
    clearAlert(tx, { residentId: home, kind, deviceNo, at: clock.now(), headline, outcome: 'device fault' }),
  )
}
const noticesOf = async (home: string) =>
  (
    await rows("select kind, stage from alerts where resident_id = $1 and severity = 'notice' order by alert_id", [
      home,
    ])
  ).map(({ kind, stage }) => `${kind} ${stage}`)

test('a notice that cleared and comes again within a day is the same one, with its history; after a day it is another', async () => {
  const deviceNo = await device('w-1-button')
  await notice('w-1', 'battery_low', deviceNo)
  clock.advance(hour)
  await clear('w-1', 'battery_low', deviceNo)
  clock.advance(23 * hour)
  await notice('w-1', 'battery_low', deviceNo)
  expect(await noticesOf('w-1')).toEqual(['battery_low open'])
  expect(
    (
      await rows(
        "select e.kind from alert_events e join alerts using (alert_id) where resident_id = 'w-1' order by alert_event_id",
      )
    ).map(({ kind }) => kind),
  ).toEqual(['opened', 'cleared', 'closed', 'opened again'])
  // While it is open it is the same in any case.
  await notice('w-1', 'battery_low', deviceNo)
  expect(await noticesOf('w-1')).toEqual(['battery_low open'])
  await clear('w-1', 'battery_low', deviceNo)
  clock.advance(25 * hour)
  await notice('w-1', 'battery_low', deviceNo)
  expect(await noticesOf('w-1')).toEqual(['battery_low closed', 'battery_low open'])
})

test('what a person has closed is not opened again: it is another notice', async () => {
  const deviceNo = await device('w-2-button')
  await notice('w-2', 'tamper', deviceNo)
  await rows(
    "update alerts set stage = 'closed', outcome = 'device fault', closed_at = $1, handled_by = 'w-worker' where resident_id = 'w-2'",
    [clock.now()],
  )
  clock.advance(hour)
  await notice('w-2', 'tamper', deviceNo)
  expect(await noticesOf('w-2')).toEqual(['tamper closed', 'tamper open'])
})

test('a device whose notices come and go gets one notice about that, which ends after 6 h of calm', async () => {
  const deviceNo = await device('w-3-smoke')
  for (let times = 0; times < 4; times++) {
    await notice('w-3', 'tamper', deviceNo)
    clock.advance(3 * minute)
    await clear('w-3', 'tamper', deviceNo)
    clock.advance(3 * minute)
  }
  expect(await noticesOf('w-3')).toEqual(['tamper closed', 'device_flapping open'])
  const [{ headline_en, headline_zh }] = await rows(
    "select headline_en, headline_zh from alerts where resident_id = 'w-3' and kind = 'device_flapping'",
  )
  expect(headline_en).toBe(
    'Smoke alarm (卫生间) reported and cleared the same thing: 6 changes within an hour. Please check the device.',
  )
  expect(headline_zh).toBe('卫生间烟雾报警器一小时内反复上报又解除同一情况，共变化 6 次，请检查设备。')
  clock.advance(5 * hour)
  await look()
  expect(await noticesOf('w-3')).toContain('device_flapping open')
  clock.advance(hour)
  await look()
  expect(await noticesOf('w-3')).toContain('device_flapping closed')
  expect(await rows('select from device_flapping where device_no = $1', [deviceNo])).toEqual([])
})

test('a street that loses its mains is one incident: told once, at night too, and over when four of five homes are back', async () => {
  await turn('w', 1, 12, false)
  await pass(minute)
  expect(await incidents('w')).toEqual([])
  await turn('w', 13, 15, false)
  await pass(minute)
  expect(await incidents('w')).toEqual(['open 12/12'])
  await pass(minute)
  expect(await incidents('w')).toEqual(['open 15/15'])
  expect(await messages('w')).toEqual([
    expect.stringMatching(/^w-operator urgent: 示例社区 w: 12 of 20 homes fell silent/),
    expect.stringMatching(/^w-supervisor urgent: 示例社区 w: 12 of 20 homes fell silent/),
  ])
  await turn('w', 1, 11, true)
  await pass(minute)
  expect(await incidents('w')).toEqual(['open 4/15'])
  await turn('w', 12, 12, true)
  await pass(minute)
  expect(await incidents('w')).toEqual(['closed 3/15'])
  expect((await messages('w')).slice(2)).toEqual([
    expect.stringMatching(/^w-operator quiet: 示例社区 w: 12 of the 15 homes that fell silent/),
    expect.stringMatching(/^w-supervisor quiet: /),
  ])
  expect(
    (await rows('select kind, silent, homes from incident_events order by incident_event_id')).map(
      ({ kind, silent, homes }) => `${kind} ${silent}/${homes}`,
    ),
  ).toEqual(['opened 12/12', 'grew 15/15', 'closed 3/15'])
  expect(await messages('x')).toEqual([])
})

test('homes that hang at an edge which no longer lives are silent for another reason', async () => {
  await turn('x', 1, 20, false)
  clock.advance(5 * minute)
  await look()
  expect(await incidents('x')).toEqual([])
  await turn('x', 1, 20, true)
})

test('two processes that look at once tell it once', async () => {
  await pass(30_000)
  await turn('x', 1, 9, false)
  clock.advance(3 * minute)
  await beat()
  await Promise.all([look(), look(), look()])
  expect(await incidents('x')).toEqual(['open 9/9'])
  expect(await messages('x')).toHaveLength(2)
})

test('what the home is asked about when its street goes waits for the street, and half an hour longer when it is back', async () => {
  await turn('x', 1, 20, true)
  await pass(minute)
  expect((await incidents('x')).at(-1)).toMatch(/^closed/)
  const openedAt = clock.now()
  const alertId = await database.db.transaction((tx) =>
    openAlert(
      tx,
      {
        residentId: 'x-4',
        deviceNo: null,
        kind: 'silence_unusual',
        openedAt,
        observedAt: openedAt,
        headline: { zh: '示例', en: 'sample' },
        reason: { since: openedAt.getTime() - 3 * hour },
        askUntil: new Date(openedAt.getTime() + 30 * minute),
      },
      openedAt,
    ),
  )
  // Nobody of this community has a channel: where nobody can be asked, the alert is on its way at once.
  await rows('update alerts set step = 0, due_at = $2 where alert_id = $1', [
    alertId,
    new Date(openedAt.getTime() + 30 * minute),
  ])
  const until = async () => {
    const [alert] = await rows('select held_until, due_at from alerts where alert_id = $1', [alertId])
    expect(alert.held_until === null || alert.due_at.getTime() === alert.held_until.getTime()).toBe(true)
    return alert.held_until && (alert.held_until.getTime() - openedAt.getTime()) / minute
  }
  await turn('x', 1, 10, false)
  await pass(minute)
  expect(await until()).toBeNull()
  await pass(2 * minute)
  expect((await incidents('x')).at(-1)).toBe('open 10/10')
  expect(await until()).toBe(120)
  // As a transaction leaves it that did not see the incident.
  await rows(
    'update alerts set held_since = null, held_until = null, held_incident_id = null, due_at = $2 where alert_id = $1',
    [alertId, new Date(openedAt.getTime() + 30 * minute)],
  )
  await pass(30_000)
  expect(await until()).toBe(120)
  await turn('x', 4, 4, true)
  await pass(minute)
  expect((await incidents('x')).at(-1)).toBe('open 9/10')
  expect(await until()).toBeLessThanOrEqual(34)
})
