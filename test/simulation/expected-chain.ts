import type { EpochMs } from '../../alerts/model.js'
import type { PagedSeverity, Policy } from '../../alerts/policy.js'
import type { Station } from './history.js'
import { secondMs } from './plan.js'

/** How far a chain was walked: the step taken last in this round, and who was told in it. */
export type Walked = { round: number; step: number; told: ReadonlySet<string> }

/** What has to come next. `crossed`: a round begins with it. */
export type Expected =
  | {
      kind: 'told'
      round: number
      step: number
      staff: string[]
      family: string[]
      lastResort: boolean
      crossed: boolean
    }
  /** Nobody is told; it is looked at again then. */
  | { kind: 'silent'; at: EpochMs; after: Walked }
  | { kind: 'ended' }

export type Case = { severity: PagedSeverity; policy: Policy; station: Station; walked: Walked; now: EpochMs }

const nobody: ReadonlySet<string> = new Set()

/** What escalation has to do with an open alert that is looked at now, written down once more. */
export function expectedOf(one: Case, wakesAll = false): Expected {
  const { severity, policy, station, walked, now } = one
  const { steps } = policy
  const isEmergency = severity === 'emergency'
  const isAwake = (id: string) => isEmergency || station.wakesAt(id) === null
  const sleepers: EpochMs[] = []
  const repeatAt = now + policy.repeatAfterSeconds * secondMs

  function search(from: number, told: ReadonlySet<string>): { index: number; staff: string[] } | undefined {
    for (let index = from; index < steps.length; index++) {
      const fresh = [...new Set(steps[index]!.to.flatMap(station.of))].filter((id) => !told.has(id))
      const staff = fresh.filter((id) => wakesAll || isAwake(id))
      if (staff.length > 0) return { index, staff }
      sleepers.push(...fresh.map((id) => station.wakesAt(id)!))
    }
    return undefined
  }
  const familyOf = (indexes: number[], told: ReadonlySet<string>) =>
    indexes.some((index) => steps[index]!.family) ? station.family.filter((id) => !told.has(id) && isAwake(id)) : []
  const indexes = (from: number, to: number) => Array.from({ length: Math.max(0, to - from) }, (_, i) => from + i)

  const left = search(walked.step, walked.told)
  if (left) {
    const family = familyOf(indexes(walked.step, left.index + 1), walked.told)
    const { round } = walked
    return { kind: 'told', round, step: left.index + 1, staff: left.staff, family, lastResort: false, crossed: false }
  }
  const wasTold = walked.told.size > 0
  if (wasTold && policy.roundsMax !== null && walked.round + 1 >= policy.roundsMax) return { kind: 'ended' }
  if (wasTold && walked.step < steps.length && !isEmergency) {
    if (severity === 'urgent' && sleepers.length > 0) return expectedOf(one, true)
    return { kind: 'silent', at: repeatAt, after: { ...walked, step: steps.length } }
  }
  const round = walked.round + (wasTold ? 1 : 0)
  const again = search(0, nobody)
  const passed = [...indexes(walked.step, steps.length), ...indexes(0, again ? again.index + 1 : steps.length)]
  const common = { kind: 'told', round, family: familyOf(passed, nobody), crossed: true } as const
  if (again) return { ...common, step: again.index + 1, staff: again.staff, lastResort: false }
  if (isEmergency) return { ...common, step: steps.length, staff: station.everybody, lastResort: true }
  if (sleepers.length === 0) return { kind: 'silent', at: repeatAt, after: { round, step: steps.length, told: nobody } }
  if (severity === 'urgent') return expectedOf(one, true)
  return { kind: 'silent', at: Math.min(...sleepers), after: walked }
}

/** From taking `step` (1, 2, …) to what follows it. */
export function pauseAfterMs({ steps, repeatAfterSeconds }: Policy, step: number): number {
  const [taken, next] = [steps[step - 1], steps[step]]
  return (taken && next ? next.afterSeconds - taken.afterSeconds : repeatAfterSeconds) * secondMs
}

/** Through which of a person's channels a step goes. */
export function channelsAsked({ steps }: Policy, index: number, channels: readonly string[]): string[] {
  const { channels: wanted } = steps[index]!
  if (wanted === 'all') return [...channels]
  const chosen = wanted === 'first' ? [] : channels.filter((kind) => wanted.includes(kind))
  return chosen.length > 0 ? chosen : channels.slice(0, 1)
}
