import type { EpochMs } from './model.js'
import { offsetMsAt } from './rules/zone.js'

const minuteMs = 60_000
const dayMs = 86_400_000
const weekDays = 7
const cachedMax = 4_000

/** Days since 1970-01-01, as a calendar counts them. */
export type DayNumber = number

/** "2027-01-03" → its day number; undefined for what is no date. */
export function dayOfDate(date: string): DayNumber | undefined {
  // The same few dates are asked for with each alert of a storm.
  const known = days.get(date)
  if (known !== undefined) return known
  const day = readDate(date)
  if (day === undefined) return undefined
  if (days.size >= cachedMax) days.clear()
  days.set(date, day)
  return day
}

const days = new Map<string, DayNumber>()

function readDate(date: string): DayNumber | undefined {
  const parts = /^(\d{4})-(\d{2})-(\d{2})$/.exec(date)
  if (!parts) return undefined
  const at = Date.UTC(Number(parts[1]), Number(parts[2]) - 1, Number(parts[3]))
  return new Date(at).toISOString().startsWith(date) ? at / dayMs : undefined
}

export const dateOfDay = (day: DayNumber): string => new Date(day * dayMs).toISOString().slice(0, 10)

/** 1 Monday … 7 Sunday. 1970-01-01 was a Thursday. */
export const weekdayOf = (day: DayNumber): number => ((((day + 3) % weekDays) + weekDays) % weekDays) + 1

/** Weeks begin on Monday. */
export const weekOf = (day: DayNumber): number => Math.floor((day + 3) / weekDays)

/** "20:30" → 1230; undefined for what is no time of day. */
export function minuteOfClock(clock: string): number | undefined {
  const parts = /^([01]\d|2[0-3]):([0-5]\d)$/.exec(clock)
  return parts ? Number(parts[1]) * 60 + Number(parts[2]) : undefined
}

export const clockOfMinute = (minute: number): string =>
  `${String(Math.floor(minute / 60) % 24).padStart(2, '0')}:${String(minute % 60).padStart(2, '0')}`

/** What the wall clock of a zone shows: the day and the minute of it. */
export function wallOf(at: EpochMs, timeZone: string): { day: DayNumber; minute: number } {
  const local = at + offsetMsAt(at, timeZone)
  const day = Math.floor(local / dayMs)
  return { day, minute: Math.floor((local - day * dayMs) / minuteMs) }
}

const zones = new Map<string, Map<number, EpochMs>>()
function instantsOf(timeZone: string): Map<number, EpochMs> {
  const known = zones.get(timeZone)
  if (known) return known
  const instants = new Map<number, EpochMs>()
  zones.set(timeZone, instants)
  return instants
}

/**
 * The first instant at which the wall clock of a zone shows this time or a later one: the first of two where the clock
 * goes back, the moment of the change where it skips the time. So one shift ends where the next begins, in every night.
 * `minute` counts from the beginning of `day` and may lie beyond it.
 */
export function instantOf(day: DayNumber, minute: number, timeZone: string): EpochMs {
  const instants = instantsOf(timeZone)
  const local = day * dayMs + minute * minuteMs
  let at = instants.get(local)
  if (at === undefined) {
    at = findInstant(local, timeZone)
    if (instants.size >= cachedMax) instants.clear()
    instants.set(local, at)
  }
  return at
}

function findInstant(local: number, timeZone: string): EpochMs {
  // No zone changes its clock twice within two days.
  const before = offsetMsAt(local - dayMs, timeZone)
  const after = offsetMsAt(local + dayMs, timeZone)
  const first = local - before
  if (before === after || offsetMsAt(first, timeZone) === before) return first
  if (offsetMsAt(local - after, timeZone) === after) return local - after
  let low = local - after
  let high = first
  while (high - low > minuteMs) {
    const middle = Math.floor((low + high) / 2 / minuteMs) * minuteMs
    if (offsetMsAt(middle, timeZone) === after) high = middle
    else low = middle
  }
  return high
}
