import type { EpochMs } from './model.js'
import { type PagedSeverity, type Policy, type PolicyStep, pagedSeverities, type Target } from './policy.js'
import { holesBetween, type Roster, type Span, shiftsBetween } from './roster.js'

/**
 * Whether somebody would be told, whatever happens in the coming days. Pure: everything that can be known of it beforehand
 * is an argument.
 */
export type CoveragePerson = {
  staffId: string
  name: string
  role: string
  /** Shut out: is told nothing any more. */
  gone: boolean
  /** In the person's own order. */
  channels: { kind: string; brokenAt: EpochMs | null; brokenReason: string | null }[]
}

export type CoverageScene = {
  from: EpochMs
  until: EpochMs
  roster: Roster
  policies: Record<PagedSeverity, Policy>
  /** Everybody who can be meant by any step; `colleagues` and `supervisors` are those of the community. */
  people: CoveragePerson[]
  colleagues: string[]
  supervisors: string[]
  /** How many residents there are, and how many each person is responsible for; null: nobody is. */
  residents: number
  responsible: { staffId: string | null; residents: number }[]
  /** Which neighbours have agreed to go to whose door. */
  neighbours: { residentId: string; staffId: string }[]
  /** What this server can send through; null: whatever it is. */
  channelKinds: readonly string[] | null
}

export type StepName = { severity: PagedSeverity; step: number }
/** Somebody who is meant to be told of something, and for what. */
export type Task = 'responsible' | 'on duty' | 'supervisor' | 'neighbour' | 'named'

export type Finding =
  /** `unreachable`: those on duty then, none of whom has a channel that works. */
  | { kind: 'nobody on duty'; from: EpochMs; until: EpochMs; steps: StepName[]; unreachable: string[] }
  /** In all these days. */
  | { kind: 'nobody in step'; steps: StepName[] }
  | { kind: 'nobody responsible'; residents: number }
  | { kind: 'responsible has left'; name: string; residents: number }
  | { kind: 'named has left'; name: string; steps: StepName[] }
  | { kind: 'no supervisor' }
  | { kind: 'no channel'; staffId: string; name: string; tasks: Task[]; why: 'none' | 'unusable' | 'refused' }
  /** The person has another one. */
  | { kind: 'address refused'; staffId: string; name: string; channel: string; at: EpochMs; reason: string }

/** What is missing in the time of the scene, worst first. */
export function coverage(scene: CoverageScene): Finding[] {
  const people = new Map(scene.people.map((person) => [person.staffId, person]))
  const canReach = (staffId: string) => {
    const person = people.get(staffId)
    return person !== undefined && !person.gone && workingChannels(person, scene).length > 0
  }
  const uncovered = stepsWith(scene, canReach)
  const holes = uncovered.holes.map(
    ({ from, until }): Finding => ({
      kind: 'nobody on duty',
      from,
      until,
      steps: uncovered.onDuty,
      unreachable: onDutyIn(scene.roster, { from, until })
        .filter((staffId) => people.get(staffId)?.gone === false)
        .map((staffId) => people.get(staffId)!.name),
    }),
  )
  return [
    ...(uncovered.empty.length > 0 ? [{ kind: 'nobody in step', steps: uncovered.empty } as const] : []),
    ...holes,
    ...(scene.supervisors.length === 0 ? [{ kind: 'no supervisor' } as const] : []),
    ...responsibilities(scene, people),
    ...namedWhoLeft(scene, people),
    ...channelFindings(scene, people),
  ]
}

type Reach = (staffId: string) => boolean

/** Which steps reach nobody at all, and the time in which those that need the roster do not. */
function stepsWith(scene: CoverageScene, canReach: Reach): { empty: StepName[]; onDuty: StepName[]; holes: Span[] } {
  const { roster, from, until } = scene
  const unreachable = scene.people.filter(({ staffId }) => !canReach(staffId)).map(({ staffId }) => staffId)
  const holes = holesBetween({ ...roster, gone: [...roster.gone, ...unreachable] }, from, until)
  const isAllHole = holes.length === 1 && holes[0]!.from === from && holes[0]!.until === until
  const empty: StepName[] = []
  const onDuty: StepName[] = []
  for (const severity of pagedSeverities)
    for (const [index, { to }] of scene.policies[severity].steps.entries()) {
      if (to.some((target) => isAlwaysCovered(target, scene, canReach))) continue
      const name = { severity, step: index + 1 }
      const needsRoster = to.includes('on duty')
      if (needsRoster && !isAllHole) onDuty.push(name)
      else if (!to.some((target) => isSometimesCovered(target, scene, canReach))) empty.push(name)
      else if (needsRoster) onDuty.push(name)
    }
  return { empty, onDuty, holes: onDuty.length > 0 ? holes : [] }
}

/** Whether a target reaches somebody at each time and for each resident. */
function isAlwaysCovered(target: Target, scene: CoverageScene, canReach: Reach): boolean {
  if (typeof target !== 'string') return canReach(target.staffId)
  switch (target) {
    case 'supervisor':
      return scene.supervisors.some(canReach)
    case 'everybody':
      return scene.colleagues.some(canReach)
    case 'responsible':
      return scene.responsible.every(
        ({ staffId, residents }) => residents === 0 || (staffId !== null && canReach(staffId)),
      )
    case 'neighbour':
      return withNeighbour(scene, canReach) >= scene.residents
    case 'on duty':
      return false
  }
}

/** Whether it reaches somebody for some resident; the roster is judged by itself. */
function isSometimesCovered(target: Target, scene: CoverageScene, canReach: Reach): boolean {
  if (target === 'responsible') return scene.responsible.some(({ staffId }) => staffId !== null && canReach(staffId))
  if (target === 'neighbour') return withNeighbour(scene, canReach) > 0
  return isAlwaysCovered(target, scene, canReach)
}

const withNeighbour = ({ neighbours }: CoverageScene, canReach: Reach): number =>
  new Set(neighbours.filter(({ staffId }) => canReach(staffId)).map(({ residentId }) => residentId)).size

const onDutyIn = (roster: Roster, { from, until }: Span): string[] => [
  ...new Set(shiftsBetween(roster, from, until).map(({ staffId }) => staffId)),
]

function responsibilities({ responsible }: CoverageScene, people: Map<string, CoveragePerson>): Finding[] {
  return responsible.flatMap(({ staffId, residents }): Finding[] => {
    if (residents === 0) return []
    if (staffId === null) return [{ kind: 'nobody responsible', residents }]
    const person = people.get(staffId)
    return person?.gone ? [{ kind: 'responsible has left', name: person.name, residents }] : []
  })
}

function namedWhoLeft(scene: CoverageScene, people: Map<string, CoveragePerson>): Finding[] {
  return scene.people
    .filter(({ gone }) => gone)
    .flatMap(({ staffId }): Finding[] => {
      const steps = stepsNaming(scene, staffId)
      return steps.length > 0 ? [{ kind: 'named has left', name: people.get(staffId)!.name, steps }] : []
    })
}

const isNaming = ({ to }: PolicyStep, staffId: string) =>
  to.some((target) => typeof target !== 'string' && target.staffId === staffId)

const stepsNaming = ({ policies }: CoverageScene, staffId: string): StepName[] =>
  pagedSeverities.flatMap((severity) =>
    policies[severity].steps.flatMap((step, index) => (isNaming(step, staffId) ? [{ severity, step: index + 1 }] : [])),
  )

const usableChannels = ({ channels }: CoveragePerson, { channelKinds }: CoverageScene) =>
  channels.filter(({ kind }) => channelKinds === null || channelKinds.includes(kind))
const workingChannels = (person: CoveragePerson, scene: CoverageScene) =>
  usableChannels(person, scene).filter(({ brokenAt }) => brokenAt === null)

function channelFindings(scene: CoverageScene, people: Map<string, CoveragePerson>): Finding[] {
  const tasks = tasksOf(scene)
  const findings = [...tasks].flatMap(([staffId, theirs]): Finding[] => {
    const person = people.get(staffId)
    if (!person || person.gone) return []
    const { name, channels } = person
    const usable = usableChannels(person, scene)
    if (workingChannels(person, scene).length === 0) {
      const why = channels.length === 0 ? 'none' : usable.length === 0 ? 'unusable' : 'refused'
      return [{ kind: 'no channel', staffId, name, tasks: theirs, why }]
    }
    return usable.flatMap(({ kind, brokenAt, brokenReason }): Finding[] =>
      brokenAt === null
        ? []
        : [{ kind: 'address refused', staffId, name, channel: kind, at: brokenAt, reason: brokenReason ?? '' }],
    )
  })
  return [
    ...findings.filter(({ kind }) => kind === 'no channel'),
    ...findings.filter(({ kind }) => kind === 'address refused'),
  ]
}

/** Everybody who is meant to be told of something in this time, and as what. */
function tasksOf(scene: CoverageScene): Map<string, Task[]> {
  const tasks = new Map<string, Task[]>()
  const add = (staffIds: string[], task: Task) => {
    for (const staffId of staffIds) {
      const theirs = tasks.get(staffId) ?? []
      if (!theirs.includes(task)) tasks.set(staffId, [...theirs, task])
    }
  }
  add(
    scene.responsible.flatMap(({ staffId, residents }) => (staffId !== null && residents > 0 ? [staffId] : [])),
    'responsible',
  )
  add(onDutyIn(scene.roster, scene), 'on duty')
  add(scene.supervisors, 'supervisor')
  add(
    scene.neighbours.map(({ staffId }) => staffId),
    'neighbour',
  )
  add(
    scene.people.map(({ staffId }) => staffId).filter((staffId) => stepsNaming(scene, staffId).length > 0),
    'named',
  )
  return tasks
}
