import type { EpochMs } from '../model.js'
import { instantOf, wallOf, weekOf } from '../roster-time.js'
import { hourMs, minuteMs } from './say.js'
import type { Context, Meter, ResidentState } from './state.js'

/**
 * How many hours of a day show use, week by week over more than a year: who slowly does less shows here before anything
 * happens. Nothing here fades: a week counts in full until it is too old, so that a slow decline cannot become the usual.
 */
export type Weeks = {
  /** The local day that is being counted, and where it begins and ends. */
  day: number
  from: EpochMs
  until: EpochMs
  /** Hours of this day with activity, and the hour (UTC, counted from 1970) of the newest one. */
  hours: number
  hour: number
  /** So much of this day had use in it of which nobody knows when. */
  vagueMs: number
  /** Part of this day was not hers, or not measured. */
  lost: boolean
  /** What is measured: with another kind of meter other hours count, and all begins again. */
  kinds: string
  /** Hours with activity on the known days of this week, in tenths. */
  days: number[]
  /** The same for each week, newest last; `unknownWeek` for one with too few known days. */
  weeks: number[]
  /** The decline that was told. */
  fall: Fall | null
}

/** `at`: when it was told, or last told again; hours a day with activity before it, and in the last 4 weeks. */
export type Fall = { at: EpochMs; usual: number; fallen: number }

export const unknownWeek = -1
/** A day with more than this of unknown hours is not known. Of what goes on in fewer the rest of the day tells. */
const vagueMsMax = 6 * hourMs
/** Use that nobody knows the hour of was in waking hours, nearly always. */
const wakingMs = 16 * hourMs
/** A longer interval with use in it does not tell in which hour that was. */
const intervalMsMax = 75 * minuteMs
/** A meter that is so far behind has not told all of the day when another one closes it. */
const behindMsMax = 2 * hourMs
const daysNeeded = 4
/** A year, and some weeks before it. */
const weeksMax = 58
/** What the last weeks are held against: the half year before the time in which a decline is looked for. */
export const recentWeeks = 4
const slowWeeks = 8
const baseWeeks = 26
const recentNeeded = 3
const baseNeeded = 12
/** The same weeks of last year, where they are known, and two before and after them: no spring comes on a day. */
const yearFrom = 50
const yearTo = 57
const yearNeeded = 5
/** Told from this share on, and where weeks differ much from each other only beyond so many of their spreads. */
const fallShareMin = 0.15
const spreadsMin = 1.5
const spreadShareMin = 0.05
/** Told again when it has gone on by as much again, and over when two thirds of it are made up for. */
const furtherShare = 0.15
const backShare = 2 / 3

function beginDay(weeks: Weeks, at: EpochMs, timeZone: string): void {
  weeks.day = wallOf(at, timeZone).day
  weeks.from = instantOf(weeks.day, 0, timeZone)
  weeks.until = instantOf(weeks.day + 1, 0, timeZone)
  weeks.hours = 0
  weeks.vagueMs = 0
  weeks.lost = false
}

function newWeeks(at: EpochMs, timeZone: string): Weeks {
  const counted = { hours: 0, hour: 0, vagueMs: 0, lost: true, kinds: '', days: [], weeks: [], fall: null }
  const weeks: Weeks = { day: 0, from: 0, until: 0, ...counted }
  beginDay(weeks, at, timeZone)
  // The first day is not known whole.
  weeks.lost = true
  return weeks
}

/**
 * One interval between two readings of a meter. `isUse`: somebody was active in it; `proves`: where not, nobody was, however
 * long it is.
 */
export type UseInterval = { from: EpochMs; at: EpochMs; known: boolean; isUse: boolean; proves: boolean }

/** Takes the newest interval of a meter. Costs some comparisons; the first reading after a day closes it. */
export function followWeeks(
  state: ResidentState,
  { from, at, known, isUse, proves }: UseInterval,
  arrivedAt: EpochMs,
  { timeZone }: Context,
): void {
  state.weeks ??= newWeeks(at, timeZone)
  const { weeks } = state
  if (at > weeks.until) {
    closeDay(state, weeks)
    const { day } = weeks
    beginDay(weeks, at, timeZone)
    const passed = weekOf(weeks.day) - weekOf(day)
    if (passed > 0) closeWeeks(weeks, passed, arrivedAt)
  }
  if (state.away) weeks.lost = true
  if (!known) weeks.lost = true
  if (at <= weeks.from || (!isUse && proves)) return
  if (at - from > intervalMsMax) weeks.vagueMs += at - Math.max(from, weeks.from)
  if (!isUse || at - from > intervalMsMax) return
  // The middle, because hourly meters come some seconds early and late.
  const hour = Math.floor((from + at) / (2 * hourMs))
  if (hour <= weeks.hour) return
  weeks.hour = hour
  weeks.hours += 1
}

function closeDay(state: ResidentState, weeks: Weeks): void {
  const kinds = kindsOf(state.meters)
  if (kinds !== weeks.kinds) {
    weeks.kinds = kinds
    weeks.days = []
    weeks.weeks = []
    weeks.fall = null
    return
  }
  // A day without any use is a day on which nobody was at home.
  if (weeks.lost || weeks.hours === 0 || weeks.vagueMs > vagueMsMax) return
  for (const meter of state.meters) if (meter.at < weeks.until - behindMsMax) return
  weeks.days.push(Math.round((10 * weeks.hours) / (1 - weeks.vagueMs / wakingMs)))
}

const kindsOf = (meters: Meter[]): string =>
  ['water', 'electricity'].filter((kind) => meters.some((meter) => meter.kind === kind)).join(' ')

/** Ends the week that was counted; further weeks without a reading are unknown. */
function closeWeeks(weeks: Weeks, passed: number, at: EpochMs): void {
  const { days } = weeks
  weeks.weeks.push(days.length >= daysNeeded ? Math.round(middleOf(days)) : unknownWeek)
  weeks.days = []
  for (let week = 1; week < Math.min(passed, weeksMax); week += 1) weeks.weeks.push(unknownWeek)
  if (weeks.weeks.length > weeksMax) weeks.weeks.splice(0, weeks.weeks.length - weeksMax)
  judgeDecline(weeks, at)
}

/** Mean without the lowest and the highest: one day away and one with guests change nothing. */
function middleOf(days: readonly number[]): number {
  const sorted = [...days].sort((a, b) => a - b).slice(1, -1)
  return sorted.reduce((sum, hours) => sum + hours, 0) / sorted.length
}

function medianOf(values: readonly number[]): number {
  const sorted = [...values].sort((a, b) => a - b)
  const half = sorted.length >> 1
  return sorted.length % 2 === 1 ? sorted[half]! : (sorted[half - 1]! + sorted[half]!) / 2
}

/** The median of the weeks from `newest` to `oldest` weeks ago (0: the last one) and how far weeks lie from it. */
function levelOf(weeks: readonly number[], newest: number, oldest: number, needed: number) {
  const known: number[] = []
  for (let ago = newest; ago <= oldest; ago += 1) {
    const value = weeks[weeks.length - 1 - ago]
    if (value !== undefined && value !== unknownWeek) known.push(value)
  }
  if (known.length < needed) return null
  const median = medianOf(known)
  // 1.4826: as many normal deviates lie within this as within one standard deviation.
  const spread = 1.4826 * medianOf(known.map((value) => Math.abs(value - median)))
  return { median, spread: Math.max(spread, spreadShareMin * median) }
}

type Level = NonNullable<ReturnType<typeof levelOf>>

/** The last 4 weeks, in tenths of an hour a day; null where too few of them are known. */
export const recentOf = (weeks: readonly number[]): number | null =>
  levelOf(weeks, 0, recentWeeks - 1, recentNeeded)?.median ?? null
/** What they are held against: the half year before the last 8 weeks. */
export const baseOf = (weeks: readonly number[]): Level | null =>
  levelOf(weeks, slowWeeks, slowWeeks + baseWeeks - 1, baseNeeded)

const isBelow = (recent: number, { median, spread }: Level): boolean =>
  median - recent >= Math.max(fallShareMin * median, spreadsMin * spread)

/**
 * The median of the last 4 weeks against that of the half year before the last 8; where last year's weeks are known, what
 * is as low at this time of every year is no decline, and what is far below them is one.
 */
function judgeDecline(weeks: Weeks, at: EpochMs): void {
  const recent = recentOf(weeks.weeks)
  const base = baseOf(weeks.weeks)
  if (recent === null || base === null) return
  const { fall } = weeks
  if (fall) {
    const isBack = recent >= fall.fallen + (fall.usual - fall.fallen) * backShare
    const isUsual = base.median <= fall.fallen
    if (isBack || isUsual) weeks.fall = null
    else if (recent <= fall.fallen - fall.usual * furtherShare) weeks.fall = { ...fall, at, fallen: recent }
    return
  }
  const year = levelOf(weeks.weeks, yearFrom, yearTo, yearNeeded)
  const isSeason = recent >= lowestLastYear(weeks.weeks) * (1 - fallShareMin / 2)
  if (isBelow(recent, base) && !isSeason) weeks.fall = { at, usual: base.median, fallen: recent }
  else if (year !== null && isBelow(recent, year)) weeks.fall = { at, usual: year.median, fallen: recent }
}

/** The lowest that 4 weeks of last year's season were; infinite where that is not known. */
function lowestLastYear(weeks: readonly number[]): number {
  let lowest = Number.POSITIVE_INFINITY
  for (let ago = yearFrom; ago + recentWeeks - 1 <= yearTo; ago += 1) {
    const level = levelOf(weeks, ago, ago + recentWeeks - 1, recentNeeded)
    if (level !== null && level.median < lowest) lowest = level.median
  }
  return lowest
}
