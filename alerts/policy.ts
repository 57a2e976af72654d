import { z } from 'zod'
import type { Severity, Stage } from './model.js'

/**
 * Who is told when, as a community decides it for each severity. Pure: what is stored as JSON, checked when it is written
 * and read with the defaults behind it.
 */
export const targetRoles = ['responsible', 'on duty', 'supervisor', 'neighbour', 'everybody'] as const
export type TargetRole = (typeof targetRoles)[number]
/** A role, or one person by name. */
export type Target = TargetRole | { staffId: string }

/** `not resolved`: the step is taken as long as the alert is not closed, though somebody has acknowledged it. */
export const conditions = ['not acknowledged', 'not resolved'] as const
export type Condition = (typeof conditions)[number]

export type PolicyStep = {
  /** Counted from the round's beginning. */
  afterSeconds: number
  to: Target[]
  /** All of a person's channels at once, the first (with fall-over), or those of these kinds (the first where there is none). */
  channels: 'all' | 'first' | string[]
  /** The family is told with this step, as far as the resident allows it. */
  family: boolean
  condition: Condition
}
export type TakenStage = Exclude<Stage, 'open' | 'closed'>
export type Policy = {
  steps: PolicyStep[]
  /** From the last step of a round to the first of the next. */
  repeatAfterSeconds: number
  /** How often the whole chain is walked; null: for ever. */
  roundsMax: number | null
  /** An alert that stays longer in a stage goes up the chain again; null: it may stay. */
  stageSecondsMax: Record<TakenStage, number | null>
}
export type PagedSeverity = Exclude<Severity, 'notice'>
export const pagedSeverities = ['emergency', 'urgent', 'warning'] as const satisfies PagedSeverity[]

const minute = 60
const hour = 60 * minute
const day = 24 * hour

const step = (afterSeconds: number, to: Target[], channels: 'all' | 'first', family = false): PolicyStep => ({
  afterSeconds,
  to,
  channels,
  family,
  condition: 'not acknowledged',
})

export const defaultPolicies: Record<PagedSeverity, Policy> = {
  emergency: {
    steps: [
      step(0, ['responsible'], 'all'),
      step(1 * minute, ['on duty', 'neighbour'], 'all'),
      step(3 * minute, ['supervisor'], 'all', true),
    ],
    repeatAfterSeconds: 3 * minute,
    roundsMax: null,
    stageSecondsMax: { acknowledged: 2 * minute, en_route: 10 * minute, arrived: 45 * minute },
  },
  urgent: {
    steps: [
      step(0, ['responsible'], 'first'),
      step(15 * minute, ['on duty'], 'first'),
      step(30 * minute, ['supervisor'], 'first'),
    ],
    repeatAfterSeconds: 30 * minute,
    roundsMax: null,
    stageSecondsMax: { acknowledged: 30 * minute, en_route: 1 * hour, arrived: 2 * hour },
  },
  warning: {
    steps: [
      step(0, ['responsible'], 'first'),
      step(1 * hour, ['on duty'], 'first'),
      step(2 * hour, ['supervisor'], 'first'),
    ],
    repeatAfterSeconds: 4 * hour,
    roundsMax: null,
    stageSecondsMax: { acknowledged: day, en_route: day, arrived: day },
  },
}

export const policyStepsMax = 12
const targetsMax = 20
/** An emergency that nobody has acknowledged moves on after this at the latest. */
export const emergencyPauseSecondsMax = 5 * minute
const pauseSecondsMax = 2 * day

const targetSchema = z.union([z.enum(targetRoles), z.strictObject({ staffId: z.string().min(1).max(100) })])
const stepSchema = z.strictObject({
  afterSeconds: z
    .int()
    .min(0)
    .max(7 * day),
  to: z.array(targetSchema).min(1).max(targetsMax),
  channels: z.union([z.enum(['all', 'first']), z.array(z.string().min(1).max(40)).min(1).max(10)]),
  family: z.boolean(),
  condition: z.enum(conditions),
})
const stageMax = z
  .int()
  .min(1 * minute)
  .max(7 * day)
const shapeSchema = z.strictObject({
  steps: z.array(stepSchema).min(1).max(policyStepsMax),
  repeatAfterSeconds: z
    .int()
    .min(1 * minute)
    .max(pauseSecondsMax),
  roundsMax: z.int().min(1).max(100).nullable(),
  stageSecondsMax: z.strictObject({
    acknowledged: stageMax.nullable(),
    en_route: stageMax.nullable(),
    arrived: stageMax.nullable(),
  }),
})

/** Why a policy is refused: for a page to say in its language. */
export type PolicyProblem =
  | 'shape'
  | 'the first step is not at once'
  | 'steps out of order'
  | 'nobody is told before it is acknowledged'
  | 'pause too long for an emergency'
  | 'emergency ends'
  | 'stage without end'
  | 'stage too long for an emergency'

/** How long an emergency may stay with the one who took it: acknowledged, on the way, at the door. */
export const emergencyStageSecondsMax: Record<TakenStage, number> = {
  acknowledged: 15 * minute,
  en_route: 1 * hour,
  arrived: 4 * hour,
}

/** A policy as it may be stored for alerts of this severity, or what is wrong with it. */
export function checkPolicy(severity: PagedSeverity, value: unknown): Policy | { problem: PolicyProblem } {
  const parsed = shapeSchema.safeParse(value)
  if (!parsed.success) return { problem: 'shape' }
  const policy = parsed.data as Policy
  const { steps, stageSecondsMax } = policy
  if (steps[0]!.afterSeconds !== 0) return { problem: 'the first step is not at once' }
  const pauses = steps.slice(1).map(({ afterSeconds }, i) => afterSeconds - steps[i]!.afterSeconds)
  // Two steps at one time are one step with more people.
  if (pauses.some((pause) => pause <= 0)) return { problem: 'steps out of order' }
  if (!steps.some(({ condition }) => condition === 'not acknowledged'))
    return { problem: 'nobody is told before it is acknowledged' }
  if (severity !== 'emergency') return policy
  if ([...pauses, policy.repeatAfterSeconds].some((pause) => pause > emergencyPauseSecondsMax))
    return { problem: 'pause too long for an emergency' }
  if (policy.roundsMax !== null) return { problem: 'emergency ends' }
  for (const stage of ['acknowledged', 'en_route', 'arrived'] as const) {
    const seconds = stageSecondsMax[stage]
    if (seconds === null) return { problem: 'stage without end' }
    if (seconds > emergencyStageSecondsMax[stage]) return { problem: 'stage too long for an emergency' }
  }
  return policy
}

/** The policy that stands: what is stored, or the default where nothing is, or nothing that could be followed. */
export function policyOf(severity: PagedSeverity, stored: unknown): Policy {
  if (stored === null || stored === undefined) return defaultPolicies[severity]
  const policy = checkPolicy(severity, stored)
  return 'problem' in policy ? defaultPolicies[severity] : policy
}
