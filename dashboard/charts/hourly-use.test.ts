import { expect, test } from 'vitest'
import { hourlyUse, hourMs, type RegisterHour, usualIntervalMs } from './hourly-use.js'

const start = Date.parse('2026-03-10T00:00:00Z')
const minute = 60_000
const at = (clock: string) => start + (Number(clock.slice(0, 2)) * 60 + Number(clock.slice(3, 5))) * minute

/** Rolls readings up as the view does. */
function rollUp(readings: readonly (readonly [number, number])[]): RegisterHour[] {
  const hours = new Map<number, (readonly [number, number])[]>()
  for (const reading of readings) {
    const hour = Math.floor(reading[0] / hourMs) * hourMs
    hours.set(hour, [...(hours.get(hour) ?? []), reading])
  }
  return [...hours].map(([hour, list]) => ({
    hour,
    first: list[0]![1],
    last: list.at(-1)![1],
    min: Math.min(...list.map(([, value]) => value)),
    max: Math.max(...list.map(([, value]) => value)),
    readings: list.length,
    lastObservedAt: list.at(-1)![0],
  }))
}

/** A meter that reports every `stepMin` minutes in [from, to), its register given by `register(at)`. */
const meter = (from: string, to: string, stepMin: number, register: (at: number) => number) => {
  const readings: [number, number][] = []
  for (let time = at(from); time < at(to); time += stepMin * minute) readings.push([time, register(time)])
  return readings
}

const use = (readings: readonly (readonly [number, number])[], until: string, now = until) =>
  hourlyUse(rollUp(readings), { from: start, to: at(until), now: at(now), perHourMax: 10_000 })

/** One word an hour: the litres, `-` not used, `?` unknown, `.` not yet; `+` where part of the hour is unknown. */
const told = ({ hours }: ReturnType<typeof hourlyUse>) =>
  hours
    .map(({ state, use: amount, partly }) => {
      if (state === 'used') return `${Math.round(amount! * 10) / 10}${partly ? '+' : ''}`
      return { 'not used': '-', unknown: '?', 'not yet': '.' }[state]
    })
    .join(' ')

/** 30 L between 02:10 and 02:20. */
const shower = (time: number) => 500 + 30 * Math.min(1, Math.max(0, (time - at('02:10')) / (10 * minute)))

test('each hour gets what its register grew by, for meters of any interval', () => {
  expect(told(use(meter('00:00', '05:01', 5, shower), '05:00', '05:01'))).toBe('- - 30 - -')
  expect(told(use(meter('00:00', '05:01', 30, shower), '05:00', '05:01'))).toBe('- - 30 - -')
})

test('an hourly meter that reports on the hour tells of the hour before it', () => {
  expect(told(use(meter('00:00', '05:01', 60, shower), '05:00', '05:01'))).toBe('- - 30 - -')
})

test('growth over an outage belongs to no hour: unknown hours, and the total beside them', () => {
  const readings = meter('00:00', '10:00', 5, (time) => shower(time) + (time > at('06:00') ? 12 : 0)).filter(
    ([time]) => time <= at('04:00') || time >= at('07:00'),
  )
  const result = use(readings, '10:00')
  expect(told(result)).toBe('- - 30 - ? ? ? - - -')
  expect(result.stretches).toEqual([{ from: at('04:00'), until: at('07:00'), use: 12 }])
})

test('an hour that was covered in part is not called unused, and its use is marked as a lower bound', () => {
  const quiet = meter('00:00', '06:00', 5, () => 500).filter(([time]) => time <= at('01:20') || time >= at('03:40'))
  expect(told(use(quiet, '06:00'))).toBe('- ? ? ? - -')
  const busy = meter('00:00', '06:00', 5, (time) => 500 + Math.max(0, time - at('04:00')) / minute / 10).filter(
    ([time]) => time <= at('04:20') || time >= at('05:40'),
  )
  expect(told(use(busy, '06:00'))).toMatch(/^- - - - 2\+ [\d.]+\+$/)
})

test.each([
  ['runs backwards a little and goes on', [100, 101, 95, 96, 97, 98], '4'],
  ['is reset to zero', [100, 104, 0, 1, 2, 3], '7'],
  ['drops for one reading and comes back', [100, 101, 5, 102, 103, 104], '4'],
  ['jumps up for one reading', [100, 101, 999_999, 102, 103, 104], '4'],
])('a register that %s never uses less than nothing, or an absurd amount', (_, values, expected) => {
  const readings = values.map((value, index) => [at('00:00') + index * 10 * minute, value] as const)
  expect(told(use(readings, '01:00'))).toBe(expected)
})

test('a backward step between two hours counts nothing; a jump beyond reason is unknown, not use', () => {
  const backwards = meter('00:00', '03:00', 10, (time) => (time < at('01:00') ? 9_000 : 3))
  expect(told(use(backwards, '03:00'))).toBe('- - -')
  const jump = meter('00:00', '03:00', 10, (time) => (time < at('01:00') ? 3 : 900_000))
  expect(told(use(jump, '03:00'))).toBe('? - -')
})

test('hours ahead and hours whose reading is not due yet are blank, an hour of silence is not', () => {
  const readings = meter('00:00', '02:31', 5, shower)
  expect(told(use(readings, '05:00', '02:33'))).toBe('- - 30 . .')
  expect(told(use(meter('00:00', '02:01', 60, shower), '05:00', '02:50'))).toBe('- - . . .')
  const late = use(readings, '05:00', '04:10')
  expect(told(late)).toBe('- - 30+ ? ?')
  expect(late.stretches).toEqual([{ from: at('02:30'), until: null, use: null }])
})

test('a home without readings is unknown in every hour that has been, never unused', () => {
  expect(told(use([], '04:00', '02:30'))).toBe('? ? ? .')
  expect(use([], '04:00', '02:30').stretches).toEqual([])
})

test('hours before the first reading are unknown', () => {
  expect(
    told(
      use(
        meter('02:00', '04:00', 5, () => 7),
        '04:00',
      ),
    ),
  ).toBe('? ? - -')
})

test('the row before the window says where the register stood', () => {
  const before = [start - 30 * minute, 480] as const
  expect(told(use([before, [at('00:30'), 500], [at('01:30'), 500]], '01:00'))).toBe('10')
})

test('a heartbeat meter that also reports each use is not taken to be silent in quiet hours', () => {
  const readings = meter('00:00', '08:00', 5, () => 100).concat(
    Array.from({ length: 200 }, (_, index): [number, number] => [at('03:00') + index * 15_000, 100 + index / 10]),
  )
  readings.sort((a, b) => a[0] - b[0])
  const monotone = readings.map(([time, value]) => [time, time > at('03:50') ? 119.9 : Math.max(100, value)] as const)
  expect(told(use(monotone, '08:00'))).toMatch(/^- - - [\d.]+ - - - -$/)
})

test('the usual interval is the median over the hours', () => {
  expect(usualIntervalMs(rollUp(meter('00:00', '06:00', 5, () => 1)))).toBe(5 * minute)
  expect(usualIntervalMs(rollUp(meter('00:00', '06:00', 60, () => 1)))).toBe(hourMs)
  expect(usualIntervalMs([])).toBe(hourMs)
})

test('whatever a register does, use is never negative and adds up to no more than it grew (seeded)', () => {
  const seed = 20_260_310
  let random = seed
  const next = () => {
    random = (random * 1_664_525 + 1_013_904_223) % 2 ** 32
    return random / 2 ** 32
  }
  for (let round = 0; round < 200; round++) {
    let value = 1_000
    const readings: [number, number][] = []
    let grown = 0
    for (let time = start; time < at('12:00'); time += Math.ceil(next() * 20) * minute) {
      if (next() < 0.05) time += Math.floor(next() * 240) * minute
      if (next() < 0.03) value *= next()
      const step = next() < 0.3 ? next() * 40 : 0
      value += step
      grown += step
      readings.push([time, value])
    }
    const { hours, stretches } = use(readings, '18:00')
    const total = hours.reduce((sum, hour) => sum + (hour.use ?? 0), 0)
    const offline = stretches.reduce((sum, stretch) => sum + (stretch.use ?? 0), 0)
    expect(
      hours.every((hour) => hour.use === null || hour.use >= 0),
      `seed ${seed}, round ${round}`,
    ).toBe(true)
    expect(total + offline, `seed ${seed}, round ${round}`).toBeLessThanOrEqual(grown + 1e-6)
  }
})
