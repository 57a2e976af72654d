import { type HourUse, hourMs, type UnknownStretch, type Use } from './hourly-use.js'
import { offsetOf } from './offset.js'

/** An hour of use as the resident's own clock shows it: `localHour` 0..23, on `date` (YYYY-MM-DD). */
export type LocalHour = HourUse & { localHour: number }
export type LocalDay = { date: string; hours: LocalHour[]; total: number | null; partly: boolean }

const dayMs = 24 * hourMs
const minuteMs = 60_000
/** The dates of days since 1970: a page asks for the same two weeks some thousand times, at 0.5 µs each through Date. */
const dates = new Map<number, string>()
const datesMax = 1_000

function dateOf(day: number): string {
  let date = dates.get(day)
  if (date === undefined) {
    if (dates.size >= datesMax) dates.clear()
    date = new Date(day * dayMs).toISOString().slice(0, 10)
    dates.set(day, date)
  }
  return date
}

/** Date (YYYY-MM-DD), hour (0..23) and minute that a clock in `timeZone` shows at `at` (epoch ms). */
export function localClock(at: number, timeZone: string): { date: string; hour: number; minute: number } {
  const local = at + offsetOf(at, timeZone)
  const day = Math.floor(local / dayMs)
  const inDay = local - day * dayMs
  return {
    date: dateOf(day),
    hour: Math.floor(inDay / hourMs),
    minute: Math.floor((inDay % hourMs) / minuteMs),
  }
}

/**
 * The full UTC hours from the beginning of the local day `days - 1` days before `now` to the end of today. Roll-ups are
 * by UTC hour: where the zone is off by half an hour, an hour belongs to the local hour in which it begins.
 */
export function lastDays({ now, days, timeZone }: { now: number; days: number; timeZone: string }) {
  const today = localClock(now, timeZone).date
  const dayOf = (at: number) => localClock(at, timeZone).date
  let to = floorHour(now)
  while (dayOf(to) === today) to += hourMs
  let from = floorHour(now)
  let counted = 1
  let current = today
  for (;;) {
    const date = dayOf(from - hourMs)
    if (date !== current) {
      if (counted === days) return { from, to }
      counted++
      current = date
    }
    from -= hourMs
  }
}

/** Groups hours by the local day; a day when clocks change has 23 or 25. */
export function byLocalDay(hours: readonly HourUse[], timeZone: string): LocalDay[] {
  const days: LocalDay[] = []
  for (const hour of hours) {
    const { date, hour: localHour } = localClock(hour.at, timeZone)
    let day = days.at(-1)
    if (day?.date !== date) {
      day = { date, hours: [], total: null, partly: false }
      days.push(day)
    }
    day.hours.push({ ...hour, localHour })
    if (hour.use !== null) day.total = (day.total ?? 0) + hour.use
    if (hour.state === 'unknown' || hour.partly) day.partly = true
  }
  return days
}

/**
 * Several meters of one kind as one: use adds up. Each counts from its first to its last day in the home
 * (`present`), so that a meter that was replaced does not leave its successor's hours unknown.
 */
export function combineUse(parts: readonly { use: Use; present: { from: number; until: number } }[]): Use {
  const byHour = new Map<number, HourUse[]>()
  for (const { use, present } of parts)
    for (const hour of use.hours) {
      const at = byHour.get(hour.at) ?? []
      if (hour.at + hourMs > present.from && hour.at < present.until) at.push(hour)
      byHour.set(hour.at, at)
    }
  const hours = [...byHour].sort(([a], [b]) => a - b).map(([at, all]) => combineHour(at, all))
  const stretches: UnknownStretch[] = parts.flatMap(({ use, present }) =>
    use.stretches.filter((stretch) => stretch.from < present.until && (stretch.until ?? present.until) > present.from),
  )
  return { hours, stretches: stretches.sort((a, b) => a.from - b.from) }
}

function combineHour(at: number, all: readonly HourUse[]): HourUse {
  const is = (state: HourUse['state']) => all.some((hour) => hour.state === state)
  const partly = is('unknown') || all.some((hour) => hour.partly)
  if (is('used')) return { at, state: 'used', use: all.reduce((sum, hour) => sum + (hour.use ?? 0), 0), partly }
  if (all.length === 0 || is('unknown')) return { at, state: 'unknown', use: null, partly: false }
  if (is('not used')) return { at, state: 'not used', use: 0, partly: is('not yet') }
  return { at, state: 'not yet', use: null, partly: false }
}

const floorHour = (at: number) => Math.floor(at / hourMs) * hourMs
