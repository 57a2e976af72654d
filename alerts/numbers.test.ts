import { describe, expect, test } from 'vitest'
import {
  type ActionEvent,
  type AlertTimes,
  distribution,
  falseAlarms,
  monthNumbers,
  nightsByPerson,
  percentile,
  shareWithin,
  timesOf,
  timesOfActions,
  type Wait,
  waitOf,
} from './numbers.js'

const second = 1_000
const minute = 60 * second
const hour = 60 * minute

const alert = (more: Partial<AlertTimes> = {}): AlertTimes => ({
  kind: 'button',
  severity: 'emergency',
  outcome: 'resident fine',
  day: 1,
  pageMs: 2 * second,
  takenMs: 40 * second,
  doorMs: 15 * minute,
  openMs: 30 * minute,
  ...more,
})

describe('percentiles by nearest rank', () => {
  test.each<[string, number[], number, number | null]>([
    ['of nothing: unknown', [], 0.5, null],
    ['of one: itself', [7], 0.5, 7],
    ['of one: itself, the 95th too', [7], 0.95, 7],
    ['median of two: the lower', [9, 3], 0.5, 3],
    ['median of three', [9, 3, 5], 0.5, 5],
    ['median of four: the second', [1, 2, 3, 4], 0.5, 2],
    ['values are numbers, not words', [100, 9, 20], 0.5, 20],
    ['all the same', [4, 4, 4, 4, 4], 0.95, 4],
    ['the 95th of 19: the longest', Array.from({ length: 19 }, (_, i) => i + 1), 0.95, 19],
    ['the 95th of 20: the 19th', Array.from({ length: 20 }, (_, i) => i + 1), 0.95, 19],
    ['the 95th of 21: the 20th', Array.from({ length: 21 }, (_, i) => i + 1), 0.95, 20],
    ['the 95th of 100: the 95th', Array.from({ length: 100 }, (_, i) => 100 - i), 0.95, 95],
    ['all of them: the longest', [5, 1, 9], 1, 9],
  ])('%s', (_, values, p, expected) => {
    const before = [...values]
    expect(percentile(values, p)).toBe(expected)
    expect(values).toEqual(before)
  })
})

describe('the share within a time', () => {
  const took = (ms: number): Wait => ({ ms })
  const inVain = (vainMs: number): Wait => ({ vainMs })
  test.each<[string, Wait[], number, { part: number; of: number }]>([
    ['of nothing: nothing, not 0 %', [], 60, { part: 0, of: 0 }],
    ['at the limit is within', [took(60)], 60, { part: 1, of: 1 }],
    ['one ms later is not', [took(61)], 60, { part: 0, of: 1 }],
    ['in vain for longer is late', [took(10), inVain(61)], 60, { part: 1, of: 2 }],
    ['in vain up to the limit tells nothing', [took(10), inVain(60)], 60, { part: 1, of: 1 }],
    ['over by itself at once tells nothing', [inVain(0)], 60, { part: 0, of: 0 }],
    ['nobody ever came', [inVain(1e9), inVain(1e9)], 60, { part: 0, of: 2 }],
  ])('%s', (_, waits, limit, expected) => {
    expect(shareWithin(waits, limit)).toEqual(expected)
  })
})

describe('what was waited for', () => {
  test.each<[string, Partial<AlertTimes>, 'page' | 'taken' | 'door', Wait | undefined]>([
    ['a page that left', { pageMs: 3 }, 'page', { ms: 3 }],
    ['no page, open still', { pageMs: null, takenMs: null, outcome: null, openMs: 90 }, 'page', { vainMs: 90 }],
    ['taken on the console before a page left', { pageMs: null, takenMs: 4, openMs: 90 }, 'page', { vainMs: 4 }],
    ['closed before a page left', { pageMs: null, takenMs: null, openMs: 5 }, 'page', { vainMs: 5 }],
    ['taken', { takenMs: 7 }, 'taken', { ms: 7 }],
    ['nobody took it', { takenMs: null, openMs: 900 }, 'taken', { vainMs: 900 }],
    ['at the door', { doorMs: 9 }, 'door', { ms: 9 }],
    ['open, nobody there yet', { doorMs: null, outcome: null, openMs: 50 }, 'door', { vainMs: 50 }],
    ['closed by telephone', { doorMs: null, outcome: 'resident fine' }, 'door', undefined],
  ])('%s', (_, more, measure, expected) => {
    expect(waitOf(alert(more), measure)).toEqual(expected)
  })
})

test('times of a group: what happened has a median, what did not makes the share worse', () => {
  const alerts = [
    alert({ takenMs: 30 * second }),
    alert({ takenMs: 50 * second }),
    alert({ takenMs: 170 * second }),
    alert({ takenMs: null, outcome: null, openMs: 2 * minute }),
  ]
  expect(timesOf(alerts, 'taken')).toEqual({
    n: 3,
    medianMs: 50 * second,
    p95Ms: 170 * second,
    within: [
      { part: 2, of: 4 },
      // The open one has not waited for 180 s yet.
      { part: 3, of: 3 },
    ],
  })
})

test('times to the door: 45 and 60 min, telephone calls apart', () => {
  const alerts = [
    alert({ doorMs: 45 * minute }),
    alert({ doorMs: 50 * minute }),
    alert({ doorMs: null, outcome: 'resident fine', openMs: 5 * hour }),
    alert({ doorMs: null, outcome: null, openMs: 61 * minute }),
  ]
  expect(timesOf(alerts, 'door')).toMatchObject({
    n: 2,
    within: [
      { part: 1, of: 3 },
      { part: 2, of: 3 },
    ],
  })
})

test('nothing happened: no time is known', () => {
  expect(timesOf([], 'page')).toEqual({
    n: 0,
    medianMs: null,
    p95Ms: null,
    within: [
      { part: 0, of: 0 },
      { part: 0, of: 0 },
    ],
  })
})

describe('false alarms', () => {
  test.each<[string, AlertTimes['outcome'][], ReturnType<typeof falseAlarms>]>([
    ['none: unknown', [], { share: { part: 0, of: 0 }, settled: 0, tests: 0, others: 0, open: 0 }],
    ['a fall is none', ['fall'], { share: { part: 0, of: 1 }, settled: 0, tests: 0, others: 0, open: 0 }],
    [
      'she is fine',
      ['resident fine', 'illness'],
      { share: { part: 1, of: 2 }, settled: 0, tests: 0, others: 0, open: 0 },
    ],
    [
      'a broken device',
      ['device fault', 'fire', 'gas'],
      { share: { part: 1, of: 3 }, settled: 0, tests: 0, others: 0, open: 0 },
    ],
    [
      'a test is neither',
      ['test', 'test', 'leak'],
      { share: { part: 0, of: 1 }, settled: 0, tests: 2, others: 0, open: 0 },
    ],
    [
      'other is neither',
      ['other', 'resident fine'],
      { share: { part: 1, of: 1 }, settled: 0, tests: 0, others: 1, open: 0 },
    ],
    [
      'open is not known yet',
      [null, 'resident fine'],
      { share: { part: 1, of: 1 }, settled: 0, tests: 0, others: 0, open: 1 },
    ],
    [
      'only tests and open ones: unknown',
      ['test', null],
      { share: { part: 0, of: 0 }, settled: 0, tests: 1, others: 0, open: 1 },
    ],
  ])('%s', (_, outcomes, expected) => {
    expect(falseAlarms(outcomes.map((outcome) => alert({ outcome })))).toEqual(expected)
  })
})

describe('what asking settled', () => {
  const asked = (more: Partial<AlertTimes>) =>
    alert({ askMs: 30 * minute, openMs: 20 * minute, pageMs: null, outcome: 'resident fine', ...more })
  test.each<[string, Partial<AlertTimes>, boolean]>([
    ['over before anybody was paged', {}, true],
    ['over at the last moment', { openMs: 30 * minute }, true],
    ['over later, though no page left', { openMs: 31 * minute }, false],
    ['over early, though a page left', { pageMs: 5 * minute }, false],
    ['she was not fine', { outcome: 'fall' }, false],
    ['still open', { outcome: null }, false],
    ['never asked', { askMs: null }, false],
  ])('%s', (_, more, settled) => {
    expect(falseAlarms([asked(more)]).settled).toBe(settled ? 1 : 0)
    expect(waitOf(asked(more), 'page') === undefined).toBe(settled)
  })
  test('where it settled nothing, people are waited for from the end of asking', () => {
    const paged = asked({ pageMs: 31 * minute, takenMs: 33 * minute, openMs: 60 * minute })
    expect(waitOf(paged, 'page')).toEqual({ ms: minute })
    expect(waitOf(paged, 'taken')).toEqual({ ms: 3 * minute })
    expect(waitOf(asked({ takenMs: 10 * minute, outcome: 'fall' }), 'taken')).toEqual({ ms: 0 })
    expect(waitOf(asked({ outcome: null, takenMs: null, openMs: 40 * minute }), 'page')).toEqual({
      vainMs: 10 * minute,
    })
  })
})

describe('what people did, and took back', () => {
  const did = (...kinds: ActionEvent['kind'][]) =>
    timesOfActions(kinds.map((kind, index) => ({ kind, afterMs: (index + 1) * 10 })))
  test.each<[string, ActionEvent['kind'][], number | null, number | null]>([
    ['nothing', [], null, null],
    ['all stages', ['acknowledged', 'en_route', 'arrived', 'closed'], 10, 30],
    ['straight to the door', ['arrived'], 10, 10],
    ['closed at once', ['closed'], 10, null],
    ['a slip of the thumb', ['acknowledged', 'undone'], null, null],
    ['and then in earnest', ['acknowledged', 'undone', 'acknowledged'], 30, null],
    ['not at the door after all', ['acknowledged', 'arrived', 'undone', 'arrived'], 10, 40],
    ['two steps back', ['acknowledged', 'arrived', 'undone', 'undone'], null, null],
    ['two steps back and one on', ['acknowledged', 'en_route', 'undone', 'undone', 'arrived'], 50, 50],
    ['a close undone', ['acknowledged', 'closed', 'undone'], 10, null],
    ['it came back, somebody else took it: the first counts', ['acknowledged', 'acknowledged'], 10, null],
    ['nothing to take back', ['undone', 'acknowledged'], 20, null],
  ])('%s', (_, kinds, takenMs, doorMs) => {
    expect(did(...kinds)).toEqual({ takenMs, doorMs })
  })
})

test('a distribution has each alert once, in the bar that ends at or after its time', () => {
  const bars = distribution(
    [
      alert({ doorMs: 15 * minute }),
      alert({ doorMs: 15 * minute + 1, severity: 'urgent' }),
      alert({ doorMs: 60 * minute }),
      alert({ doorMs: 9 * hour, severity: 'warning' }),
      alert({ doorMs: null, outcome: 'resident fine' }),
    ],
    'door',
  )
  expect(bars.map(({ upToMs, total }) => [upToMs === null ? null : upToMs / minute, total])).toEqual([
    [15, 1],
    [30, 1],
    [45, 0],
    [60, 1],
    [90, 0],
    [120, 0],
    [null, 1],
  ])
  expect(bars[1]!.counts).toEqual({ emergency: 0, urgent: 1, warning: 0 })
})

test('a month: by kind worst first, by day, closed without a visit', () => {
  const numbers = monthNumbers(
    [
      alert({ kind: 'silent_12h', severity: 'urgent', day: 31, doorMs: null, outcome: 'illness' }),
      alert({ kind: 'silent_12h', severity: 'urgent', day: 2, outcome: null, doorMs: null }),
      alert({ kind: 'smoke', day: 2, outcome: 'fire' }),
      alert({ kind: 'button', day: 2, outcome: 'test', doorMs: null }),
      alert({ kind: 'button', day: 1, outcome: 'fall' }),
      alert({ kind: 'leak', severity: 'warning', day: 2, outcome: 'leak' }),
    ],
    { days: 31 },
  )
  expect(numbers.byKind.map(({ kind, total, outcomes }) => [kind, total, outcomes])).toEqual([
    ['button', 2, { test: 1, fall: 1 }],
    ['smoke', 1, { fire: 1 }],
    ['silent_12h', 2, { illness: 1, open: 1 }],
    ['leak', 1, { leak: 1 }],
  ])
  expect(numbers.bySeverity).toEqual({ emergency: 3, urgent: 2, warning: 1 })
  expect(numbers.byDay).toHaveLength(31)
  expect(numbers.byDay[1]).toEqual({ day: 2, counts: { emergency: 2, urgent: 1, warning: 1 }, total: 4 })
  expect(numbers.byDay[30]!.total).toBe(1)
  expect(numbers.closedWithoutVisit).toEqual({ emergency: 1, urgent: 1, warning: 0 })
  expect(numbers.times.door.urgent).toMatchObject({ n: 0, medianMs: null })
  expect(numbers.falseAlarms.share).toEqual({ part: 0, of: 4 })
})

test('a month without alerts has no severities, and all its days', () => {
  const numbers = monthNumbers([], { days: 28 })
  expect(numbers).toMatchObject({ alerts: 0, severities: [], byKind: [] })
  expect(numbers.byDay).toHaveLength(28)
})

test('nights by person: the most paged first, with the worst night', () => {
  const row = (staffId: string, night: string, pages: number) => ({ staffId, name: staffId, night, pages, alerts: 1 })
  const people = nightsByPerson([
    row('b', '2026-03-02', 2),
    row('a', '2026-03-05', 3),
    row('b', '2026-03-01', 5),
    row('b', '2026-03-09', 5),
  ])
  expect(people.map(({ staffId, pages, worst }) => [staffId, pages, worst])).toEqual([
    ['b', 12, { night: '2026-03-01', pages: 5 }],
    ['a', 3, { night: '2026-03-05', pages: 3 }],
  ])
  expect([...people[0]!.nights.keys()]).toEqual(['2026-03-01', '2026-03-02', '2026-03-09'])
})
