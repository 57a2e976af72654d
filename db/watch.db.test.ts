import { afterAll, beforeAll, beforeEach, expect, test } from 'vitest'
import { registerCommunity } from '../test/support/community.js'
import { startTestDatabase, type TestDatabase } from '../test/support/database.js'
import { actOnAlert } from './alert-actions.js'
import { openAlert } from './alerts.js'
import { loadChain } from './chain.js'
import { dropOldWatch, operatorContacts, type RoundResult, recordRound, turnOutages, watchState } from './watch.js'
import { addMissingHomes, claimRounds, closeTestAlerts } from './watch-homes.js'

const now = new Date('2026-11-21T08:00:00Z')
const after = (ms: number) => new Date(now.getTime() + ms)
const everyMs = 180_000
const receiver = 'http://127.0.0.1:4711/watch'
const came: RoundResult = { kind: 'came', ackedMs: 12.4, pageMs: 31.2 }
const lost: RoundResult = { kind: 'missed', why: 'no page', ackedMs: 12, detail: '' }
let database: TestDatabase

beforeAll(async () => {
  database = await startTestDatabase()
  for (const key of ['a', 'b', 'c']) await registerCommunity(database.db, { key, now })
  await Promise.all([1, 2, 3].map(() => addMissingHomes(database.db, { now, firstAt: now, everyMs, homesMax: 5 })))
  await database.db.query(`update staff_communities set community_id = 'a' where staff_id = 'b-operator'`)
  await database.db.query(`insert into staff_communities values ('a-operator', 'c')`)
  await database.db.query(`delete from staff_communities where staff_id = 'c-operator'`)
})
afterAll(() => database.stop())
beforeEach(async () => {
  await database.db.query('delete from watch_outages')
  await database.db.query('update watch_homes set failing_since = null, missed = null')
})
const rows = async (sql: string, values: unknown[] = []) => (await database.db.query(sql, values)).rows
const claim = (at: Date, roundsMax = 10) => claimRounds(database.db, { now: at, everyMs, roundsMax, receiver })
const record = (communityId: string, result: RoundResult, at: Date) =>
  database.db.transaction((tx) => recordRound(tx, { communityId, pressedAt: at, result, now: at }))
const turn = (communityId: string, turned: 'failing' | 'well', at: Date) =>
  database.db.transaction((tx) => turnOutages(tx, { communityId, turned, now: at }))

test('each community has one, apart from it, however many processes make them', async () => {
  expect(await addMissingHomes(database.db, { now, firstAt: now, everyMs, homesMax: 5 })).toBe(0)
  expect(await rows('select community_id from watch_homes order by 1')).toEqual([
    { community_id: 'a' },
    { community_id: 'b' },
    { community_id: 'c' },
  ])
  expect(
    await rows(`select c.community_id, c.watches, r.synthetic from residents r join communities c using (community_id)
                 where c.watches is not null order by 1`),
  ).toEqual(['a', 'b', 'c'].map((key) => ({ community_id: `watch~${key}`, watches: key, synthetic: true })))
  expect((await rows(`select from residents where synthetic and community_id in ('a', 'b', 'c')`)).length).toBe(0)
})

test('rounds are spread over the time between two of them', async () => {
  const due = await rows('select due_at from watch_homes order by 1')
  const offsets = due.map((row) => (row.due_at as Date).getTime() - now.getTime())
  for (const offset of offsets) expect(offset).toBeLessThan(everyMs)
  for (const [i, offset] of offsets.entries()) if (i > 0) expect(offset - offsets[i - 1]!).toBeGreaterThan(20_000)
})

test('of several processes each round is claimed by one, and comes again at its own time', async () => {
  const at = after(everyMs)
  const claimed = await Promise.all([claim(at), claim(at), claim(at)])
  expect(
    claimed
      .flat()
      .map(({ communityId }) => communityId)
      .sort(),
  ).toEqual(['a', 'b', 'c'])
  expect(await claim(at)).toEqual([])
  // Nobody ran for an hour: one round each, not twenty.
  expect(await claim(after(20 * everyMs))).toHaveLength(3)
  expect(await claim(after(20 * everyMs))).toEqual([])
  const phases = await rows('select due_at from watch_homes order by 1')
  for (const [i, row] of phases.entries())
    if (i > 0)
      expect((row.due_at as Date).getTime() - (phases[i - 1]!.due_at as Date).getTime()).toBeGreaterThan(20_000)
  // A clock that was far ahead and is right again.
  expect(await claim(after(everyMs))).toHaveLength(3)
})

test('its chain is its watcher alone, whoever works in the community that it watches', async () => {
  const [home] = await claim(after(100 * everyMs), 1)
  const chain = await loadChain(database.db, { residentId: home!.residentId, severity: 'emergency', now })
  expect(chain!.steps.flatMap(({ people, family }) => [...people, ...family]).map(({ staffId }) => staffId)).toEqual([
    home!.staffId,
  ])
  expect(chain!.lastResort).toEqual([])
  expect(await rows('select address from staff_channels where staff_id = $1', [home!.staffId])).toEqual([
    { address: receiver },
  ])
})

test('an alert left open by an earlier round is closed before the next press, which would join it', async () => {
  const [home] = await claim(after(200 * everyMs), 1)
  const alertId = await database.db.transaction((tx) =>
    openAlert(
      tx,
      {
        residentId: home!.residentId,
        deviceNo: null,
        kind: 'button',
        openedAt: now,
        observedAt: now,
        headline: { zh: '', en: '' },
        reason: {},
      },
      now,
    ),
  )
  expect((await rows("select from pages where alert_id = $1 and status = 'pending'", [alertId])).length).toBe(1)
  await claim(after(201 * everyMs))
  expect(await rows('select stage, outcome, due_at from alerts where alert_id = $1', [alertId])).toEqual([
    { stage: 'closed', outcome: 'test', due_at: null },
  ])
  expect(await rows('select status from pages where alert_id = $1', [alertId])).toEqual([{ status: 'cancelled' }])
})

test('the first miss and the first page after it are turns, what lies between is not', async () => {
  expect(await record('a', came, after(1))).toEqual({ turned: null })
  expect(await record('a', lost, after(2))).toEqual({ turned: 'failing' })
  expect(await record('a', lost, after(3))).toEqual({ turned: null })
  expect(await watchState(database.db, { overdueBefore: new Date(0) })).toEqual({
    communities: 3,
    failing: 1,
    failingSince: after(2),
    overdue: 0,
  })
  expect(await record('a', came, after(4))).toEqual({ turned: 'well' })
  expect(await record('a', came, after(5))).toEqual({ turned: null })
  expect((await watchState(database.db, { overdueBefore: after(10_000 * everyMs) })).overdue).toBe(3)
})

test('each operator hears of an outage once, and of its end when all of theirs are well', async () => {
  await record('a', lost, after(1))
  const first = await turn('a', 'failing', after(1))
  expect(first.map(({ staffId, communities, failing }) => [staffId, communities, failing.length])).toEqual([
    ['a-operator', 2, 1],
    ['b-operator', 1, 1],
  ])
  expect(first[0]!.failing[0]).toMatchObject({ communityId: 'a', missed: 'no page', since: after(1) })
  // For a's operator c is more of the same outage.
  await record('c', lost, after(2))
  expect(await turn('c', 'failing', after(2))).toEqual([])
  await record('a', came, after(3))
  expect((await turn('a', 'well', after(3))).map(({ staffId }) => staffId)).toEqual(['b-operator'])
  await record('c', came, after(4))
  const last = await turn('c', 'well', after(4))
  expect(last.map(({ staffId, since, failing }) => [staffId, since, failing])).toEqual([['a-operator', after(1), []]])
  // Another outage is told again.
  await record('c', lost, after(5))
  expect((await turn('c', 'failing', after(5))).map(({ staffId }) => staffId)).toEqual(['a-operator'])
})

test('two processes that find out at the same time tell once', async () => {
  await record('a', lost, after(1))
  const both = await Promise.all([turn('a', 'failing', after(1)), turn('a', 'failing', after(1))])
  expect(both.flat().map(({ staffId }) => staffId)).toEqual(expect.arrayContaining(['a-operator', 'b-operator']))
  expect(both.flat()).toHaveLength(2)
})

test('operators are reached through channels that work first; who has none is not there', async () => {
  await database.db.query(
    `insert into staff_channels (staff_id, position, kind, address, broken_at, broken_reason)
     values ('a-operator', 1, 'email', 'gone@example.org', $1, 'no such mailbox'), ('a-operator', 2, 'email', 'here@example.org', null, null)`,
    [now],
  )
  expect(await operatorContacts(database.db)).toMatchObject([
    { channels: [{ address: 'here@example.org' }, { address: 'gone@example.org' }] },
  ])
})

test('test alarms are gone after a day with all that hangs on them; real alarms stay', async () => {
  const [home] = await claim(after(300 * everyMs), 1)
  const residentIds = [home!.residentId, 'a-1']
  for (const residentId of residentIds)
    await database.db.transaction((tx) =>
      openAlert(
        tx,
        {
          residentId,
          deviceNo: null,
          kind: 'button',
          openedAt: now,
          observedAt: now,
          headline: { zh: '', en: '' },
          reason: {},
        },
        now,
      ),
    )
  await database.db.transaction((tx) => closeTestAlerts(tx, { residentIds: [home!.residentId], now }))
  const [real] = await rows(`select alert_id from alerts where resident_id = 'a-1'`)
  await actOnAlert(database.db, {
    alertId: real!.alert_id,
    action: { kind: 'close', outcome: 'resident fine', note: '' },
    staffId: 'a-worker',
    via: 'console',
    now,
  })
  await database.db.query(
    `insert into readings (device_no, observed_at, event, received_at)
     select device_no, $1, 'pressed', $1 from devices where device_id in ($2, 'a-1-button')`,
    [now, home!.deviceId],
  )
  await record('a', came, now)
  const count = async () =>
    (
      await rows(`select (select count(*)::int from alerts) as alerts, (select count(*)::int from pages) as pages,
                         (select count(*)::int from readings) as readings, (select count(*)::int from watch_rounds) as rounds`)
    )[0]
  const before = await count()
  await dropOldWatch(database.db, { now: after(23 * 3_600_000) })
  expect(await count()).toEqual(before)
  await dropOldWatch(database.db, { now: after(36 * 3_600_000) })
  expect(await rows('select resident_id from alerts')).toEqual([{ resident_id: 'a-1' }])
  expect((await count())!.readings).toBe(1)
  expect((await count())!.rounds).toBe(before!.rounds)
  await dropOldWatch(database.db, { now: after(10 * 86_400_000) })
  expect((await count())!.rounds).toBe(0)
})
