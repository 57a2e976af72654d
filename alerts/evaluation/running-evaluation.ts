import type { AlertKind, Decision, EpochMs, ReadingArrival } from '../model.js'
import { emptyState, foldInto, type ResidentState } from '../rules/fold.js'
import { stepOf } from '../rules/register.js'
import { seedFor } from './collapse.js'
import { drawMoments, leftRunning, type OtherRule, type Protocol, protocols } from './left-running.js'
import { type Home, homesIn, readingsOf } from './recordings.js'
import { quantile } from './summary.js'

const hourMs = 3_600_000
const monthMs = (365.25 / 12) * 24 * hourMs
const warmUpMs = 28 * 24 * hourMs
const seed = 20_250_303
/** Registers are told to a thousandth. */
const finestStep = 0.001

export { type OtherRule, otherRules } from './left-running.js'

export type Injected = {
  amount: number
  unit: 'L/h' | 'W'
  /** Injections, and in how many of them the alert came in time. */
  cases: number
  found: number
  /** Hours to the alert; null where so many were not found. */
  median: number | null
  p90: number | null
}
export type OtherRow = {
  group: string
  homes: number
  rule: OtherRule
  observeHours: number
  injected: Injected[]
  /** Alerts that came without anything injected, after warm-up. They may be true. */
  natural: number
  months: number
}

type HomeRow = { group: string; delays: Map<number, number[]>; natural: number; months: number }

/**
 * The rules other than the silence line on a folder of recordings: something is left running at `each` random moments a
 * home (fixed seed) after 28 days of warm-up, and the production rules are followed until they notice. Homes without the
 * rule's meter are left out. Throws with one clear line when no home is left.
 */
export async function evaluateOthers(
  folder: string,
  { rule, each, onHome }: { rule: OtherRule; each: number; onHome?: (home: string) => void },
): Promise<OtherRow[]> {
  const protocol = protocols[rule]
  const rows: HomeRow[] = []
  for (const home of homesIn(folder)) {
    const { readings } = readingsOf(home)
    if (!readings.some(({ kind, value }) => kind === protocol.meter && value !== undefined)) continue
    onHome?.(home.name)
    rows.push(evaluateOne(home, readings, protocol, { each, seed: seedFor(home.name, seed) }))
  }
  if (rows.length === 0) throw new Error(`no home with a ${protocol.meter} meter in ${folder}`)
  return [...new Set(rows.map(({ group }) => group))].map((group) => {
    const mine = rows.filter((row) => row.group === group)
    const sum = (pick: (row: HomeRow) => number) => mine.reduce((total, row) => total + pick(row), 0)
    return {
      group,
      homes: mine.length,
      rule,
      observeHours: protocol.observeMs / hourMs,
      injected: protocol.amounts.map((amount) => injectedOf(mine, amount, protocol)),
      natural: sum(({ natural }) => natural),
      months: sum(({ months }) => months),
    }
  })
}

function injectedOf(rows: HomeRow[], amount: number, { unit }: Protocol): Injected {
  const delays = rows.flatMap((row) => row.delays.get(amount)!)
  const hours = (share: number) => {
    const delay = quantile(delays, share)
    return delays.length > 0 && Number.isFinite(delay) ? delay / hourMs : null
  }
  const found = delays.filter(Number.isFinite).length
  return { amount, unit, cases: delays.length, found, median: hours(0.5), p90: hours(0.9) }
}

function evaluateOne(
  home: Home,
  readings: ReadingArrival[],
  protocol: Protocol,
  p: { each: number; seed: number },
): HomeRow {
  // What is left running has nothing to do with the learned line: the budget makes no difference.
  const context = { timeZone: home.timeZone, alarmsPerMonth: null }
  const from = readings[0]!.receivedAt + warmUpMs
  const end = readings.at(-1)!.receivedAt
  const state = emptyState()
  const decisions: Decision[] = []
  const delays = new Map(protocol.amounts.map((amount) => [amount, [] as number[]]))
  const moments = drawMoments(readings, protocol, { from, until: end - protocol.observeMs, ...p }, home.timeZone)
  const step = countsIn(readings, protocol.meter)
  let next = 0
  for (const { index, at } of moments) {
    for (; next <= index; next += 1) foldInto(state, [readings[next]!], readings[next]!.receivedAt, context, decisions)
    if (isOpen(decisions, protocol.kind)) continue
    for (const amount of protocol.amounts) {
      const fork = structuredClone(state)
      const after = leftRunning(readings, index + 1, {
        at,
        amount,
        step,
        meter: protocol.meter,
        ms: protocol.observeMs,
      })
      delays.get(amount)!.push(delayOf(fork, after, protocol.kind, at, context))
    }
  }
  if (next < readings.length) foldInto(state, readings.slice(next), end, context, decisions)
  const natural = decisions.filter(
    (decision) => decision.type === 'open' && decision.kind === protocol.kind && decision.openedAt >= from,
  ).length
  return { group: home.group, delays, natural, months: Math.max(0, end - from) / monthMs }
}

/** What the register counts in: whatever runs shows in it in the same steps. */
function countsIn(readings: ReadingArrival[], meter: string): number {
  let step = 1_000
  for (const { kind, value } of readings) if (kind === meter && value !== undefined) step = stepOf(value, step)
  return step || finestStep
}

function isOpen(decisions: Decision[], kind: AlertKind): boolean {
  const last = decisions.findLast((decision) => 'kind' in decision && decision.kind === kind)
  return last?.type === 'open'
}

function delayOf(
  state: ResidentState,
  readings: Iterable<ReadingArrival>,
  kind: AlertKind,
  at: EpochMs,
  context: { timeZone: string; alarmsPerMonth: null },
): number {
  const decisions: Decision[] = []
  for (const reading of readings) {
    foldInto(state, [reading], reading.receivedAt, context, decisions)
    const alert = decisions.find((decision) => decision.type === 'open' && decision.kind === kind)
    if (alert?.type === 'open') return Math.max(0, alert.openedAt - at)
    decisions.length = 0
  }
  return Number.POSITIVE_INFINITY
}

/** A table in plain text: delays in hours, natural alerts a resident-month. */
export function tableOfOthers(rows: OtherRow[]): string {
  const hours = (value: number | null) => (value === null ? '-' : value.toFixed(1))
  const out: string[] = []
  for (const { group, homes, rule, observeHours, injected, natural, months } of rows) {
    const rate = (natural / Math.max(months, 1e-9)).toFixed(2)
    const nothing = `with nothing injected ${rate} a resident-month (${natural} in ${months.toFixed(1)})`
    out.push(`${group} (${homes} homes), ${rule}: ${nothing}`)
    out.push(`${'left on'.padStart(10)}  found in ${observeHours} h  median h  p90 h`)
    for (const { amount, unit, cases, found, median, p90 } of injected) {
      const share = `${found}/${cases} ${((100 * found) / Math.max(1, cases)).toFixed(0)} %`
      out.push(
        `${`${amount} ${unit}`.padStart(10)}  ${share.padStart(13)}  ${hours(median).padStart(8)}  ${hours(p90).padStart(5)}`,
      )
    }
    out.push('')
  }
  return out.join('\n')
}
