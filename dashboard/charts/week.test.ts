import { expect, test } from 'vitest'
import { type HourUse, hourMs } from './hourly-use.js'
import { weekMarks } from './week.js'

const from = Date.parse('2026-03-09T16:00:00Z') // midnight in Shanghai

/** 24 hours from a string: a digit times 10 is used, `-` not used, `?` unknown, `.` not yet; repeated to fill. */
const day = (pattern: string) => ({
  hours: Array.from({ length: 24 }, (_, index): HourUse => {
    const sign = pattern[index % pattern.length]!
    const at = from + index * hourMs
    if (sign === '?') return { at, state: 'unknown', use: null, partly: false }
    if (sign === '.') return { at, state: 'not yet', use: null, partly: false }
    if (sign === '-') return { at, state: 'not used', use: 0, partly: false }
    return { at, state: 'used', use: Number(sign) * 10, partly: false }
  }),
  stretches: [],
})
const mark = (water: string | null, electricity: string | null) =>
  weekMarks({
    water: water === null ? null : day(water),
    electricity: electricity === null ? null : day(electricity),
    timeZone: 'Asia/Shanghai',
  })[0]?.mark

const quiet = '-'
const unknown = '?'
const hole = `${'-'.repeat(18)}${'?'.repeat(6)}`

test.each([
  ['water was used', `------3-----2-----------`, null, 'used'],
  ['the kettle stood out from the fridge', null, `111111191111911111111111`, 'used'],
  ['only the fridge ran', quiet, '1', 'quiet'],
  ['nothing was used', quiet, null, 'quiet'],
  ['no meter was heard', unknown, unknown, 'unknown'],
  ['used, and then six hours without readings', `3${hole.slice(1)}`, null, 'partly'],
  ['unused, and then six hours without readings', hole, null, 'unknown'],
  ['one meter silent, the other tells of use', unknown, `111111191111911111111111`, 'used'],
  ['one meter silent, the other tells of nothing', unknown, quiet, 'quiet'],
  ['the day has hardly begun', '.', null, 'not yet'],
])('%s', (_, water, electricity, expected) => {
  expect(mark(water, electricity)).toBe(expected)
})

test('a resident without meters has no marks', () => {
  expect(mark(null, null)).toBeUndefined()
})
