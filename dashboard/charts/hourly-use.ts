/**
 * From a register that only counts up to what was used in each hour, without inventing anything: growth over a gap
 * belongs to no hour, a register that runs backwards uses nothing, and an hour that no reading covers is unknown.
 */

export const hourMs = 3_600_000

/** One device's readings of one UTC hour, as the view `readings_hourly` gives them. Times are epoch milliseconds. */
export type RegisterHour = {
  hour: number
  first: number
  last: number
  min: number
  max: number
  readings: number
  lastObservedAt: number
}

/** `not yet`: the hour lies ahead, or its reading is not due yet. */
export type HourState = 'used' | 'not used' | 'unknown' | 'not yet'
/** Use in the unit of the register; null where nothing is known. `partly`: some of the hour was not covered. */
export type HourUse = { at: number; state: HourState; use: number | null; partly: boolean }
/** A stretch that no readings cover; `use` is what the register grew by meanwhile (null: not known). */
export type UnknownStretch = { from: number; until: number | null; use: number | null }
export type Use = { hours: HourUse[]; stretches: UnknownStretch[] }

/** A gap of up to this many usual intervals is a late reading, not an outage; a tenth more for jitter. */
const lateIntervals = 2.2
/** A fast meter that pauses for a few minutes is not offline. */
const lateMsMin = 10 * 60_000
/** More of an hour uncovered than this, and "not used" would be a guess. */
const uncoveredMsMax = 10 * 60_000
/** Below this a register has not moved: rounding of sums. */
const useMin = 1e-6

type Span = { from: number; until: number; growth: number | null; covered: boolean }

/**
 * Use in each UTC hour of `[from, to)`; both on full hours. `rows` are in order and may begin before `from`: the last
 * row before it says where the register stood.
 * @param now what lies after it is `not yet`
 * @param perHourMax growth beyond this in an hour is a fault of the meter, not use
 */
export function hourlyUse(
  rows: readonly RegisterHour[],
  { from, to, now, perHourMax }: { from: number; to: number; now: number; perHourMax: number },
): Use {
  const usualMs = usualIntervalMs(rows)
  const lateMs = Math.max(lateMsMin, usualMs * lateIntervals)
  const spans = spansOf(rows, { usualMs, lateMs, perHourMax })
  const cells = new Map<number, { use: number; coveredMs: number; faulty: boolean }>()
  for (let at = from; at < to; at += hourMs) cells.set(at, { use: 0, coveredMs: 0, faulty: false })

  for (const span of spans) {
    if (!span.covered) continue
    const length = span.until - span.from
    // A single reading is a span of no length: its growth, if any, belongs to the hour it was seen in.
    if (length === 0) {
      const cell = cells.get(floorHour(span.from))
      if (cell) cell.use += span.growth ?? 0
      continue
    }
    for (let at = floorHour(span.from); at < span.until; at += hourMs) {
      const cell = cells.get(at)
      if (!cell) continue
      const share = Math.min(span.until, at + hourMs) - Math.max(span.from, at)
      if (span.growth === null) cell.faulty = true
      else {
        cell.use += (span.growth * share) / length
        cell.coveredMs += share
      }
    }
  }

  const newest = rows.at(-1)?.lastObservedAt
  const pendingUntil = newest !== undefined && now - newest <= lateMs ? now : (newest ?? Number.NEGATIVE_INFINITY)
  const hours = [...cells].map(([at, { use, coveredMs, faulty }]): HourUse => {
    if (at >= now) return { at, state: 'not yet', use: null, partly: false }
    const end = Math.min(at + hourMs, now)
    const pendingMs = Math.max(0, Math.min(end, pendingUntil) - Math.max(at, newest ?? at))
    const uncoveredMs = Math.max(0, end - at - coveredMs - pendingMs)
    const partly = faulty || uncoveredMs > uncoveredMsMax
    if (use > useMin) return { at, state: 'used', use, partly }
    if (partly) return { at, state: 'unknown', use: null, partly: false }
    if (coveredMs === 0 && pendingMs > 0) return { at, state: 'not yet', use: null, partly: false }
    return { at, state: coveredMs > 0 ? 'not used' : 'unknown', use: coveredMs > 0 ? 0 : null, partly: false }
  })
  return { hours, stretches: stretchesOf(spans, { from, now, newest, lateMs }) }
}

/** How often this meter reports, from the median over its hours; an hour where nothing can be said. */
export function usualIntervalMs(rows: readonly RegisterHour[]): number {
  const gaps = rows
    .map((row, index) => {
      if (row.readings > 1) return hourMs / row.readings
      const before = rows[index - 1]
      return before ? row.lastObservedAt - before.lastObservedAt : Number.NaN
    })
    .filter((gap) => gap > 0)
    .sort((a, b) => a - b)
  return gaps[Math.floor(gaps.length / 2)] ?? hourMs
}

/** The time between readings and within hours, each with what the register grew by. */
function spansOf(
  rows: readonly RegisterHour[],
  { usualMs, lateMs, perHourMax }: { usualMs: number; lateMs: number; perHourMax: number },
): Span[] {
  const spans: Span[] = []
  let before: RegisterHour | undefined
  for (const row of rows) {
    const firstAt = firstObservedAt(row, before, usualMs, lateMs)
    if (before) {
      const gap = firstAt - before.lastObservedAt
      const growth = plausible(Math.max(0, row.first - before.last), gap, perHourMax)
      spans.push({ from: before.lastObservedAt, until: firstAt, growth, covered: gap <= lateMs })
    }
    const inside = plausible(growthInside(row), hourMs, perHourMax)
    spans.push({ from: firstAt, until: row.lastObservedAt, growth: inside, covered: true })
    before = row
  }
  return spans
}

/**
 * The view does not tell when an hour's first reading was. When the readings before it come right up to it, it followed
 * them at the usual interval, unless the hour has far too few readings for that; else count back from the last one.
 */
function firstObservedAt(row: RegisterHour, before: RegisterHour | undefined, usualMs: number, lateMs: number): number {
  if (row.readings <= 1) return row.lastObservedAt
  const countedBack = Math.max(row.hour, row.lastObservedAt - (row.readings - 1) * usualMs)
  if (!before || row.hour - before.lastObservedAt > lateMs) return countedBack
  const following = Math.min(row.lastObservedAt, Math.max(row.hour, before.lastObservedAt + usualMs))
  const expected = (row.lastObservedAt - following) / usualMs + 1
  // Meters that also report each use are irregular: only a third of what is expected says that some are missing.
  return row.readings * 3 >= expected ? following : countedBack
}

/** Growth within an hour. A backward step counts nothing: up to the top before it, and from the bottom after it. */
function growthInside({ first, last, min, max }: RegisterHour): number {
  if (last >= first) return last - first
  return Math.max(0, max - first) + Math.max(0, last - min)
}

const plausible = (growth: number, ms: number, perHourMax: number) =>
  growth <= perHourMax * Math.max(1, ms / hourMs) ? growth : null

const floorHour = (at: number) => Math.floor(at / hourMs) * hourMs

function stretchesOf(
  spans: readonly Span[],
  { from, now, newest, lateMs }: { from: number; now: number; newest: number | undefined; lateMs: number },
): UnknownStretch[] {
  const stretches: UnknownStretch[] = spans
    .filter((span) => !span.covered && span.until > from && span.from < now)
    .map((span) => ({ from: span.from, until: span.until, use: span.growth }))
  if (newest !== undefined && now - newest > lateMs) stretches.push({ from: newest, until: null, use: null })
  return stretches
}
