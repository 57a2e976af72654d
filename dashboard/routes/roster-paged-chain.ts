import type { Chain } from '../../alerts/chain.js'
import { advance, begin, type ChainRole, type Happened, type Move, type PageIntent } from '../../alerts/escalation.js'
import type { EpochMs } from '../../alerts/model.js'
import { type PagedSeverity, pagedSeverities, policyStepsMax } from '../../alerts/policy.js'
import { loadChain } from '../../db/chain.js'
import type { Queryable } from '../../db/pool.js'

export type PagedPerson = { staffId: string; role: ChainRole; channels: PagedChannel[]; informs: boolean }
/** `usable`: this server has been set up for channels of that kind. */
export type PagedChannel = { kind: string; usable: boolean }
/** Who would be told at one moment: each person once, with the kinds of their channels in order. */
export type PagedStep = {
  at: EpochMs
  people: PagedPerson[]
}
export type PagedChain = {
  severity: PagedSeverity
  steps: PagedStep[]
  /** When the whole chain would begin again; null: it ends. */
  againAt: EpochMs | null
  /** What the last look came to, where nobody was told. */
  happened: Happened
}

/** Steps that tell nobody count too, as a look each minute does. */
const looksMax = policyStepsMax + 4

type Asked = {
  residentId: string
  at: EpochMs
  /** The kinds of channels that this server has. */
  usable: readonly string[]
}

/** Whether anything would reach this person. */
export const isReached = ({ channels }: PagedPerson): boolean => channels.some(({ usable }) => usable)

/**
 * The chains of a resident for an alert that opens at `at` and that nobody acknowledges: walked as the alerts process
 * walks them, each step with the people, the roster and the channels of its own moment.
 */
export function pagedAt(db: Queryable, p: Asked): Promise<PagedChain[]> {
  return Promise.all(pagedSeverities.map((severity) => walkOnce(db, { ...p, severity })))
}

async function walkOnce(
  db: Queryable,
  { residentId, at, usable, severity }: Asked & { severity: PagedSeverity },
): Promise<PagedChain> {
  const chainAt = (now: EpochMs) => loadChain(db, { residentId, severity, now: new Date(now) })
  const steps: PagedStep[] = []
  const told: string[] = []
  let now = at
  let chain = await chainAt(now)
  let move: Move = begin(severity, chain, now)
  for (let look = 0; look < looksMax; look++) {
    if (move.round > 0) return { severity, steps, againAt: now, happened: 'told' }
    if (move.pages.length > 0) steps.push({ at: now, people: peopleOf(move.pages, chain, usable) })
    told.push(...move.pages.map(({ staffId }) => staffId))
    if (move.dueAt === null || move.happened === 'nobody to tell' || move.happened === 'quiet hours')
      return { severity, steps, againAt: null, happened: move.happened }
    now = move.dueAt
    const { stage, step, round, roundAt, stageAt } = move
    chain = await chainAt(now)
    move = advance({ severity, stage, step, round, roundAt, stageAt, told }, chain, now)
  }
  return { severity, steps, againAt: null, happened: 'nothing' }
}

/** Where no channel of the step can be used, the person's next one takes over, as when sending fails. */
function peopleOf(pages: PageIntent[], chain: Chain | null, usable: readonly string[]): PagedStep['people'] {
  const people = new Map<string, PagedPerson>()
  for (const { staffId, role, channel, informs } of pages) {
    const person = people.get(staffId) ?? { staffId, role, channels: [], informs }
    person.channels.push({ kind: channel, usable: usable.includes(channel) })
    people.set(staffId, person)
  }
  const members = [
    ...(chain?.steps.flatMap((step) => [...step.people, ...step.family]) ?? []),
    ...(chain?.lastResort ?? []),
  ]
  for (const person of people.values()) {
    if (isReached(person)) continue
    const own = members.find(({ staffId }) => staffId === person.staffId)?.channels ?? []
    const next = own.find(({ kind }) => usable.includes(kind))
    if (next) person.channels.push({ kind: next.kind, usable: true })
  }
  return [...people.values()]
}
