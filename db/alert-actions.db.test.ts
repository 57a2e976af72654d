import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest'
import type { AlertKind } from '../alerts/model.js'
import { manualClock } from '../kit/clock.js'
import { registerCommunity, webhookSecret } from '../test/support/community.js'
import { startTestDatabase, type TestDatabase } from '../test/support/database.js'
import { type AlertAction, actOnAlert, undoLast } from './alert-actions.js'
import { dueAlerts, escalate, openAlert } from './alerts.js'

let database: TestDatabase
const clock = manualClock(new Date('2026-06-01T00:00:00Z'))
const second = 1_000
const minute = 60 * second
const worker = 'u-worker'
const colleague = 'u-colleague'

beforeAll(async () => {
  database = await startTestDatabase()
  await registerCommunity(database.db, {
    key: 'u',
    now: clock.now(),
    channelsOf: (who) => [
      { kind: 'webhook', address: `http://127.0.0.1/${who}`, secret: webhookSecret },
      { kind: 'email', address: `${who}@example.org` },
    ],
  })
})
afterAll(() => database.stop())
beforeEach(async () => {
  await database.db.query(
    "update alerts set stage = 'closed', outcome = 'test', closed_at = opened_at, due_at = null where closed_at is null",
  )
})

const rows = async <T>(sql: string, values: unknown[]) => (await database.db.query(sql, values)).rows as T[]
const open = (kind: AlertKind = 'button') =>
  database.db.transaction(async (tx) => {
    const now = clock.now()
    const headline = { zh: '示例', en: 'sample' }
    const news = { residentId: 'u-1', deviceNo: null, kind, openedAt: now, observedAt: now, headline, reason: {} }
    return (await openAlert(tx, news, now))!
  })
const act = (alertId: number, kind: 'acknowledge' | 'en_route' | 'arrived' | 'close', staffId = worker) => {
  const action: AlertAction = kind === 'close' ? { kind, outcome: 'resident fine', note: 'a slip' } : { kind }
  return actOnAlert(database.db, { alertId, action, staffId, via: 'console', now: clock.now() })
}
const undo = (alertId: number, staffId = worker) =>
  undoLast(database.db, { alertId, staffId, via: 'link', now: clock.now() })
const stateOf = async (alertId: number) =>
  (
    await rows<{
      stage: string
      handled_by: string | null
      due_ms: number | null
      outcome: string | null
      round: number
    }>(
      `select stage, handled_by, outcome, round, round(extract(epoch from due_at - $2) * 1000)::int as due_ms
         from alerts where alert_id = $1`,
      [alertId, clock.now()],
    )
  )[0]!
const eventsOf = async (alertId: number) =>
  (
    await rows<{ kind: string }>('select kind from alert_events where alert_id = $1 order by alert_event_id', [alertId])
  ).map(({ kind }) => kind)
const pagesOf = (alertId: number) =>
  rows<{ staff_id: string; status: string }>(
    'select staff_id, status from pages where alert_id = $1 order by created_at, staff_id, position',
    [alertId],
  )
const escalateDue = async () => {
  const now = clock.now()
  for (const alertId of await dueAlerts(database.db, { now, alertsMax: 10, except: [] }))
    await database.db.transaction((tx) => escalate(tx, { alertId, now }))
}

describe('what was done is taken back within a minute', () => {
  test('an acknowledgement: open again, the pages that were held back leave, and the chain goes on in its time', async () => {
    const alertId = await open()
    clock.advance(20 * second)
    await act(alertId, 'acknowledge')
    expect(await stateOf(alertId)).toMatchObject({ stage: 'acknowledged', handled_by: worker, due_ms: 2 * minute })
    expect((await pagesOf(alertId)).map(({ status }) => status)).toEqual(['cancelled', 'cancelled'])
    clock.advance(10 * second)
    expect(await undo(alertId)).toEqual({ kind: 'done' })
    expect(await stateOf(alertId)).toMatchObject({ stage: 'open', handled_by: null, due_ms: 30 * second })
    expect((await pagesOf(alertId)).map(({ status }) => status)).toEqual(['pending', 'pending'])
    clock.advance(30 * second)
    await escalateDue()
    expect((await pagesOf(alertId)).map(({ staff_id }) => staff_id)).toEqual([worker, worker, colleague, colleague])
    expect(await eventsOf(alertId)).toEqual(['opened', 'told', 'acknowledged', 'undone', 'told'])
  })
  test('a page that is on its way at that moment is not sent by another process as well', async () => {
    const alertId = await open()
    const until = new Date(clock.now().getTime() + 15 * second)
    await database.db.query('update pages set claimed_until = $2 where alert_id = $1', [alertId, until])
    await act(alertId, 'acknowledge')
    await undo(alertId)
    const claims = await rows<{ status: string; claimed_until: Date }>(
      'select status, claimed_until from pages where alert_id = $1',
      [alertId],
    )
    for (const claim of claims) expect(claim).toEqual({ status: 'pending', claimed_until: until })
  })
  test('the step that came due meanwhile is taken at once', async () => {
    const alertId = await open()
    clock.advance(50 * second)
    await act(alertId, 'acknowledge')
    clock.advance(55 * second)
    expect(await undo(alertId)).toEqual({ kind: 'done' })
    expect(await stateOf(alertId)).toMatchObject({ stage: 'open', due_ms: 0 })
  })
  test('a closing: what was found is forgotten, and the stage before goes on', async () => {
    const alertId = await open()
    await act(alertId, 'acknowledge')
    clock.advance(30 * second)
    await act(alertId, 'close')
    expect(await stateOf(alertId)).toMatchObject({ stage: 'closed', outcome: 'resident fine', due_ms: null })
    clock.advance(30 * second)
    expect(await undo(alertId)).toEqual({ kind: 'done' })
    expect(await stateOf(alertId)).toMatchObject({ stage: 'acknowledged', outcome: null, due_ms: minute })
  })
  test('step by step back: one undo is one step, and an undo is not undone', async () => {
    const alertId = await open()
    await act(alertId, 'acknowledge')
    await act(alertId, 'arrived')
    expect(await undo(alertId)).toEqual({ kind: 'done' })
    expect(await stateOf(alertId)).toMatchObject({ stage: 'acknowledged' })
    expect(await undo(alertId)).toEqual({ kind: 'nothing to undo' })
  })
})

describe('it is not taken back', () => {
  test('after a minute', async () => {
    const alertId = await open()
    await act(alertId, 'acknowledge')
    clock.advance(minute + 1)
    expect(await undo(alertId)).toEqual({ kind: 'too late' })
    expect(await stateOf(alertId)).toMatchObject({ stage: 'acknowledged' })
  })
  test('by somebody else', async () => {
    const alertId = await open()
    await act(alertId, 'acknowledge')
    expect(await undo(alertId, colleague)).toEqual({ kind: 'nothing to undo' })
  })
  test('when somebody else has gone on since', async () => {
    const alertId = await open()
    await act(alertId, 'acknowledge')
    await act(alertId, 'en_route', colleague)
    expect(await undo(alertId)).toEqual({ kind: 'nothing to undo' })
  })
  test('when it has come back by itself', async () => {
    const alertId = await open()
    await act(alertId, 'acknowledge')
    await database.db.query('update alerts set stage_at = $2, due_at = $3 where alert_id = $1', [
      alertId,
      new Date(clock.now().getTime() - 2 * minute),
      clock.now(),
    ])
    await escalateDue()
    expect(await undo(alertId)).toEqual({ kind: 'nothing to undo' })
    expect(await stateOf(alertId)).toMatchObject({ stage: 'open', round: 1 })
  })
  test('a closing, when the same thing is open again', async () => {
    const alertId = await open('silent_12h')
    await act(alertId, 'close')
    await open('silent_12h')
    expect(await undo(alertId)).toEqual({ kind: 'too late' })
  })
  test('where nothing was done, or nothing is', async () => {
    expect(await undo(await open())).toEqual({ kind: 'nothing to undo' })
    expect(await undo(2_000_000_000)).toEqual({ kind: 'missing' })
  })
})

test('two take back at once: once', async () => {
  const alertId = await open()
  await act(alertId, 'acknowledge')
  const results = await Promise.all([undo(alertId), undo(alertId)])
  expect(results.map(({ kind }) => kind).sort()).toEqual(['done', 'nothing to undo'])
})

test('who had it, and how far that person had come, is known when it comes back, until somebody takes it', async () => {
  const alertId = await open()
  await act(alertId, 'en_route', colleague)
  clock.advance(10 * minute)
  await escalateDue()
  const [back] = await rows<{ returned_by: string; returned_stage: string; handled_by: string | null }>(
    'select returned_by, returned_stage, handled_by from alerts where alert_id = $1',
    [alertId],
  )
  expect(back).toEqual({ returned_by: colleague, returned_stage: 'en_route', handled_by: null })
  // The one who had it is told first of all, with the responsible.
  const again = (await pagesOf(alertId)).slice(2).map(({ staff_id }) => staff_id)
  expect(new Set(again)).toEqual(new Set([colleague, worker]))
})

test('a community’s own policy: a step for what is not closed is taken though somebody has it', async () => {
  const policy = {
    steps: [
      { afterSeconds: 0, to: ['responsible'], channels: 'first', family: false, condition: 'not acknowledged' },
      { afterSeconds: 90, to: ['supervisor'], channels: 'all', family: false, condition: 'not resolved' },
    ],
    repeatAfterSeconds: 120,
    roundsMax: null,
    stageSecondsMax: { acknowledged: 600, en_route: 600, arrived: 600 },
  }
  await database.db.query(
    `insert into escalation_policies (community_id, severity, policy, changed_at)
     select community_id, 'emergency', $1, $2 from residents where resident_id = 'u-1'`,
    [policy, clock.now()],
  )
  const alertId = await open()
  expect(await pagesOf(alertId)).toHaveLength(1)
  await act(alertId, 'acknowledge')
  expect(await stateOf(alertId)).toMatchObject({ due_ms: 90 * second })
  clock.advance(90 * second)
  await escalateDue()
  expect(await stateOf(alertId)).toMatchObject({ stage: 'acknowledged', handled_by: worker })
  expect((await pagesOf(alertId)).slice(1)).toEqual([
    { staff_id: 'u-supervisor', status: 'pending' },
    { staff_id: 'u-supervisor', status: 'pending' },
  ])
  // Somebody goes on: what is told until it is closed still leaves; closed, it does not.
  await act(alertId, 'arrived')
  expect((await pagesOf(alertId)).map(({ status }) => status)).toEqual(['cancelled', 'pending', 'pending'])
  await act(alertId, 'close')
  expect((await pagesOf(alertId)).map(({ status }) => status)).toEqual(['cancelled', 'cancelled', 'cancelled'])
})
