import { expect, test } from 'vitest'
import type { IncidentVerdict } from './incidents.js'
import { chanceOf, followQuiet, judgeQuiet, liesAt, type OpenQuiet, type QuietHome, streetOf } from './quiet-streets.js'

const minute = 60_000
const hour = 60 * minute
const today = Date.parse('2026-03-04T00:00:00+08:00')
/** "09:30" today, or "-1 21:30" the day before. */
const clock = (words: string): number => {
  const [, day = '0', h, m] = /^(?:(-\d+) )?(\d+):(\d+)$/.exec(words)!
  return today + Number(day) * 24 * hour + Number(h) * hour + Number(m) * minute
}

/** `count` homes of a street whose water ran last at the times given, one after the other. */
function homes(
  count: number,
  p: { used: string | string[]; until: string; unusual?: boolean; from?: number; street?: string; address?: string },
): QuietHome[] {
  const { used, until, unusual = false, from = 1, street = '示例路' } = p
  const times = typeof used === 'string' ? [used] : used
  return Array.from({ length: count }, (_, i) => ({
    residentId: `r${from + i}`,
    gatewayId: `g${from + i}`,
    address: p.address ?? `${street} ${from + i} 号`,
    usedAt: clock(times[i % times.length]!),
    knownUntil: clock(until),
    isUnusual: unusual,
  }))
}

/** "open 30 since 09:00 of 30", "+2 -1", "close -3", "nothing". */
function said(verdict: IncidentVerdict): string {
  const time = (at: number) => new Date(at + 8 * hour).toISOString().slice(11, 16)
  if (verdict.kind === 'open')
    return `open ${verdict.homes.length} of ${verdict.homesKnown}, ${time(verdict.firstAt)} to ${time(verdict.lastAt)}`
  if (verdict.kind === 'changed') return `+${verdict.joined.length} -${verdict.back.length}`
  return verdict.kind === 'close' ? `close -${verdict.back.length}` : 'nothing'
}

const morning = ['06:40', '07:20', '08:10', '08:40', '09:00']

test.each<[string, QuietHome[], string, string]>([
  ['nobody', [], '11:00', 'nothing'],
  [
    'the water of a street is cut at 09:00, and half of it find their silence long',
    [
      ...homes(16, { used: morning, until: '10:50' }),
      ...homes(14, { used: ['06:40', '07:20'], until: '10:50', unusual: true, from: 17 }),
    ],
    '11:00',
    'open 30 of 30, 06:40 to 09:00',
  ],
  [
    'three of the thirty hang at another main',
    [
      ...homes(13, { used: morning, until: '10:50' }),
      ...homes(14, { used: ['06:40', '07:20'], until: '10:50', unusual: true, from: 14 }),
      ...homes(3, { used: '10:45', until: '10:50', from: 31 }),
    ],
    '11:00',
    'open 27 of 30, 06:40 to 09:00',
  ],
  [
    'six of the thirty go on: it is no cut',
    [
      ...homes(10, { used: morning, until: '10:50' }),
      ...homes(14, { used: ['06:40', '07:20'], until: '10:50', unusual: true, from: 11 }),
      ...homes(6, { used: '10:45', until: '10:50', from: 31 }),
    ],
    '11:00',
    'nothing',
  ],
  [
    'four find it long: may be chance',
    [
      ...homes(26, { used: morning, until: '10:50' }),
      ...homes(4, { used: '06:40', until: '10:50', unusual: true, from: 27 }),
    ],
    '11:00',
    'nothing',
  ],
  [
    'thirteen of thirty find it long: may still be chance, one in half a million',
    [
      ...homes(17, { used: morning, until: '10:50' }),
      ...homes(13, { used: '06:40', until: '10:50', unusual: true, from: 18 }),
    ],
    '11:00',
    'nothing',
  ],
  [
    'what nobody knows of is not counted: meters that were heard two hours ago',
    homes(30, { used: '06:40', until: '08:50', unusual: true }),
    '11:00',
    'nothing',
  ],
  [
    'nor those whose meters have not told yet that anything has stopped',
    [
      ...homes(12, { used: '09:00', until: '10:50', unusual: true }),
      ...homes(20, { used: '09:50', until: '10:00', from: 13 }),
    ],
    '10:55',
    'nothing',
  ],
  [
    '04:00: nobody uses anything, and more than a quarter find that long',
    [
      ...homes(29, { used: ['-1 21:10', '-1 22:30', '-1 23:40'], until: '3:50' }),
      ...homes(11, { used: '-1 21:40', until: '3:50', unusual: true, from: 30 }),
    ],
    '04:00',
    'nothing',
  ],
  [
    'Spring Festival, by day: half of the houses have been left since the day before',
    [
      ...homes(20, { used: ['-1 08:00', '-1 11:00', '-1 17:00'], until: '10:50', unusual: true }),
      ...homes(20, { used: ['10:00', '10:40', '10:50'], until: '10:50', from: 21 }),
    ],
    '11:00',
    'nothing',
  ],
  [
    'Spring Festival, 04:00: half have been left, the others sleep',
    [
      ...homes(20, { used: ['-1 08:00', '-1 11:00', '-1 17:00'], until: '3:50', unusual: true }),
      ...homes(20, { used: ['-1 23:20', '-1 23:50'], until: '3:50', from: 21 }),
    ],
    '04:00',
    'nothing',
  ],
  [
    'Spring Festival: half of them leave in one morning',
    [
      ...homes(20, { used: ['08:00', '08:20', '09:00'], until: '12:50', unusual: true }),
      ...homes(20, { used: ['11:50', '12:30', '12:45'], until: '12:50', from: 21 }),
    ],
    '13:00',
    'nothing',
  ],
  [
    'one big household: eight residents of one flat are one home',
    homes(8, { used: '07:00', until: '10:50', unusual: true, address: '示例路 9 号 301 室' }),
    '11:00',
    'nothing',
  ],
  [
    'eight flats of one house are eight',
    homes(8, { used: '07:00', until: '10:50', unusual: true }),
    '11:00',
    'open 8 of 8, 07:00 to 07:00',
  ],
  [
    'she fell the evening before: hers is listed no more than that of those who are away',
    [
      ...homes(16, { used: morning, until: '10:50' }),
      ...homes(14, { used: '07:20', until: '10:50', unusual: true, from: 17 }),
      ...homes(1, { used: '-1 20:30', until: '10:50', unusual: true, from: 31 }),
    ],
    '11:00',
    'open 30 of 31, 06:40 to 09:00',
  ],
  [
    'she fell at two in the night: hers belongs to it, and is earlier than its beginning',
    [
      ...homes(16, { used: morning, until: '10:50' }),
      ...homes(14, { used: '07:20', until: '10:50', unusual: true, from: 17 }),
      ...homes(1, { used: '02:00', until: '10:50', unusual: true, from: 31 }),
    ],
    '11:00',
    'open 31 of 31, 06:40 to 09:00',
  ],
  [
    'a day after it stopped nothing new begins',
    homes(30, { used: '-1 09:00', until: '10:50', unusual: true }),
    '11:00',
    'nothing',
  ],
])('%s', (_name, all, now, expected) => {
  expect(said(judgeQuiet({ kind: 'no water', place: '', homes: all }, clock(now)))).toBe(expected)
})

test('what lies elsewhere is not asked', () => {
  const all = [
    ...homes(10, { used: '07:20', until: '10:50', unusual: true, street: '示例路' }),
    ...homes(10, { used: '10:40', until: '10:50', street: '样板街', from: 11 }),
  ]
  expect(said(judgeQuiet({ kind: 'no water', place: '', homes: all }, clock('11:00')))).toBe('nothing')
  expect(said(judgeQuiet({ kind: 'no water', place: '示例路', homes: all }, clock('11:00')))).toBe(
    'open 10 of 10, 07:20 to 07:20',
  )
  expect(said(judgeQuiet({ kind: 'no water', place: '样板街', homes: all }, clock('11:00')))).toBe('nothing')
  expect(said(judgeQuiet({ kind: 'no water', place: '示例路 1', homes: all }, clock('11:00')))).toBe('nothing')
})

const open = (count: number, back = 0): OpenQuiet => ({
  lastAt: clock('09:00'),
  homes: Array.from({ length: count }, (_, i) => ({
    residentId: `r${i + 1}`,
    silentAt: clock('08:10'),
    isBack: i < back,
  })),
})

test.each<[string, QuietHome[], OpenQuiet, string, string]>([
  ['as it was', homes(10, { used: '08:10', until: '10:50' }), open(10), '11:00', 'nothing'],
  [
    'three use water again',
    [...homes(3, { used: '10:45', until: '10:50' }), ...homes(7, { used: '08:10', until: '10:50', from: 4 })],
    open(10),
    '11:00',
    '+0 -3',
  ],
  [
    'eight of ten: over',
    [...homes(8, { used: '10:45', until: '10:50' }), ...homes(2, { used: '08:10', until: '10:50', from: 9 })],
    open(10, 5),
    '11:00',
    'close -3',
  ],
  [
    'two more, of whom nothing was known before',
    [...homes(10, { used: '08:10', until: '10:50' }), ...homes(2, { used: '09:20', until: '10:50', from: 11 })],
    open(10),
    '11:00',
    '+2 -0',
  ],
  [
    'two that have stopped in the last half hour may go on',
    [...homes(10, { used: '08:10', until: '09:40' }), ...homes(2, { used: '09:20', until: '09:40', from: 11 })],
    open(10),
    '09:45',
    'nothing',
  ],
  [
    'what falls silent in the afternoon is another matter',
    [...homes(10, { used: '08:10', until: '16:50' }), ...homes(2, { used: '14:00', until: '16:50', from: 11 })],
    open(10),
    '17:00',
    'nothing',
  ],
  [
    'meters that are not heard any more change nothing',
    homes(10, { used: '08:10', until: '10:50' }),
    open(10),
    '18:00',
    'nothing',
  ],
  [
    'who has moved out is waited for no longer',
    homes(2, { used: '08:10', until: '10:50' }),
    open(10),
    '11:00',
    'close -8',
  ],
  [
    'after a day it is over in any case',
    homes(10, { used: '-1 08:10', until: '10:50' }).map((home) => home),
    { ...open(10), lastAt: clock('-1 09:00') },
    '11:00',
    'close -0',
  ],
])('an open one: %s', (_name, all, incident, now, expected) => {
  const at = clock(now)
  const open = {
    ...incident,
    homes: incident.homes.map((home) => ({ ...home, silentAt: Math.min(home.silentAt, incident.lastAt) })),
  }
  expect(said(followQuiet({ open, homes: all, place: '' }, at))).toBe(expected)
})

test('of a house whose electricity meters stand still fewer are enough: next to nobody turns off the fridge', () => {
  const all = [
    ...homes(6, { used: '09:00', until: '10:50', unusual: true }),
    ...homes(4, { used: '09:00', until: '10:50', from: 7 }),
  ]
  expect(said(judgeQuiet({ kind: 'no power', place: '', homes: all }, clock('11:00')))).toBe(
    'open 10 of 10, 09:00 to 09:00',
  )
  expect(said(judgeQuiet({ kind: 'no water', place: '', homes: all }, clock('11:00')))).toBe('nothing')
  const alive = all.map((home) => (home.isUnusual ? home : { ...home, usedAt: home.knownUntil }))
  expect(said(judgeQuiet({ kind: 'no power', place: '', homes: alive }, clock('11:00')))).toBe('nothing')
})

test('the tail of the binomial', () => {
  const exact = (atLeast: number, of: number, share: number) => {
    // By the recurrence over homes: another way to the same number.
    let row = [1]
    for (let n = 0; n < of; n += 1)
      row = Array.from({ length: n + 2 }, (_, k) => (row[k] ?? 0) * (1 - share) + (row[k - 1] ?? 0) * share)
    return row.slice(atLeast).reduce((sum, term) => sum + term, 0)
  }
  for (const [k, n, share] of [
    [0, 9, 0.03],
    [1, 9, 0.03],
    [5, 6, 0.03],
    [9, 30, 0.03],
    [3, 200, 0.03],
    [40, 500, 0.02],
  ] as const)
    expect(chanceOf(k, n, share) / exact(k, n, share)).toBeCloseTo(1, 9)
  expect(chanceOf(5, 4, 0.03)).toBe(0)
  expect(chanceOf(300, 20_000, 0.03)).toBeGreaterThan(0.999)
  expect(chanceOf(800, 20_000, 0.03)).toBeLessThan(1e-6)
  expect(chanceOf(20_000, 20_000, 0.03)).toBeLessThan(1e-6)
})

test.each([
  ['示例路 12 号 301 室', '示例路'],
  ['示例小区3栋2单元501', '示例小区'],
  ['12 Example Street', ''],
  ['无门牌', ''],
])('the street of %s is "%s"', (address, street) => {
  expect(streetOf(address)).toBe(street)
})

test('a home lies in its community, its street and its house', () => {
  for (const place of ['', '示例路', '示例路 12']) expect(liesAt('示例路 12 号 301 室', place)).toBe(true)
  for (const place of ['示例路 1', '示例', '样板街']) expect(liesAt('示例路 12 号 301 室', place)).toBe(false)
})
