import { Registry } from 'prom-client'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { actOnAlert } from '../db/alert-actions.js'
import { manualClock } from '../kit/clock.js'
import { createLog } from '../kit/log.js'
import { createSignal } from '../kit/signal.js'
import { registerCommunity } from '../test/support/community.js'
import { startTestDatabase, type TestDatabase } from '../test/support/database.js'
import { createIngest, type Ingest } from './ingest.js'

let database: TestDatabase
let ingest: Ingest
const clock = manualClock(new Date('2026-06-01T04:00:00Z'))
const minute = 60_000

beforeAll(async () => {
  database = await startTestDatabase()
  await registerCommunity(database.db, {
    key: 'f',
    homes: 8,
    channelsOf: (who) => [{ kind: 'email', address: `${who}@example.org` }],
    now: clock.now(),
  })
  ingest = createIngest({
    db: database.db,
    clock,
    log: createLog({ role: 'test', level: 'silent' }),
    metrics: new Registry(),
    signal: createSignal(),
  })
  await ingest.start()
})
afterAll(async () => {
  await ingest?.stop()
  await database?.stop()
})

const send = (home: string, kind: string, body: unknown) =>
  ingest.accept({
    gatewayId: home,
    topic: `v1/${home}/${home}-${kind}/${kind}`,
    payload: Buffer.from(JSON.stringify(body)),
    retain: false,
    receivedAt: clock.now(),
  })
const smoke = (home: string, alarm: boolean) => send(home, 'smoke', { ts: clock.now().getTime(), alarm })
const rows = async (sql: string, values: unknown[] = []) => (await database.db.query(sql, values)).rows
const alertsOf = async (home: string) =>
  (await rows('select kind, stage from alerts where resident_id = $1 order by alert_id', [home])).map(
    ({ kind, stage }) => `${kind} ${stage}`,
  )
const emergenciesOf = async (home: string) => (await alertsOf(home)).filter((alert) => alert.startsWith('smoke'))
const historyOf = async (home: string) =>
  (
    await rows(
      "select e.kind from alert_events e join alerts using (alert_id) where resident_id = $1 and e.kind <> 'told' order by alert_event_id",
      [home],
    )
  ).map(({ kind }) => kind)
const pagesOf = async (home: string) =>
  (await rows('select from pages join alerts using (alert_id) where resident_id = $1', [home])).length
const act = async (home: string, kind: 'acknowledge' | 'close') => {
  const [{ alert_id: alertId }] = await rows(
    `select alert_id from alerts where resident_id = $1 and severity = 'emergency' order by alert_id desc limit 1`,
    [home],
  )
  const action = kind === 'close' ? { kind, outcome: 'device fault' as const, note: '' } : { kind }
  return actOnAlert(database.db, { alertId, action, staffId: 'f-worker', via: 'console', now: clock.now() })
}

test('an alarm that clears and goes off again while its alert is open is one episode', async () => {
  await smoke('f-1', true)
  for (let times = 0; times < 2; times++) {
    clock.advance(10 * minute)
    await smoke('f-1', false)
    clock.advance(20 * minute)
    await smoke('f-1', true)
  }
  expect(await alertsOf('f-1')).toEqual(['smoke open'])
  expect(await historyOf('f-1')).toEqual(['opened', 'cleared', 'repeat', 'cleared', 'repeat'])
  expect(await pagesOf('f-1')).toBe(1)
})

test('acknowledged a short while ago it joins; 11 min ago it pages anew; after closing it pages anew at once', async () => {
  await smoke('f-2', true)
  await act('f-2', 'acknowledge')
  clock.advance(4 * minute)
  await smoke('f-2', false)
  clock.advance(4 * minute)
  await smoke('f-2', true)
  expect(await emergenciesOf('f-2')).toEqual(['smoke acknowledged'])
  await smoke('f-2', false)
  clock.advance(3 * minute)
  await smoke('f-2', true)
  expect(await emergenciesOf('f-2')).toEqual(['smoke acknowledged', 'smoke open'])
  expect(await pagesOf('f-2')).toBe(2)
  clock.advance(minute)
  await smoke('f-2', false)
  await act('f-2', 'close')
  clock.advance(minute)
  await smoke('f-2', true)
  expect((await emergenciesOf('f-2')).slice(1)).toEqual(['smoke closed', 'smoke open'])
  expect(await pagesOf('f-2')).toBe(3)
})

test('a device that goes on and off five times in an hour gets a notice about itself, and still pages', async () => {
  for (let times = 0; times < 3; times++) {
    await smoke('f-3', true)
    clock.advance(5 * minute)
    await smoke('f-3', false)
    clock.advance(5 * minute)
    expect(await alertsOf('f-3')).toHaveLength(times < 2 ? 1 : 2)
  }
  expect(await alertsOf('f-3')).toEqual(['smoke open', 'device_flapping open'])
  const [{ headline_en, severity }] = await rows(
    "select headline_en, severity from alerts where resident_id = 'f-3' and kind = 'device_flapping'",
  )
  expect(severity).toBe('notice')
  expect(headline_en).toBe(
    'Smoke alarm (卫生间) went on and off: 5 changes within an hour. Please check the device. Its alarms are paged all the same.',
  )
  await rows(
    "update alerts set stage = 'closed', outcome = 'device fault', closed_at = $1, due_at = null where resident_id = 'f-3' and kind = 'smoke'",
    [clock.now()],
  )
  await smoke('f-3', true)
  expect(await alertsOf('f-3')).toEqual(['smoke closed', 'device_flapping open', 'smoke open'])
  expect(await pagesOf('f-3')).toBe(2)
})

test.each([
  ['each minute', 'f-4', minute],
  ['each half hour and more', 'f-5', 40 * minute],
])(
  'a backlog of 4,000 changes of one device, %s, is one alert, told once, with a short history',
  async (_name, home, apartMs) => {
    const from = clock.now().getTime() - Math.min(4_000 * apartMs, 6 * 24 * 60 * minute)
    const step = Math.floor((clock.now().getTime() - from) / 4_000)
    const startedAt = performance.now()
    for (let part = 0; part < 4; part++)
      await send(
        home,
        'gas',
        Array.from({ length: 1_000 }, (_, i) => {
          const n = part * 1_000 + i
          return { ts: from + n * step, alarm: n % 2 === 0 }
        }),
      )
    console.log(`4,000 changes took ${((performance.now() - startedAt) / 1_000).toFixed(1)} s`)
    const alerts = await alertsOf(home)
    expect(alerts.filter((alert) => alert.startsWith('gas'))).toEqual(['gas open'])
    expect(alerts.length).toBeLessThanOrEqual(2)
    expect(await pagesOf(home)).toBe(1)
    expect((await historyOf(home)).length).toBeLessThan(100)
    expect(
      (await rows('select from readings join devices using (device_no) where device_id = $1', [`${home}-gas`])).length,
    ).toBe(4_000)
  },
  60_000,
)

test('a backlog of presses and cancels is one alert too, and a press now is another', async () => {
  const from = clock.now().getTime() - 600 * minute
  await send(
    'f-6',
    'button',
    Array.from({ length: 200 }, (_, i) => ({
      ts: from + i * 2 * minute,
      event: i % 2 === 0 ? 'pressed' : 'cancelled',
    })),
  )
  expect(await alertsOf('f-6')).toEqual(['button open'])
  clock.advance(minute)
  await send('f-6', 'button', { ts: clock.now().getTime(), event: 'pressed' })
  expect(await alertsOf('f-6')).toEqual(['button open', 'button open'])
})
