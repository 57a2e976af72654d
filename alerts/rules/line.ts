import type { EpochMs } from '../model.js'
import {
  type Calm,
  calms,
  dayMs,
  dayQuarters,
  forgetDays,
  gapCalm,
  gapMsMax,
  gapMsMin,
  gapQuarters,
  gapStart,
  isOfBefore,
  jitterMs,
  type Line,
  quarterMs,
  type Routine,
  tailDays,
} from './routine.js'
import { hourMs } from './say.js'
import { wallClock } from './zone.js'

const stepMs = hourMs / 2
const steps = gapMsMax / stepMs
const stepHours = stepMs / hourMs
/** How near the start of another silence must be to tell something about this one: about an hour and a quarter. */
const hoursWide = 1.2
/** What a working day tells about a weekend, and a busy hour about a quiet one: less than their like. */
const otherDayWeight = 0.4
const otherCalmWeight = 0.1
/** So many hours' worth of this home's day as a whole, and of what homes in general do, stand beside what is counted. */
const poolWeight = 1
const priorWeight = 1
const priorHours = 4
/** The margin is taken from the silences that are exceeded this often a month, or as often as the budget if that is more. */
const tailPerMonth = 5
const monthDays = 365.25 / 12
/** Share of the silences that are longer than "normally at most". With 2 in 100 the line would mostly lie below that by day. */
const unusualShare = 0.05
/** Share of them that are long: too many to tell anything of one home, and much of a street. */
const longShare = 0.2
/**
 * An hour of waiting by day counts 1.8 times (e to the 0.6) an hour by night: who is up falls, and a fixed rule, which
 * must outlast the night, is worst by day.
 */
const dayFrom = 6
const dayTo = 20.5
const dayGain = 0.6
/** The length of a silence counts twice as much as its price, and each hour of use that is missed a little. */
const lengthWeight = 2
const expectedWeight = 0.083
/** Each false alarm moves the margin up by 7 %, and the time in which one was allowed moves it down by as much. */
const gainPerAlarm = 0.067
const biasMax = 1
/** The fixed 12 h rule stands alone for 14 days, and has left by 28. */
export const coldDays = 14
export const warmDays = 28
const fixedMs = 12 * hourMs

/** What one call needs and the next one overwrites: making it anew costs as much as filling it. */
const scratch = new Float64Array(steps + 1)
const corners = new Int32Array(steps + 1)

type Start = { hour: number; weekend: boolean; calm: Calm; day: number }

/** Quarter hours around the clock between two times of day, 0 to 48. */
function apart(quarter: number, other: number): number {
  const quarters = Math.abs(quarter - other)
  return quarters > 48 ? 96 - quarters : quarters
}
/** How much a start so many quarter hours away, and so many days ago, counts. */
const nearness = Float64Array.from({ length: 49 }, (_, quarter) => Math.exp(-0.5 * (quarter / 4 / hoursWide) ** 2))
/** Farther than some 3 h away nothing counts: it is not worth its arithmetic. */
const nearnessMin = 0.04
const freshness = Float64Array.from({ length: 4 * forgetDays + 2 }, (_, days) => Math.exp(-days / forgetDays))
const tailFreshness = Float64Array.from({ length: 4 * tailDays + 2 }, (_, days) => Math.exp(-days / tailDays))
/** What the silences of homes in general do, at each half hour. */
const general = Float64Array.from(
  { length: steps + 1 },
  (_, step) => priorWeight * Math.exp((-step * stepHours) / priorHours),
)

/**
 * For a silence that begins like this: the share of the active hours that were followed by a silence of at least
 * k half hours. Counted over silences that began at about that time of day, weighted by their age and likeness.
 */
function survivalOf(routine: Routine, { hour, weekend, calm, day }: Start): Float64Array {
  const quarter = Math.floor(hour * 4)
  let like = 0
  let all = 0
  for (let h = 0; h < 24; h += 1) {
    const near = nearness[apart(h * 4 + 2, quarter)]!
    for (let slot = h; slot < calms * 48; slot += 24) {
      const hours = routine.active[slot]!
      all += hours
      if (near < nearnessMin || hours === 0) continue
      const isEnd = slot % 48 >= 24
      like +=
        hours *
        near *
        (isEnd === weekend ? 1 : otherDayWeight) *
        (slot - (slot % 48) === calm * 48 ? 1 : otherCalmWeight)
    }
  }
  const mine = new Float64Array(steps + 1)
  const pool = scratch.fill(0)
  for (const gap of routine.gaps) {
    const start = gapStart(gap)
    const startQuarter = start % dayQuarters
    const gapDay = (start - startQuarter) / dayQuarters
    const age = freshness[Math.min(freshness.length - 1, Math.max(0, day - gapDay))]!
    const step = Math.min(steps, gapQuarters(gap) >> 1)
    pool[step]! += age
    const near = nearness[apart(startQuarter, quarter)]!
    if (near < nearnessMin) continue
    const weekday = (gapDay + 4) % 7
    const end = weekday === 0 || weekday === 6
    mine[step]! += age * near * (end === weekend ? 1 : otherDayWeight) * (gapCalm(gap) === calm ? 1 : otherCalmWeight)
  }
  let longer = 0
  let anyLonger = 0
  for (let step = steps; step >= 0; step -= 1) {
    longer += mine[step]!
    anyLonger += pool[step]!
    const prior = general[step]!
    mine[step] = (longer + (poolWeight * anyLonger) / Math.max(all, 1) + prior) / (like + poolWeight + priorWeight)
  }
  mine[0] = 1
  return mine
}

/**
 * How unusual a silence of k half hours is: the mean of two log rates, plus what it should have held. One is minus the log
 * of the share of silences that last as long. The other is minus the log of the false alarms that a further hour of
 * waiting would save: waiting until it passes a threshold gives the shortest mean delay for a number of false alarms,
 * because then no hour of waiting buys less than another (the slope of the greatest convex minorant of the survival curve:
 * Grenander 1956), but it is the noisier of the two. The third knows the clock on the wall rather than the hour of the
 * beginning: a silence over hours that are nearly always busy grows unusual quickly.
 */
function scoresOf(survival: Float64Array, expected: Float64Array, hour: number): Float64Array {
  const isDay = hour >= dayFrom && hour < dayTo
  const gain = isDay ? dayGain : 0
  const scores = pricesOf(survival)
  for (let step = 0; step <= steps; step += 1)
    scores[step] =
      (gain + scores[step]! - lengthWeight * Math.log(survival[step]!)) / (1 + lengthWeight) +
      expectedWeight * (isDay ? Math.exp(dayGain) : 1) * expected[step]!
  return scores
}

/** Minus the log of the false alarms that each further hour of waiting would save, after k half hours. */
function pricesOf(survival: Float64Array): Float64Array {
  let last = 0
  corners[0] = 0
  for (let step = 1; step <= steps; step += 1) {
    for (; last > 0; last -= 1) {
      const to = corners[last]!
      const from = corners[last - 1]!
      const isBelow =
        (survival[to]! - survival[from]!) * (step - from) < (survival[step]! - survival[from]!) * (to - from)
      if (isBelow) break
    }
    last += 1
    corners[last] = step
  }
  const prices = new Float64Array(steps + 1)
  for (let index = 1; index <= last; index += 1) {
    const from = corners[index - 1]!
    const to = corners[index]!
    const savedPerHour = (survival[from]! - survival[to]!) / ((to - from) * stepHours)
    prices.fill(-Math.log(Math.max(savedPerHour, 1e-9)), from, to)
  }
  prices[steps] = prices[steps - 1]! + 1
  return prices
}

/** How many hours with activity there usually are in the k half hours after such a start. */
function expectedOf(routine: Routine, { hour, weekend, day }: Start): Float64Array {
  const active = scratch.fill(0)
  for (let slot = 0; slot < calms * 48; slot += 1) active[slot % 48]! += routine.active[slot]!
  const days = forgetDays * (1 - Math.exp(-Math.max(1, day - routine.firstAt! / dayMs) / forgetDays))
  const workdays = (days * 5) / 7 + 1
  const restdays = (days * 2) / 7 + 1
  const like = weekend ? 1 - otherDayWeight : 1 - otherDayWeight / 2
  const expected = new Float64Array(steps + 1)
  for (let step = 1; step <= steps; step += 1) {
    const at = Math.floor(hour + (step - 0.5) * stepHours) % 24
    const onWorkday = (active[at]! + 0.5) / workdays
    const onRestday = (active[24 + at]! + 0.5) / restdays
    const rate = weekend ? like * onRestday + (1 - like) * onWorkday : like * onWorkday + (1 - like) * onRestday
    expected[step] = expected[step - 1]! + Math.min(1, rate) * stepHours
  }
  return expected
}

/**
 * The score that this resident's silences exceed `budget` times a month: from the scores exceeded about 5 times a month
 * an exponential tail leads to rarer ones. Null without any.
 */
export function thresholdOf(routine: Routine, budget: number, day: number): number | null {
  if (routine.tops.length === 0 || routine.firstAt === null) return null
  const days = tailDays * (1 - Math.exp(-Math.max(1, day - routine.firstAt / dayMs) / tailDays))
  const perMonth = Math.max(tailPerMonth, budget)
  const wanted = (perMonth * days) / monthDays
  let weights = 0
  let sum = 0
  let before = routine.tops[0]![1] + 1
  for (const [start, score] of routine.tops) {
    const weight =
      tailFreshness[Math.min(tailFreshness.length - 1, Math.max(0, day - Math.floor(start / dayQuarters)))]!
    if (weights + weight > wanted) {
      const from = score + (before - score) * (1 - (wanted - weights) / weight)
      const scale = weights > 0 ? sum / weights - from : 1
      return from + scale * Math.log(perMonth / budget) + routine.bias
    }
    weights += weight
    sum += weight * score
    before = score
  }
  return before + Math.log(perMonth / budget) + routine.bias
}

const startOf = (since: EpochMs, calm: Calm, timeZone: string): Start => ({ ...wallClock(since, timeZone), calm })

type Curve = {
  since: EpochMs
  activeAt: EpochMs | null
  start: Start
  survival: Float64Array
  scores: Float64Array
}
/** What the end of a silence asks again: it depends on nothing but the routine, which changes only with an activity or a mark. */
const curves = new WeakMap<Routine, Curve>()
/** The routine was changed within a silence. */
export const forgetCurve = (routine: Routine): boolean => curves.delete(routine)

function curveOf(routine: Routine, since: EpochMs, timeZone: string): Curve {
  const known = curves.get(routine)
  // A late activity may come before a beginning that is later than it: it has changed what is known.
  if (known?.since === since && known.activeAt === routine.activeAt) return known
  const start = startOf(since, routine.calm, timeZone)
  const survival = survivalOf(routine, start)
  const curve = {
    since,
    activeAt: routine.activeAt,
    start,
    survival,
    scores: scoresOf(survival, expectedOf(routine, start), start.hour),
  }
  curves.set(routine, curve)
  return curve
}

/** How unusual the silence that ends now was: the score of the last moment at which it still went on. Null for a short one. */
export function scoreOf(routine: Routine, timeZone: string): number | null {
  const { activeAt, provenMs } = routine
  if (activeAt === null || provenMs + jitterMs < gapMsMin) return null
  const { scores } = curveOf(routine, activeAt, timeZone)
  const at = (provenMs + jitterMs) / stepMs
  const step = Math.min(steps - 1, Math.floor(at))
  return scores[step]! + (at - step) * 1e-3
}

/** Days since the first activity; the line counts from the 14th. */
export const isLearned = (routine: Routine, at: EpochMs): boolean =>
  routine.firstAt !== null &&
  at - routine.firstAt >= coldDays * dayMs &&
  routine.tops.length > 0 &&
  !isOfBefore(routine)

/** The line for a silence that began at `since`, or null while too little is known. */
export function lineOf(
  routine: Routine,
  since: EpochMs,
  { budget, timeZone, neighbours }: { budget: number; timeZone: string; neighbours?: number[] | undefined },
): Line | null {
  if (!isLearned(routine, since)) return null
  const { start, survival, scores } = curveOf(routine, since, timeZone)
  const threshold = thresholdOf(routine, budget, start.day)
  if (threshold === null) return null
  let step = gapMsMin / stepMs
  while (step < steps && scores[step]! <= threshold) step += 1
  let usual = 1
  while (usual < steps && survival[usual]! > unusualShare) usual += 1
  const warmth = Math.min(1, ((since - routine.firstAt!) / dayMs - coldDays) / (warmDays - coldDays))
  const youngMs = Math.min(fixedMs, neighbours?.[Math.floor(start.hour)] ?? fixedMs)
  // Who sleeps 13 h is not to be alarmed every morning because the line is young.
  const blendedMs = Math.max(warmth * step + (1 - warmth) * (youngMs / stepMs), Math.min(usual, step)) * stepMs
  const limitMs = Math.round(blendedMs / quarterMs) * quarterMs
  let long = 1
  while (long < usual && survival[long]! > longShare) long += 1
  const [usualMs, longMs] = [usual, long].map((each) => Math.min(Math.max(each * stepMs, gapMsMin), limitMs))
  return { since, limitMs, usualMs: usualMs!, longMs: longMs! }
}

/** Moves the margin by what came: down as time passes without a false alarm, up with each. */
export function correct(routine: Routine, { at, alarms }: { at: EpochMs; alarms: number }, budget: number): void {
  if (!isLearned(routine, at)) return
  if (routine.biasAt === 0) routine.biasAt = at
  const months = (at - routine.biasAt) / dayMs / monthDays
  routine.biasAt = at
  routine.bias = bounded(routine.bias + gainPerAlarm * (alarms - budget * months))
}

const bounded = (bias: number) => Math.round(Math.max(-biasMax, Math.min(biasMax, bias)) * 1e6) / 1e6

/** An alarm more, or one fewer, was false than had been counted. */
export function recount(routine: Routine, alarms: 1 | -1): void {
  routine.bias = bounded(routine.bias + gainPerAlarm * alarms)
}
