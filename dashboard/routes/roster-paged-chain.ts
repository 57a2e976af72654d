import { advance, begin, type ChainRole, type Happened, type Move, type PageIntent } from '../../alerts/escalation.js'
import type { EpochMs } from '../../alerts/model.js'
import { type PagedSeverity, pagedSeverities, policyStepsMax } from '../../alerts/policy.js'
import { loadChain } from '../../db/chain.js'
import type { Queryable } from '../../db/pool.js'

/** Who would be told at one moment: each person once, with the kinds of their channels in order. */
export type PagedStep = {
  at: EpochMs
  people: { staffId: string; role: ChainRole; channels: string[]; informs: boolean }[]
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

/**
 * The chains of a resident for an alert that opens at `at` and that nobody acknowledges: walked as the alerts process
 * walks them, each step with the people, the roster and the channels of its own moment.
 */
export function pagedAt(db: Queryable, p: { residentId: string; at: EpochMs }): Promise<PagedChain[]> {
  return Promise.all(pagedSeverities.map((severity) => walkOnce(db, { ...p, severity })))
}

async function walkOnce(
  db: Queryable,
  { residentId, at, severity }: { residentId: string; at: EpochMs; severity: PagedSeverity },
): Promise<PagedChain> {
  const chainAt = (now: EpochMs) => loadChain(db, { residentId, severity, now: new Date(now) })
  const steps: PagedStep[] = []
  const told: string[] = []
  let now = at
  let move: Move = begin(severity, await chainAt(now), now)
  for (let look = 0; look < looksMax; look++) {
    if (move.round > 0) return { severity, steps, againAt: now, happened: 'told' }
    if (move.pages.length > 0) steps.push({ at: now, people: peopleOf(move.pages) })
    told.push(...move.pages.map(({ staffId }) => staffId))
    if (move.dueAt === null || move.happened === 'nobody to tell' || move.happened === 'quiet hours')
      return { severity, steps, againAt: null, happened: move.happened }
    now = move.dueAt
    const { stage, step, round, roundAt, stageAt } = move
    move = advance({ severity, stage, step, round, roundAt, stageAt, told }, await chainAt(now), now)
  }
  return { severity, steps, againAt: null, happened: 'nothing' }
}

function peopleOf(pages: PageIntent[]): PagedStep['people'] {
  const people = new Map<string, PagedStep['people'][number]>()
  for (const { staffId, role, channel, informs } of pages) {
    const person = people.get(staffId) ?? { staffId, role, channels: [], informs }
    person.channels.push(channel)
    people.set(staffId, person)
  }
  return [...people.values()]
}
