import { expect, test } from 'vitest'
import type { Decision } from '../model.js'
import { emptyState, fold, type ResidentState } from './fold.js'
import { lineHours } from './line-view.js'
import { livedHome } from './lived-home.test-support.js'
import { dayQuarters, gapCalm, gapQuarters, gapStart } from './routine.js'
import { hour, lines, monday7 } from './scene.test-support.js'

const day = 24 * hour
const night = monday7 - 7 * hour
const zone = { timeZone: 'Asia/Shanghai', alarmsPerMonth: 2 }
const upgradedAt = night + 60 * day + 14 * hour
const life = livedHome({ to: upgradedAt + 40 * day, days: 100, night })
const before = fold(
  emptyState(),
  life.filter(({ receivedAt }) => receivedAt <= upgradedAt),
  upgradedAt,
  zone,
).state
const unusual = /silence_unusual/

/** As a state was stored before silences were kept in one number. */
function asBefore(state: ResidentState): ResidentState {
  const routine = state.routine!
  const gaps = routine.gaps.map((gap) => {
    const start = gapStart(gap)
    return [Math.floor(start / dayQuarters), start % dayQuarters, gapQuarters(gap), gapCalm(gap), 2.5]
  })
  const tops = routine.tops.map(([start, score]) => [Math.floor(start / dayQuarters), score])
  return JSON.parse(JSON.stringify({ ...state, routine: { ...routine, gaps, tops } })) as ResidentState
}

const livesOn = (state: ResidentState, days: number): { decisions: Decision[]; state: ResidentState } =>
  fold(
    state,
    life.filter(({ receivedAt }) => receivedAt > upgradedAt && receivedAt <= upgradedAt + days * day),
    upgradedAt + days * day,
    zone,
  )

test('what an older version has learned alarms nobody: learning begins anew, and the fixed rule stands', () => {
  expect(lineHours(before, upgradedAt, zone)).toHaveLength(24)
  expect(lines(livesOn(before, 3).decisions, unusual)).toEqual([])
  // A page, or the neighbours' report, may read it before anything is folded.
  expect(lineHours(asBefore(before), upgradedAt, zone)).toEqual([])
  const { decisions, state } = livesOn(asBefore(before), 13)
  expect(lines(decisions, unusual)).toEqual([])
  expect(state.routine!.firstAt).toBeGreaterThan(upgradedAt)
  expect(state.routine!.gaps.every((gap) => typeof gap === 'number')).toBe(true)
  // Four weeks later the home has its own line again.
  expect(lineHours(livesOn(asBefore(before), 40).state, upgradedAt + 40 * day, zone)).toHaveLength(24)
})

test('with its silences forgotten, the days of an older version are no quarter hours', () => {
  const stored = asBefore(before)
  stored.routine!.gaps = []
  expect(lineHours(stored, upgradedAt, zone)).toEqual([])
  expect(livesOn(stored, 1).state.routine!.firstAt).toBeGreaterThan(upgradedAt)
})

test('an alert that an older version opened is ended by the next use', () => {
  const stored = asBefore(before)
  const { activeAt } = stored.routine!
  stored.routine!.alert = { since: activeAt!, openedAt: activeAt! + 4 * hour }
  const { decisions, state } = livesOn(stored, 1)
  expect(lines(decisions, unusual)).toEqual([expect.stringMatching(/^clear silence_unusual/)])
  expect(state.routine!.alert).toBeNull()
})
