import { expect, test } from 'vitest'
import { readEnd, suggestedEnds } from './absence-ends.js'

const shanghai = 'Asia/Shanghai'
const at = (iso: string) => Date.parse(iso)
const ends = (iso: string, zone = shanghai) => suggestedEnds(at(iso), zone).map(({ kind, field }) => `${kind} ${field}`)

test('the ends that most people mean', () => {
  expect(ends('2026-03-10T14:05:00+08:00')).toEqual([
    'tonight 2026-03-10T20:00',
    'tomorrow 2026-03-11T20:00',
    'threeDays 2026-03-13T20:00',
    'week 2026-03-17T20:00',
  ])
  // Too late for supper.
  expect(ends('2026-03-10T18:00:00+08:00')[0]).toBe('tomorrow 2026-03-11T20:00')
})

test('after Spring Festival, in the weeks before it and its first days', () => {
  // The first days of the years of the horse, the goat and the monkey.
  expect(ends('2026-01-26T09:00:00+08:00')).not.toContain('festival 2026-02-24T20:00')
  expect(ends('2026-01-27T09:00:00+08:00').at(-1)).toBe('festival 2026-02-24T20:00')
  expect(ends('2026-02-21T09:00:00+08:00')).toContain('festival 2026-02-24T20:00')
  expect(ends('2026-02-22T09:00:00+08:00').join()).not.toContain('festival')
  expect(ends('2027-02-05T09:00:00+08:00').at(-1)).toBe('festival 2027-02-13T20:00')
  expect(ends('2028-01-20T09:00:00+08:00').at(-1)).toBe('festival 2028-02-02T20:00')
  const order = suggestedEnds(at('2026-02-20T09:00:00+08:00'), shanghai).map(({ until }) => until)
  expect(order).toEqual([...order].sort((a, b) => a - b))
})

test('by the clock of the home, whatever the server thinks', () => {
  expect(ends('2026-03-10T23:30:00-07:00', 'America/Los_Angeles')[0]).toBe('tomorrow 2026-03-11T20:00')
  // Noon to 20:00 of the next day, on the night in which an hour is missing: 31 h, not 32.
  const now = at('2026-03-28T12:00:00+01:00')
  const [, tomorrow] = suggestedEnds(now, 'Europe/Berlin')
  expect(tomorrow!.until - now).toBe(31 * 3_600_000)
})

const now = at('2026-03-10T14:05:00+08:00')
const read = (end: string, other = '') => readEnd({ end, other }, now, shanghai)

test('a suggested end, and one of their own', () => {
  expect(read('2026-03-11T20:00')).toEqual({ until: at('2026-03-11T20:00:00+08:00') })
  expect(read('other', '2026-03-12T09:30')).toEqual({ until: at('2026-03-12T09:30:00+08:00') })
  expect(read('', '2026-03-12T09:30')).toEqual({ until: at('2026-03-12T09:30:00+08:00') })
  expect(read('2026-03-11T20:00', '2026-03-11T20:00')).toEqual({ until: at('2026-03-11T20:00:00+08:00') })
})

test.each([
  ['', '', 'none'],
  ['other', '', 'none'],
  ['2026-03-11T20:00', '2026-03-12T20:00', 'two'],
  ['other', 'tomorrow', 'unclear'],
  ['other', '2026-02-30T20:00', 'unclear'],
  ['other', '2026-03-10T25:00', 'unclear'],
  ['<script>', '', 'unclear'],
  ['other', '2026-03-10T14:05', 'past'],
  ['2026-03-09T20:00', '', 'past'],
  ['other', '2026-05-09T14:06', 'far'],
] as const)('%s, %s: %s', (end, other, problem) => {
  expect(read(end, other)).toEqual({ problem })
})

test('sixty days, and not a minute more', () => {
  expect(read('other', '2026-05-09T14:05')).toEqual({ until: now + 60 * 86_400_000 })
})

test('a time that the clock skips is the moment of the change; one that it shows twice is the first', () => {
  const inBerlin = (field: string, from: string) => readEnd({ end: 'other', other: field }, at(from), 'Europe/Berlin')
  expect(inBerlin('2026-03-29T02:30', '2026-03-20T12:00:00Z')).toEqual({ until: at('2026-03-29T01:00:00Z') })
  expect(inBerlin('2026-10-25T02:30', '2026-10-20T12:00:00Z')).toEqual({ until: at('2026-10-25T00:30:00Z') })
})
