import { describe, expect, test } from 'vitest'
import {
  checkPolicy,
  defaultPolicies,
  type PagedSeverity,
  type Policy,
  type PolicyProblem,
  type PolicyStep,
  pagedSeverities,
  policyOf,
} from './policy.js'

const { emergency, urgent } = defaultPolicies
const step = (afterSeconds: number, more: Partial<PolicyStep> = {}): PolicyStep => ({
  ...emergency.steps[0]!,
  afterSeconds,
  ...more,
})
const like = (policy: Policy, more: object): unknown => ({ ...policy, ...more })

describe('a policy is refused, with the reason', () => {
  test.each<[what: string, PagedSeverity, unknown, PolicyProblem]>([
    ['nothing', 'urgent', {}, 'shape'],
    ['no step', 'urgent', like(urgent, { steps: [] }), 'shape'],
    ['a step to nobody', 'urgent', like(urgent, { steps: [step(0, { to: [] })] }), 'shape'],
    ['a role that there is not', 'urgent', like(urgent, { steps: [step(0, { to: ['mayor' as never] })] }), 'shape'],
    ['a step with a word too many', 'urgent', like(urgent, { steps: [{ ...step(0), colour: 'red' }] }), 'shape'],
    ['half a second', 'urgent', like(urgent, { steps: [step(0.5)] }), 'shape'],
    ['thirteen steps', 'urgent', like(urgent, { steps: Array.from({ length: 13 }, (_, i) => step(i)) }), 'shape'],
    ['a first step that waits', 'urgent', like(urgent, { steps: [step(60)] }), 'the first step is not at once'],
    ['two steps at one time', 'urgent', like(urgent, { steps: [step(0), step(60), step(60)] }), 'steps out of order'],
    [
      'a step before the one before',
      'urgent',
      like(urgent, { steps: [step(0), step(60), step(30)] }),
      'steps out of order',
    ],
    [
      'nobody before somebody acknowledges',
      'urgent',
      like(urgent, { steps: [step(0, { condition: 'not resolved' })] }),
      'nobody is told before it is acknowledged',
    ],
    [
      '6 min between two steps',
      'emergency',
      like(emergency, { steps: [step(0), step(360)] }),
      'pause too long for an emergency',
    ],
    [
      '6 min until it repeats',
      'emergency',
      like(emergency, { repeatAfterSeconds: 360 }),
      'pause too long for an emergency',
    ],
    ['three rounds and no more', 'emergency', like(emergency, { roundsMax: 3 }), 'emergency ends'],
    [
      'at the door for ever',
      'emergency',
      like(emergency, { stageSecondsMax: { ...emergency.stageSecondsMax, arrived: null } }),
      'stage without end',
    ],
    [
      'acknowledged for an hour',
      'emergency',
      like(emergency, { stageSecondsMax: { ...emergency.stageSecondsMax, acknowledged: 3_600 } }),
      'stage too long for an emergency',
    ],
  ])('%s', (_, severity, value, problem) => {
    expect(checkPolicy(severity, value)).toEqual({ problem })
    expect(policyOf(severity, value), 'stored all the same, it is not followed').toBe(defaultPolicies[severity])
  })
})

test.each(pagedSeverities)('the default for %s may be stored', (severity) => {
  const stored = JSON.parse(JSON.stringify(defaultPolicies[severity]))
  expect(checkPolicy(severity, stored)).toEqual(defaultPolicies[severity])
})

test('what is stored stands, and nothing stored is the default', () => {
  const own = { ...emergency, repeatAfterSeconds: 240 }
  expect(policyOf('emergency', own)).toEqual(own)
  expect(policyOf('emergency', null)).toBe(emergency)
  expect(policyOf('warning', undefined)).toBe(defaultPolicies.warning)
})
