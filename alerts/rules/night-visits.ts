import type { Decision, EpochMs, ReadingArrival } from '../model.js'
import { instantOf, wallOf } from '../roster-time.js'
import { againstUsual, countedBy, usualAgain, usualNow } from './night-words.js'
import { hourMs, minuteMs } from './say.js'
import type { Context, ResidentState } from './state.js'

/**
 * How often somebody is up at night, and since when more often than she used to be. An infection of the bladder, diabetes
 * and a weak heart show here days before anybody complains.
 */
export type Nights = {
  /** The night that is being counted, or comes next. */
  from: EpochMs
  until: EpochMs
  /** Visits so far, and the newest use of any time of the day. */
  visits: number
  usedAt: EpochMs
  /** When somebody was there last. */
  homeAt: EpochMs
  /** Part of this night is not known, or it was not hers alone. */
  lost: boolean
  /** Visits of the nights that are known, newest last. */
  counts: number[]
  /** So many of the newest are being compared with those before them. */
  run: number
  /** CUSUM of that run, in thousandths of a standard deviation. */
  sum: number
  /** The rise that was told: the mean before it and in it, in hundredths of a visit, and when. */
  told: { at: EpochMs; usual: number; risen: number } | null
}

/** An hour earlier many are still up, and an hour later some are up already. */
const fromMinute = 0
const untilMinute = 5 * 60
const nightMs = (untilMinute - fromMinute) * minuteMs
/** The flush, the tap after it and the glass of water are one visit. */
const togetherMs = 10 * minuteMs
/** A longer interval with use in it does not tell when that was, nor how often. */
const intervalMsMax = 75 * minuteMs
/** A meter that is so far behind has not told all of the night when another one closes it. */
const behindMsMax = 75 * minuteMs
/** No use in the evening either: nobody was at home. */
const emptyMs = 12 * hourMs
/** A carer's stay. */
const visitMs = hourMs

export const baselineNights = 56
/**
 * CUSUM on the Anscombe transform (Lucas 1985; Anscombe 1948): half of the rise that is looked for, and the sum at which it
 * is told, in standard deviations. Tuned on the recordings: see `npm run evaluate -- DIR --rule nights`.
 */
const allowance = 0.5
const sumMax = 6
/** One wild night, or two, are a stomach upset. */
const zMax = 2
const runMin = 4
/** Where hardly a night differs from another, this much does not count as more. */
const spreadMin = 0.4
const riseMin = 0.6
const runMax = 56
/** She is back to what was usual when two thirds of the rise are gone from a week. */
export const backNights = 7
const backShare = 1 / 3

const anscombe = (count: number): number => Math.sqrt(count + 3 / 8)

function newNights(at: EpochMs, timeZone: string): Nights {
  const nights: Nights = {
    from: 0,
    until: 0,
    visits: 0,
    usedAt: 0,
    homeAt: 0,
    lost: true,
    counts: [],
    run: 0,
    sum: 0,
    told: null,
  }
  beginNight(nights, at, timeZone)
  // The night in which all begins is not known whole.
  nights.lost ||= at > nights.from
  return nights
}

/** The first night that is not over at `at`. */
function beginNight(nights: Nights, at: EpochMs, timeZone: string): void {
  const { day, minute } = wallOf(at, timeZone)
  const first = minute < untilMinute ? day : day + 1
  nights.from = instantOf(first, fromMinute, timeZone)
  nights.until = instantOf(first, untilMinute, timeZone)
  nights.visits = 0
  nights.lost = nights.until - nights.from !== nightMs
}

/**
 * One interval between two readings. `isUse`: somebody was at a tap in it, or got out of bed; `isHome`: somebody lay in
 * bed.
 */
export type Interval = { from: EpochMs; at: EpochMs; known: boolean; isUse: boolean; isHome?: boolean }

/**
 * Takes an interval that ended with the newest reading of a water meter, or of a bed where there is no water meter. By day
 * it costs two comparisons; the first reading after a night closes it.
 */
export function followNight(
  state: ResidentState,
  interval: Interval,
  arrivedAt: EpochMs,
  context: Context,
  out: Decision[],
): void {
  state.nights ??= newNights(interval.at, context.timeZone)
  const { nights } = state
  if (interval.at > nights.from) {
    count(state, nights, interval)
    if (interval.at > nights.until) {
      closeNight(state, nights, arrivedAt, out)
      beginNight(nights, interval.at, context.timeZone)
      // A long interval may reach into the night after.
      if (interval.at > nights.from) count(state, nights, interval)
    }
  }
  if (interval.isUse) nights.usedAt = interval.at
  if (interval.isUse || interval.isHome) nights.homeAt = interval.at
}

/** In a home without a water meter, a bed that is heard at least each hour tells it: each time somebody gets out. */
export function followBedNight(
  state: ResidentState,
  { deviceNo, event }: ReadingArrival,
  { at, arrivedAt }: { at: EpochMs; arrivedAt: EpochMs },
  context: Context,
  out: Decision[],
): void {
  const before = state.beds?.[deviceNo]
  if (!before || at <= before.at || state.meters.some(({ kind }) => kind === 'water')) return
  const known = at - before.at <= intervalMsMax
  const isUse = before.inBed && event === 'out'
  followNight(state, { from: before.at, at, known, isUse, isHome: before.inBed }, arrivedAt, context, out)
}

function count({ away }: ResidentState, nights: Nights, { from, at, known, isUse }: Interval): void {
  if (from >= nights.until) return
  if (away && away.from < nights.until && away.until > nights.from) nights.lost = true
  if (!known || (isUse && at - from > intervalMsMax)) nights.lost = true
  if (isUse && at <= nights.until && at - nights.usedAt > togetherMs) nights.visits += 1
}

function closeNight(state: ResidentState, nights: Nights, at: EpochMs, out: Decision[]): void {
  if (nights.lost || !isHers(state, nights)) return
  nights.counts.push(nights.visits)
  if (nights.told) followRise(state, nights, nights.told, at, out)
  else if (nights.counts.length > baselineNights) judgeRise(state, nights, at, out)
}

/** She was at home, alone, and every meter has told the whole night. */
function isHers({ meters, seen }: ResidentState, { from, until, homeAt }: Nights): boolean {
  if (homeAt < from - emptyMs) return false
  if (seen?.visit !== undefined && seen.visit > from - visitMs && seen.visit <= until) return false
  return meters.every((meter) => meter.kind !== 'water' || meter.at >= until - behindMsMax)
}

function judgeRise(state: ResidentState, nights: Nights, at: EpochMs, out: Decision[]): void {
  const { counts } = nights
  const end = counts.length - 1 - nights.run
  const before = counts.slice(end - baselineNights, end)
  const { mean, spread } = levelOf(before)
  const z = Math.min(zMax, (anscombe(counts.at(-1)!) - mean) / spread)
  nights.sum = Math.max(0, nights.sum + Math.round((z - allowance) * 1_000))
  nights.run = nights.sum === 0 ? 0 : Math.min(runMax, nights.run + 1)
  const run = counts.slice(counts.length - nights.run)
  const usual = meanOf(before)
  const risen = meanOf(run)
  if (nights.sum >= sumMax * 1_000 && run.length >= runMin && risen - usual >= riseMin) {
    nights.told = { at, usual: Math.round(usual * 100), risen: Math.round(risen * 100) }
    nights.sum = 0
    out.push(openRise(state, { at, observedAt: nights.until, usual, risen, nights: run.length }))
  }
  while (counts.length > baselineNights + nights.run) counts.shift()
}

/** The baseline stays what it was until she is back to it, or has kept the new level for as long as a baseline takes. */
function followRise(
  state: ResidentState,
  nights: Nights,
  told: NonNullable<Nights['told']>,
  at: EpochMs,
  out: Decision[],
): void {
  const { counts } = nights
  nights.run += 1
  const week = counts.slice(-backNights)
  const newest = meanOf(week)
  const isBack = newest <= (told.usual + (told.risen - told.usual) * backShare) / 100
  if (!isBack && nights.run < runMax) return
  const by = countedBy(state)
  nights.counts = isBack ? [...counts.slice(0, baselineNights), ...week].slice(-baselineNights) : counts.slice(-runMax)
  nights.run = 0
  nights.told = null
  const headline = isBack
    ? usualAgain({ perNight: newest, nights: backNights, by })
    : usualNow({ perNight: meanOf(nights.counts), nights: runMax, by })
  out.push({ type: 'clear', kind: 'night_visits', at, headline })
}

export const meanOf = (values: readonly number[]): number =>
  values.reduce((sum, value) => sum + value, 0) / values.length

function levelOf(counts: readonly number[]): { mean: number; spread: number } {
  const values = counts.map(anscombe)
  const mean = meanOf(values)
  const variance = values.reduce((sum, value) => sum + (value - mean) ** 2, 0) / (values.length - 1)
  return { mean, spread: Math.max(spreadMin, Math.sqrt(variance)) }
}

function openRise(
  state: ResidentState,
  p: { at: EpochMs; observedAt: EpochMs; usual: number; risen: number; nights: number },
): Extract<Decision, { type: 'open' }> {
  const { usual, risen: perNight, nights } = p
  const reason = { perNight: round2(perNight), usualPerNight: round2(usual), nights }
  const headline = againstUsual({ perNight, usual, nights, by: countedBy(state) })
  return { type: 'open', kind: 'night_visits', openedAt: p.at, observedAt: p.observedAt, headline, reason }
}

const round2 = (value: number): number => Math.round(value * 100) / 100
