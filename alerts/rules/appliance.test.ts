import { expect, test } from 'vitest'
import type { Arrival, Decision, ReadingArrival } from '../model.js'
import { emptyState, foldInto } from './fold.js'
import { headlines, heldBack, hour, lines, meter, minute, monday7, play } from './scene.test-support.js'

const t = monday7
const day = 24 * hour
const appliance = /appliance_on/
const every = (ms: number, days: number) => ({ from: t, to: t + days * day, every: ms, start: 70_000 })
const counting = (step: number) => (reading: ReadingArrival) => ({
  ...reading,
  value: Math.floor(reading.value! / step + 1e-6) * step,
})
const between = (from: number, to: number, watts: number) => (at: number) =>
  at > t + from * hour && at <= t + to * hour ? watts : 0
/** 80 W always; 1.2 kW from 7 to 7:30, and from 18:00 to 18:45. */
const lived = (more: (at: number) => number) => (at: number) => {
  const clock = ((at - t) / hour + 7) % 24
  const isCooking = (clock > 7 && clock <= 7.5) || (clock > 18 && clock <= 18.75)
  return 80 + (isCooking ? 1_200 : 0) + more(at)
}
const told = (arrivals: Arrival[]) => lines(play(arrivals).decisions, appliance)
/** From 14:00 on the 21st day. */
const after20 = 20 * 24 + 7

test('tells of what runs for longer than it ever does, and of its end', () => {
  const { decisions } = play(meter('electricity', every(5 * minute, 22), lived(between(after20, after20 + 3, 1_900))))
  expect(lines(decisions, appliance)).toEqual([
    // Longer than 45 min, by as much as 40 runs leave open.
    'open appliance_on 2 2025-03-23 15:30:00',
    'clear appliance_on 2 2025-03-23 17:30:00',
  ])
  expect(headlines(decisions, 'appliance_on')).toEqual([
    {
      en: 'Power has been 1.9 kW above what always runs since 14:00 (1 h 30 min); such runs normally last at most 45 min.',
      zh: '自 14:00 起 1 小时 30 分钟，用电功率一直比平常高出 1.9 千瓦；平时这样用电最多 45 分钟。可能有电器忘了关。',
    },
    {
      en: 'Power no longer high since 17:00, after 3 h and 6 kWh.',
      zh: '用电功率于 17:00 回落，共持续 3 小时，其间用电 6 度。',
    },
  ])
})

test('its first two weeks are a time to learn: only what runs for 8 h is told', () => {
  const evening = meter('electricity', every(5 * minute, 3), lived(between(30, 37.75, 1_500)))
  expect(told(evening)).toEqual([])
  const { decisions } = play(meter('electricity', every(5 * minute, 3), lived(between(30, 40, 1_500))))
  expect(lines(decisions, appliance)).toEqual([
    'open appliance_on 2 2025-03-04 21:00:00',
    'clear appliance_on 2 2025-03-04 23:30:00',
  ])
  expect(headlines(decisions, 'appliance_on')[0]).toEqual({
    en: 'Power has been 1.6 kW above what always runs since 13:00 (8 h). What is normal in this home is still being learned; 8 h is long for anything.',
    zh: '自 13:00 起 8 小时，用电功率一直比平常高出 1.6 千瓦；这户人家的用电习惯还没摸清，先以 8 小时为限。可能有电器忘了关。',
  })
})

test('heating that runs each evening is learned, and a stove beside it is seen', () => {
  const heating = (at: number) => {
    const clock = ((at - t) / hour + 7) % 24
    return clock > 16 && clock <= 22 ? 1_000 : 0
  }
  const stove = (from: number) => (at: number) => heating(at) + between(from, from + 12, 1_500)(at)
  expect(told(meter('electricity', every(15 * minute, 40), lived(heating)))).toEqual([])
  const found = told(meter('electricity', every(15 * minute, 41), lived(stove(40 * 24 + 9.5))))
  // From 16:30 on 2.5 kW, which cooking beside the heating makes for 45 min at most.
  expect(found[0]).toBe('open appliance_on 2 2025-04-12 18:00:00')
})

test.each<[string, ReadingArrival[], string[]]>([
  [
    'each minute, 1 Wh',
    meter('electricity', every(minute, 21), lived(between(after20, after20 + 2, 1_500))).map(counting(1)),
    ['15:30'],
  ],
  [
    'each half hour',
    meter('electricity', every(30 * minute, 21), lived(between(after20, after20 + 3, 1_500))),
    ['15:30'],
  ],
  [
    'by the hour',
    meter('electricity', every(hour, 21), lived(between(after20, after20 + 9, 1_500))),
    // No run of a whole hour was ever seen: that leaves the 8 h.
    ['22:00'],
  ],
  [
    'each 2 h proves nothing',
    meter('electricity', every(2 * hour, 22), lived(between(after20, after20 + 20, 1_500))),
    [],
  ],
  [
    'a day each proves nothing',
    meter(
      'electricity',
      every(day, 40),
      lived(() => 2_000),
    ),
    [],
  ],
  [
    'a register in 100 Wh',
    meter('electricity', every(5 * minute, 21), lived(between(after20, after20 + 4, 1_500))).map(counting(100)),
    ['15:30'],
  ],
  [
    'a register in kWh proves nothing',
    meter('electricity', every(5 * minute, 3), lived(between(1, 40, 2_000))).map(counting(1_000)),
    [],
  ],
  [
    '0.7 kW, a register in 100 Wh',
    meter('electricity', every(5 * minute, 21), lived(between(after20, after20 + 12, 700))).map(counting(100)),
    [],
  ],
  ['0.8 kW', meter('electricity', every(5 * minute, 22), lived(between(after20, after20 + 12, 800))), []],
  [
    'a fridge, a heater of 600 W with its thermostat',
    meter(
      'electricity',
      every(5 * minute, 22),
      lived((at) => ((at / minute) % 60 < 25 ? 700 : 0)),
    ),
    [],
  ],
])('%s', (_name, readings, times) => {
  const opened = told(readings).filter((line) => line.startsWith('open'))
  expect(opened.map((line) => line.slice(-8, -3))).toEqual(times)
})

test('what is seen at both levels is one alert, over when nothing is left on', () => {
  const left = (at: number) => between(after20, after20 + 12, 1_000)(at) + between(after20, after20 + 10, 1_000)(at)
  expect(told(meter('electricity', every(15 * minute, 22), lived(left)))).toEqual([
    'open appliance_on 2 2025-03-23 15:30:00',
    'clear appliance_on 2 2025-03-24 02:30:00',
  ])
})

test('long runs leave a quarter beyond the usual', () => {
  const heating = (until: number) => (at: number) => {
    const clock = ((at - t) / hour + 7) % 24
    return clock > 9 && clock <= 16.75 + (at > t + 60 * day ? until : 0) ? 1_000 : 0
  }
  // 7 h 45 min count as 8 h.
  expect(told(meter('electricity', every(15 * minute, 61), lived(heating(2))))).toEqual([])
  expect(told(meter('electricity', every(15 * minute, 60.6), lived(heating(3))))).toEqual([
    'open appliance_on 2 2025-05-02 19:00:00',
    'clear appliance_on 2 2025-05-02 20:15:00',
  ])
})

test('1 Wh of noise, up and down, changes nothing', () => {
  const quiet = meter('electricity', every(5 * minute, 21), lived(between(after20, after20 + 2, 1_500))).map(
    counting(1),
  )
  const noisy = quiet.map((reading, index) => ({ ...reading, value: reading.value! + (index % 3) - 1 }))
  expect(told(noisy)).toEqual(told(quiet))
  expect(told(noisy)).toHaveLength(2)
})

test('what has been told teaches no more than its length until then', () => {
  const twice = (at: number) =>
    between(after20, after20 + 20, 1_500)(at) + between(after20 + 48, after20 + 60, 1_500)(at)
  const opened = told(meter('electricity', every(15 * minute, 24), lived(twice))).filter((line) => /open/.test(line))
  expect(opened).toEqual(['open appliance_on 2 2025-03-23 15:30:00', 'open appliance_on 2 2025-03-25 17:00:00'])
})

test('a pause ends a run; a thermostat that rests for 15 min does not end what has been told', () => {
  const rests = (from: number, to: number) => (at: number) =>
    between(after20, after20 + 3.5, 1_500)(at) - between(after20 + from, after20 + to, 1_500)(at)
  const found = (from: number, to: number) =>
    told(meter('electricity', every(15 * minute, 21), lived(rests(from, to)))).map((line) => line.replace(/ .* /, ' '))
  // What was 75 min long once is no news until it is well beyond that.
  expect(found(1.25, 1.5)).toEqual([])
  expect(found(2, 2.25)).toEqual(['open 15:30:00', 'clear 18:00:00'])
  expect(found(2, 2.5)).toEqual(['open 15:30:00', 'clear 16:30:00'])
})

test('a hole ends what had not been told, and nothing that had; a new register too', () => {
  const all = meter('electricity', every(15 * minute, 21), lived(between(after20, after20 + 8, 1_500)))
  const without = (from: number, to: number) =>
    all.filter(({ observedAt }) => observedAt <= t + (after20 + from) * hour || observedAt >= t + (after20 + to) * hour)
  expect(told(without(0.5, 2))).toEqual([
    'open appliance_on 2 2025-03-23 17:30:00',
    'clear appliance_on 2 2025-03-23 22:30:00',
  ])
  expect(told(without(3, 5))).toEqual([
    'open appliance_on 2 2025-03-23 15:30:00',
    'clear appliance_on 2 2025-03-23 22:30:00',
  ])
  const swapped = all.map((reading) =>
    reading.observedAt > t + (after20 + 1) * hour ? { ...reading, value: reading.value! - 69_000 } : reading,
  )
  expect(told(swapped)).toEqual(['open appliance_on 2 2025-03-23 16:45:00', 'clear appliance_on 2 2025-03-23 22:30:00'])
})

test('a backlog opens only what is still on at its end', () => {
  const outage = { from: t + after20 * hour, to: t + (after20 + 5) * hour }
  const all = (until: number) =>
    meter('electricity', every(15 * minute, 20.6), lived(between(after20, after20 + until, 1_500)))
  expect(told(heldBack(all(7), outage))[0]).toBe('open appliance_on 2 2025-03-23 19:00:10')
  expect(told(heldBack(all(4), outage))).toEqual([])
  // What came last is 5 h old by now: nobody knows whether it is still on.
  const stale = heldBack(all(7), outage).filter(({ receivedAt }) => receivedAt <= outage.to)
  const old = stale.filter((one) => one.type === 'reading' && one.observedAt <= t + (after20 + 2) * hour)
  expect(lines(play(old, outage.to + minute).decisions, appliance)).toEqual([])
  expect(lines(play(stale, outage.to + minute).decisions, appliance)).toHaveLength(1)
})

test('what has run for a week is what always runs', () => {
  const { decisions } = play(
    meter(
      'electricity',
      every(30 * minute, 35),
      lived((at) => (at > t + after20 * hour ? 1_200 : 0)),
    ),
  )
  const mine = lines(decisions, appliance)
  expect(mine[0]).toBe('open appliance_on 2 2025-03-23 15:30:00')
  expect(mine.at(-1)).toMatch(/^clear appliance_on 2 2025-03-30/)
  expect(headlines(decisions, 'appliance_on').at(-1)!.en).toMatch(/^Power has been this high for 7 days: from now on/)
})

test('a restart at each tenth reading, or the learned line, changes nothing; the state stays small', () => {
  const from = Date.parse('2025-03-08T07:00:00+01:00')
  const watts = (at: number) => {
    const slot = Math.floor((at - from) / (30 * minute))
    // Some run of any length each day, and one of 9 h on the 30th, at the end of a day of 23 h.
    return (
      90 + (slot % 48 < (slot * 7) % 11 ? 1_300 + 900 * (slot % 3) : 0) + (slot >= 1_060 && slot < 1_080 ? 2_500 : 0)
    )
  }
  const readings = meter('electricity', { from, to: from + 60 * day, every: 30 * minute }, watts)
  const timeZone = 'Europe/Madrid'
  const expected: Decision[] = []
  foldInto(emptyState(), readings, from + 60 * day, { timeZone, alarmsPerMonth: null }, expected)
  const decisions: Decision[] = []
  let state = emptyState()
  let longest = 0
  for (const [index, reading] of readings.entries()) {
    foldInto(state, [reading], reading.receivedAt, { timeZone, alarmsPerMonth: 2 }, decisions)
    const [first] = state.meters
    if (first?.kind === 'electricity') longest = Math.max(longest, JSON.stringify(first.left ?? null).length)
    if (index % 10 === 0) state = JSON.parse(JSON.stringify(state))
  }
  const only = (some: Decision[]) => some.filter((decision) => 'kind' in decision && decision.kind === 'appliance_on')
  expect(only(expected).length).toBeGreaterThan(1)
  expect(only(decisions)).toEqual(only(expected))
  expect(longest).toBeGreaterThan(200)
  expect(longest).toBeLessThan(400)
})
