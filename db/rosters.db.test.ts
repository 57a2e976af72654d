import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest'
import { holesBetween, onDutyAt, type Roster, shiftsBetween } from '../alerts/roster.js'
import { startTestDatabase, type TestDatabase } from '../test/support/database.js'
import { type Community, seedCommunity } from '../test/support/fixtures.js'
import { loadChain } from './chain.js'
import { createDirectorySource } from './directory.js'
import { addAbsence, endChange, removeChange, swapShifts } from './roster-change-edits.js'
import { addShift, removeShift } from './roster-edits.js'
import { importShifts } from './roster-import.js'
import { addWeekly, endWeekly, type NewWeekly, removeWeekly } from './roster-weekly-edits.js'
import { listChanges, listEdits, listRosterPeople, listWeekly, rosterOf } from './rosters.js'

const now = new Date('2026-12-30T06:00:00Z')
const hour = 3_600_000
const day = 24 * hour

let database: TestDatabase
let north: Community
let south: Community
let worker: string
let colleague: string
let supervisor: string

beforeAll(async () => {
  database = await startTestDatabase()
  north = await seedCommunity(database.db, { key: 'north', now })
  south = await seedCommunity(database.db, { key: 'south', now })
  worker = north.staff.worker.staffId
  colleague = north.staff.colleague.staffId
  supervisor = north.staff.supervisor.staffId
})
afterAll(() => database.stop())
beforeEach(async () => {
  for (const table of ['roster_changes', 'roster_edits', 'weekly_shifts', 'duty_shifts'])
    await database.db.query(`delete from ${table}`)
})

const editor = () => ({ communityId: north.communityId, byStaffId: supervisor, now })
const nights = (staffId: string, weekdays: number[], p: Partial<NewWeekly> = {}): NewWeekly => ({
  staffId,
  weekdays,
  start: '20:00',
  minutes: 12 * 60,
  validFrom: '2026-12-01',
  validUntil: null,
  everyWeeks: 1,
  ...p,
})
const at = (iso: string) => new Date(iso)
const rosterAt = (when: Date): Promise<Roster> =>
  rosterOf(database.db, north.communityId, { from: when, until: new Date(when.getTime() + 1) })
const onDuty = async (iso: string) => onDutyAt(await rosterAt(at(iso)), at(iso).getTime())
const chainOnDuty = async (iso: string, residentId = north.residents[0]!.residentId) => {
  const chain = await loadChain(database.db, { residentId, severity: 'emergency', now: at(iso) })
  return chain!.steps[1]!.people.map(({ staffId }) => staffId)
}
const addChannels = () =>
  database.db.query(
    `insert into staff_channels (staff_id, position, kind, address)
     select staff_id, 1, 'email', staff_id || '@example.org' from staff on conflict do nothing`,
  )

describe('a roster as it is stored', () => {
  test('is the same for the pure functions, for the chain of an alert and for the edge', async () => {
    const { db } = database
    await addChannels()
    // 2027-01-02 is a Saturday; its night lasts to Sunday 08:00 in Shanghai.
    await addWeekly(db, { ...editor(), weekly: [nights(worker, [6]), nights(colleague, [7])] })
    await addShift(db, {
      ...editor(),
      staffId: supervisor,
      startsAt: at('2027-01-03T00:00Z'),
      endsAt: at('2027-01-03T12:00Z'),
    })
    const absence = { staffId: worker, standInStaffId: colleague, reason: 'ill' as const }
    const [from, until] = [at('2027-01-02T18:00Z'), at('2027-01-02T20:00Z')]
    await addAbsence(db, { ...editor(), absence: { ...absence, from, until } })
    const expected: Record<string, string[]> = {
      '2027-01-02T11:59Z': [],
      '2027-01-02T12:00Z': [worker],
      '2027-01-02T18:00Z': [colleague],
      '2027-01-02T19:59:59.999Z': [colleague],
      '2027-01-02T20:00Z': [worker],
      '2027-01-02T23:59Z': [worker],
      '2027-01-03T00:00Z': [supervisor],
      '2027-01-03T12:00Z': [colleague],
      '2027-01-04T00:00Z': [],
    }
    const source = createDirectorySource(db)
    for (const [iso, people] of Object.entries(expected)) {
      expect(await onDuty(iso), iso).toEqual(people)
      expect(await chainOnDuty(iso), `chain ${iso}`).toEqual(people)
      // The edge's card is made an hour before, as the database may be away since then.
      const [card] = await source.communities([north.communityId], at(iso).getTime() - hour)
      const running = card!.shifts.filter(({ startsAt, endsAt }) => startsAt <= +at(iso) && +at(iso) < endsAt)
      expect(
        running.map(({ staffId }) => staffId),
        `edge ${iso}`,
      ).toEqual(people)
    }
  })

  test('the chain finds whom the whole roster finds, whatever is on it', async () => {
    const { db } = database
    await addChannels()
    const seed = process.env.SEED ? Number(process.env.SEED) : Math.trunc(Math.random() * 2 ** 31)
    console.log(`seed ${seed}`)
    let state = seed
    // Park and Miller's.
    const random = (below: number) => {
      state = (state * 48_271) % 2_147_483_647
      return state % below
    }
    const people = [worker, colleague, supervisor]
    const someTime = () => new Date(+now + (random(14 * 24 * 60) - 7 * 24 * 60) * 60_000)
    for (let i = 0; i < 12; i++) {
      const start = `${String(random(24)).padStart(2, '0')}:${random(2) ? '00' : '30'}`
      const minutes = random(3) ? 1 + random(1_440) : 1 + random(7 * 1_440)
      const validFrom = new Date(+now + (random(30) - 25) * day).toISOString().slice(0, 10)
      const p = { start, minutes, validFrom, everyWeeks: 1 + random(2) }
      await addWeekly(db, { ...editor(), weekly: [nights(people[random(3)]!, [1 + random(7)], p)] })
      const [from, until] = [someTime(), someTime()].sort((a, b) => +a - +b) as [Date, Date]
      if (+from === +until) continue
      const [staffId, standInStaffId] = [random(4) ? people[random(3)]! : null, random(4) ? people[random(3)]! : null]
      const absence = { staffId, standInStaffId, from, until, reason: 'other' as const }
      if (i % 4 === 0 && staffId !== standInStaffId) await addAbsence(db, { ...editor(), absence })
      else if (i % 4 === 1)
        await addShift(db, { ...editor(), staffId: people[random(3)]!, startsAt: from, endsAt: until })
    }
    const [first, last] = [+now - 8 * day, +now + 8 * day]
    const whole = await rosterOf(db, north.communityId, { from: first, until: last })
    for (let i = 0; i < 120; i++) {
      const when = someTime()
      expect(await chainOnDuty(when.toISOString()), when.toISOString()).toEqual(onDutyAt(whole, +when))
    }
  })

  test('a shift that begins with the local day, before the day has begun in UTC', async () => {
    await addChannels()
    const early = nights(worker, [1], {
      start: '00:00',
      minutes: 60,
      validFrom: '2027-01-04',
      validUntil: '2027-01-04',
    })
    await addWeekly(database.db, { ...editor(), weekly: [early] })
    expect(await onDuty('2027-01-03T16:30Z')).toEqual([worker])
    expect(await chainOnDuty('2027-01-03T16:30Z')).toEqual([worker])
  })

  test('is of its community alone', async () => {
    await addChannels()
    await addWeekly(database.db, { ...editor(), weekly: [nights(worker, [6])] })
    expect(await chainOnDuty('2027-01-02T13:00Z', south.residents[0]!.residentId)).toEqual([])
    const roster = await rosterOf(database.db, south.communityId, { from: now, until: now })
    expect(roster.weekly).toEqual([])
    await expect(rosterOf(database.db, 'nowhere', { from: now, until: now })).rejects.toThrow('no community nowhere')
  })

  test('who was shut out leaves a hole, and shifts without an end have none', async () => {
    const { db } = database
    await addWeekly(db, { ...editor(), weekly: [nights(colleague, [6])] })
    const [from, until] = [+at('2027-01-02T12:00Z'), +at('2027-01-03T00:00Z')]
    await db.query('update staff set disabled_at = $2 where staff_id = $1', [colleague, now])
    expect(holesBetween(await rosterOf(db, north.communityId, { from, until }), from, until)).toEqual([{ from, until }])
    const person = (await listRosterPeople(db, north.communityId)).find(({ staffId }) => staffId === colleague)
    expect(person).toMatchObject({ gone: true, member: false })
    await db.query('update staff set disabled_at = null where staff_id = $1', [colleague])
    await db.query(
      `insert into duty_shifts (community_id, staff_id, starts_at, ends_at) values ($1, $2, '-infinity', 'infinity')`,
      [north.communityId, worker],
    )
    expect(holesBetween(await rosterOf(db, north.communityId, { from, until }), from, until)).toEqual([])
  })
})

describe('an edit', () => {
  test('is on record with who made it, and its opposite undoes it', async () => {
    const { db } = database
    const { communityId } = north
    await addWeekly(db, { ...editor(), weekly: [nights(worker, [6, 7])] })
    const weekly = await listWeekly(db, { communityId, date: '2026-12-30' })
    expect(weekly.map(({ weekday, start, validFrom, validUntil }) => [weekday, start, validFrom, validUntil])).toEqual([
      [6, '20:00', '2026-12-01', null],
      [7, '20:00', '2026-12-01', null],
    ])
    const [saturday, sunday] = weekly.map(({ weeklyShiftId }) => weeklyShiftId) as [number, number]
    await endWeekly(db, { ...editor(), weeklyShiftIds: [saturday], lastDate: '2026-12-31' })
    expect(await onDuty('2027-01-02T13:00Z')).toEqual([])
    await endWeekly(db, { ...editor(), weeklyShiftIds: [saturday], lastDate: null })
    expect(await onDuty('2027-01-02T13:00Z')).toEqual([worker])
    await removeWeekly(db, { ...editor(), weeklyShiftIds: [sunday] })
    // Ended before it ever began: gone.
    await endWeekly(db, { ...editor(), weeklyShiftIds: [saturday], lastDate: '2026-11-30' })
    expect(await listWeekly(db, { communityId, date: '2000-01-01' })).toEqual([])
    const edits = await listEdits(db, { communityId, rowsMax: 10 })
    expect(edits.map(({ kind }) => kind)).toEqual([
      'weekly ended',
      'weekly removed',
      'weekly ended',
      'weekly ended',
      'weekly added',
    ])
    expect(edits.every(({ byStaffId }) => byStaffId === supervisor)).toBe(true)
  })

  test('sent twice is made once', async () => {
    const { db } = database
    const weekly = [nights(worker, [6])]
    expect(await addWeekly(db, { ...editor(), weekly })).toEqual({ kind: 'done' })
    expect(await addWeekly(db, { ...editor(), weekly })).toEqual({ kind: 'exists' })
    const shift = { staffId: worker, startsAt: at('2027-01-01T00:00Z'), endsAt: at('2027-01-01T08:00Z') }
    expect(await addShift(db, { ...editor(), ...shift })).toEqual({ kind: 'done' })
    expect(await addShift(db, { ...editor(), ...shift })).toEqual({ kind: 'exists' })
    const absence = {
      staffId: worker,
      standInStaffId: null,
      from: shift.startsAt,
      until: shift.endsAt,
      reason: 'ill' as const,
    }
    expect(await addAbsence(db, { ...editor(), absence })).toEqual({ kind: 'done' })
    expect(await addAbsence(db, { ...editor(), absence })).toEqual({ kind: 'exists' })
    expect(await listEdits(db, { communityId: north.communityId, rowsMax: 10 })).toHaveLength(3)
  })

  test('takes nobody of another community, and touches nothing of another', async () => {
    const { db } = database
    const stranger = south.staff.worker.staffId
    const span = { startsAt: at('2027-01-01T00:00Z'), endsAt: at('2027-01-01T08:00Z') }
    const unknown = { kind: 'unknown' }
    const [from, until] = [span.startsAt, span.endsAt]
    const absence = { staffId: worker, standInStaffId: stranger, from, until, reason: 'ill' as const }
    expect(await addWeekly(db, { ...editor(), weekly: [nights(worker, [1]), nights(stranger, [2])] })).toEqual(unknown)
    expect(await addShift(db, { ...editor(), staffId: stranger, ...span })).toEqual(unknown)
    expect(await addShift(db, { ...editor(), staffId: north.staff.operator.staffId, ...span })).toEqual(unknown)
    expect(await addAbsence(db, { ...editor(), absence })).toEqual(unknown)
    const shifts = [{ uid: 'a', staffId: stranger, ...span }]
    expect(await importShifts(db, { ...editor(), shifts, uids: ['a'] })).toEqual(unknown)

    await addWeekly(db, { ...editor(), weekly: [nights(worker, [6])] })
    await addShift(db, { ...editor(), staffId: worker, ...span })
    await addAbsence(db, { ...editor(), absence: { ...absence, standInStaffId: colleague } })
    const other = { communityId: south.communityId, byStaffId: south.staff.supervisor.staffId, now }
    const [{ weeklyShiftId }] = (await listWeekly(db, { communityId: north.communityId, date: '2026-12-30' })) as [
      never,
    ]
    const [{ edit }] = (await listChanges(db, { communityId: north.communityId, now, rowsMax: 9 })) as [never]
    const { rows } = await db.query<{ id: number }>('select duty_shift_id as id from duty_shifts')
    const missing = { kind: 'missing' }
    expect(await endWeekly(db, { ...other, weeklyShiftIds: [weeklyShiftId], lastDate: null })).toEqual(missing)
    expect(await removeWeekly(db, { ...other, weeklyShiftIds: [weeklyShiftId] })).toEqual(missing)
    expect(await removeShift(db, { ...other, shiftId: rows[0]!.id })).toEqual(missing)
    expect(await endChange(db, { ...other, edit, at: now })).toEqual(missing)
    expect(await removeChange(db, { ...other, edit })).toEqual(missing)
    expect(await listEdits(db, { communityId: south.communityId, rowsMax: 9 })).toEqual([])
  })

  test('who is away is neither given a shift nor made a stand-in, until she is back', async () => {
    const { db } = database
    const [from, until] = [at('2027-01-01T00:00Z'), at('2027-01-05T00:00Z')]
    const ill = { staffId: colleague, standInStaffId: null, from, until, reason: 'ill' as const }
    await addAbsence(db, { ...editor(), absence: ill })
    const away = { kind: 'away', until: +until }
    const absence = { staffId: worker, standInStaffId: colleague, from, until, reason: 'other' as const }
    expect(await addAbsence(db, { ...editor(), absence })).toEqual(away)
    expect(await addShift(db, { ...editor(), staffId: colleague, startsAt: from, endsAt: until })).toEqual(away)
    await addWeekly(db, { ...editor(), weekly: [nights(worker, [6])] })
    const first = { staffId: worker, from: +at('2027-01-02T12:00Z'), until: +at('2027-01-03T00:00Z') }
    const second = { staffId: colleague }
    expect(await swapShifts(db, { ...editor(), first, second })).toEqual({ ...away, staffId: colleague })
    const [{ edit }] = (await listChanges(db, { communityId: north.communityId, now, rowsMax: 9 })) as [never]
    expect(await endChange(db, { ...editor(), edit, at: at('2027-01-02T00:00Z') })).toEqual({ kind: 'done' })
    expect(await swapShifts(db, { ...editor(), first, second })).toEqual({ kind: 'done' })
    expect(await onDuty('2027-01-02T13:00Z')).toEqual([colleague])
  })

  test('a swap is of the shifts that were shown, and is taken back as one', async () => {
    const { db } = database
    await addWeekly(db, { ...editor(), weekly: [nights(worker, [6]), nights(colleague, [7])] })
    const first = { staffId: worker, from: +at('2027-01-02T12:00Z'), until: +at('2027-01-03T00:00Z') }
    const second = { staffId: colleague, from: +at('2027-01-03T12:00Z'), until: +at('2027-01-04T00:00Z') }
    const stale = { ...second, until: second.until + hour }
    expect(await swapShifts(db, { ...editor(), first, second: stale })).toEqual({ kind: 'missing' })
    expect(await swapShifts(db, { ...editor(), first, second: { staffId: worker } })).toEqual({ kind: 'same' })
    expect(await swapShifts(db, { ...editor(), first, second })).toEqual({ kind: 'done' })
    // A second tap changes nothing: the shifts are no longer as they were shown.
    expect(await swapShifts(db, { ...editor(), first, second })).toEqual({ kind: 'missing' })
    expect([await onDuty('2027-01-02T13:00Z'), await onDuty('2027-01-03T13:00Z')]).toEqual([[colleague], [worker]])
    const changes = await listChanges(db, { communityId: north.communityId, now, rowsMax: 9 })
    expect(changes).toHaveLength(2)
    await removeChange(db, { ...editor(), edit: changes[0]!.edit })
    expect([await onDuty('2027-01-02T13:00Z'), await onDuty('2027-01-03T13:00Z')]).toEqual([[worker], [colleague]])
  })

  test('a shift without an end can be handed over', async () => {
    const { db } = database
    await addWeekly(db, { ...editor(), weekly: [1, 2, 3, 4, 5].map((weekday) => nights(colleague, [weekday])) })
    const endless = `insert into duty_shifts (community_id, staff_id, starts_at, ends_at) values ($1, $2, $3, 'infinity')`
    await db.query(endless, [north.communityId, worker, now])
    const [shift] = shiftsBetween(await rosterAt(now), +now, +now + 1)
    const began = performance.now()
    const first = { staffId: worker, from: shift!.startsAt, until: shift!.endsAt }
    expect(await swapShifts(db, { ...editor(), first, second: { staffId: supervisor } })).toEqual({ kind: 'done' })
    expect(performance.now() - began).toBeLessThan(2_000)
    expect(await onDuty('2027-06-06T05:00Z')).toEqual([supervisor])
  })
})

describe('shifts from a calendar file', () => {
  const shift = (uid: string, staffId: string, days: number) => ({
    uid,
    staffId,
    startsAt: new Date(+now + days * day),
    endsAt: new Date(+now + days * day + 8 * hour),
  })
  const stored = async () => {
    const { rows } = await database.db.query<{ uid: string | null; days: number; who: string }>(
      `select ical_uid as uid, staff_id as who, extract(epoch from starts_at - $1)::float8 / 86400 as days
         from duty_shifts order by starts_at, staff_id`,
      [now],
    )
    return rows.map(({ uid, days, who }) => `${uid} ${days} ${who}`)
  }

  test('come once, however often the file is sent, and follow it', async () => {
    const { db } = database
    const take = (shifts: ReturnType<typeof shift>[], uids: string[], dryRun = false) =>
      importShifts(db, { ...editor(), shifts, uids, dryRun })
    const shifts = [shift('a', worker, 1), shift('a', worker, 2), shift('b', colleague, 1)]
    expect(await take(shifts, ['a', 'b'], true)).toEqual({ added: 3, removed: 0, unchanged: 0 })
    expect(await stored()).toEqual([])
    expect(await take(shifts, ['a', 'b'])).toEqual({ added: 3, removed: 0, unchanged: 0 })
    const before = await stored()
    expect(await take(shifts, ['a', 'b'])).toEqual({ added: 0, removed: 0, unchanged: 3 })
    expect(await stored()).toEqual(before)
    expect(await listEdits(db, { communityId: north.communityId, rowsMax: 9 })).toHaveLength(1)
    // One was cancelled and one has another person now; what another file or a colleague has put down stays.
    await addShift(db, { ...editor(), ...shift('', supervisor, 3) })
    expect(await take([shift('a', worker, 1), shift('a', colleague, 2)], ['a'])).toEqual({
      added: 1,
      removed: 1,
      unchanged: 1,
    })
    expect(await stored()).toEqual(
      [`b 1 ${colleague}`, `a 1 ${worker}`, `a 2 ${colleague}`, `null 3 ${supervisor}`].sort(
        (x, y) => Number(x.split(' ')[1]) - Number(y.split(' ')[1]) || (x.split(' ')[2]! < y.split(' ')[2]! ? -1 : 1),
      ),
    )
  })

  test('what is over stays as it was', async () => {
    const { db } = database
    const past = shift('a', worker, -2)
    await importShifts(db, { ...editor(), now: new Date(+now - 3 * day), shifts: [past], uids: ['a'] })
    expect(await importShifts(db, { ...editor(), shifts: [shift('a', worker, 2)], uids: ['a'] })).toMatchObject({
      removed: 0,
    })
    expect(await stored()).toEqual([`a -2 ${worker}`, `a 2 ${worker}`])
  })

  test('a shift that is there already is not put down twice; of two lengths the file’s stands', async () => {
    const { db } = database
    await addShift(db, { ...editor(), ...shift('', worker, 1) })
    expect(await importShifts(db, { ...editor(), shifts: [shift('a', worker, 1)], uids: ['a'] })).toEqual({
      added: 0,
      removed: 0,
      unchanged: 1,
    })
    const longer = { ...shift('a', worker, 1), endsAt: new Date(+now + 2 * day) }
    const shifts = [longer, shift('a', worker, 1)]
    expect(await importShifts(db, { ...editor(), shifts, uids: ['a'] })).toEqual({ added: 1, removed: 0, unchanged: 0 })
    const { rows } = await db.query<{ endsAt: Date }>('select ends_at as "endsAt" from duty_shifts')
    expect(rows).toEqual([{ endsAt: longer.endsAt }])
  })
})
