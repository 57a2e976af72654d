import type { EpochMs } from './model.js'
import { defaultPolicies, type PagedSeverity, type Policy, type Target, type TargetRole } from './policy.js'

/** In which capacity somebody is told. `handler`: who had taken the alert before it came back. */
export type ChainRole = TargetRole | 'named' | 'handler' | 'family' | 'last resort'

/** How a person is reached; `channels` in the order in which they are tried. */
export type Person = {
  staffId: string
  channels: { position: number; kind: string }[]
  /** Only emergencies are told before then; null or left out: no quiet hours now. */
  quietUntil?: EpochMs | null
}
export type Member = Person & { role: ChainRole }
/** The people of a step of the policy at one moment. */
export type ChainStep = { people: Member[]; family: Member[] }
/** A policy with its people: `steps` one for one those of the policy. */
export type Chain = {
  policy: Policy
  steps: ChainStep[]
  /** Who is told of an emergency when the chain holds nobody who can be reached. */
  lastResort: Member[]
}

export type Candidate = { role: TargetRole | 'named' | 'family' | 'operator'; person: Person }

/** Each once, in an order that no collation decides. */
function once(members: Member[]): Member[] {
  const byId = new Map<string, Member>()
  for (const member of members) if (!byId.has(member.staffId)) byId.set(member.staffId, member)
  return [...byId.values()].sort((a, b) => (a.staffId < b.staffId ? -1 : 1))
}

const canBeTold = ({ channels }: Person) => channels.length > 0

/**
 * The chain of a policy, of the people who may be told now. Who has no channel cannot be told and is left out.
 * The last resort is the whole community; where that is nobody either, the operators.
 */
export function assembleChain(policy: Policy, candidates: readonly Candidate[]): Chain {
  const onDuty = new Set(candidates.flatMap(({ role, person }) => (role === 'on duty' ? person.staffId : [])))
  // Who is on duty is awake, in whatever capacity they are told.
  const wakeful = ({ role, person }: Candidate): Candidate =>
    person.quietUntil && onDuty.has(person.staffId)
      ? { role, person: { ...person, quietUntil: null } }
      : { role, person }
  const reachable = candidates.filter(({ person }) => canBeTold(person)).map(wakeful)
  const ofRole = (role: Candidate['role'], as: ChainRole): Member[] =>
    reachable.filter((each) => each.role === role).map(({ person }) => ({ ...person, role: as }))
  const ofTarget = (target: Target): Member[] =>
    typeof target === 'string'
      ? ofRole(target, target)
      : reachable
          .filter(({ person }) => person.staffId === target.staffId)
          .slice(0, 1)
          .map(({ person }) => ({ ...person, role: 'named' }))
  const family = once(ofRole('family', 'family'))
  const everybody = once(ofRole('everybody', 'last resort'))
  return {
    policy,
    steps: policy.steps.map((step) => ({
      people: once(step.to.flatMap(ofTarget)),
      family: step.family ? family : [],
    })),
    lastResort: everybody.length > 0 ? everybody : once(ofRole('operator', 'last resort')),
  }
}

/** True where everybody of the community and the operators have to be known: the chain itself reaches nobody, or names all. */
export const needsEverybody = (chain: Chain): boolean =>
  chain.steps.every(({ people }) => people.length === 0) ||
  chain.policy.steps.some(({ to }) => to.includes('everybody'))

/** Whom a policy names. */
export const namedIn = ({ steps }: Policy): string[] =>
  steps.flatMap(({ to }) => to.flatMap((target) => (typeof target === 'string' ? [] : target.staffId)))

/** The chain of a resident who is made up by Shouwang itself: its watcher, once. */
export const syntheticPolicy: Policy = {
  steps: [{ ...defaultPolicies.emergency.steps[0]!, to: ['responsible'] }],
  repeatAfterSeconds: 3_600,
  roundsMax: 1,
  stageSecondsMax: { acknowledged: null, en_route: null, arrived: null },
}

export const isPaged = (severity: string): severity is PagedSeverity => severity !== 'notice'
