import { expect, test } from 'vitest'
import { type AlertAction, transition } from './lifecycle.js'
import type { Stage } from './model.js'

const close: AlertAction = { kind: 'close', outcome: 'fall', note: '' }
const minute = 60_000

test.each<[Stage, AlertAction, Stage | undefined]>([
  ['open', { kind: 'acknowledge' }, 'acknowledged'],
  ['open', { kind: 'en_route' }, 'en_route'],
  ['open', { kind: 'arrived' }, 'arrived'],
  ['open', close, 'closed'],
  ['acknowledged', { kind: 'acknowledge' }, undefined],
  ['acknowledged', { kind: 'en_route' }, 'en_route'],
  ['acknowledged', { kind: 'arrived' }, 'arrived'],
  ['acknowledged', close, 'closed'],
  ['en_route', { kind: 'acknowledge' }, undefined],
  ['en_route', { kind: 'en_route' }, undefined],
  ['en_route', { kind: 'arrived' }, 'arrived'],
  ['arrived', { kind: 'en_route' }, undefined],
  ['arrived', close, 'closed'],
  ['closed', { kind: 'acknowledge' }, undefined],
  ['closed', close, undefined],
])('%s, then %o', (stage, action, expected) => {
  expect(transition({ stage, severity: 'emergency' }, action, 0)?.stage).toBe(expected)
})

test('an emergency that is taken but not closed comes back after 30 min, counted anew at each stage', () => {
  expect(transition({ stage: 'open', severity: 'emergency' }, { kind: 'acknowledge' }, 0)?.dueAt).toBe(30 * minute)
  expect(transition({ stage: 'acknowledged', severity: 'emergency' }, { kind: 'arrived' }, 10 * minute)?.dueAt).toBe(
    40 * minute,
  )
  expect(transition({ stage: 'arrived', severity: 'emergency' }, close, 0)?.dueAt).toBeNull()
})
