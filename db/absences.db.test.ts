import { afterAll, beforeAll, beforeEach, expect, test } from 'vitest'
import { createArrivalFolder } from '../alerts/fold-arrivals.js'
import type { ResidentState } from '../alerts/rules/fold.js'
import { manualClock } from '../kit/clock.js'
import { createLog } from '../kit/log.js'
import { createSignal } from '../kit/signal.js'
import { startTestDatabase, type TestDatabase } from '../test/support/database.js'
import { type Community, seedCommunity } from '../test/support/fixtures.js'
import { awayDaysMax, endAway, finishAbsence, pastAbsences, runningAbsence, setAway, undoAway } from './absences.js'
import { insertReadings } from './readings.js'
import { residentLooks } from './residents.js'
import { lastSaid, sayOf, undoSaid } from './visits.js'

const start = new Date('2026-03-09T23:00:00Z')
const minute = 60_000
const hour = 60 * minute
const day = 24 * hour
const clock = manualClock(start)
let database: TestDatabase
let c: Community
let work: () => Promise<'more' | 'idle'>

beforeAll(async () => {
  database = await startTestDatabase()
  c = await seedCommunity(database.db, { key: 'a', now: start, residents: 12 })
  await database.db.query("update alerts set stage = 'closed', closed_at = $1, outcome = 'test'", [start])
  const log = createLog({ role: 'test', level: 'silent' })
  work = createArrivalFolder({ db: database.db, clock, log, signal: createSignal() })
})
afterAll(() => database.stop())
/** Each test has a home of its own, and begins where the one before it ended. */
let next = 0
let homeIndex = 0
let from = 0
beforeEach(() => {
  homeIndex = next++
  from = clock.now().getTime()
})

const home = () => c.residents[homeIndex]!
const residentId = () => home().residentId
const worker = () => ({ staffId: c.staff.worker.staffId })
const colleague = () => ({ staffId: c.staff.colleague.staffId })
const at = (ms: number) => new Date(from + ms)
const said = (by = worker(), ms = clock.now().getTime() - from) => ({ residentId: residentId(), by, now: at(ms) })
const rows = async (sql: string, values: unknown[] = []) => (await database.db.query(sql, values)).rows
const drain = async () => {
  for (let turn = 0; turn < 50; turn += 1) if ((await work()) === 'idle') return
  throw new Error('never idle')
}
const readings: { to: number; litres: number } = { to: 0, litres: 0 }
/** A reading each 10 min up to `to`; water runs at the last one where `uses`. Then everything is folded. */
async function live(to: number, { uses = false }: { uses?: boolean } = {}) {
  const first = readings.to <= from ? from : readings.to + 10 * minute
  const list = []
  for (let when = first; when <= from + to; when += 10 * minute) {
    const isLast = when + 10 * minute > from + to
    if (uses && isLast) readings.litres += 30
    list.push({
      deviceNo: home().devices.water,
      observedAt: when,
      receivedAt: when,
      event: '',
      value: readings.litres,
      clockWrong: false,
    })
  }
  readings.to = list.at(-1)?.observedAt ?? readings.to
  await insertReadings(database.db, list)
  clock.set(at(to))
  await drain()
}
const stateNow = async () =>
  (await rows('select state from resident_state where resident_id = $1', [residentId()]))[0]!.state as ResidentState
const openAlerts = async () =>
  (
    await rows("select kind from alerts where resident_id = $1 and stage <> 'closed' and severity = 'urgent'", [
      residentId(),
    ])
  ).map(({ kind }) => kind)

test('away mode: row and word together; it ends with its time, and the row says so at that very moment', async () => {
  await live(hour, { uses: true })
  expect(await setAway(database.db, { ...said(), until: at(20 * hour), note: '去女儿家' })).toEqual({ kind: 'set' })
  await drain()
  expect((await stateNow()).away).toEqual({ from: from + hour, until: from + 20 * hour })
  expect(await runningAbsence(database.db, { residentId: residentId(), now: clock.now() })).toMatchObject({
    note: '去女儿家',
    by: c.staff.worker.name,
    isFamily: false,
    endedAt: null,
  })
  await live(19 * hour)
  expect(await openAlerts()).toEqual([])
  await live(20 * hour + 10 * minute)
  expect(await runningAbsence(database.db, { residentId: residentId(), now: clock.now() })).toBeNull()
  const { absences, total } = await pastAbsences(database.db, {
    residentId: residentId(),
    now: clock.now(),
    rowsMax: 9,
  })
  expect(total).toBe(1)
  expect(absences[0]).toMatchObject({ endedAt: at(20 * hour), endedWhy: 'expired', endedBy: null })
  // Twelve hours on, somebody should look.
  await live(33 * hour)
  expect(await openAlerts()).toEqual(['silent_12h'])
})

test('it ends by itself at activity, in the transaction of the fold', async () => {
  await live(hour, { uses: true })
  await setAway(database.db, { ...said(), until: at(5 * day), note: '' })
  await live(9 * hour, { uses: true })
  const { absences } = await pastAbsences(database.db, { residentId: residentId(), now: clock.now(), rowsMax: 9 })
  expect(absences[0]).toMatchObject({ endedWhy: 'activity', endedAt: at(9 * hour) })
  expect((await stateNow()).away).toBeUndefined()
})

test('a fold that fails ends nothing', async () => {
  await live(hour, { uses: true })
  await setAway(database.db, { ...said(), until: at(5 * day), note: '' })
  await drain()
  await expect(
    database.db.transaction(async (tx) => {
      await finishAbsence(tx, { residentId: residentId(), from: from + hour, at: from + 2 * hour, why: 'activity' })
      throw new Error('cut')
    }),
  ).rejects.toThrow('cut')
  expect(await runningAbsence(database.db, { residentId: residentId(), now: clock.now() })).not.toBeNull()
})

test('an open alert about silence is closed when away is set, and its history says by whom', async () => {
  await live(hour, { uses: true })
  await live(14 * hour)
  expect(await openAlerts()).toEqual(['silent_12h'])
  await setAway(database.db, { ...said(), until: at(2 * day), note: '' })
  await drain()
  expect(await openAlerts()).toEqual([])
  const events = await rows(
    `select e.kind, e.staff_id from alert_events e join alerts a using (alert_id)
      where a.resident_id = $1 and a.kind = 'silent_12h' and e.kind in ('away set', 'cleared', 'closed') order by alert_event_id`,
    [residentId()],
  )
  expect(events).toEqual([
    { kind: 'away set', staff_id: c.staff.worker.staffId },
    { kind: 'cleared', staff_id: null },
    { kind: 'closed', staff_id: null },
  ])
})

test('another end moves the one that runs; the same form twice is once', async () => {
  await live(hour, { uses: true })
  const until = at(2 * day)
  expect((await setAway(database.db, { ...said(), until, note: 'x' })).kind).toBe('set')
  expect((await setAway(database.db, { ...said(), until, note: 'x' })).kind).toBe('same')
  expect((await setAway(database.db, { ...said(colleague()), until: at(4 * day), note: 'x' })).kind).toBe('changed')
  await drain()
  expect((await stateNow()).away).toEqual({ from: from + hour, until: from + 4 * day })
  expect(await rows('select from absences where resident_id = $1', [residentId()])).toHaveLength(1)
})

test('two forms at once are one absence', async () => {
  await live(hour, { uses: true })
  const results = await Promise.all(
    [1, 2, 3, 4].map(() => setAway(database.db, { ...said(), until: at(2 * day), note: '' })),
  )
  expect(results.map(({ kind }) => kind).sort()).toEqual(['same', 'same', 'same', 'set'])
  expect(await rows('select from arrivals where resident_id = $1', [residentId()])).toHaveLength(1)
})

test('extended just when it expires: the rules end what they knew, and take the new end after it', async () => {
  await live(hour, { uses: true })
  const until = at(3 * hour)
  await setAway(database.db, { ...said(), until, note: '' })
  await drain()
  // The word waits in the queue until after the old end: the rules see the old end first.
  await setAway(database.db, { ...said(worker(), 3 * hour - 1_000), until: at(2 * day), note: '' })
  await database.db.query(
    'update arrivals set received_at = $2, body = jsonb_set(body::jsonb, $3, $4)::json where resident_id = $1',
    [residentId(), at(3 * hour + 2_000), '{0,receivedAt}', String(from + 3 * hour + 2_000)],
  )
  clock.set(at(3 * hour + 3_000))
  await drain()
  expect((await stateNow()).away).toEqual({ from: from + hour, until: from + 2 * day })
  expect((await runningAbsence(database.db, { residentId: residentId(), now: clock.now() }))?.until).toEqual(
    at(2 * day),
  )
})

test('set anew before the rules have ended the last one: the old row is closed, the new one runs', async () => {
  await live(hour, { uses: true })
  await setAway(database.db, { ...said(), until: at(3 * hour), note: '' })
  await drain()
  clock.set(at(4 * hour))
  // Nothing has been folded since: the row stands open, and is over all the same.
  expect(await runningAbsence(database.db, { residentId: residentId(), now: clock.now() })).toBeNull()
  expect(
    (await pastAbsences(database.db, { residentId: residentId(), now: clock.now(), rowsMax: 9 })).absences[0],
  ).toMatchObject({
    endedWhy: 'expired',
    endedAt: at(3 * hour),
  })
  expect((await setAway(database.db, { ...said(), until: at(2 * day), note: '' })).kind).toBe('set')
  await drain()
  expect((await stateNow()).away).toEqual({ from: from + 4 * hour, until: from + 2 * day })
  expect((await runningAbsence(database.db, { residentId: residentId(), now: clock.now() }))?.from).toEqual(
    at(4 * hour),
  )
})

test('a person ends it, once; and whoever set it takes it back within a minute, nobody else', async () => {
  await live(hour, { uses: true })
  await setAway(database.db, { ...said(), until: at(2 * day), note: '' })
  await drain()
  expect(await undoAway(database.db, said(colleague()))).toBe('nothing')
  expect(await undoAway(database.db, said(worker(), hour + minute + 1))).toBe('too late')
  expect(await undoAway(database.db, said(worker(), hour + minute))).toBe('undone')
  await drain()
  expect((await stateNow()).away).toBeUndefined()
  expect((await stateNow()).seen?.due).toBeUndefined()
  clock.set(at(2 * hour))
  await setAway(database.db, { ...said(), until: at(2 * day), note: '' })
  expect(await endAway(database.db, said(colleague()))).toBe(true)
  expect(await endAway(database.db, said(colleague()))).toBe(false)
  await drain()
  expect((await stateNow()).away).toBeUndefined()
  expect((await stateNow()).seen?.due).toBe(from + 2 * hour)
  const { absences } = await pastAbsences(database.db, { residentId: residentId(), now: clock.now(), rowsMax: 9 })
  expect(absences.map(({ endedWhy, endedBy }) => [endedWhy, endedBy])).toEqual([
    ['person', c.staff.colleague.name],
    ['undone', c.staff.worker.name],
  ])
  const looks = await residentLooks(database.db, { residentId: residentId(), looksMax: 20 })
  expect(looks.map(({ page, name }) => `${page}: ${name}`).sort()).toEqual([
    `away ended: ${c.staff.colleague.name}`,
    `away set: ${c.staff.worker.name}`,
    `away set: ${c.staff.worker.name}`,
    `unsaid away: ${c.staff.worker.name}`,
  ])
})

test('“I am here” closes an alert about silence; taken back, it opens again', async () => {
  await live(hour, { uses: true })
  await live(14 * hour)
  expect(await sayOf(database.db, { ...said(), what: 'visit' })).toBe('said')
  expect(await sayOf(database.db, { ...said(), what: 'visit' })).toBe('same')
  await drain()
  expect(await openAlerts()).toEqual([])
  expect(await lastSaid(database.db, { residentId: residentId(), since: at(0) })).toMatchObject([
    { what: 'visit', by: c.staff.worker.name, at: at(14 * hour) },
  ])
  expect(await undoSaid(database.db, said(colleague()))).toBe('too late')
  expect(await undoSaid(database.db, said(worker(), 14 * hour + 50_000))).toBe('undone')
  expect(await undoSaid(database.db, said(worker(), 14 * hour + 50_000))).toBe('too late')
  await live(14 * hour + 10 * minute)
  expect(await openAlerts()).toEqual(['silent_12h'])
  expect(await lastSaid(database.db, { residentId: residentId(), since: at(0) })).toEqual([])
  const events = await rows(
    `select e.kind from alert_events e join alerts a using (alert_id)
      where a.resident_id = $1 and e.staff_id = $2 order by alert_event_id`,
    [residentId(), c.staff.worker.staffId],
  )
  expect(events.map(({ kind }) => kind)).toEqual(['said visit', 'unsaid'])
})

test('of somebody who has moved out nothing can be said', async () => {
  await database.db.query('update residents set left_at = $2 where resident_id = $1', [residentId(), clock.now()])
  expect((await setAway(database.db, { ...said(), until: at(day), note: '' })).kind).toBe('missing')
  expect(await sayOf(database.db, { ...said(), what: 'spoken' })).toBe('missing')
  expect(await endAway(database.db, said())).toBe(false)
  expect(await undoAway(database.db, said())).toBe('nothing')
  expect(await rows('select from arrivals where resident_id = $1', [residentId()])).toEqual([])
  expect(awayDaysMax).toBe(60)
})
