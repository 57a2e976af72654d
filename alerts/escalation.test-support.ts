import { assembleChain, type Candidate, type Chain, type Member } from './chain.js'
import { advance, begin, type EscalationState, type Move, takenDueAt } from './escalation.js'
import type { Severity, Stage } from './model.js'
import {
  defaultPolicies,
  type PagedSeverity,
  type Policy,
  type PolicyStep,
  type Target,
  targetRoles,
} from './policy.js'

/** One line of a table, as a supervisor would write it down. */
export type Case = {
  severity: Severity
  /** "responsible Zhang; on duty Lin, He; supervisor Huang; family Daughter"; without a word everybody of the usual station. */
  people?: string
  /** Other people from a time on: "1:00 on duty He". */
  later?: Record<string, string>
  /** "0 responsible; 1:00 on duty, neighbour all; 3:00 supervisor all +family; unless closed 30:00 supervisor; again 3:00 x2"; default: the severity's own. */
  policy?: string
  /** Stage timers: "2:00 10:00 45:00" or "-" for none. */
  stages?: string
  /** Who sleeps until when: "Zhang 7:00:00". */
  quiet?: string
  /** Who has which channels, in order; everybody else has phone and mail. */
  channels?: Record<string, string>
  /** What people do: "0:40 Zhang acknowledges", "5:00 Zhang on the way", "… at the door", "… closes". */
  done?: string[]
  /** No page gets through from then on: "0:00". */
  unreached?: string
  until: string
}

const usual = 'responsible Zhang; on duty Lin; supervisor Huang'
const roleWords = [...targetRoles, 'family', 'operator'] as const

/** "7:00:00", "3:00" or "0" in ms. */
export const msOf = (text: string): number => text.split(':').reduce((sum, part) => sum * 60 + Number(part), 0) * 1_000
export const timeText = (ms: number): string => {
  const seconds = Math.round(ms / 1_000)
  const two = (n: number) => String(n).padStart(2, '0')
  const [h, m, s] = [Math.floor(seconds / 3_600), Math.floor(seconds / 60) % 60, seconds % 60]
  return h > 0 ? `${h}:${two(m)}:${two(s)}` : `${m}:${two(s)}`
}

function peopleOf(text: string): Map<string, string[]> {
  const byRole = new Map<string, string[]>()
  for (const part of text.split(';').map((each) => each.trim())) {
    const role = roleWords.find((word) => part.startsWith(word))
    if (!role) throw new Error(`nobody is a "${part}"`)
    const names = part.slice(role.length).split(',')
    byRole.set(
      role,
      names.map((name) => name.trim()).filter((name) => name !== ''),
    )
  }
  return byRole
}

function policyOf(text: string, like: Policy): Policy {
  const policy: Policy = { ...like, steps: [] }
  for (const part of text.split(';').map((each) => each.trim())) {
    const again = /^again (\S+)(?: x(\d+))?$/.exec(part)
    if (again) {
      policy.repeatAfterSeconds = msOf(again[1]!) / 1_000
      policy.roundsMax = again[2] ? Number(again[2]) : null
      continue
    }
    const step = /^(unless closed )?(\S+) (.*?)(?: (all|by [\w, ]+))?( \+family)?$/.exec(part)
    if (!step) throw new Error(`not a step: "${part}"`)
    const [, unlessClosed, at, to, how, family] = step
    policy.steps.push({
      afterSeconds: msOf(at!) / 1_000,
      to: to!.split(',').map((word): Target => {
        const name = word.trim()
        return (targetRoles as readonly string[]).includes(name) ? (name as Target) : { staffId: name }
      }),
      channels: (!how ? 'first' : how === 'all' ? 'all' : how.slice(3).split(', ')) as PolicyStep['channels'],
      family: family !== undefined,
      condition: unlessClosed ? 'not resolved' : 'not acknowledged',
    })
  }
  return policy
}

const actions: Record<string, Stage> = {
  acknowledges: 'acknowledged',
  'on the way': 'en_route',
  'at the door': 'arrived',
  closes: 'closed',
}

/** The people of a case at one time, and the rule that they are told by. */
function chainAt(row: Case, at: number): Chain | null {
  if (row.severity === 'notice') return null
  const like = defaultPolicies[row.severity as PagedSeverity]
  const policy = row.policy ? policyOf(row.policy, like) : { ...like }
  if (row.stages) {
    const [acknowledged, en_route, arrived] = row.stages.split(' ').map((t) => (t === '-' ? null : msOf(t) / 1_000))
    policy.stageSecondsMax = { acknowledged: acknowledged!, en_route: en_route!, arrived: arrived! }
  }
  const people = peopleOf(row.people ?? usual)
  for (const [from, text] of Object.entries(row.later ?? {}))
    if (at >= msOf(from)) for (const [role, names] of peopleOf(text)) people.set(role, names)
  const candidates = [...people].flatMap(([role, names]) =>
    names.map((name): Candidate => ({ role: role as Candidate['role'], person: personOf(row, name) })),
  )
  const named = policy.steps.flatMap(({ to }) =>
    to.flatMap((target) => (typeof target === 'string' ? [] : target.staffId)),
  )
  for (const name of named) candidates.push({ role: 'named', person: personOf(row, name) })
  return assembleChain(policy, candidates)
}

function personOf({ channels = {}, quiet }: Case, name: string): Omit<Member, 'role'> {
  const kinds = (channels[name] ?? 'phone, mail').split(',').map((kind) => kind.trim())
  const sleeps = quiet
    ?.split(';')
    .map((each) => each.trim().split(' '))
    .find(([who]) => who === name)
  return {
    staffId: name,
    channels: kinds.filter((kind) => kind !== '').map((kind, i) => ({ position: i + 1, kind })),
    quietUntil: sleeps ? msOf(sleeps[1]!) : null,
  }
}

/** Plays a case: what happens when, a line each: "1:00 Lin by phone and mail", "2:40 comes back: Zhang by phone". */
export function play(row: Case): string[] {
  const lines: string[] = []
  const tell = (at: number, { pages, happened }: Pick<Move, 'pages' | 'happened'>) => {
    const names = [...new Set(pages.map(({ staffId }) => staffId))]
    const told = names.map((name) => {
      const kinds = pages.filter(({ staffId }) => staffId === name).map(({ channel }) => channel)
      const { informs, role } = pages.find(({ staffId }) => staffId === name)!
      return `${name} by ${kinds.join(' and ')}${informs ? ' (informed)' : role === 'last resort' ? ' (last resort)' : ''}`
    })
    const back = happened === 'returned' ? 'comes back: ' : ''
    if (told.length > 0) lines.push(`${timeText(at)} ${back}${told.join(', ')}`)
    else if (happened !== 'nothing') lines.push(`${timeText(at)} ${happened}`)
  }
  const untilMs = msOf(row.until)
  const done = (row.done ?? []).map((text) => {
    const [at, who, ...what] = text.split(' ')
    return { at: msOf(at!), who: who!, stage: actions[what.join(' ')]! }
  })
  let told: string[] = []
  let handler: Member | null = null
  let now = 0
  let move = begin(row.severity, chainAt(row, 0), 0)
  const note = (before: number) => {
    if (move.round !== before || move.happened === 'returned') told = []
    told = [...told, ...move.pages.map(({ staffId }) => staffId)]
    tell(now, move)
  }
  note(0)
  for (let turns = 0; turns < 10_000; turns++) {
    const next = done[0]
    if (next && next.at <= untilMs && next.at < (move.dueAt ?? Number.POSITIVE_INFINITY)) {
      done.shift()
      now = next.at
      handler = { ...personOf(row, next.who), role: 'handler' }
      const state = { ...move, stage: next.stage, stageAt: now, pages: [], happened: 'nothing' as const }
      const chain = chainAt(row, now)
      move = { ...state, dueAt: next.stage === 'closed' || !chain ? null : takenDueAt(state, chain.policy) }
      continue
    }
    if (move.dueAt === null || move.dueAt > untilMs) return lines
    now = move.dueAt
    const { round } = move
    const unreached = row.unreached !== undefined && now >= msOf(row.unreached)
    const state: EscalationState = { severity: row.severity, ...move, told, handler, unreached }
    move = advance(state, chainAt(row, now), now)
    if (move.stage === 'open') handler = null
    note(round)
  }
  throw new Error('it never comes to rest')
}
