import { expect, test } from 'vitest'
import { emptyState, fold } from './fold.js'
import { lineHours } from './line-view.js'
import { livedHome } from './lived-home.test-support.js'
import { neighboursOf } from './neighbours.js'
import { hour, monday7 } from './scene.test-support.js'

const day = 24 * hour
const night = monday7 - 7 * hour
const context = { timeZone: 'Asia/Shanghai', alarmsPerMonth: 2 }
const lineAfter = (days: number, neighbours?: number[]) => {
  const at = night + days * day + 14 * hour
  const { state } = fold(emptyState(), livedHome({ to: at, days: days + 1, night }), at, context)
  return lineHours(neighbours ? { ...state, neighbours } : state, at, context)
}

test('the median of at least five homes, for each hour', () => {
  const home = (limitMs: number) => Array.from({ length: 24 }, (_, index) => ({ hour: index, usualMs: 1, limitMs }))
  expect(neighboursOf([1, 2, 3, 4].map(home))).toBeNull()
  expect(neighboursOf([9, 2, 3, 30, 4].map(home))).toEqual(Array.from({ length: 24 }, () => 4))
  expect(neighboursOf([...[1, 2, 3, 4].map(home), home(5).slice(1)])).toBeNull()
})

test('a young line comes down from what the homes around are like, never below what is usual here; an old one is its own', () => {
  const around = Array.from({ length: 24 }, () => 5 * hour)
  const [alone, told] = [lineAfter(16), lineAfter(16, around)]
  const noon = ({ hour: h }: { hour: number }) => h === 12
  expect(alone.find(noon)!.limitMs).toBeGreaterThan(9 * hour)
  expect(told.find(noon)!.limitMs).toBeLessThan(6 * hour)
  for (const { usualMs, limitMs } of told) expect(limitMs).toBeGreaterThanOrEqual(usualMs)
  // She sleeps for 9 h, whatever the others do.
  expect(told.find(({ hour: h }) => h === 21)!.limitMs).toBeGreaterThan(8 * hour)
  expect(lineAfter(60, around)).toEqual(lineAfter(60))
})
