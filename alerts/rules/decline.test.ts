import { expect, test } from 'vitest'
import type { Arrival, EpochMs } from '../model.js'
import { instantOf } from '../roster-time.js'
import { emptyState, foldInto, type ResidentState } from './fold.js'
import { hour, reading } from './scene.test-support.js'
import { declineOf } from './trends.js'

const shanghai = { timeZone: 'Asia/Shanghai', alarmsPerMonth: 1 }
/** 2025-01-06, a Monday. */
const firstDay = Date.UTC(2025, 0, 6) / 86_400_000
const at = (day: number, clock = 0, timeZone = shanghai.timeZone) => instantOf(firstDay + day, clock, timeZone)

/** An hourly water register: on day `d` water is used in `hoursOf(d)` hours from 06:00 on, one more or less from day to day unless `even`. */
function home(
  days: number,
  hoursOf: (day: number) => number,
  { timeZone = shanghai.timeZone, even = false }: { timeZone?: string; even?: boolean } = {},
): Arrival[] {
  const readings: Arrival[] = []
  let value = 0
  const end = at(days, 0, timeZone)
  let day = 0
  for (let time = at(0, 0, timeZone); time <= end; time += hour) {
    while (time > at(day + 1, 0, timeZone)) day += 1
    const clock = (time - at(day, 0, timeZone)) / hour
    const wanted = hoursOf(day)
    if (wanted > 0 && clock > 6 && clock <= 6 + wanted + (even ? 0 : [0, 1, 0, -1][day % 4]!))
      value += 3 + ((day + clock) % 5)
    readings.push(reading('water', time, value))
  }
  return readings
}

/** Plays day by day; `told`: on which days a decline was found, or found to be worse. */
function play(arrivals: Arrival[], context = shanghai, state = emptyState()) {
  const told: number[] = []
  const over: number[] = []
  for (let from = 0; from < arrivals.length; ) {
    const end = arrivals[from]!.receivedAt + 24 * hour
    let to = from
    while (to < arrivals.length && arrivals[to]!.receivedAt < end) to += 1
    const before = state.weeks?.fall
    foldInto(state, arrivals.slice(from, to), arrivals[to - 1]!.receivedAt, context, [])
    const fall = state.weeks?.fall
    const day = Math.round((arrivals[from]!.receivedAt - at(0)) / (24 * hour))
    if (fall && fall.at !== before?.at) told.push(day)
    if (before && !fall) over.push(day)
    from = to
  }
  return { state, told, over }
}
const week = (days: number[]) => days.map((day) => Math.floor(day / 7))

test('a slow fall by two hours a day is told once, with its numbers, and is over when it is made up for', () => {
  const hours = (day: number) => (day < 210 ? 9 : day < 330 ? Math.max(7, 9 - Math.floor((day - 210) / 14)) : 9)
  const { told, over } = play(home(400, hours))
  expect(told.length).toBe(1)
  expect(week(told)[0]).toBeGreaterThan(33)
  expect(week(told)[0]).toBeLessThan(40)
  expect(week(over)[0]).toBeGreaterThan(47)
  expect(week(over)[0]).toBeLessThan(53)
  const { state } = play(home(329, hours))
  expect(declineOf(state)?.headline).toEqual({
    en: 'Water used in 7.0 hours of the day over the last 4 weeks; usual was 9.0 (22 % less).',
    zh: '近 4 周平均每天有 7.0 个小时用水，此前通常 9.0 个小时（少了 22%）。',
  })
})

test('a decline that goes on is told again when it has gone on by as much', () => {
  const { told } = play(home(420, (day) => Math.max(4, 10 - Math.max(0, (day - 200) / 25))))
  expect(told.length).toBeGreaterThan(1)
  expect(told.length).toBeLessThan(4)
})

test('a decline too slow for any half year to show it is told: it does not become the usual', () => {
  // An hour a day less in half a year: hardly a tenth in the time that is looked back.
  const { told } = play(home(440, (day) => 12 - day / 170))
  expect(week(told)[0]).toBeGreaterThan(52)
})

test('what comes back each winter is no decline', () => {
  const hours = (day: number) => (day % 364 < 60 ? 7 : 9)
  const { told } = play(home(440, hours))
  expect(told).toEqual([])
  // The same fall without a winter before it.
  expect(play(home(440, (day) => (day < 364 ? 9 : hours(day)))).told.length).toBe(1)
})

test.each([7, 30, 120])('after %i days nothing is told, whatever happens', (days) => {
  expect(play(home(days, (day) => (day > days - 40 ? 4 : 9))).told).toEqual([])
})

test('a month of slightly less, or one bad week, is not told', () => {
  expect(play(home(300, (day) => (day >= 240 && day < 270 ? 8 : 9))).told).toEqual([])
  expect(play(home(300, (day) => (day >= 240 && day < 247 ? 4 : 9))).told).toEqual([])
})

const steady = home(28, () => 9, { even: true })
const daysOf = (arrivals: Arrival[], context = shanghai) => {
  const { weeks } = play(arrivals, context).state
  return { weeks: weeks!.weeks, days: weeks!.days }
}
const except = (from: EpochMs, to: EpochMs) => steady.filter(({ receivedAt }) => receivedAt <= from || receivedAt >= to)

test('days without readings, away, or with nobody at home are unknown, not quiet', () => {
  // Monday 00:00 belongs to Sunday: that day is closed by the reading after.
  expect(daysOf(steady)).toEqual({ weeks: [90, 90, 90], days: [90, 90, 90, 90, 90, 90] })
  // The register grew while it was away: in which hours, nobody knows.
  expect(daysOf(except(at(9, 60), at(10, 1200))).weeks).toEqual([90, 90, 90])
  expect(daysOf(except(at(8, 60), at(12, 1200))).weeks).toEqual([90, -1, 90])
  // Twelve hours of a day are too many; of five the rest of the day tells.
  expect(daysOf(except(at(23, 480), at(23, 1200))).days).toEqual([90, 90, 90, 90, 90])
  const lively = home(28, () => 16, { even: true })
  const five = lively.filter(({ receivedAt }) => receivedAt <= at(23, 600) || receivedAt >= at(23, 900))
  expect(daysOf(five).days).toEqual([160, 160, 160, 160, 160, 160])
  // Nobody was there for five days, and nobody had said so.
  expect(daysOf(home(28, (day) => (day >= 7 && day < 12 ? 0 : 9), { even: true })).weeks).toEqual([90, -1, 90])
  const away: Arrival = { type: 'away', receivedAt: at(7, 30), from: at(7, 30), until: at(12, 0) }
  const visited = home(28, (day) => (day >= 7 && day < 12 ? 0 : 9), { even: true })
  expect(daysOf([...visited, away].sort((a, b) => a.receivedAt - b.receivedAt)).weeks).toEqual([90, -1, 90])
  // On the day on which she left, the morning says nothing of the rest.
  const left = home(28, (day) => (day === 24 ? 3 : day === 25 ? 0 : 9), { even: true })
  const gone: Arrival = { type: 'away', receivedAt: at(24, 630), from: at(24, 630), until: at(26, 0) }
  expect(daysOf([...left, gone].sort((a, b) => a.receivedAt - b.receivedAt)).days).toEqual([90, 90, 90, 90])
  // Months without a reading leave as many unknown weeks behind, and no decline.
  const long = home(400, () => 9).filter(({ receivedAt }) => receivedAt < at(220) || receivedAt > at(300))
  const { state, told } = play(long)
  expect(told).toEqual([])
  expect(state.weeks!.weeks.filter((value) => value === -1).length).toBe(12)
})

test('a meter more or less begins anew; an appliance hidden in a long interval is not missing', () => {
  const power = (from: number, to: number, every = hour): Arrival[] => {
    const readings: Arrival[] = []
    let wh = 0
    for (let time = at(from); time <= at(to); time += every) {
      const clock = ((time - at(0)) / hour) % 24
      wh += (80 + (clock > 14 && clock <= 20 ? 600 : 0)) * (every / hour)
      readings.push(reading('electricity', time, wh))
    }
    return readings
  }
  const both = (more: Arrival[]) => [...home(240, () => 8), ...more].sort((a, b) => a.receivedAt - b.receivedAt)
  const { state, told } = play(both(power(0, 180)))
  // From day 180 on the electricity meter is silent, but belongs to the home: those days are unknown.
  expect([told, state.weeks!.weeks.at(-1), state.weeks!.kinds]).toEqual([[], -1, 'water electricity'])
  const gone = play(home(240, () => 8))
  expect(gone.state.weeks!.kinds).toBe('water')
  // A meter that reports every three hours cannot tell the hour of anything.
  expect(play(power(0, 60, 3 * hour)).state.weeks!.weeks.every((value) => value === -1)).toBe(true)
  // Over a hole of seven hours with most of the cooking in it nobody can say that nothing was switched on.
  const hourly = power(0, 60)
  const hole = hourly.filter(({ receivedAt }) => receivedAt <= at(58, 960) || receivedAt >= at(58, 1380))
  expect([daysOf(hourly).days.length, daysOf(hole).days.length]).toEqual([3, 2])
  const added = both(power(100, 240))
  const { weeks } = play(added).state
  expect(weeks!.weeks.length).toBe(Math.floor(240 / 7) - Math.ceil(101 / 7) + 1)
})

test('days of 23 and 25 hours, and a time zone that is put right, count like any other', () => {
  const madrid = { ...shanghai, timeZone: 'Europe/Madrid' }
  const { weeks } = play(
    home(330, () => 9, madrid),
    madrid,
  ).state.weeks!
  expect([weeks.length, Math.min(...weeks), Math.max(...weeks)]).toEqual([47, 88, 93])
  const state = emptyState()
  const readings = home(300, () => 9)
  const cut = readings.findIndex(({ receivedAt }) => receivedAt > at(260, 700))
  expect(play(readings.slice(0, cut), shanghai, state).told).toEqual([])
  expect(play(readings.slice(cut), { ...shanghai, timeZone: 'Asia/Tokyo' }, state).told).toEqual([])
})

test('taken apart at any reading, and put together again from what was stored, it knows the same, in 450 bytes', () => {
  const readings = home(420, (day) => (day < 300 ? 9 : 6))
  const whole = emptyState()
  foldInto(whole, readings, readings.at(-1)!.receivedAt, shanghai, [])
  let state: ResidentState = emptyState()
  let bytesMax = 0
  for (let from = 0; from < readings.length; from += 97) {
    const part = readings.slice(from, from + 97)
    state = JSON.parse(JSON.stringify(state)) as ResidentState
    foldInto(state, part, part.at(-1)!.receivedAt, shanghai, [])
    bytesMax = Math.max(bytesMax, JSON.stringify({ weeks: state.weeks }).length)
  }
  expect(state.weeks).toEqual(whole.weeks)
  expect(state.weeks!.fall).not.toBeNull()
  expect(bytesMax).toBeLessThan(450)
})
