import { isDeepStrictEqual } from 'node:util'
import { assembleChain, type Candidate, type Chain, namedIn, syntheticPolicy } from '../alerts/chain.js'
import type { EpochMs } from '../alerts/model.js'
import { type Policy, policyOf } from '../alerts/policy.js'
import type { CommunityCard, DirectorySource, PersonCard, ResidentCard } from '../db/directory.js'
import type { Clock } from '../kit/clock.js'
import type { Log } from '../kit/log.js'
import { createLoads, DirectoryUnavailable } from './directory-loads.js'
import type { ResidentCards } from './directory-residents.js'
import type { CardShelf } from './directory-shelf.js'

const roundMsMin = 60_000

export type People = ReturnType<typeof createPeople>

/** Who is called: the communities of the known residents, their people, and the operators. */
export function createPeople({
  source,
  shelf,
  residents,
  clock,
  log,
}: {
  source: DirectorySource
  shelf: CardShelf
  residents: ResidentCards
  clock: Clock
  log: Log
}) {
  const communities = new Map<string, CommunityCard>()
  /** null: the database says that there is nobody of this id who may be called. */
  const people = new Map<string, PersonCard | null>()
  let operatorIds: string[] = []
  let refreshedAt: EpochMs | undefined
  let triedAt = Number.NEGATIVE_INFINITY
  const epochNow = () => clock.now().getTime()
  /** Read once a card: it may be needed for each alarm of a storm. */
  const policies = new WeakMap<CommunityCard, Policy>()

  function emergencyPolicyOf(card: CommunityCard | undefined): Policy {
    if (!card) return policyOf('emergency', null)
    const known = policies.get(card)
    if (known) return known
    const policy = policyOf('emergency', card.emergencyPolicy)
    policies.set(card, policy)
    return policy
  }
  const staffOf = (card: CommunityCard): string[] => [
    ...card.shifts.map(({ staffId }) => staffId),
    ...card.supervisors,
    ...card.colleagues,
    ...namedIn(emergencyPolicyOf(card)),
  ]

  const communityLoads = createLoads({
    name: 'communities',
    load: (communityIds) => source.communities(communityIds, epochNow()),
    take: (communityIds, found: CommunityCard[]) => {
      const cards = new Map(found.map((card) => [card.communityId, card]))
      for (const communityId of communityIds) takeCommunity(communityId, cards.get(communityId))
      for (const card of found) for (const staffId of staffOf(card)) wantPerson(staffId)
    },
    epochNow,
    log,
  })
  const peopleLoads = createLoads({
    name: 'people',
    load: source.people,
    take: (staffIds, found: PersonCard[]) => {
      const cards = new Map(found.map((card) => [card.staffId, card]))
      for (const staffId of staffIds) takePerson(staffId, cards.get(staffId) ?? null)
    },
    epochNow,
    log,
  })
  const operatorLoads = createLoads({
    name: 'operators',
    load: () => source.operators(),
    take: (_, found: PersonCard[]) => {
      operatorIds = found.map(({ staffId }) => staffId)
      for (const card of found) takePerson(card.staffId, card)
    },
    epochNow,
    log,
  })

  function takeCommunity(communityId: string, card: CommunityCard | undefined) {
    if (!card) {
      if (communities.delete(communityId)) shelf.delete('community', communityId)
    } else if (!isDeepStrictEqual(communities.get(communityId), card)) {
      communities.set(communityId, card)
      shelf.put('community', communityId, card)
    }
  }
  function takePerson(staffId: string, card: PersonCard | null) {
    const old = people.get(staffId)
    if (old !== undefined && isDeepStrictEqual(old, card)) return
    people.set(staffId, card)
    if (card) shelf.put('person', staffId, card)
    else if (old) shelf.delete('person', staffId)
  }
  function wantPerson(staffId: string) {
    if (!people.has(staffId)) peopleLoads.askQuietly(staffId)
  }

  const operatorsKnown = (): string[] =>
    [...people].flatMap(([staffId, card]) => (card?.role === 'operator' ? staffId : []))

  /** All who are referred to, whether they are known or not. */
  function referred() {
    const communityIds = new Set<string>()
    const staffIds = new Set(operatorIds)
    for (const resident of residents.all()) {
      communityIds.add(resident.communityId)
      for (const staffId of staffFor(resident)) staffIds.add(staffId)
    }
    for (const communityId of communityIds) {
      const card = communities.get(communityId)
      if (card) for (const staffId of staffOf(card)) staffIds.add(staffId)
    }
    return { communityIds, staffIds }
  }

  function prune() {
    const { communityIds, staffIds } = referred()
    for (const communityId of communities.keys())
      if (!communityIds.has(communityId)) takeCommunity(communityId, undefined)
    for (const staffId of people.keys())
      if (!staffIds.has(staffId)) {
        takePerson(staffId, null)
        people.delete(staffId)
      }
  }

  async function refresh() {
    const now = epochNow()
    await operatorLoads.ask('all', 'whenever')
    await Promise.all([...referred().communityIds].map((id) => communityLoads.ask(id, 'whenever')))
    await Promise.all([...referred().staffIds].map((id) => peopleLoads.ask(id, 'whenever')))
    prune()
    refreshedAt = now
    shelf.put('directory', 'age', { refreshedAt: now })
  }

  return {
    /** Residents came along: whom they refer to must be known before the database goes away. */
    meet: (met: ResidentCard[]) => {
      for (const resident of met) {
        if (!communities.has(resident.communityId)) communityLoads.askQuietly(resident.communityId)
        for (const staffId of staffFor(resident)) wantPerson(staffId)
      }
    },
    /** Asks for all of them anew when that was last done, or tried, 60 s ago. */
    refreshIfDue: async (): Promise<void> => {
      const now = epochNow()
      if (now >= triedAt && now - triedAt < roundMsMin) return
      triedAt = now
      await refresh().catch((error: unknown) => {
        // Tried again at the next look; the loads themselves rest after a failure.
        triedAt = Number.NEGATIVE_INFINITY
        if (!(error instanceof DirectoryUnavailable)) throw error
      })
    },
    /** As `loadChain` with everybody, from what is known. */
    chainOf: (residentId: string, now: EpochMs): Chain => {
      const resident = residents.get(residentId)
      const community = resident && communities.get(resident.communityId)
      const policy = resident?.synthetic ? syntheticPolicy : emergencyPolicyOf(community)
      const candidates: Candidate[] = []
      const add = (role: Candidate['role'], staffIds: Iterable<string>) => {
        for (const staffId of staffIds) {
          const card = people.get(staffId)
          if (!card) continue
          const channels = card.channels.map(({ position, kind }) => ({ position, kind }))
          candidates.push({ role, person: { staffId, channels } })
        }
      }
      if (resident) {
        if (resident.responsibleStaffId !== null) add('responsible', [resident.responsibleStaffId])
        add('neighbour', resident.volunteers)
        add('family', resident.family)
      }
      for (const { staffId, startsAt, endsAt } of community?.shifts ?? [])
        if (startsAt <= now && now < endsAt) add('on duty', [staffId])
      add('supervisor', community?.supervisors ?? [])
      add('named', namedIn(policy))
      if (!resident?.synthetic) {
        add('everybody', community?.colleagues ?? [])
        if (!candidates.some(({ role, person }) => role === 'everybody' && person.channels.length > 0))
          add('operator', operatorsKnown())
      }
      return assembleChain(policy, candidates)
    },
    personOf: (staffId: string): PersonCard | undefined => people.get(staffId) ?? undefined,
    operators: (): PersonCard[] => operatorsKnown().map((staffId) => people.get(staffId)!),
    /** When communities and people were last known to be up to date; undefined: never. */
    refreshedAt: () => refreshedAt,
    restoreCommunity: (card: CommunityCard) => void communities.set(card.communityId, card),
    restorePerson: (card: PersonCard) => void people.set(card.staffId, card),
    restoreAge: (age: { refreshedAt: EpochMs }) => {
      refreshedAt = age.refreshedAt
    },
    stop: () => {
      for (const loads of [communityLoads, peopleLoads, operatorLoads]) loads.stop()
    },
  }
}

/** Whom a resident brings along. */
const staffFor = ({ responsibleStaffId, volunteers, family }: ResidentCard): string[] => [
  ...(responsibleStaffId === null ? [] : [responsibleStaffId]),
  ...volunteers,
  ...family,
]
