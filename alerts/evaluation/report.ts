import { budgets, type HomeResult, type Measure, measures } from './evaluate.js'
import { type Delays, fixedAtRate, fixedSummary, type Summary, summarize } from './summary.js'

export type Row = {
  group: string
  homes: number
  rule: string
  budget: number | null
  measure: Measure | null
  hours: number | null
  summary: Summary
  /** Learned against this fixed rule of the same false-alarm rate: below 1 the learned line is quicker. */
  ratio: { day: Delays; night: Delays } | null
}

/** Groups of homes of one source, each with the learned line at each budget, and the fixed rules. */
export function rowsOf(results: HomeResult[]): Row[] {
  const rows: Row[] = []
  for (const group of [...new Set(results.map((result) => result.group))]) {
    const homes = results.filter((result) => result.group === group)
    const base = { group, homes: homes.length, budget: null, measure: null, hours: null, ratio: null }
    for (const budget of budgets) {
      const learned = summarize(homes.map((home) => home.learned.get(budget)!))
      rows.push({ ...base, rule: 'learned', budget, summary: learned })
      for (const measure of measures) {
        const { hours, ...summary } = fixedAtRate(homes, measure, learned.rate)
        const ratio = { day: ratioOf(learned.day, summary.day), night: ratioOf(learned.night, summary.night) }
        rows.push({ ...base, rule: 'fixed, same rate', budget, measure, hours, summary, ratio })
      }
    }
    for (const measure of measures)
      for (const hours of [8, 12, 24])
        rows.push({ ...base, rule: 'fixed', measure, hours, summary: fixedSummary(homes, measure, hours) })
  }
  return rows
}

const ratioOf = (a: Delays, b: Delays): Delays => ({
  median: a.median / b.median,
  mean: a.mean / b.mean,
  p90: a.p90 / b.p90,
})

const names: Record<Measure, string> = { litres: '10 L', activity: 'any use' }

/** A table in plain text: delays in hours, rates in false alarms a resident-month. */
export function tableOf(rows: Row[]): string {
  const head = [
    'rule',
    'asked',
    'got <24h',
    'got all',
    'p90 res.',
    ...titles('day'),
    ...titles('night'),
    ...ratioTitles,
  ]
  const out: string[] = []
  for (const group of [...new Set(rows.map((row) => row.group))]) {
    const mine = rows.filter((row) => row.group === group)
    const cells = [head, ...mine.map(cellsOf)]
    const widths = head.map((_, column) => Math.max(...cells.map((line) => line[column]!.length)))
    out.push(`${group} (${mine[0]!.homes} homes)`)
    for (const line of cells)
      out.push(
        line
          .map((cell, column) => (column === 0 ? cell.padEnd(widths[0]!) : cell.padStart(widths[column]!)))
          .join('  '),
      )
    out.push('')
  }
  return out.join('\n')
}

const titles = (when: string) => ['median', 'mean', 'p90'].map((name) => `${when} ${name}`)
const ratioTitles = ['ratio d.med', 'd.mean', 'd.p90', 'n.med', 'n.mean', 'n.p90']

function cellsOf({ rule, budget, measure, hours, summary, ratio }: Row): string[] {
  const name = measure ? `${rule} ${hours!.toFixed(1)} h, ${names[measure]}` : rule
  const delays = ({ median, mean, p90 }: Delays) => [median, mean, p90].map((value) => value.toFixed(1))
  const ratios = ratio
    ? [ratio.day, ratio.night].flatMap(({ median, mean, p90 }) => [median, mean, p90].map((value) => value.toFixed(2)))
    : Array.from({ length: 6 }, () => '')
  const rates = [summary.rate, summary.rateAll, summary.p90Resident].map((value) => value.toFixed(2))
  const asked = rule === 'learned' ? String(budget) : ''
  return [name, asked, ...rates, ...delays(summary.day), ...delays(summary.night), ...ratios]
}
