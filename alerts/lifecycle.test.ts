import { expect, test } from 'vitest'
import { type AlertAction, dueAfter, transition } from './lifecycle.js'
import type { Stage } from './model.js'
import { defaultPolicies, type Policy } from './policy.js'

test.each<[Stage, AlertAction['kind'], Stage | undefined]>([
  ['open', 'acknowledge', 'acknowledged'],
  ['open', 'en_route', 'en_route'],
  ['open', 'arrived', 'arrived'],
  ['open', 'close', 'closed'],
  ['acknowledged', 'acknowledge', undefined],
  ['acknowledged', 'en_route', 'en_route'],
  ['acknowledged', 'arrived', 'arrived'],
  ['acknowledged', 'close', 'closed'],
  ['en_route', 'acknowledge', undefined],
  ['en_route', 'en_route', undefined],
  ['en_route', 'arrived', 'arrived'],
  ['arrived', 'en_route', undefined],
  ['arrived', 'close', 'closed'],
  ['closed', 'acknowledge', undefined],
  ['closed', 'close', undefined],
])('%s, then %s', (stage, action, expected) => {
  expect(transition(stage, action)).toBe(expected)
})

const minute = 60_000
const { emergency, urgent, warning } = defaultPolicies
const unlessClosed: Policy = {
  ...emergency,
  steps: [emergency.steps[0]!, { ...emergency.steps[2]!, afterSeconds: 300, condition: 'not resolved' }],
}
const forEver: Policy = { ...warning, stageSecondsMax: { acknowledged: null, en_route: null, arrived: null } }

test.each<[what: string, stage: Stage, Policy | null, dueMin: number | null]>([
  ['an emergency, acknowledged', 'acknowledged', emergency, 10 + 2],
  ['an emergency, on the way', 'en_route', emergency, 10 + 10],
  ['an emergency, at the door', 'arrived', emergency, 10 + 45],
  ['an emergency, closed', 'closed', emergency, null],
  ['silence, acknowledged', 'acknowledged', urgent, 10 + 30],
  ['silence, at the door', 'arrived', urgent, 10 + 120],
  ['a warning', 'acknowledged', warning, 10 + 1_440],
  ['a warning that may stay', 'acknowledged', forEver, null],
  ['a notice', 'acknowledged', null, null],
  ['a step for what is not closed, 5 min after the round began', 'arrived', unlessClosed, 8 + 5],
])('%s is due again, the round begun at 8 min, the stage entered at 10 min', (_, stage, policy, dueMin) => {
  expect(dueAfter({ stage, step: 1, roundAt: 8 * minute }, policy, 10 * minute)).toBe(
    dueMin === null ? null : dueMin * minute,
  )
})
