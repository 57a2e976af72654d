/** One number of the benchmark: the median of its `rounds` where it was measured more than once. */
export type Figure = { part: string; name: string; value: number; unit: string; rounds?: number[]; note?: string }

/** What each part of the benchmark is given: the bench database (migrated, dropped afterwards) and where to say how it goes. */
export type Measure = { url: string; rounds: number; print: (line: string) => void }

/** @throws RangeError of nothing */
export function median(values: number[]): number {
  if (values.length === 0) throw new RangeError('no median of nothing')
  const sorted = [...values].sort((a, b) => a - b)
  const middle = sorted.length >> 1
  return sorted.length % 2 === 1 ? sorted[middle]! : (sorted[middle - 1]! + sorted[middle]!) / 2
}

/** The value below which `percent` of the values lie (nearest rank). */
export function percentile(values: number[], percent: number): number {
  if (values.length === 0) throw new RangeError('no percentile of nothing')
  const sorted = [...values].sort((a, b) => a - b)
  return sorted[Math.max(0, Math.ceil((percent / 100) * sorted.length) - 1)]!
}

export const figureOf = (part: string, name: string, unit: string, rounds: number[], note?: string): Figure => ({
  part,
  name,
  value: median(rounds),
  unit,
  rounds,
  ...(note === undefined ? {} : { note }),
})

const digitsOf = (value: number) => (Math.abs(value) >= 100 ? 0 : Math.abs(value) >= 10 ? 1 : 2)
const shown = (value: number) =>
  value.toLocaleString('en-US', { minimumFractionDigits: digitsOf(value), maximumFractionDigits: digitsOf(value) })

/** The figures of one part as lines of a table: name, median, unit, the rounds, the note. */
export function tableOf(figures: Figure[]): string[] {
  const cells = figures.map(({ name, value, unit, rounds = [], note = '' }) => [
    name,
    shown(value),
    unit,
    rounds.length > 1 ? `(${rounds.map(shown).join(' · ')})` : '',
    note,
  ])
  const widths = [0, 1, 2, 3].map((column) => Math.max(...cells.map((row) => row[column]!.length)))
  return cells.map((row) =>
    row
      .map((cell, column) => (column === 1 ? cell.padStart(widths[1]!) : cell.padEnd(widths[column] ?? 0)))
      .join('  ')
      .trimEnd(),
  )
}
