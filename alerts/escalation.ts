import type { EpochMs, Severity, Stage } from './model.js'

/**
 * Who is told when. Pure: the chain and the time are arguments, what to do next comes back as data.
 */
export type Person = { staffId: string; channels: { position: number; kind: string }[] }
export type ChainRole = 'responsible' | 'on duty' | 'supervisor'
export type Chain = { role: ChainRole; people: Person[] }[]

export type Policy = {
  /** When step 1, 2, 3 … of a round are taken, counted from the round's beginning. */
  stepAfterMs: number[]
  /** The pause between the last step of a round and the first of the next. */
  roundPauseMs: number
  /** An acknowledged alert that nobody moved on or closed comes back after this. */
  returnAfterMs: number | null
  /** Emergencies use all of a person's channels at once, the others the first one, with fall-over. */
  allChannels: boolean
}

const second = 1_000
const minute = 60 * second
const hour = 60 * minute

export const policies: Record<Severity, Policy | null> = {
  emergency: {
    stepAfterMs: [0, 60 * second, 180 * second],
    roundPauseMs: 180 * second,
    returnAfterMs: 30 * minute,
    allChannels: true,
  },
  urgent: {
    stepAfterMs: [0, 15 * minute, 30 * minute],
    roundPauseMs: 30 * minute,
    returnAfterMs: 2 * hour,
    allChannels: false,
  },
  warning: {
    stepAfterMs: [0, 1 * hour, 2 * hour],
    roundPauseMs: 4 * hour,
    returnAfterMs: 24 * hour,
    allChannels: false,
  },
  // Shown on the console; nobody is woken for a battery.
  notice: null,
}

/** `told`: the staff who were told in this round already. */
export type EscalationState = { severity: Severity; stage: Stage; step: number; round: number; told: readonly string[] }
export type PageIntent = { staffId: string; channel: string; position: number; role: ChainRole }
export type Move = {
  stage: Stage
  step: number
  round: number
  dueAt: EpochMs | null
  pages: PageIntent[]
  happened: 'told' | 'returned' | 'nobody to tell' | 'nothing'
}

/** The first move of an alert that opens at `now`. */
export function begin(severity: Severity, chain: Chain, now: EpochMs): Move {
  if (!policies[severity]) return { stage: 'open', step: 0, round: 0, dueAt: null, pages: [], happened: 'nothing' }
  return walk({ severity, stage: 'open', step: 0, round: 0, told: [] }, chain, now)
}

/** The next move of an alert whose due time has come. */
export function advance(state: EscalationState, chain: Chain, now: EpochMs): Move {
  if (state.stage === 'closed' || !policies[state.severity])
    return { stage: state.stage, step: state.step, round: state.round, dueAt: null, pages: [], happened: 'nothing' }
  if (state.stage !== 'open')
    return {
      ...walk({ ...state, stage: 'open', step: 0, round: state.round + 1, told: [] }, chain, now),
      happened: 'returned',
    }
  return walk(state, chain, now)
}

/**
 * Takes the next step at which somebody can be told who was not told in this round; steps with nobody cost no time.
 * After the last step comes the next round, for ever. When the whole chain is empty, it is tried again after
 * the pause between rounds, at most a minute for an emergency.
 */
function walk(state: EscalationState, chain: Chain, now: EpochMs): Move {
  const policy = policies[state.severity]!
  let { step, round, told } = state
  for (let tried = 0; tried <= chain.length; tried++) {
    if (step >= chain.length) {
      step = 0
      round += 1
      told = []
    }
    const { role, people } = chain[step] ?? { role: 'responsible' as const, people: [] }
    step += 1
    const pages = people
      .filter(({ staffId }) => !told.includes(staffId))
      .flatMap(({ staffId, channels }) =>
        channels
          .slice(0, policy.allChannels ? undefined : 1)
          .map(({ position, kind }) => ({ staffId, channel: kind, position, role })),
      )
    if (pages.length > 0)
      return {
        stage: 'open',
        step,
        round,
        dueAt: now + pauseAfter(policy, step, chain.length),
        pages,
        happened: 'told',
      }
  }
  const retryMs = Math.min(policy.roundPauseMs, state.severity === 'emergency' ? minute : policy.roundPauseMs)
  return { stage: 'open', step: chain.length, round, dueAt: now + retryMs, pages: [], happened: 'nobody to tell' }
}

/** From taking `step` (1, 2, …) to taking the one after it. */
function pauseAfter(policy: Policy, step: number, steps: number): number {
  const from = policy.stepAfterMs[step - 1]
  const to = policy.stepAfterMs[step]
  return step >= steps || from === undefined || to === undefined ? policy.roundPauseMs : to - from
}
