import { expect, test } from 'vitest'
import type { Arrival } from '../model.js'
import { headlines, heldBack, hour, inOrder, lines, meter, minute, monday7, play } from './scene.test-support.js'

const t = monday7
const running = /water_running/
const between = (from: number, to: number, rate: number) => (at: number) =>
  at > t + from * hour && at <= t + to * hour ? rate : 0
const every = (ms: number, hours = 8) => ({ from: t, to: t + hours * hour, every: ms })
const counting = (step: number) => (r: ReturnType<typeof meter>[number]) => ({
  ...r,
  value: 5 + Math.floor(r.value! / step) * step - (step > 5 ? 5 : 0),
})

test('opens once after 2 h, says how much, clears when it stops', () => {
  const { decisions } = play(meter('water', every(5 * minute), between(1, 4.25, 320)))
  expect(lines(decisions)).toEqual([
    'open water_running 1 2025-03-03 10:00:00',
    'clear water_running 1 2025-03-03 11:20:00',
  ])
  expect(headlines(decisions, 'water_running')).toEqual([
    {
      en: 'Water has been running since 08:00 (2 h) without a pause: 640 L, 320 L/h.',
      zh: '自 08:00 起持续用水 2 小时未停：共 640 升，平均每小时 320 升。',
    },
    { en: 'Water stopped at 11:15 after 1040 L.', zh: '11:15 停止用水，共 1040 升。' },
  ])
})

test.each<[string, Arrival[], string[]]>([
  ['199 L/h', meter('water', every(5 * minute), between(1, 6, 199)), []],
  [
    '200 L/h',
    meter('water', every(5 * minute), between(1, 3, 200)),
    ['open water_running 1 2025-03-03 10:00:00', 'clear water_running 1 2025-03-03 10:05:00'],
  ],
  [
    'a pause of 5 min after 1 h 55 min',
    meter('water', every(5 * minute), (at) => (at === t + 2 * hour ? 0 : between(0, 3.8, 500)(at))),
    [],
  ],
  [
    'hourly, a little late each',
    meter('water', { ...every(hour + 7_000), to: t + 4.1 * hour }, () => 300),
    ['open water_running 1 2025-03-03 09:00:14'],
  ],
  ['every 3 h proves nothing', meter('water', every(3 * hour, 24), () => 300), []],
  [
    'a register in 1 L, each minute',
    meter('water', every(minute, 4), between(1, 4, 210)).map(counting(1)),
    ['open water_running 1 2025-03-03 10:00:00'],
  ],
  [
    'a register in 10 L, each minute',
    meter('water', every(minute, 4), between(1, 4, 250)).map(counting(10)),
    ['open water_running 1 2025-03-03 10:06:00'],
  ],
  ['150 L/h in steps of 10 L', meter('water', every(minute, 8), between(1, 8, 150)).map(counting(10)), []],
])('%s', (_name, arrivals, expected) => {
  const found = lines(play(arrivals).decisions, running)
  expect(found.map((line) => line.replace(/10:0\d:00$/, '10:0x'))).toEqual(
    expected.map((line) => line.replace(/10:0\d:00$/, '10:0x')),
  )
})

test('a backlog opens only what still runs at its end', () => {
  const outage = { from: t + hour, to: t + 5 * hour }
  const stopped = heldBack(meter('water', every(5 * minute), between(1, 4, 400)), outage)
  expect(lines(play(stopped).decisions, running)).toEqual([])
  const goesOn = heldBack(meter('water', every(5 * minute, 5.5), between(1, 6, 400)), outage)
  expect(lines(play(goesOn).decisions, running)).toEqual(['open water_running 1 2025-03-03 12:00:10'])
})

test('an outage neither proves nor ends a run', () => {
  const all = meter('water', every(5 * minute), between(0, 8, 400))
  const early = all.filter((r) => r.observedAt < t + hour || r.observedAt > t + 3 * hour)
  expect(lines(play(early).decisions, running)).toEqual(['open water_running 1 2025-03-03 12:05:00'])
  const late = all.filter((r) => r.observedAt < t + 3 * hour || r.observedAt > t + 6 * hour)
  expect(lines(play(inOrder(late)).decisions, running)).toEqual(['open water_running 1 2025-03-03 09:00:00'])
})
