import type { Decision, EpochMs, ReadingArrival } from '../model.js'
import { emptyState, foldInto, type ResidentState } from '../rules/fold.js'
import { firstAfter, seeded, seedFor } from './collapse.js'
import { type Home, homesIn, readingsOf } from './recordings.js'
import { quantile } from './summary.js'
import { fewerUses, moreVisits } from './trends-injected.js'

const dayMs = 86_400_000
const yearMs = 365.25 * dayMs
const seed = 20_250_303
/** What is learned does not depend on the budget: any one makes the rules follow it. */
const alarmsPerMonth = 1

export const trendRules = ['nights', 'decline'] as const
export type TrendRule = (typeof trendRules)[number]

/**
 * `warmUpMs`: before, the rule says nothing by itself; `observeMs`: what is told later than this after a change began has
 * not found it; `levels`: extra visits a night ('double': as many again), or the share of uses that is lost within 6 weeks.
 */
const protocols = {
  nights: { warmUpMs: 70 * dayMs, observeMs: 42 * dayMs, levels: [0, 1, 2, 'double'] },
  decline: { warmUpMs: 22 * 7 * dayMs, observeMs: 16 * 7 * dayMs, levels: [0, 0.2, 0.4] },
} as const
export type TrendLevel = number | 'double'

/** One home: what was told without any change, over how many years, and after how many days each change was (null: not). */
export type TrendResult = {
  home: string
  group: string
  told: number
  years: number
  found: { level: TrendLevel; days: (number | null)[] }[]
}

/**
 * How soon a change of the nights, or a decline, is told: changes that begin at random moments are put into recordings
 * (fixed seed, `changesEach` a home and level), and the production rules replay them. Level 0 is chance: what is told in as
 * long a time though nothing was put in.
 */
export async function evaluateTrends(
  folder: string,
  { rule, changesEach, onHome }: { rule: TrendRule; changesEach: number; onHome?: (home: string) => void },
): Promise<TrendResult[]> {
  const results: TrendResult[] = []
  for (const home of homesIn(folder)) {
    const { readings } = readingsOf(home)
    if (rule === 'nights' && !readings.some(({ kind }) => kind === 'water')) continue
    const { warmUpMs, observeMs } = protocols[rule]
    const first = readings[0]?.receivedAt ?? 0
    const last = readings.at(-1)?.receivedAt ?? 0
    if (last - first < warmUpMs + observeMs + dayMs) continue
    onHome?.(home.name)
    results.push(evaluateHome(home, readings, { rule, changesEach, seed: seedFor(home.name, seed) }))
  }
  return results
}

function evaluateHome(
  home: Home,
  readings: ReadingArrival[],
  p: { rule: TrendRule; changesEach: number; seed: number },
): TrendResult {
  const { warmUpMs, observeMs, levels } = protocols[p.rule]
  const roll = seeded(p.seed)
  const from = readings[0]!.receivedAt + warmUpMs
  const until = readings.at(-1)!.receivedAt - observeMs
  const starts = Array.from({ length: p.changesEach }, () => Math.floor(from + roll() * (until - from))).sort(
    (a, b) => a - b,
  )
  const found = levels.map((level): TrendResult['found'][number] => ({ level, days: [] }))
  const told: EpochMs[] = []
  const state = emptyState()
  let done = 0
  for (const start of starts) {
    const index = firstAfter(readings, start)
    told.push(...toldIn(state, readings.slice(done, index), home, p.rule))
    done = index
    const rest = readings.slice(index, firstAfter(readings, start + observeMs))
    for (const { level, days } of found) {
      // What has been told already cannot be found.
      if (isTold(state, p.rule)) continue
      const changed = changedBy(rest, state, home, { ...p, level, start, roll: seeded(p.seed + start / 1_000) })
      const at = toldIn(structuredClone(state), changed, home, p.rule)[0]
      days.push(at === undefined ? null : (at - start) / dayMs)
    }
  }
  told.push(...toldIn(state, readings.slice(done), home, p.rule))
  const years = (readings.at(-1)!.receivedAt - from) / yearMs
  return { home: home.name, group: home.group, told: told.length, years, found }
}

function changedBy(
  readings: ReadingArrival[],
  state: ResidentState,
  { timeZone }: Home,
  { rule, level, start, roll }: { rule: TrendRule; level: TrendLevel; start: EpochMs; roll: () => number },
): ReadingArrival[] {
  if (rule === 'decline') return fewerUses(readings, state, { share: Number(level), start, roll })
  const counts = state.nights?.counts.slice(-56) ?? []
  const usual = counts.reduce((sum, count) => sum + count, 0) / Math.max(1, counts.length)
  return moreVisits(readings, { perNight: level === 'double' ? usual : level, timeZone, roll })
}

const isTold = ({ nights, weeks }: ResidentState, rule: TrendRule): boolean =>
  (rule === 'nights' ? nights?.told : weeks?.fall) != null

/** When the rule told something, while `state` followed these readings. */
function toldIn(state: ResidentState, readings: ReadingArrival[], { timeZone }: Home, rule: TrendRule): EpochMs[] {
  const decisions: Decision[] = []
  const told: EpochMs[] = []
  const context = { timeZone, alarmsPerMonth }
  let from = 0
  while (from < readings.length) {
    const end = readings[from]!.receivedAt + dayMs
    const to = Math.max(from + 1, firstAfter(readings, end))
    const before = state.weeks?.fall?.at
    foldInto(state, readings.slice(from, to), readings[to - 1]!.receivedAt, context, decisions)
    const fall = state.weeks?.fall?.at
    if (rule === 'decline' && fall !== undefined && fall !== before) told.push(fall)
    if (rule === 'nights')
      for (const decision of decisions)
        if (decision.type === 'open' && decision.kind === 'night_visits') told.push(decision.openedAt)
    decisions.length = 0
    from = to
  }
  return told
}

export type TrendRow = {
  group: string
  homes: number
  level: TrendLevel
  changes: number
  foundShare: number
  medianDays: number
  p90Days: number
  toldPerYear: number
  residentYears: number
}

export function trendRowsOf(results: TrendResult[]): TrendRow[] {
  const rows: TrendRow[] = []
  for (const group of new Set(results.map((result) => result.group))) {
    const homes = results.filter((result) => result.group === group)
    const residentYears = homes.reduce((sum, { years }) => sum + years, 0)
    const told = homes.reduce((sum, home) => sum + home.told, 0)
    for (const { level } of homes[0]!.found) {
      const days = homes.flatMap(({ found }) => found.find((one) => one.level === level)!.days)
      const hits = days.filter((one) => one !== null)
      rows.push({
        group,
        homes: homes.length,
        level,
        changes: days.length,
        foundShare: hits.length / Math.max(1, days.length),
        medianDays: quantile(hits, 0.5),
        p90Days: quantile(hits, 0.9),
        toldPerYear: told / residentYears,
        residentYears,
      })
    }
  }
  return rows
}

/** A table in plain text. */
export function trendTableOf(rows: TrendRow[], rule: TrendRule): string {
  if (rows.length === 0) return 'no home here has a long enough recording of what this rule needs'
  const out: string[] = []
  for (const group of new Set(rows.map((row) => row.group))) {
    const mine = rows.filter((row) => row.group === group)
    const { homes, toldPerYear, residentYears } = mine[0]!
    out.push(
      `${group} (${homes} homes, ${residentYears.toFixed(1)} resident-years): ${toldPerYear.toFixed(2)} told a resident-year with nothing put in`,
    )
    for (const row of mine) {
      const share = `${Math.round(row.foundShare * 100)} %`
      const days =
        row.foundShare > 0 ? `median ${Math.round(row.medianDays)} days, p90 ${Math.round(row.p90Days)} days` : ''
      out.push(
        `  ${levelWords(row.level, rule).padEnd(24)} ${String(row.changes).padStart(5)} changes  found ${share.padStart(5)}  ${days}`,
      )
    }
    out.push('')
  }
  return out.join('\n')
}

function levelWords(level: TrendLevel, rule: TrendRule): string {
  if (level === 0) return 'nothing (chance)'
  if (rule === 'decline') return `−${Math.round(Number(level) * 100)} % within 6 weeks`
  return level === 'double' ? 'visits doubled' : `+${level} visits a night`
}
