import type { LineHour } from './line-view.js'

/** Fewer homes are no community to learn from. */
const homesMin = 5
const hoursOfDay = 24

/**
 * What the lines of the homes around say to one that has none of its own yet: for each hour of the day in which a silence
 * begins, the median of when an alert would come there (ms). Null where there are too few.
 * @param lines the hours of each home's line
 */
export function neighboursOf(lines: readonly (readonly LineHour[])[]): number[] | null {
  const limits: number[][] = Array.from({ length: hoursOfDay }, () => [])
  for (const line of lines) for (const { hour, limitMs } of line) limits[hour]!.push(limitMs)
  if (limits.some((each) => each.length < homesMin)) return null
  return limits.map((each) => each.sort((a, b) => a - b)[each.length >> 1]!)
}
