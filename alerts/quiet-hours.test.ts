import fc from 'fast-check'
import { expect, test } from 'vitest'
import { type QuietHours, quietUntil } from './quiet-hours.js'

const at = (text: string) => Date.parse(text)
const shown = (hours: QuietHours, text: string) => {
  const end = quietUntil(hours, at(text))
  return end === null ? null : new Date(end).toISOString()
}
const night = { from: '22:00', until: '07:00', timeZone: 'Asia/Shanghai' }
const siesta = { from: '13:00', until: '15:30', timeZone: 'Asia/Shanghai' }

test.each<[string, QuietHours, string, string | null]>([
  ['the minute before', night, '2026-03-10T21:59:59+08:00', null],
  ['from the first second on', night, '2026-03-10T22:00:00+08:00', '2026-03-10T23:00:00.000Z'],
  ['after midnight', night, '2026-03-11T03:12:34+08:00', '2026-03-10T23:00:00.000Z'],
  ['the last second', night, '2026-03-11T06:59:59.999+08:00', '2026-03-10T23:00:00.000Z'],
  ['the end is over', night, '2026-03-11T07:00:00+08:00', null],
  ['within one day', siesta, '2026-03-10T14:00:00+08:00', '2026-03-10T07:30:00.000Z'],
  ['within one day, at night', siesta, '2026-03-10T03:00:00+08:00', null],
  ['until midnight', { ...night, until: '00:00' }, '2026-03-10T23:30:00+08:00', '2026-03-10T16:00:00.000Z'],
  ['the same time twice is never', { ...night, until: '22:00' }, '2026-03-10T22:00:00+08:00', null],
])('%s', (_, hours, when, end) => {
  expect(shown(hours, when)).toBe(end)
})

const madrid = { from: '22:00', until: '07:00', timeZone: 'Europe/Madrid' }
test('the night in which an hour is skipped ends an hour sooner, the one in which it comes twice an hour later', () => {
  expect(shown(madrid, '2026-03-28T22:00:00+01:00')).toBe('2026-03-29T05:00:00.000Z')
  expect(shown(madrid, '2026-10-24T22:00:00+02:00')).toBe('2026-10-25T06:00:00.000Z')
})

test('an end that is skipped comes with the jump; one that comes twice ends quiet at the first', () => {
  const until = { ...madrid, until: '02:30' }
  expect(shown(until, '2026-03-29T01:30:00+01:00')).toBe('2026-03-29T01:00:00.000Z')
  expect(shown(until, '2026-10-25T01:30:00+02:00')).toBe('2026-10-25T00:30:00.000Z')
})

test('a time that is none is an error, never "no quiet hours"', () => {
  expect(() => quietUntil({ ...night, from: '25:00' }, 0)).toThrow('25:00')
})

/** Minute by minute, with nothing but the wall clock as Intl tells it. */
function bruteForce({ from, until, timeZone }: QuietHours, start: number): number | null {
  const clock = new Intl.DateTimeFormat('en-GB', { timeZone, hour: '2-digit', minute: '2-digit', hourCycle: 'h23' })
  const isQuiet = (instant: number) => {
    const time = clock.format(instant)
    return from < until ? time >= from && time < until : time >= from || time < until
  }
  if (!isQuiet(start)) return null
  let minute = start
  while (isQuiet(minute)) minute += 60_000
  return minute
}

test('as a person with a clock would say, in any zone, around every change of it', () => {
  const time = fc
    .tuple(fc.integer({ min: 0, max: 23 }), fc.integer({ min: 0, max: 59 }))
    .map((parts) => parts.map((part) => String(part).padStart(2, '0')).join(':'))
  // Lord Howe moves its clocks by half an hour; Madrid and New York by one; the others never.
  const timeZone = fc.constantFrom(
    ...['Asia/Shanghai', 'Europe/Madrid', 'America/New_York', 'Australia/Lord_Howe', 'Asia/Kolkata', 'UTC'],
  )
  const day = fc.constantFrom(
    ...['2026-03-08', '2026-03-29', '2026-04-05', '2026-10-04', '2026-10-25', '2026-11-01', '2026-07-01'],
  )
  const minutes = fc.integer({ min: -1_440, max: 2_880 })
  fc.assert(
    fc.property(fc.record({ from: time, until: time, timeZone }), day, minutes, (hours, date, offset) => {
      fc.pre(hours.from !== hours.until)
      const start = at(`${date}T00:00:00Z`) + offset * 60_000
      expect(quietUntil(hours, start)).toBe(bruteForce(hours, start))
    }),
    { numRuns: 500 },
  )
})
