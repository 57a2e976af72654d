import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import {
  handOversBetween,
  holesBetween,
  onDutyAt,
  type Roster,
  type RosterChange,
  shiftsBetween,
  type WeeklyShift,
} from './roster.js'
import { dayOfDate, instantOf, wallOf } from './roster-time.js'

const minute = 60_000
const hour = 60 * minute
const day = 24 * hour
const at = (iso: string) => Date.parse(iso)
const iso = (ms: number) => new Date(ms).toISOString().replace(':00.000Z', 'Z')

let nextId = 0
const weekly = (staffId: string, weekday: number, start: string, minutes: number, p: Partial<WeeklyShift> = {}) => ({
  weeklyShiftId: ++nextId,
  staffId,
  weekday,
  start,
  minutes,
  validFrom: '2026-01-01',
  validUntil: null,
  everyWeeks: 1,
  ...p,
})
const rosterOf = (p: Partial<Roster>): Roster => ({
  timeZone: 'Asia/Shanghai',
  weekly: [],
  shifts: [],
  changes: [],
  gone: [],
  ...p,
})
const change = (edit: number, from: string, until: string, staffId: string | null, standInStaffId: string | null) => ({
  changeId: ++nextId,
  edit,
  from: at(from),
  until: at(until),
  staffId,
  standInStaffId,
  reason: 'other' as const,
})
const told = (roster: Roster, from: string, until: string) =>
  shiftsBetween(roster, at(from), at(until)).map(({ staffId, startsAt, endsAt }) =>
    [staffId, iso(startsAt), iso(endsAt)].join(' '),
  )

describe('a weekly shift', () => {
  test('of a night passes midnight, in the zone of the community', () => {
    const roster = rosterOf({ weekly: [weekly('lin', 6, '20:00', 12 * 60)] })
    expect(told(roster, '2027-01-01T00:00Z', '2027-01-04T00:00Z')).toEqual(['lin 2027-01-02T12:00Z 2027-01-03T00:00Z'])
    expect(onDutyAt(roster, at('2027-01-02T19:00Z'))).toEqual(['lin'])
    expect(onDutyAt(roster, at('2027-01-03T00:00Z'))).toEqual([])
  })

  test('may last from one week into the next', () => {
    const roster = rosterOf({ weekly: [weekly('lin', 5, '08:00', 7 * 24 * 60)] })
    expect(holesBetween(roster, at('2027-01-01T00:00Z'), at('2027-02-01T00:00Z'))).toEqual([])
  })

  test('begins with its first date and ends with its last', () => {
    const shift = weekly('lin', 6, '20:00', 60, { validFrom: '2027-01-03', validUntil: '2027-01-16' })
    expect(told(rosterOf({ weekly: [shift] }), '2026-12-01T00:00Z', '2027-03-01T00:00Z')).toEqual([
      'lin 2027-01-09T12:00Z 2027-01-09T13:00Z',
      'lin 2027-01-16T12:00Z 2027-01-16T13:00Z',
    ])
  })

  test('every third week: five people could share it, and the turn is counted from the week of its first date', () => {
    // 2027-01-03 is a Sunday: the last day of its week.
    const shift = weekly('lin', 1, '20:00', 60, { validFrom: '2027-01-03', everyWeeks: 3 })
    expect(told(rosterOf({ weekly: [shift] }), '2026-12-01T00:00Z', '2027-03-01T00:00Z')).toEqual([
      'lin 2027-01-18T12:00Z 2027-01-18T13:00Z',
      'lin 2027-02-08T12:00Z 2027-02-08T13:00Z',
    ])
  })
})

describe('where the clock is changed', () => {
  const madrid = (p: Partial<Roster>) => rosterOf({ timeZone: 'Europe/Madrid', ...p })
  const nights = [6, 7].map((weekday) => weekly('ana', weekday, '22:00', 8 * 60))
  const days = [6, 7].map((weekday) => weekly('luz', weekday, '06:00', 16 * 60))

  test('the night of spring is an hour shorter, and nobody is on duty twice or not at all', () => {
    const roster = madrid({ weekly: [...nights, ...days] })
    expect(told(roster, '2027-03-27T22:00Z', '2027-03-28T22:00Z')).toEqual([
      'ana 2027-03-27T21:00Z 2027-03-28T04:00Z',
      'luz 2027-03-28T04:00Z 2027-03-28T20:00Z',
      'ana 2027-03-28T20:00Z 2027-03-29T04:00Z',
    ])
    expect(holesBetween(roster, at('2027-03-27T05:00Z'), at('2027-03-29T04:00Z'))).toEqual([])
  })

  test('the night of autumn is an hour longer', () => {
    const roster = madrid({ weekly: [...nights, ...days] })
    expect(told(roster, '2026-10-24T22:00Z', '2026-10-25T03:00Z')).toEqual(['ana 2026-10-24T20:00Z 2026-10-25T05:00Z'])
    expect(holesBetween(roster, at('2026-10-24T04:00Z'), at('2026-10-26T05:00Z'))).toEqual([])
  })

  test('a shift that ends in the hour that is skipped ends with the jump, where the next one begins', () => {
    const roster = madrid({ weekly: [weekly('ana', 6, '22:00', 4.5 * 60), weekly('luz', 7, '02:30', 2 * 60)] })
    expect(told(roster, '2027-03-27T20:00Z', '2027-03-28T12:00Z')).toEqual([
      'ana 2027-03-27T21:00Z 2027-03-28T01:00Z',
      'luz 2027-03-28T01:00Z 2027-03-28T02:30Z',
    ])
  })

  test('a shift that ends in the hour that comes twice ends the first time', () => {
    const roster = madrid({ weekly: [weekly('ana', 6, '22:00', 4.5 * 60), weekly('luz', 7, '02:30', 2 * 60)] })
    expect(told(roster, '2026-10-24T18:00Z', '2026-10-25T12:00Z')).toEqual([
      'ana 2026-10-24T20:00Z 2026-10-25T00:30Z',
      'luz 2026-10-25T00:30Z 2026-10-25T03:30Z',
    ])
  })

  test('where it is not changed, all nights are as long', () => {
    const roster = rosterOf({ weekly: [6, 7].map((weekday) => weekly('lin', weekday, '22:00', 8 * 60)) })
    for (const { startsAt, endsAt } of shiftsBetween(roster, at('2026-01-01T00:00Z'), at('2027-12-31T00:00Z')))
      expect(endsAt - startsAt).toBe(8 * hour)
  })
})

describe('a change', () => {
  const nights = [1, 2, 3, 4, 5, 6, 7].map((weekday) => weekly(weekday % 2 ? 'lin' : 'chen', weekday, '20:00', 12 * 60))
  // Monday 2027-01-04 lin, Tuesday chen, Wednesday lin.
  const [from, until] = ['2027-01-04T10:00Z', '2027-01-06T11:00Z'] as const

  test('somebody is ill, and another stands in: also for the rest of a night that has begun', () => {
    const changes = [change(1, '2027-01-04T15:00Z', '2027-01-10T00:00Z', 'lin', 'zhou')]
    const roster = rosterOf({ weekly: nights, changes })
    expect(told(roster, from, until)).toEqual([
      'lin 2027-01-04T12:00Z 2027-01-04T15:00Z',
      'zhou 2027-01-04T15:00Z 2027-01-05T00:00Z',
      'chen 2027-01-05T12:00Z 2027-01-06T00:00Z',
    ])
    expect(shiftsBetween(roster, at(from), at(until)).map(({ insteadOf }) => insteadOf)).toEqual([null, 'lin', null])
  })

  test('without a stand-in it leaves a hole', () => {
    const changes = [change(1, '2027-01-04T15:00Z', '2027-01-04T18:00Z', 'lin', null)]
    expect(
      holesBetween(rosterOf({ weekly: nights, changes }), at('2027-01-04T12:00Z'), at('2027-01-05T00:00Z')),
    ).toEqual([{ from: at('2027-01-04T15:00Z'), until: at('2027-01-04T18:00Z') }])
  })

  test('a swap of two nights, also of two that overlap', () => {
    const swap = (a: [string, string], b: [string, string]) => [
      change(5, ...a, 'lin', 'chen'),
      change(5, ...b, 'chen', 'lin'),
    ]
    const nightOfLin: [string, string] = ['2027-01-04T12:00Z', '2027-01-05T00:00Z']
    const nightOfChen: [string, string] = ['2027-01-05T12:00Z', '2027-01-06T00:00Z']
    const roster = rosterOf({ weekly: nights, changes: swap(nightOfLin, nightOfChen) })
    expect(told(roster, from, until)).toEqual([
      'chen 2027-01-04T12:00Z 2027-01-05T00:00Z',
      'lin 2027-01-05T12:00Z 2027-01-06T00:00Z',
    ])
    const both = rosterOf({
      shifts: [
        { shiftId: 1, staffId: 'lin', startsAt: at('2027-01-04T10:00Z'), endsAt: at('2027-01-04T16:00Z') },
        { shiftId: 2, staffId: 'chen', startsAt: at('2027-01-04T14:00Z'), endsAt: at('2027-01-04T22:00Z') },
      ],
      changes: swap(['2027-01-04T10:00Z', '2027-01-04T16:00Z'], ['2027-01-04T14:00Z', '2027-01-04T22:00Z']),
    })
    expect(told(both, from, until).filter((line) => line.startsWith('chen'))).toContain(
      'chen 2027-01-04T10:00Z 2027-01-04T16:00Z',
    )
    expect(onDutyAt(both, at('2027-01-04T15:00Z'))).toEqual(['chen', 'lin'])
  })

  test('the later decision stands: a stand-in who then falls ill is stood in for', () => {
    const changes = [
      change(1, '2027-01-04T00:00Z', '2027-01-10T00:00Z', 'lin', 'zhou'),
      change(2, '2027-01-04T20:00Z', '2027-01-05T00:00Z', 'zhou', 'wu'),
    ]
    expect(told(rosterOf({ weekly: nights, changes }), from, '2027-01-05T10:00Z')).toEqual([
      'zhou 2027-01-04T12:00Z 2027-01-04T20:00Z',
      'wu 2027-01-04T20:00Z 2027-01-05T00:00Z',
    ])
    // Whoever was asked to stand in knows best whether she can, whatever was written down before.
    const asked = [
      change(1, '2027-01-04T00:00Z', '2027-01-05T00:00Z', 'zhou', 'wu'),
      change(2, '2027-01-04T00:00Z', '2027-01-05T00:00Z', 'lin', 'zhou'),
    ]
    expect(onDutyAt(rosterOf({ weekly: nights, changes: asked }), at('2027-01-04T13:00Z'))).toEqual(['zhou'])
  })

  test('on a holiday the weekly shifts rest, and what was put down for the day stands', () => {
    const changes = [change(1, '2027-01-04T00:00Z', '2027-01-06T00:00Z', null, null)]
    const shifts = [{ shiftId: 1, staffId: 'zhou', startsAt: at('2027-01-04T12:00Z'), endsAt: at('2027-01-05T12:00Z') }]
    expect(told(rosterOf({ weekly: nights, shifts, changes }), from, '2027-01-06T01:00Z')).toEqual([
      'zhou 2027-01-04T12:00Z 2027-01-05T12:00Z',
    ])
    const covered = [...changes, change(2, '2027-01-05T00:00Z', '2027-01-06T00:00Z', null, 'wu')]
    expect(onDutyAt(rosterOf({ weekly: nights, changes: covered }), at('2027-01-05T13:00Z'))).toEqual(['wu'])
  })
})

test('who was shut out leaves a hole, unless another stands in', () => {
  const nights = [weekly('lin', 1, '20:00', 12 * 60)]
  const [from, until] = [at('2027-01-04T12:00Z'), at('2027-01-05T00:00Z')]
  const gone = ['lin']
  expect(holesBetween(rosterOf({ weekly: nights, gone }), from, until)).toEqual([{ from, until }])
  const changes = [change(1, '2027-01-01T00:00Z', '2027-02-01T00:00Z', 'lin', 'wu')]
  expect(holesBetween(rosterOf({ weekly: nights, gone, changes }), from, until)).toEqual([])
})

test('a hand-over says who ends, who begins and who stays', () => {
  const roster = rosterOf({
    weekly: [weekly('chen', 1, '08:00', 12 * 60), weekly('lin', 1, '20:00', 12 * 60), weekly('wu', 1, '18:00', 4 * 60)],
  })
  expect(handOversBetween(roster, at('2027-01-04T10:00Z'), at('2027-01-05T00:00Z'))).toEqual([
    { at: at('2027-01-04T10:00Z'), end: [], begin: ['wu'], stay: ['chen'] },
    { at: at('2027-01-04T12:00Z'), end: ['chen'], begin: ['lin'], stay: ['wu'] },
    { at: at('2027-01-04T14:00Z'), end: ['wu'], begin: [], stay: ['lin'] },
  ])
})

describe('any roster, against a look at each minute', () => {
  // Lord Howe changes its clock by half an hour, Havana at midnight.
  const scenes = [
    ['Europe/Madrid', '2027-03-26'],
    ['Europe/Madrid', '2026-10-23'],
    ['Asia/Shanghai', '2027-01-01'],
    ['Australia/Lord_Howe', '2027-04-02'],
    ['America/Havana', '2027-03-12'],
    ['America/Havana', '2026-10-30'],
    ['Asia/Kathmandu', '2027-01-01'],
  ].map(([timeZone, date]) => minutesOf(timeZone!, date!))

  /** Each minute of four days with what the wall clock shows in it, in minutes since 1970, as Intl tells it. */
  function minutesOf(timeZone: string, date: string) {
    const marginDays = 8
    const from = at(`${date}T00:00Z`) - marginDays * day
    const format = new Intl.DateTimeFormat('sv-SE', { timeZone, dateStyle: 'short', timeStyle: 'short' })
    const walls: number[] = []
    for (let each = from; each < from + (2 * marginDays + 4) * day; each += minute)
      walls.push(at(`${format.format(each).replace(' ', 'T')}Z`) / minute)
    return { timeZone, date, from, walls, first: marginDays * 1440, last: (marginDays + 4) * 1440 }
  }
  type Scene = (typeof scenes)[number]

  const person = fc.constantFrom('a', 'b', 'c', 'd')
  const clock = fc.tuple(fc.integer({ min: 0, max: 23 }), fc.constantFrom('00', '15', '30'))
  const weeklyShift = (date: string) =>
    fc.record({
      weeklyShiftId: fc.nat(),
      staffId: person,
      weekday: fc.integer({ min: 1, max: 7 }),
      start: clock.map(([hours, minutes]) => `${String(hours).padStart(2, '0')}:${minutes}`),
      minutes: fc.oneof(fc.integer({ min: 1, max: 1_440 }), fc.integer({ min: 1, max: 7 * 1_440 })),
      validFrom: fc.integer({ min: -30, max: 4 }).map((days) => iso(at(`${date}T00:00Z`) + days * day).slice(0, 10)),
      validUntil: fc.option(
        fc.integer({ min: -8, max: 30 }).map((days) => iso(at(`${date}T00:00Z`) + days * day).slice(0, 10)),
      ),
      everyWeeks: fc.constantFrom(1, 1, 1, 2, 3),
    })
  const span = (scene: Scene) =>
    fc
      .tuple(fc.integer({ min: -1_440, max: 4 * 1_440 }), fc.integer({ min: 1, max: 3 * 1_440 }))
      .map(([begin, minutes]) => {
        const from = scene.from + (scene.first + begin) * minute
        return { from, until: from + minutes * minute }
      })
  const anyRoster = fc.constantFrom(...scenes).chain((scene) =>
    fc.record({
      scene: fc.constant(scene),
      roster: fc.record({
        timeZone: fc.constant(scene.timeZone),
        weekly: fc.array(weeklyShift(scene.date), { maxLength: 8 }),
        shifts: fc.array(
          fc
            .tuple(person, span(scene), fc.nat())
            .map(([staffId, { from, until }, shiftId]) => ({ shiftId, staffId, startsAt: from, endsAt: until })),
          { maxLength: 3 },
        ),
        changes: fc
          .array(
            fc.record({
              edit: fc.integer({ min: 1, max: 3 }),
              span: span(scene),
              staffId: fc.option(person, { freq: 6 }),
              standInStaffId: fc.option(person, { freq: 4 }),
            }),
            { maxLength: 5 },
          )
          .map((changes) =>
            changes
              .sort((a, b) => a.edit - b.edit)
              .map(({ span, ...each }, changeId): RosterChange => ({ ...each, ...span, changeId, reason: 'other' })),
          ),
        gone: fc.array(person, { maxLength: 1 }),
      }),
    }),
  )

  /** Who is on duty in each minute of the scene's four days: the rules once more, in the plainest words there are. */
  function plainly({ timeZone: _, from, walls, first, last, date }: Scene, roster: Roster): string[] {
    const on: { who: string; weekly: boolean; begin: number; end: number }[] = []
    const firstMinuteOf = (wall: number) => {
      const index = walls.findIndex((each) => each >= wall)
      return index < 0 ? walls.length : index
    }
    for (const shift of roster.weekly)
      for (let each = -8; each <= 5; each++) {
        const begin = new Date(at(`${date}T00:00Z`) + each * day)
        const text = begin.toISOString().slice(0, 10)
        if ((begin.getUTCDay() || 7) !== shift.weekday) continue
        if (text < shift.validFrom || (shift.validUntil !== null && text > shift.validUntil)) continue
        const monday = (ms: number) => ms - ((new Date(ms).getUTCDay() || 7) - 1) * day
        const weeks = (monday(begin.getTime()) - monday(at(`${shift.validFrom}T00:00Z`))) / (7 * day)
        if (weeks % shift.everyWeeks !== 0) continue
        const [hours, minutes] = shift.start.split(':').map(Number) as [number, number]
        const wall = begin.getTime() / minute + hours * 60 + minutes
        on.push({
          who: shift.staffId,
          weekly: true,
          begin: firstMinuteOf(wall),
          end: firstMinuteOf(wall + shift.minutes),
        })
      }
    for (const { staffId, startsAt, endsAt } of roster.shifts)
      on.push({ who: staffId, weekly: false, begin: (startsAt - from) / minute, end: (endsAt - from) / minute })
    const edits = [...new Set(roster.changes.map(({ edit }) => edit))]
    return walls.slice(first, last).map((_wall, index) => {
      const now = from + (first + index) * minute
      let here: { who: string | null; weekly: boolean }[] = on.filter(
        ({ begin, end }) => begin <= first + index && first + index < end,
      )
      for (const edit of edits) {
        const running = roster.changes.filter((each) => each.edit === edit && each.from <= now && now < each.until)
        here = here.map(({ who, weekly }) => {
          const last = running.filter(({ staffId }) => (staffId === null ? weekly : staffId === who)).at(-1)
          return { who: last ? last.standInStaffId : who, weekly }
        })
      }
      const people = here.flatMap(({ who }) => (who === null || roster.gone.includes(who) ? [] : [who]))
      return [...new Set(people)].sort().join(' ')
    })
  }

  test('the same people, the same holes, the same hand-overs', () => {
    fc.assert(
      fc.property(
        anyRoster,
        fc.array(fc.nat(4 * 1_440 - 1), { minLength: 20, maxLength: 20 }),
        ({ scene, roster }, some) => {
          const expected = plainly(scene, roster)
          const from = scene.from + scene.first * minute
          const until = scene.from + scene.last * minute
          const shifts = shiftsBetween(roster, from, until)
          const computed = expected.map((_, index) => {
            const now = from + index * minute
            const people = shifts.filter(({ startsAt, endsAt }) => startsAt <= now && now < endsAt)
            return [...new Set(people.map(({ staffId }) => staffId))].sort().join(' ')
          })
          expect(computed).toEqual(expected)
          for (const index of some)
            expect(onDutyAt(roster, from + index * minute + 59_999).join(' ')).toBe(expected[index])
          const holes = holesBetween(roster, from, until)
          const inHole = expected.map((_, index) =>
            holes.some((hole) => hole.from <= from + index * minute && from + index * minute < hole.until),
          )
          expect(inHole).toEqual(expected.map((people) => people === ''))
          const changes = expected.flatMap((people, index) =>
            index > 0 && people !== expected[index - 1] ? [from + index * minute] : [],
          )
          expect(handOversBetween(roster, from + 1, until).map((handOver) => handOver.at)).toEqual(changes)
        },
      ),
      { numRuns: 150, interruptAfterTimeLimit: 8_000 },
    )
  })
})

describe('is fast enough', () => {
  const roster = rosterOf({
    timeZone: 'Europe/Madrid',
    weekly: Array.from({ length: 20 }, (_, index) => weekly(`p${index % 5}`, (index % 7) + 1, '20:00', 12 * 60)),
    changes: Array.from({ length: 20 }, (_, index) => ({
      ...change(index, '2027-03-20T00:00Z', '2027-04-20T00:00Z', `p${index % 5}`, `p${(index + 1) % 5}`),
    })),
  })
  const medianMs = (work: (run: number) => unknown) => {
    const times: number[] = []
    for (let run = 0; run < 200; run++) {
      const began = performance.now()
      work(run)
      times.push(performance.now() - began)
    }
    return times.sort((a, b) => a - b)[100]!
  }

  test('for a fortnight and for each alert of a storm, in the week in which the clock is changed', () => {
    const from = at('2027-03-21T00:00Z')
    expect(medianMs((run) => shiftsBetween(roster, from + run, from + 14 * day))).toBeLessThan(2)
    expect(medianMs((run) => onDutyAt(roster, at('2027-03-28T01:30Z') + run))).toBeLessThan(0.1)
  })
})

test('dates and wall clocks', () => {
  expect(dayOfDate('2027-02-29')).toBeUndefined()
  expect(dayOfDate('2028-02-29')).toBe(21_243)
  expect(dayOfDate('27-1-1')).toBeUndefined()
  // Samoa had no 30 December 2011.
  expect(iso(instantOf(dayOfDate('2011-12-30')!, 12 * 60, 'Pacific/Apia'))).toBe('2011-12-30T10:00Z')
  expect(wallOf(at('2026-10-25T00:30Z'), 'Europe/Madrid')).toEqual({ day: dayOfDate('2026-10-25'), minute: 150 })
})
