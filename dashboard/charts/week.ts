import { byLocalDay } from './days.js'
import type { HourUse, Use } from './hourly-use.js'

/**
 * What a day looked like, in the coarse words that a family member may see. `used`: there was life; `partly`: there
 * was, and part of the day is not known; `quiet`: fully known, and hardly anything was used; `unknown`: nothing can be
 * said, which is never shown as quiet.
 */
export type DayMark = 'used' | 'partly' | 'quiet' | 'unknown' | 'not yet'

/** As the silence rule has it: fewer litres than this is what a dripping tap makes. */
const waterDayMin = 10
/** A day's busiest hour must stand out from its quiet ones by this much, else it is the fridge. */
const electricityAboveBaseMin = 60
/** Unknown for longer than this and the day is marked as only partly known. */
const unknownHoursMax = 2

/** One mark for each local day, from the hours of water (L) and of electricity (Wh). */
export function weekMarks({
  water,
  electricity,
  timeZone,
}: {
  water: Use | null
  electricity: Use | null
  timeZone: string
}): { date: string; mark: DayMark }[] {
  const waterDays = water ? byLocalDay(water.hours, timeZone) : []
  const electricityDays = electricity ? byLocalDay(electricity.hours, timeZone) : []
  const dates = [...new Set([...waterDays, ...electricityDays].map((day) => day.date))].sort()
  return dates.map((date) => {
    const w = waterDays.find((day) => day.date === date)?.hours ?? []
    const e = electricityDays.find((day) => day.date === date)?.hours ?? []
    return { date, mark: markOf(w, e) }
  })
}

function markOf(water: readonly HourUse[], electricity: readonly HourUse[]): DayMark {
  const meters = [water, electricity].filter((hours) => hours.length > 0)
  const active = sum(water) >= waterDayMin || aboveBase(electricity) >= electricityAboveBaseMin
  // An hour counts as known when one of the meters covers it: each is a witness of its own.
  const at = [...new Set(meters.flat().map((hour) => hour.at))]
  const stateAt = (hour: number) => meters.flatMap((hours) => hours.filter((one) => one.at === hour))
  const unknown = at.filter((hour) => stateAt(hour).every(({ state }) => state === 'unknown')).length
  const known = at.filter((hour) => stateAt(hour).some(({ state }) => state === 'used' || state === 'not used')).length
  if (active) return unknown > unknownHoursMax ? 'partly' : 'used'
  if (unknown > unknownHoursMax || (known === 0 && unknown > 0)) return 'unknown'
  return known > 0 ? 'quiet' : 'not yet'
}

const sum = (hours: readonly HourUse[]) => hours.reduce((total, hour) => total + (hour.use ?? 0), 0)

function aboveBase(hours: readonly HourUse[]): number {
  const uses = hours.flatMap((hour) => (hour.use === null || hour.partly ? [] : [hour.use])).sort((a, b) => a - b)
  if (uses.length < 2) return 0
  return uses.at(-1)! - uses[Math.floor(uses.length / 4)]!
}
