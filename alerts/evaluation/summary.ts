import { fixedHours, type HomeResult, type Measure, type Outcome } from './evaluate.js'

export type Delays = { median: number; mean: number; p90: number }
export type Summary = {
  /** False alarms a resident-month, on silences of less than 24 h and on all. */
  rate: number
  rateAll: number
  /** The rate of the resident that nine in ten stay below. */
  p90Resident: number
  day: Delays
  night: Delays
}

/** The smallest value that at least `share` of the values do not exceed; 0 for none. */
export function quantile(values: number[], share: number): number {
  const sorted = [...values].sort((a, b) => a - b)
  return sorted[Math.max(0, Math.ceil(share * sorted.length) - 1)] ?? 0
}

const delaysOf = (hours: number[]): Delays => ({
  median: quantile(hours, 0.5),
  mean: hours.reduce((sum, one) => sum + one, 0) / Math.max(1, hours.length),
  p90: quantile(hours, 0.9),
})

export function summarize(outcomes: Outcome[]): Summary {
  const sum = (pick: (outcome: Outcome) => number) => outcomes.reduce((total, one) => total + pick(one), 0)
  const months = Math.max(
    sum((one) => one.months),
    1e-9,
  )
  return {
    rate: sum((one) => one.false24) / months,
    rateAll: sum((one) => one.falseAll) / months,
    p90Resident: quantile(
      outcomes.map((one) => one.false24 / one.months),
      0.9,
    ),
    day: delaysOf(outcomes.flatMap((one) => one.day)),
    night: delaysOf(outcomes.flatMap((one) => one.night)),
  }
}

export const fixedSummary = (homes: HomeResult[], measure: Measure, hours: number): Summary =>
  summarize(homes.map(({ fixed }) => fixed[measure].get(hours)!))

/** The fixed rule that would have a given false-alarm rate, between the two half-hour lengths around it. */
export function fixedAtRate(homes: HomeResult[], measure: Measure, rate: number): Summary & { hours: number } {
  let before: (Summary & { hours: number }) | null = null
  for (const hours of fixedHours) {
    const here = { ...fixedSummary(homes, measure, hours), hours }
    if (here.rate <= rate)
      return before ? between(before, here, (before.rate - rate) / (before.rate - here.rate)) : here
    before = here
  }
  return before!
}

function between(a: Summary & { hours: number }, b: Summary & { hours: number }, share: number) {
  const mix = (x: number, y: number) => x + (y - x) * share
  const mixDelays = (x: Delays, y: Delays) => ({
    median: mix(x.median, y.median),
    mean: mix(x.mean, y.mean),
    p90: mix(x.p90, y.p90),
  })
  return {
    hours: mix(a.hours, b.hours),
    rate: mix(a.rate, b.rate),
    rateAll: mix(a.rateAll, b.rateAll),
    p90Resident: mix(a.p90Resident, b.p90Resident),
    day: mixDelays(a.day, b.day),
    night: mixDelays(a.night, b.night),
  }
}
