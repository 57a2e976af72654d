import { expect, test } from 'vitest'
import type { BedNight } from '../../db/night-rest.js'
import { lastNight, restOf } from './night.js'

const minute = 60_000
const hour = 60 * minute
const zone = 'Asia/Shanghai'
const evening = Date.parse('2026-03-02T18:00:00+08:00')
const span = { from: evening, to: evening + 18 * hour }
type Said = [hours: number, inBed: boolean]

/** What the store makes of readings at hours after 18:00; what lies before 18:00 is looked back on. */
function nightOf(said: Said[]): BedNight {
  const all = said.map(([hours, inBed]) => ({ at: evening + hours * hour, inBed }))
  const own = all.filter(({ at }) => at >= evening)
  const last = own.at(-1)!
  return {
    deviceNo: 1,
    readings: own.length,
    firstAt: own[0]!.at,
    lastAt: last.at,
    lastInBed: last.inBed,
    breaths: null,
    heartBeats: null,
    edges: all.flatMap((reading, i) => {
      const before = all[i - 1] ?? null
      const isEdge =
        !before || before.at < evening || before.inBed !== reading.inBed || reading.at - before.at > hour / 2
      return reading.at >= evening && isEdge ? [{ ...reading, before }] : []
    }),
  }
}
/** A reading every 10 min from one hour to another. */
const each10 = (from: number, to: number, inBed: (hours: number) => boolean): Said[] =>
  Array.from({ length: Math.round((to - from) * 6) + 1 }, (_, i) => [from + i / 6, inBed(from + i / 6)])
const inHours = (ms: number) => Math.round((ms / hour) * 100) / 100

const asleep = (hours: number) => hours >= 4 && hours < 13
const up = (hours: number) => asleep(hours) && !(hours >= 7 && hours < 7.5) && !(hours >= 10 && hours < 10.4)
test.each<[string, Said[], { inBed: number; unknown: number; out: number; from: number | null; up: number | null }]>([
  ['reports every 10 min, in bed 22 to 7', each10(-1, 18, asleep), { inBed: 9, unknown: 0, out: 0, from: 4, up: 13 }],
  ['up twice in the night', each10(-1, 18, up), { inBed: 8, unknown: 0, out: 2, from: 4, up: 13 }],
  [
    'reports changes alone',
    [
      [-9, false],
      [4, true],
      [7, false],
      [7.25, true],
      [13, false],
    ],
    { inBed: 8.75, unknown: 0, out: 1, from: 4, up: 13 },
  ],
  [
    'the first night of such a sensor',
    [
      [4, true],
      [13, false],
    ],
    { inBed: 9, unknown: 4, out: 0, from: 4, up: 13 },
  ],
  ['never in bed', each10(-1, 18, () => false), { inBed: 0, unknown: 0, out: 0, from: null, up: null }],
  ['in bed already at 18:00', each10(-1, 18, (h) => h < 12), { inBed: 12, unknown: 0, out: 0, from: 0, up: 12 }],
  [
    'silent from 1 to 5: neither in bed nor up is known',
    [...each10(-1, 7, asleep), ...each10(11, 18, asleep)],
    { inBed: 5, unknown: 4, out: 0, from: 4, up: 13 },
  ],
  ['silent since 1:00, in bed then', each10(-1, 7, asleep), { inBed: 3, unknown: 11, out: 0, from: 4, up: null }],
  [
    'reports changes alone, nothing since 22:00',
    [
      [-9, false],
      [0.5, false],
      [4, true],
    ],
    { inBed: 0, unknown: 14, out: 0, from: null, up: null },
  ],
  [
    'up before the hole, and out after it',
    [...each10(-1, 7, (h) => h < 6), ...each10(11, 18, () => false)],
    { inBed: 6, unknown: 4, out: 0, from: 0, up: 6 },
  ],
])('%s', (_name, said, expected) => {
  const rest = restOf(nightOf(said), span)
  const at = (time: number | null) => (time === null ? null : inHours(time - evening))
  expect({
    inBed: inHours(rest.inBedMs),
    unknown: inHours(rest.unknownMs),
    out: rest.timesOut,
    from: at(rest.firstInAt),
    up: at(rest.upAt),
  }).toEqual(expected)
})

test.each([
  ['2026-03-03T02:00:00+08:00', '2026-03-02T18:00:00+08:00', '2026-03-03T02:00:00+08:00'],
  ['2026-03-03T09:00:00+08:00', '2026-03-02T18:00:00+08:00', '2026-03-03T09:00:00+08:00'],
  ['2026-03-03T15:00:00+08:00', '2026-03-02T18:00:00+08:00', '2026-03-03T12:00:00+08:00'],
  ['2026-03-03T23:59:00+08:00', '2026-03-02T18:00:00+08:00', '2026-03-03T12:00:00+08:00'],
])('at %s the night is from %s to %s', (now, from, to) => {
  expect(lastNight(Date.parse(now), zone)).toEqual({ from: Date.parse(from), to: Date.parse(to) })
})
test('a night in which clocks change is an hour shorter or longer', () => {
  const hoursOf = (now: string) => {
    const { from, to } = lastNight(Date.parse(now), 'Europe/Berlin')
    return (to - from) / hour
  }
  expect([hoursOf('2026-03-28T15:00:00Z'), hoursOf('2026-03-29T15:00:00Z'), hoursOf('2026-10-25T15:00:00Z')]).toEqual([
    18, 17, 19,
  ])
})
