import { afterAll, beforeAll, expect, test } from 'vitest'
import { insertReadings } from '../db/readings.js'
import { registerDocument } from '../db/register/document.js'
import { register } from '../db/register/register.js'
import { manualClock } from '../kit/clock.js'
import { createLog } from '../kit/log.js'
import { createSignal } from '../kit/signal.js'
import { registerCommunity, webhookSecret } from '../test/support/community.js'
import { startTestDatabase, type TestDatabase } from '../test/support/database.js'
import { createEscalator } from './escalate-due.js'
import { createArrivalFolder } from './fold-arrivals.js'
import { emptyState, fold } from './rules/fold.js'
import { livedHome } from './rules/lived-home.test-support.js'

let database: TestDatabase
let work: () => Promise<'more' | 'idle'>
let escalate: () => Promise<'more' | 'idle'>
const minute = 60_000
const hour = 60 * minute
const day = 24 * hour
/** 07:00 in Shanghai. */
const start = Date.parse('2026-06-01T07:00:00+08:00')
const clock = manualClock(new Date(start))
const timeZone = 'Asia/Shanghai'
const alarmsPerMonth = 1

beforeAll(async () => {
  database = await startTestDatabase()
  await registerCommunity(database.db, {
    key: 'e',
    homes: 3,
    channelsOf: () => [{ kind: 'webhook', address: 'http://127.0.0.1:9/', secret: webhookSecret }],
    now: new Date(start),
  })
  const log = createLog({ role: 'test', level: 'silent' })
  const signal = createSignal()
  work = createArrivalFolder({ db: database.db, alarmsPerMonth, clock, log, signal })
  escalate = createEscalator({ db: database.db, clock, log, signal })
})
afterAll(() => database.stop())

const rows = async (sql: string, values: unknown[] = []) => (await database.db.query(sql, values)).rows
const noOf = async (deviceId: string): Promise<number> =>
  (await rows('select device_no from devices where device_id = $1 and unbound_at is null', [deviceId]))[0].device_no
type Sent = { observedAt: number; receivedAt?: number; value: number }
/** What the devices of a home say, in the order in which it arrives. */
async function send(said: Record<string, Sent[]>) {
  const nos = new Map<string, number>()
  for (const deviceId of Object.keys(said)) nos.set(deviceId, await noOf(deviceId))
  const readings = Object.entries(said).flatMap(([deviceId, sent]) =>
    sent.map(({ observedAt, receivedAt = observedAt, value }) => ({
      deviceNo: nos.get(deviceId)!,
      observedAt,
      receivedAt,
      event: '',
      value,
      clockWrong: false,
    })),
  )
  await insertReadings(
    database.db,
    readings.sort((one, other) => one.receivedAt - other.receivedAt),
  )
}
async function foldUntil(at: number) {
  clock.set(new Date(at))
  for (let i = 0; i < 50; i++) if ((await work()) === 'idle') return
  throw new Error('never idle')
}
const every5 = (from: number, to: number, valueAt: (at: number) => number): Sent[] =>
  Array.from({ length: Math.floor((to - from) / (5 * minute)) + 1 }, (_, i) => {
    const observedAt = from + i * 5 * minute
    return { observedAt, value: valueAt(observedAt) }
  })

test('a backlog that comes after the page: the alert stays as it was told, its history says what came late', async () => {
  const lostAt = start + 2 * hour
  const told = start + 12 * hour + 10 * minute
  const kettleAt = start + 10 * hour
  const wattHours = (at: number) => ((at - start) / hour) * 40 + (at >= kettleAt ? 100 : 0)
  for (const home of ['e-1', 'e-2'])
    await send({
      [`${home}-water`]: every5(start, told, () => 100),
      [`${home}-electricity`]: every5(start, lostAt, wattHours),
    })
  await foldUntil(told + 2_000)
  await escalate()
  const alerts = () =>
    rows(
      `select resident_id, stage, outcome, headline_en as en, reason, observed_at,
              array(select e.kind from alert_events e where e.alert_id = a.alert_id order by alert_event_id) as events,
              (select e.detail -> 'headline' from alert_events e where e.alert_id = a.alert_id and e.kind = 'cleared') as cleared,
              (select count(*)::int from pages p where p.alert_id = a.alert_id) as pages
         from alerts a where kind = 'silent_12h' order by resident_id`,
    )
  const [first, second] = await alerts()
  expect(first.pages).toBeGreaterThan(0)
  expect(first.en).toBe(
    'No water used since 07:00 (12 h): 0 L of water. Electricity is unknown since 09:00: its meter is silent.',
  )
  await database.db.query(
    "update alerts set stage = 'en_route', handled_by = 'e-worker' where resident_id = 'e-2' and kind = 'silent_12h'",
  )

  const sentAt = told + 20 * minute
  for (const home of ['e-1', 'e-2']) {
    const power = every5(lostAt + 5 * minute, sentAt, wattHours)
    await send({
      [`${home}-water`]: every5(told + 5 * minute, sentAt, () => 100),
      [`${home}-electricity`]: power.map((one) => ({ ...one, receivedAt: sentAt })),
    })
  }
  await foldUntil(sentAt + minute)
  const cleared = {
    en: 'An appliance was switched on by 17:00. This was sent only at 19:30: it was not known when the alert came.',
    zh: '17:00 前有电器启动。这条数据 19:30 才补传上来，预警时还不知道。',
  }
  expect(await alerts()).toEqual([
    { ...first, stage: 'closed', outcome: 'resident fine', events: [...first.events, 'cleared', 'closed'], cleared },
    { ...second, stage: 'en_route', events: [...second.events, 'cleared'], cleared },
  ])
})

test('a new tenant: the devices tell of somebody else now, and nothing of the one before is kept or judged by', async () => {
  const water = await noOf('e-3-water')
  const now = clock.now().getTime()
  const learnt = livedHome({ to: now, days: 40, night: now - 40 * day, deviceNo: water })
  const { state } = fold(emptyState(), learnt, now, { timeZone, alarmsPerMonth })
  expect(state.routine!.gaps.length).toBeGreaterThan(50)
  await database.db.query(
    `insert into resident_state (resident_id, state, wake_at, folded_at) values ('e-3', $1, $2, $2)
     on conflict (resident_id) do update set state = excluded.state, wake_at = excluded.wake_at`,
    [JSON.stringify(state), new Date(now)],
  )
  const movedAt = now + minute
  clock.set(new Date(movedAt))
  const kinds = ['water', 'electricity', 'button', 'smoke', 'gas'] as const
  await register(database.db, {
    document: registerDocument.parse({
      residents: [
        { id: 'e-9', community: 'e', name: '示例·新居民', address: '示例路 e-3 号', responsible: 'e-worker' },
      ],
      devices: kinds.map((kind) => ({
        id: `e-3-${kind}`,
        kind,
        gateway: 'e-3',
        resident: 'e-9',
        room: '卫生间',
      })),
    }),
    timeZoneDefault: timeZone,
    now: new Date(movedAt),
  })
  expect(await noOf('e-3-water')).not.toBe(water)
  const register0 = state.meters[0]!.raw
  const until = movedAt + 13 * hour
  await send({ 'e-3-water': every5(movedAt, until, () => register0) })
  await foldUntil(until + 2_000)
  const [fresh] = await rows("select state from resident_state where resident_id = 'e-9'")
  expect(fresh.state.meters).toHaveLength(1)
  expect(fresh.state.routine).toMatchObject({ gaps: [], tops: [], firstAt: null, activeAt: null })
  // By the line of the one before it would have been told hours ago, as unusual.
  expect(await rows("select kind, resident_id from alerts where resident_id in ('e-3', 'e-9')")).toEqual([
    { kind: 'silent_12h', resident_id: 'e-9' },
  ])
  const [gone] = await rows("select state, wake_at from resident_state where resident_id = 'e-3'")
  expect(gone.state.meters).toEqual([])
  expect(gone.state.routine.gaps).toEqual([])
  expect(gone.wake_at).toBeNull()
})
