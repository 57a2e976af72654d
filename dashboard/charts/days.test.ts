import { expect, test } from 'vitest'
import { byLocalDay, combineUse, lastDays, localClock } from './days.js'
import { type HourUse, hourMs } from './hourly-use.js'

const hoursOf = (from: number, to: number, use = 1): HourUse[] =>
  Array.from({ length: (to - from) / hourMs }, (_, index) => ({
    at: from + index * hourMs,
    state: 'used' as const,
    use,
    partly: false,
  }))

test.each([
  ['an ordinary day', 'Europe/Rome', '2026-03-10T10:20:00Z', 24, '2026-03-09T23:00:00.000Z'],
  ['the day that clocks go forward', 'Europe/Rome', '2026-03-29T10:20:00Z', 23, '2026-03-28T23:00:00.000Z'],
  ['the day that clocks go back', 'Europe/Rome', '2026-10-25T10:20:00Z', 25, '2026-10-24T22:00:00.000Z'],
  ['a zone without such days', 'Asia/Shanghai', '2026-03-29T16:00:00Z', 24, '2026-03-29T16:00:00.000Z'],
  ['a zone that is off by half an hour', 'Asia/Kolkata', '2026-03-10T10:20:00Z', 24, '2026-03-09T19:00:00.000Z'],
])('%s has its own hours', (_, timeZone, now, count, begin) => {
  const { from, to } = lastDays({ now: Date.parse(now), days: 1, timeZone })
  expect(new Date(from).toISOString()).toBe(begin)
  expect((to - from) / hourMs).toBe(count)
  const days = byLocalDay(hoursOf(from, to), timeZone)
  expect(days).toHaveLength(1)
  expect(days[0]!.total).toBe(count)
})

test('clocks that change leave out an hour or show one twice', () => {
  const hoursAt = (now: string) => {
    const { from, to } = lastDays({ now: Date.parse(now), days: 1, timeZone: 'Europe/Rome' })
    return byLocalDay(hoursOf(from, to), 'Europe/Rome')[0]!.hours.map(({ localHour }) => localHour)
  }
  expect(hoursAt('2026-03-29T10:00:00Z').slice(0, 4)).toEqual([0, 1, 3, 4])
  expect(hoursAt('2026-10-25T10:00:00Z').slice(0, 5)).toEqual([0, 1, 2, 2, 3])
})

test('fourteen days over a change of clocks are fourteen days', () => {
  const { from, to } = lastDays({ now: Date.parse('2026-04-02T10:00:00Z'), days: 14, timeZone: 'Europe/Rome' })
  const days = byLocalDay(hoursOf(from, to), 'Europe/Rome')
  expect(days).toHaveLength(14)
  expect([days[0]!.date, days.at(-1)!.date]).toEqual(['2026-03-20', '2026-04-02'])
})

test('the local clock at midnight is hour 0 of the new day', () => {
  expect(localClock(Date.parse('2026-03-09T16:00:00Z'), 'Asia/Shanghai')).toEqual({
    date: '2026-03-10',
    hour: 0,
    minute: 0,
  })
})

test('a replaced meter does not leave the hours of its successor unknown', () => {
  const from = Date.parse('2026-03-10T00:00:00Z')
  const middle = from + 3 * hourMs
  const to = from + 6 * hourMs
  const unknown = (at: number): HourUse => ({ at, state: 'unknown', use: null, partly: false })
  const old = hoursOf(from, to).map((hour) => (hour.at < middle ? hour : unknown(hour.at)))
  const young = hoursOf(from, to, 2).map((hour) => (hour.at >= middle ? hour : unknown(hour.at)))
  const combined = combineUse([
    { use: { hours: old, stretches: [{ from: middle, until: null, use: null }] }, present: { from, until: middle } },
    { use: { hours: young, stretches: [] }, present: { from: middle, until: to } },
  ])
  expect(combined.hours.map(({ use }) => use)).toEqual([1, 1, 1, 2, 2, 2])
  expect(combined.stretches).toEqual([])
})

test('one meter unknown and the other unused is unknown; one used is used, in part', () => {
  const at = Date.parse('2026-03-10T00:00:00Z')
  const present = { from: at, until: at + hourMs }
  const of = (state: HourUse['state'], use: number | null) => ({
    use: { hours: [{ at, state, use, partly: false }], stretches: [] },
    present,
  })
  expect(combineUse([of('unknown', null), of('not used', 0)]).hours[0]).toMatchObject({ state: 'unknown', use: null })
  expect(combineUse([of('unknown', null), of('used', 4)]).hours[0]).toMatchObject({
    state: 'used',
    use: 4,
    partly: true,
  })
  expect(combineUse([]).hours).toEqual([])
})
