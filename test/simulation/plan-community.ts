import { type PagedSeverity, type Policy, pagedSeverities } from '../../alerts/policy.js'
import { randomPolicy } from '../../alerts/policy-testkit.js'
import { chance, seededRandom, whole } from '../../simulators/random.js'

/** Who looks after the homes, with their channels in their own order; Emil has none. */
export const people = [
  { id: 'anna', role: 'social_worker', channels: ['webhook', 'email'] },
  { id: 'bo', role: 'social_worker', channels: ['webhook'] },
  { id: 'chen', role: 'social_worker', channels: ['email', 'webhook'] },
  { id: 'dora', role: 'supervisor', channels: ['webhook', 'email'] },
  { id: 'emil', role: 'social_worker', channels: [] },
  { id: 'fay', role: 'volunteer', channels: ['webhook', 'email'] },
  { id: 'gao', role: 'family', channels: ['email'] },
] as const

/** What the seed has in store for those who are told. */
export type CommunityPlan = {
  /** Null: the default stands. */
  policies: Record<PagedSeverity, Policy | null>
  /** By staff id; the hours of the community's own zone. */
  quiet: Record<string, { from: number; until: number }>
  /** The homes to which Fay agreed to go, by index, and the one whose family is told. */
  volunteerAt: number[]
  familyAt: number | null
}

export function planCommunity({ seed, homes }: { seed: number; homes: number }): CommunityPlan {
  const random = seededRandom(seed, 'community')
  const named = people.map(({ id }) => id)
  const policyOf = (severity: PagedSeverity) =>
    chance(random, 0.4) ? null : randomPolicy(random, { severity, named, kinds: ['webhook', 'email'] })
  return {
    policies: Object.fromEntries(pagedSeverities.map((severity) => [severity, policyOf(severity)])) as Record<
      PagedSeverity,
      Policy | null
    >,
    quiet: Object.fromEntries(
      named
        .filter(() => chance(random, 0.3))
        .map((id) => [id, { from: whole(random, 19, 23), until: whole(random, 4, 9) }]),
    ),
    volunteerAt: Array.from({ length: homes }, (_, index) => index).filter(() => chance(random, 0.4)),
    familyAt: chance(random, 0.6) ? whole(random, 0, homes - 1) : null,
  }
}
