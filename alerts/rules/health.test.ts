import { expect, test } from 'vitest'
import type { ReadingArrival } from '../model.js'
import { headlines, heldBack, hour, lines, meter, minute, monday7, play, reading } from './scene.test-support.js'

const t = monday7
type More = Partial<ReadingArrival>
const smoke = (minutes: number, more: More) =>
  reading('smoke', t + minutes * minute, undefined, { deviceNo: 4, event: 'clear', ...more })
const story = (...steps: More[]) => steps.map((more, i) => smoke(10 * i, more))
const short = (arrivals: ReadingArrival[]) => lines(play(arrivals).decisions).map((l) => l.replace(/ 2025-03-03/, ''))

test.each<[string, ReadingArrival[], string[]]>([
  [
    'battery: low, flickering, changed',
    story(
      { battery: 0.21 },
      { battery: 0.19 },
      { battery: 0.25 },
      { battery: 0.18 },
      { battery: 0.9 },
      { battery: 0.1 },
    ),
    ['open battery_low 4 07:10:00', 'clear battery_low 4 07:40:00', 'open battery_low 4 07:50:00'],
  ],
  ['battery: exactly 20 % is not low', story({ battery: 0.2 }), []],
  [
    'tamper: absent says nothing',
    story({ tamper: true }, {}, { tamper: true }, { tamper: false }, { tamper: true }),
    ['open tamper 4 07:00:00', 'clear tamper 4 07:30:00', 'open tamper 4 07:40:00'],
  ],
  [
    'fault',
    story({ fault: false }, { fault: true }, { fault: true }, { fault: false }),
    ['open device_fault 4 07:10:00', 'clear device_fault 4 07:30:00'],
  ],
  [
    'what is older than the newest is no news',
    [
      smoke(60, { battery: 0.5, tamper: false }),
      smoke(30, { battery: 0.1, tamper: true, receivedAt: t + 61 * minute }),
    ],
    [],
  ],
])('%s', (_name, arrivals, expected) => {
  expect(short(arrivals)).toEqual(expected)
})

const shifted = (minutes: number, hours = 2) =>
  meter('water', { from: t, to: t + hours * hour, every: 5 * minute }, () => 1).map((r) => ({
    ...r,
    observedAt: r.observedAt + minutes * minute,
  }))

test.each<[string, ReadingArrival[], string[]]>([
  ['6 min ahead, three times', shifted(6, 0.2), ['open clock_wrong 1 07:10:00']],
  ['4 min ahead', shifted(4), []],
  ['6 min ahead, one array of a thousand', shifted(6).map((r) => ({ ...r, receivedAt: t })), []],
  [
    'ahead, then right',
    [...shifted(10, 0.5), reading('water', t + 35 * minute, 9)],
    ['open clock_wrong 1 07:10:00', 'clear clock_wrong 1 07:35:00'],
  ],
  ['marked', story({ clockWrong: true }, {}), ['open clock_wrong 4 07:00:00', 'clear clock_wrong 4 07:10:00']],
  ['3 h behind, and stays so', shifted(-180, 1), ['open clock_wrong 1 07:25:00']],
])('clock: %s', (_name, arrivals, expected) => {
  expect(short(arrivals)).toEqual(expected)
})

test.each([0, 200])('a backlog (pieces %i ms apart) is not a clock that is behind', (gapMs) => {
  const arrivals = heldBack(
    meter('water', { from: t, to: t + 9 * hour, every: 5 * minute }, () => 10),
    { from: t + hour, to: t + 8 * hour, gapMs },
  )
  expect(lines(play(arrivals).decisions, /clock/)).toEqual([])
})

test('says which device and how much', () => {
  const low = play(story({ battery: 0.17 })).decisions
  expect(headlines(low, 'battery_low')).toEqual([
    { en: 'Smoke alarm: battery at 17 %.', zh: '烟雾报警器电量剩余 17 %。' },
  ])
  expect(headlines(play(shifted(90)).decisions, 'clock_wrong')[0]).toEqual({
    en: 'Water meter: its clock is 1 h 30 min ahead; the time of arrival stands for it.',
    zh: '水表的时钟快了 1 小时 30 分钟，以到达时间为准。',
  })
})
