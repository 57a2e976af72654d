import type { Chain, ChainRole, Member } from './chain.js'
import { isPaged } from './chain.js'
import type { EpochMs, Severity, Stage } from './model.js'
import type { Condition, Policy, PolicyStep } from './policy.js'

export type { Chain, ChainRole, Person } from './chain.js'

/**
 * Who is told when. Pure: the chain and the time are arguments, what to do next comes back as data.
 */

/** An alert in its chain. Times in epoch ms. */
export type EscalationState = {
  severity: Severity
  stage: Stage
  /** The step taken last in this round (0: none), and how often the chain was walked before. */
  step: number
  round: number
  /** When this round began, and when this stage was entered. */
  roundAt: EpochMs
  stageAt: EpochMs
  /** The staff who were told in this round already. */
  told: readonly string[]
  /** Who has taken it, as they are reached now. */
  handler?: Member | null
  /** No page of this alert has got through, and none is under way. */
  unreached?: boolean
}
export type PageIntent = {
  staffId: string
  channel: string
  position: number
  role: ChainRole
  condition: Condition
  /** It only tells: nobody is asked to come. */
  informs: boolean
}
export type Happened = 'told' | 'returned' | 'nobody to tell' | 'quiet hours' | 'chain ended' | 'nothing'
export type Move = {
  stage: Stage
  step: number
  round: number
  roundAt: EpochMs
  stageAt: EpochMs
  dueAt: EpochMs | null
  pages: PageIntent[]
  happened: Happened
}

const second = 1_000
const minute = 60 * second

/** The first move of an alert that opens at `now`. */
export function begin(severity: Severity, chain: Chain | null, now: EpochMs): Move {
  const state: EscalationState = { severity, stage: 'open', step: 0, round: 0, roundAt: now, stageAt: now, told: [] }
  return chain ? walk(state, chain, now) : stay(state, null)
}

/** The first move of an alert about which the home is asked until `askUntil`: then its first round begins. */
export function beginAsking(askUntil: EpochMs, now: EpochMs): Move {
  const place = { stage: 'open' as const, step: 0, round: 0, roundAt: askUntil, stageAt: now }
  return { ...place, dueAt: askUntil, pages: [], happened: 'nothing' }
}

/** The next move of an alert whose due time has come; null for the chain where nobody is told of its severity. */
export function advance(state: EscalationState, chain: Chain | null, now: EpochMs): Move {
  if (state.stage === 'closed' || !chain || !isPaged(state.severity)) return stay(state, null)
  if (state.stage === 'open') return walk(state, chain, now)
  const returnsAt = stageEndsAt(state, chain.policy)
  if (returnsAt !== null && returnsAt <= now) return comeBack(state, chain, now)
  return tellOfTaken(state, chain, now)
}

/**
 * When an alert that somebody has taken is due again: its stage lasts too long, or a step comes that is taken until it is
 * resolved; null: never.
 */
export function takenDueAt(
  state: Pick<EscalationState, 'stage' | 'step' | 'roundAt' | 'stageAt'>,
  policy: Policy,
): EpochMs | null {
  const index = nextUnresolved(policy, state.step)
  const times = [
    stageEndsAt(state, policy),
    index === null ? null : state.roundAt + policy.steps[index]!.afterSeconds * second,
  ].filter((at) => at !== null)
  return times.length > 0 ? Math.min(...times) : null
}

const stay = (state: EscalationState, dueAt: EpochMs | null): Move => {
  const { stage, step, round, roundAt, stageAt } = state
  return { stage, step, round, roundAt, stageAt, dueAt, pages: [], happened: 'nothing' }
}

function stageEndsAt({ stage, stageAt }: Pick<EscalationState, 'stage' | 'stageAt'>, policy: Policy): EpochMs | null {
  if (stage === 'open' || stage === 'closed') return null
  const seconds = policy.stageSecondsMax[stage]
  return seconds === null ? null : stageAt + seconds * second
}

/** The index of the next step that is taken though somebody has acknowledged. */
function nextUnresolved({ steps }: Policy, from: number): number | null {
  const index = steps.findIndex(({ condition }, i) => i >= from && condition === 'not resolved')
  return index === -1 ? null : index
}

/** A stage took too long: the whole chain again, first of all the one who has it. */
function comeBack(state: EscalationState, chain: Chain, now: EpochMs): Move {
  const round = state.round + 1
  const fresh = { ...state, stage: 'open' as const, step: 0, round, roundAt: now, stageAt: now, told: [] }
  const move = walk(fresh, chain, now)
  const { handler } = state
  const reminded =
    handler && !move.pages.some(({ staffId }) => staffId === handler.staffId)
      ? pagesOf(awake([{ ...handler, role: 'handler' }], state.severity, now), chain.policy.steps[0]!, state.severity)
      : []
  return { ...move, pages: [...reminded, ...move.pages], happened: 'returned' }
}

/** Steps that are taken until it is resolved, while somebody has it. That person is not told. */
function tellOfTaken(state: EscalationState, chain: Chain, now: EpochMs): Move {
  const { policy, steps } = chain
  let { step } = state
  for (let index = nextUnresolved(policy, step); index !== null; index = nextUnresolved(policy, step)) {
    if (state.roundAt + policy.steps[index]!.afterSeconds * second > now) break
    step = index + 1
    const { people, family } = steps[index]!
    const told = [...people, ...family].filter(({ staffId }) => staffId !== state.handler?.staffId)
    const pages = pagesOf(awake(told, state.severity, now), policy.steps[index]!, state.severity)
    if (pages.length > 0)
      return { ...stay({ ...state, step }, takenDueAt({ ...state, step }, policy)), pages, happened: 'told' }
  }
  return stay({ ...state, step }, takenDueAt({ ...state, step }, policy))
}

/**
 * Takes the next step at which somebody can be told who was not told in this round; steps with nobody cost no time, and
 * the family of such a step is told with the next one. After the last step comes the next round, for an emergency for ever.
 * An emergency whose chain holds nobody, or reached nobody, goes to the last resort; where there is none either, it is
 * looked again each minute. What is no emergency spares people in their quiet hours: a colleague who is awake comes first.
 */
function walk(state: EscalationState, chain: Chain, now: EpochMs): Move {
  const { policy, steps } = chain
  const { severity } = state
  const isEmergency = severity === 'emergency'
  const repeatMs = policy.repeatAfterSeconds * second
  let { step, round, roundAt, told } = state
  const family: Member[] = []
  const quiet: EpochMs[] = []
  const rest = (dueAt: EpochMs | null, happened: Happened): Move => ({
    ...stay({ ...state, step, round, roundAt }, dueAt),
    happened,
  })
  const take = (members: Member[], index: number): Move | undefined => {
    const rule = policy.steps[index]!
    const pages = pagesOf(members, rule, severity)
    if (pages.length === 0) return undefined
    const withFamily = [...pages, ...pagesOf(awake(freshOnly(family, told), severity, now), rule, severity)]
    return { ...rest(now + pauseAfter(policy, step), 'told'), pages: withFamily }
  }
  const lastResort = () => take(freshOnly(chain.lastResort, told), steps.length - 1)

  // What is left of this round, and the whole of the next.
  for (let tried = 0; tried <= 2 * steps.length; tried++) {
    if (step >= steps.length) {
      if (isEmergency && state.unreached) {
        const move = lastResort()
        if (move) return move
      }
      // Those who sleep are woken before a round is over.
      if (severity === 'urgent' && told.length > 0 && quiet.length > 0) break
      const isLast = policy.roundsMax !== null && round + 1 >= policy.roundsMax
      if (isLast && told.length > 0) return rest(null, 'chain ended')
      // The rest of the round holds nobody: who was told already is not told more often for that.
      if (tried > 0 && told.length > 0 && !isEmergency) return rest(now + repeatMs, 'nothing')
      step = 0
      // A round in which nobody could be told counts as none.
      round = told.length > 0 ? round + 1 : round
      roundAt = now
      told = []
    }
    const index = step
    const { people, family: alsoFamily } = steps[index]!
    step += 1
    if (tried < steps.length) family.push(...alsoFamily.filter((one) => !family.includes(one)))
    const members = freshOnly(people, told)
    const move = take(awake(members, severity, now), index)
    if (move) return move
    for (const { quietUntil } of members) if (quietUntil && quietUntil > now) quiet.push(quietUntil)
  }
  step = steps.length
  told = []
  if (isEmergency) return lastResort() ?? rest(now + Math.min(repeatMs, minute), 'nobody to tell')
  if (quiet.length === 0) return rest(now + repeatMs, 'nobody to tell')
  // Somebody silent for too long is not left until the morning because everybody sleeps.
  if (severity === 'urgent') return walk(state, wakeAll(chain), now)
  return { ...stay(state, Math.min(...quiet)), happened: 'quiet hours' }
}

const freshOnly = (members: Member[], told: readonly string[]) =>
  members.filter(({ staffId }) => !told.includes(staffId))

/** Who is on duty is awake; an emergency wakes everybody. */
const awake = (members: Member[], severity: Severity, now: EpochMs): Member[] =>
  severity === 'emergency'
    ? members
    : members.filter(({ role, quietUntil }) => role === 'on duty' || !quietUntil || quietUntil <= now)

const wakeAll = (chain: Chain): Chain => ({
  ...chain,
  steps: chain.steps.map(({ people, family }) => ({
    people: people.map((member) => ({ ...member, quietUntil: null })),
    family,
  })),
})

function pagesOf(members: Member[], { channels, condition }: PolicyStep, severity: Severity): PageIntent[] {
  return members.flatMap((member) =>
    channelsOf(member, channels).map(({ position, kind }) => ({
      staffId: member.staffId,
      channel: kind,
      position,
      role: member.role,
      // What the last resort and a returned alert tell is asked for, whatever the step is about.
      condition: severity === 'emergency' && member.role === 'last resort' ? 'not acknowledged' : condition,
      informs: member.role === 'family',
    })),
  )
}

function channelsOf({ channels }: Member, wanted: PolicyStep['channels']): Member['channels'] {
  if (wanted === 'all') return channels
  const chosen = wanted === 'first' ? [] : channels.filter(({ kind }) => wanted.includes(kind))
  return chosen.length > 0 ? chosen : channels.slice(0, 1)
}

/** From taking `step` (1, 2, …) to taking the one after it. */
function pauseAfter({ steps, repeatAfterSeconds }: Policy, step: number): number {
  const from = steps[step - 1]
  const to = steps[step]
  return (from && to ? to.afterSeconds - from.afterSeconds : repeatAfterSeconds) * second
}
