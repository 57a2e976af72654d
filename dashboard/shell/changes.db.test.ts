import type { AddressInfo } from 'node:net'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { startTestDatabase, type TestDatabase } from '../../test/support/database.js'
import { type Community, seedAlert, seedCommunity } from '../../test/support/fixtures.js'
import { createTestDashboard, logIn, type TestDashboard, testNow } from '../test-app.js'

/** Ten consoles listen, all that one session may. */
const consoles = 10
let database: TestDatabase
let dashboard: TestDashboard
let c: Community
let notice: number
let streams: Awaited<ReturnType<typeof listen>>[]

async function listen(base: string, cookie: string) {
  const aborter = new AbortController()
  const response = await fetch(`${base}/events`, { headers: { cookie }, signal: aborter.signal })
  const reader = response.body!.pipeThrough(new TextDecoderStream()).getReader()
  let text = ''
  const changes = () => [...text.matchAll(/data: (\d+)\n/g)].map(([, n]) => Number(n))
  /** When it was told of a change that came after this one, in ms; and which it was. */
  const toldAfter = async (change: number) => {
    while (!changes().some((n) => n > change)) {
      const { value = '', done } = await reader.read()
      if (done) throw new Error('the stream ended')
      text += value
    }
    return { atMs: performance.now(), change: Math.max(...changes()) }
  }
  return { toldAfter, stop: () => aborter.abort() }
}

let newest = -1
/** When each console was told of the next change, in ms. */
async function nextTold(): Promise<number[]> {
  if (waiting) {
    const told = waiting
    waiting = undefined
    return told
  }
  const told = await Promise.all(streams.map(({ toldAfter }) => toldAfter(newest)))
  newest = Math.max(...told.map(({ change }) => change))
  return told.map(({ atMs }) => atMs)
}
/** True when no console is told of anything for so long. What comes later is for whoever waits for it. */
async function nothingFor(ms: number): Promise<boolean> {
  waiting ??= nextTold()
  const told = await Promise.race([waiting, new Promise<null>((resolve) => setTimeout(() => resolve(null), ms))])
  if (told) waiting = undefined
  return told === null
}
let waiting: Promise<number[]> | undefined
/** From the first console that was told to the last. */
const spreadOf = (times: number[]) => Math.max(...times) - Math.min(...times)
/** As another process would do it, in one statement: only the database knows. `ahead`: from the highest number so far. */
const record = (events: { alertId: number; ahead: number }[]) =>
  database.db.query(
    `insert into alert_events (alert_event_id, alert_id, at, kind) overriding system value
     select (select max(alert_event_id) from alert_events) + ahead, alert_id, $3, 'repeat'
       from unnest($1::bigint[], $2::int[]) e (alert_id, ahead)`,
    [events.map(({ alertId }) => alertId), events.map(({ ahead }) => ahead), testNow],
  )

beforeAll(async () => {
  database = await startTestDatabase()
  c = await seedCommunity(database.db, { key: 'c', now: testNow })
  notice = await seedAlert(database.db, {
    communityId: c.communityId,
    residentId: c.residents[1]!.residentId,
    kind: 'battery_low',
    openedAt: testNow,
  })
  dashboard = await createTestDashboard(database.db)
  await dashboard.app.listen({ port: 0, host: '127.0.0.1' })
  const base = `http://127.0.0.1:${(dashboard.app.server.address() as AddressInfo).port}`
  const cookie = await logIn(dashboard.app, { login: c.staff.worker.login, password: c.password })
  streams = await Promise.all(Array.from({ length: consoles }, () => listen(base, cookie)))
  await nextTold()
  // From here on it is known what the newest event is.
  dashboard.signal.raise('alerts')
  await nextTold()
})
afterAll(async () => {
  for (const { stop } of streams) stop()
  await dashboard.app.close()
  await database.stop()
})

test('a notice makes the consoles ask for their pages within a second, not all in one moment', async () => {
  await record([{ alertId: notice, ahead: 10 }])
  // Ten within 0.1 of a second by chance: once in 100,000,000 runs.
  const spreadMs = spreadOf(await nextTold())
  expect(spreadMs).toBeGreaterThan(100)
  expect(spreadMs).toBeLessThan(2_000)
})

test('an emergency is told to all of them at once, also beside a notice', async () => {
  await record([
    { alertId: c.alertId, ahead: 9 },
    { alertId: notice, ahead: 10 },
  ])
  expect(spreadOf(await nextTold())).toBeLessThan(300)
})

test('an alarm of a synthetic resident disturbs nobody, and hides nothing that comes with it', async () => {
  await nothingFor(2_500)
  await database.db.query(`update residents set synthetic = true where resident_id = $1`, [c.residents[1]!.residentId])
  await record([{ alertId: notice, ahead: 1 }])
  dashboard.signal.raise('alerts')
  await new Promise((resolve) => setTimeout(resolve, 100))
  // As the notification of the same commit does, which comes after it was found.
  dashboard.signal.raise('alerts')
  expect(await nothingFor(1_500)).toBe(true)
  await record([
    { alertId: c.alertId, ahead: 1 },
    { alertId: notice, ahead: 2 },
  ])
  expect(spreadOf(await nextTold())).toBeLessThan(300)
  await database.db.query(`update residents set synthetic = false`)
})

test('an emergency whose event was numbered before another one and committed after it is told at once all the same', async () => {
  await record([{ alertId: notice, ahead: 10 }])
  await nextTold()
  await record([{ alertId: c.alertId, ahead: -5 }])
  expect(spreadOf(await nextTold())).toBeLessThan(300)
})
