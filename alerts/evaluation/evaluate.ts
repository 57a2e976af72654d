import type { Decision, EpochMs, ReadingArrival } from '../model.js'
import { emptyState, foldInto, type ResidentState } from '../rules/fold.js'
import { silenceOf } from '../rules/silence.js'
import { afterCollapse, type Collapse, drawCollapses, endOf, firstAfter, seedFor } from './collapse.js'
import { type Home, homesIn, readingsOf } from './recordings.js'

const hourMs = 3_600_000
const dayMs = 24 * hourMs
const monthMs = (365.25 / 12) * dayMs
export const budgets = [4, 2.7, 2, 1, 0.5, 0.2]
export const fixedHours = Array.from({ length: 67 }, (_, index) => 3 + index / 2)
/** Longer delays count as this long: nobody evaluates a rule for what it does on the third day. */
const observeMs = 48 * hourMs
const warmUpMs = 28 * dayMs
/** What counts as activity does not depend on the budget: any one makes the rules follow it. */
const traceBudget = 1
const seed = 20_250_303
/** As in production: an episode ends when the silence is 2 h under the limit. */
const rearmMs = 2 * hourMs

/**
 * What one rule did in one home: alarms on natural silences shorter than 24 h and in all, over how many months, and the
 * delay of each injected collapse (h).
 */
export type Outcome = { false24: number; falseAll: number; months: number; day: number[]; night: number[] }

/** `litres`: since the last 10 L or appliance, as the fixed rules count; `activity`: since the last activity as learned. */
export const measures = ['litres', 'activity'] as const
export type Measure = (typeof measures)[number]

export type HomeResult = {
  home: string
  group: string
  learned: Map<number, Outcome>
  fixed: Record<Measure, Map<number, Outcome>>
}

/** For each reading, since when it has been silent by each measure, and how long readings cover that (ms; -1: unknown). */
type Trace = Record<Measure, { since: (EpochMs | null)[]; lengthMs: number[] }>

export async function evaluate(
  folder: string,
  { collapsesEach, onHome }: { collapsesEach: number; onHome?: (home: string) => void },
): Promise<HomeResult[]> {
  const results: HomeResult[] = []
  for (const home of homesIn(folder)) {
    onHome?.(home.name)
    const { readings } = readingsOf(home)
    if (readings.length > 1)
      results.push(evaluateHome(home, readings, { collapsesEach, seed: seedFor(home.name, seed) }))
  }
  return results
}

export function evaluateHome(
  home: Home,
  readings: ReadingArrival[],
  p: { collapsesEach: number; seed: number },
): HomeResult {
  const { timeZone } = home
  const from = readings[0]!.receivedAt + warmUpMs
  const trace = traceOf(readings, timeZone)
  const drawn = { from, observeMs, each: p.collapsesEach, seed: p.seed, timeZone }
  const collapses = drawCollapses(readings, trace.activity.since, drawn)
  const learned = new Map<number, Outcome>()
  let forks: ResidentState[] = []
  for (const budget of budgets) {
    const run = runLearned(readings, collapses, { timeZone, alarmsPerMonth: budget })
    learned.set(budget, judge(readings, trace.activity.since, from, run.opened, collapses, run.delays))
    forks = run.forks
  }
  const after = collapses.map((collapse, index) => traceAfter(readings, collapse, forks[index]!, timeZone))
  const fixed = { litres: new Map<number, Outcome>(), activity: new Map<number, Outcome>() }
  for (const measure of measures)
    for (const hours of fixedHours) {
      const opened = openedByFixed(readings, trace[measure], hours * hourMs)
      const delays = after.map((points) => {
        const hit = points.find((point) => point[measure] >= hours * hourMs)
        return hit ? hit.afterMs : observeMs
      })
      fixed[measure].set(hours, judge(readings, trace[measure].since, from, opened, collapses, delays))
    }
  return { home: home.name, group: home.group, learned, fixed }
}

function traceOf(readings: ReadingArrival[], timeZone: string): Trace {
  const context = { timeZone, alarmsPerMonth: traceBudget }
  const trace: Trace = { litres: { since: [], lengthMs: [] }, activity: { since: [], lengthMs: [] } }
  const state = emptyState()
  const ignored: Decision[] = []
  for (const reading of readings) {
    foldInto(state, [reading], reading.receivedAt, context, ignored)
    ignored.length = 0
    for (const measure of measures) {
      const silence = silenceOf(state, measure)
      trace[measure].since.push(measure === 'activity' ? (state.routine?.activeAt ?? null) : (silence?.since ?? null))
      trace[measure].lengthMs.push(silence ? silence.until - silence.since : -1)
    }
  }
  return trace
}

/** Replays once; where a collapse happens the state is forked, and followed until it alerts. */
function runLearned(
  readings: ReadingArrival[],
  collapses: Collapse[],
  context: { timeZone: string; alarmsPerMonth: number },
) {
  const state = emptyState()
  const decisions: Decision[] = []
  const forks: ResidentState[] = []
  const delays: number[] = []
  let done = 0
  const foldTo = (index: number) => {
    if (index > done) foldInto(state, readings.slice(done, index), readings[index - 1]!.receivedAt, context, decisions)
    done = Math.max(done, index)
  }
  for (const collapse of collapses) {
    foldTo(collapse.index)
    const fork = structuredClone(state)
    forks.push(fork)
    delays.push(learnedDelay(readings, collapse, structuredClone(fork), context))
  }
  foldTo(readings.length)
  const opened = decisions.flatMap((decision) =>
    decision.type === 'open' && decision.kind === 'silence_unusual'
      ? [{ at: decision.openedAt, since: Number(decision.reason.since) }]
      : [],
  )
  return { opened, delays, forks }
}

/** Delay (ms) to the first inactivity alert; 0 where one is open already. */
function learnedDelay(
  readings: ReadingArrival[],
  collapse: Collapse,
  state: ResidentState,
  context: { timeZone: string; alarmsPerMonth: number },
): number {
  if (state.routine?.alert || state.silence?.fired12 || state.silence?.fired24) return 0
  const decisions: Decision[] = []
  for (const reading of afterCollapse(readings, collapse, { untilMs: observeMs, timeZone: context.timeZone })) {
    foldInto(state, [reading], reading.receivedAt, context, decisions)
    const alert = decisions.find((decision) => decision.type === 'open' && decision.kind.startsWith('silen'))
    if (alert?.type === 'open') return Math.max(0, alert.openedAt - collapse.at)
    decisions.length = 0
  }
  return observeMs
}

type After = { afterMs: number } & Record<Measure, number>

/** How long silence lasts by each measure at each reading after a collapse. */
function traceAfter(readings: ReadingArrival[], collapse: Collapse, state: ResidentState, timeZone: string): After[] {
  const context = { timeZone, alarmsPerMonth: traceBudget }
  const points: After[] = []
  const ignored: Decision[] = []
  const note = (at: EpochMs) => {
    const lengthOf = (measure: Measure) => {
      const silence = silenceOf(state, measure)
      return silence ? silence.until - silence.since : -1
    }
    points.push({ afterMs: Math.max(0, at - collapse.at), litres: lengthOf('litres'), activity: lengthOf('activity') })
  }
  note(collapse.at)
  for (const reading of afterCollapse(readings, collapse, { untilMs: observeMs, timeZone })) {
    foldInto(state, [reading], reading.receivedAt, context, ignored)
    ignored.length = 0
    note(reading.receivedAt)
  }
  return points
}

function openedByFixed(readings: ReadingArrival[], { since, lengthMs }: Trace[Measure], limitMs: number) {
  const opened: { at: EpochMs; since: EpochMs }[] = []
  let open = false
  for (let index = 0; index < readings.length; index += 1) {
    const length = lengthMs[index]!
    if (open && length >= 0 && length < limitMs - rearmMs) open = false
    if (open || length < limitMs) continue
    open = true
    opened.push({ at: readings[index]!.receivedAt, since: since[index]! })
  }
  return opened
}

function judge(
  readings: ReadingArrival[],
  since: (EpochMs | null)[],
  from: EpochMs,
  opened: { at: EpochMs; since: EpochMs }[],
  collapses: Collapse[],
  delays: number[],
): Outcome {
  const end = readings.at(-1)!.receivedAt
  const outcome: Outcome = { false24: 0, falseAll: 0, months: (end - from) / monthMs, day: [], night: [] }
  for (const alarm of opened) {
    if (alarm.at < from) continue
    outcome.falseAll += 1
    const ended = endOf(since, firstAfter(readings, alarm.at), end)
    if (ended - alarm.since < dayMs) outcome.false24 += 1
  }
  for (const [index, { night }] of collapses.entries()) outcome[night ? 'night' : 'day'].push(delays[index]! / hourMs)
  return outcome
}
