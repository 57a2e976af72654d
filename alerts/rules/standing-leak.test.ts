import { expect, test } from 'vitest'
import type { Arrival, Decision, ReadingArrival } from '../model.js'
import { emptyState, foldInto } from './fold.js'
import { headlines, heldBack, hour, lines, meter, minute, monday7, play } from './scene.test-support.js'

const t = monday7
const day = 24 * hour
const leak = /leak_standing/
const every = (ms: number, hours: number) => ({ from: t, to: t + hours * hour, every: ms, start: 5_000 })
const counting = (step: number) => (reading: ReadingArrival) => ({
  ...reading,
  value: Math.floor(reading.value! / step + 1e-6) * step,
})
const clockHour = (at: number) => ((at - t) / hour + 7) % 24
/** 60 L/h from 7 to 23 o'clock, and what leaks. */
const lived = (leaks: number) => (at: number) => leaks + (clockHour(at - 1) >= 7 && clockHour(at - 1) < 23 ? 60 : 0)
const between = (from: number, to: number, rate: number) => (at: number) =>
  at > t + from * hour && at <= t + to * hour ? rate : 0
const told = (arrivals: Arrival[]) => lines(play(arrivals).decisions, leak)

test('tells once, with its numbers, and is over when the register stands still', () => {
  const { decisions } = play(
    meter('water', every(hour, 240), (at) => lived(0)(at) + between(10, 200, 4)(at)).map(counting(1)),
  )
  expect(lines(decisions, leak)).toEqual([
    // It has not stood still since the evening before, when water was used anyway.
    'open leak_standing 1 2025-03-05 07:00:00',
    'clear leak_standing 1 2025-03-12 02:00:00',
  ])
  expect(headlines(decisions, 'leak_standing')).toEqual([
    {
      en: 'The water meter has not stood still for an hour since Mon 07:00 (2 days): at least 4 L/h runs all the time, 96 L a day.',
      zh: '自周一 07:00 起 2 天里，水表没有停过一小时：每小时至少流走 4 升，一天约 96 升，可能在漏水。',
    },
    {
      en: 'Hardly any water has run since Tue 23:00 (3 h): what ran all the time has stopped.',
      zh: '自周二 23:00 起 3 小时几乎没有水流，一直在漏的水已经停了。',
    },
  ])
})

/** A home in which so much leaks all the time, by a register in whole `step`s. */
const leaking = (litresPerHour: number, ms: number, hours: number, step = 1) =>
  meter('water', every(ms, hours), lived(litresPerHour)).map(counting(step))

test.each<[string, ReadingArrival[], boolean]>([
  ['3 L/h by the hour, a register in litres', leaking(3, hour, 72), true],
  ['3 L/h by the hour and some seconds', leaking(3.05, hour + 47_000, 72), true],
  ['2.7 L/h, of which a register in litres shows 2 or 3', leaking(2.7, hour, 72), true],
  ['2.4 L/h, a fine register', leaking(2.413, hour, 96, 0.001), false],
  ['2.6 L/h, a fine register', leaking(2.613, hour, 96, 0.001), true],
  ['8 L/h, a register in 10 L', leaking(8, hour, 96, 10), false],
  ['11 L/h, a register in 10 L', leaking(11, hour, 72, 10), true],
  ['each minute', leaking(5, minute, 50), true],
  ['each half hour', leaking(5, hour / 2, 50), true],
  ['each 2 h', leaking(5, 2 * hour, 52), true],
  ['each 4 h proves nothing', leaking(30, 4 * hour, 240), false],
  ['a day each proves nothing', leaking(30, day, 480), false],
  ['used in every hour of the day, and not by night', leaking(0, hour, 240), false],
  [
    'stands still from 3 to 4 each night',
    meter('water', every(hour, 240), (at) => (clockHour(at) === 4 ? 0 : lived(6)(at))).map(counting(1)),
    false,
  ],
  ['47 h', meter('water', every(hour, 100), between(1, 48, 20)), false],
])('%s', (_name, readings, isTold) => {
  expect(told(readings).length).toBe(isTold ? 1 : 0)
})

test('a hole in which enough has run proves nothing and ends nothing; a longer one, or one in which nothing ran, does', () => {
  const all = meter('water', every(hour, 160), () => 5)
  const without = (from: number, to: number, some = all) =>
    some.filter(({ observedAt }) => observedAt <= t + from * hour || observedAt >= t + to * hour)
  expect(told(without(20, 25))).toEqual(['open leak_standing 1 2025-03-05 12:00:00'])
  expect(told(without(20, 27))).toEqual(['open leak_standing 1 2025-03-06 10:00:00'])
  const paused = meter('water', every(hour, 160), (at) => 5 - between(20, 25, 5)(at))
  expect(told(without(20, 25, paused))).toEqual(['open leak_standing 1 2025-03-06 08:00:00'])
  // What has been told stays through the longest hole.
  expect(told(without(60, 150))).toEqual(['open leak_standing 1 2025-03-05 07:00:00'])
})

test('a register that restarts begins anew; one that has been told is not told again', () => {
  const swapped = (at: number) =>
    meter('water', every(hour, 200), () => 5).map((reading) =>
      reading.observedAt > t + at * hour ? { ...reading, value: reading.value! - 4_900 } : reading,
    )
  expect(told(swapped(30))).toEqual(['open leak_standing 1 2025-03-06 14:00:00'])
  const often = meter('water', every(10 * minute, 80), () => 5).map((reading) =>
    reading.observedAt > t + 20.5 * hour ? { ...reading, value: reading.value! - 4_900 } : reading,
  )
  expect(told(often)).toEqual(['open leak_standing 1 2025-03-06 03:40:00'])
  expect(told(swapped(60))).toEqual(['open leak_standing 1 2025-03-05 07:00:00'])
})

test('a leak that pauses for 2 h now and then is the same one; after 3 h of standing still the next is another', () => {
  const paused = (hours: number) => meter('water', every(hour, 140), (at) => 5 - between(70, 70 + hours, 5)(at))
  expect(told(paused(2))).toEqual(['open leak_standing 1 2025-03-05 07:00:00'])
  const again = meter('water', every(hour, 140), (at) => 5 - between(70, 72, 5)(at) - between(73, 75, 5)(at))
  expect(told(again)).toEqual(['open leak_standing 1 2025-03-05 07:00:00'])
  expect(told(paused(3))).toEqual([
    'open leak_standing 1 2025-03-05 07:00:00',
    'clear leak_standing 1 2025-03-06 08:00:00',
    'open leak_standing 1 2025-03-08 08:00:00',
  ])
})

test('a backlog opens only what still runs at its end', () => {
  const outage = { from: t + 10 * hour, to: t + 60 * hour }
  const goesOn = heldBack(
    meter('water', every(hour, 61), () => 5),
    outage,
  )
  expect(told(goesOn)).toEqual(['open leak_standing 1 2025-03-05 19:00:10'])
  const stopped = heldBack(meter('water', every(hour, 61), between(0, 52, 5)), outage)
  expect(told(stopped)).toEqual([])
  // What came last is 8 h old by now: nobody knows whether it still runs.
  const stale = meter('water', every(hour, 52), () => 5).map((reading) => ({
    ...reading,
    receivedAt: Math.max(reading.receivedAt, t + (reading.observedAt > t + 10 * hour ? 60 : 0) * hour),
  }))
  expect(lines(play(stale, t + 61 * hour).decisions, leak)).toEqual([])
})

test('whoever has been told that water keeps running is not told that it leaks', () => {
  const { decisions } = play(meter('water', every(hour, 80), (at) => 300 - between(60, 80, 290)(at)))
  expect(lines(decisions)).toEqual([
    'open water_running 1 2025-03-03 09:00:00',
    'clear water_running 1 2025-03-05 20:00:00',
    'open leak_standing 1 2025-03-05 20:00:00',
  ])
})

test('a restart after each reading, or the learned line, changes nothing; a day of 23 h is one like any other', () => {
  const from = Date.parse('2025-03-28T07:00:00+01:00')
  const spring = { from, to: from + 120 * hour, every: hour, start: 900 }
  const readings = meter('water', spring, (at) => 3 + 20 * (((at - from) / hour) % 5))
  const expected: Decision[] = []
  const timeZone = 'Europe/Madrid'
  foldInto(emptyState(), readings, from + 120 * hour, { timeZone, alarmsPerMonth: null }, expected)
  expect(headlines(expected, 'leak_standing')[0]!.en).toMatch(/since Fri 07:00 \(2 days\)/)
  const decisions: Decision[] = []
  let state = emptyState()
  let longest = 0
  for (const reading of readings) {
    foldInto(state, [reading], reading.receivedAt, { timeZone, alarmsPerMonth: 2 }, decisions)
    const [first] = state.meters
    if (first?.kind === 'water') longest = Math.max(longest, JSON.stringify(first.standing ?? null).length)
    state = JSON.parse(JSON.stringify(state))
  }
  expect(decisions.filter((decision) => 'kind' in decision && decision.kind === 'leak_standing')).toEqual(expected)
  expect(longest).toBeGreaterThan(100)
  expect(longest).toBeLessThan(250)
})

test('two meters are two leaks', () => {
  const second = meter('water', every(hour, 50), () => 8).map((reading) => ({ ...reading, deviceNo: 7 }))
  const first = meter('water', every(hour, 50), () => 4)
  const both = first.flatMap((reading, index) => [reading, second[index]!])
  expect(told(both)).toEqual(['open leak_standing 1 2025-03-05 07:00:00', 'open leak_standing 7 2025-03-05 07:00:00'])
})
