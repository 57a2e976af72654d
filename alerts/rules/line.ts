import type { EpochMs } from '../model.js'
import {
  type Calm,
  calms,
  dayMs,
  type Ended,
  forgetDays,
  gapMsMax,
  gapMsMin,
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
/** Share of the silences that are longer than "normally at most". */
const unusualShare = 0.02
/**
 * An hour of waiting by day counts 1.8 times (e to the 0.6) an hour by night: who is up falls, and a fixed rule, which
 * must outlast the night, is worst by day.
 */
const dayFrom = 6
const dayTo = 20.5
const dayGain = 0.6
/** Each false alarm moves the margin up by 15 %, and the time in which one was allowed moves it down by as much. */
const gainPerAlarm = 0.15
const biasMax = 1.5
/** The fixed 12 h rule stands alone for 14 days, and has left by 28. */
const coldDays = 14
const warmDays = 28
const fixedMs = 12 * hourMs

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
  const pool = new Float64Array(steps + 1)
  // By index: taking arrays apart costs more here than all the arithmetic.
  for (const gap of routine.gaps) {
    const gapDay = gap[0]
    const age = freshness[Math.min(freshness.length - 1, Math.max(0, day - gapDay))]!
    const step = Math.min(steps, gap[2] >> 1)
    pool[step]! += age
    const near = nearness[apart(gap[1], quarter)]!
    if (near < nearnessMin) continue
    const weekday = (gapDay + 4) % 7
    const end = weekday === 0 || weekday === 6
    mine[step]! += age * near * (end === weekend ? 1 : otherDayWeight) * (gap[3] === calm ? 1 : otherCalmWeight)
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
 * How much an alert after k half hours would cost: minus the log of the false alarms that each further hour of waiting
 * would save. Waiting until this passes a threshold gives the shortest mean delay for a number of false alarms, because
 * then no hour of waiting buys less than another (the price is the slope of the greatest convex minorant of the
 * survival curve: Grenander 1956).
 */
function scoresOf(survival: Float64Array, hour: number): Float64Array {
  const gain = hour >= dayFrom && hour < dayTo ? dayGain : 0
  const corners = [0]
  for (let step = 1; step <= steps; step += 1) {
    while (corners.length > 1) {
      const last = corners[corners.length - 1]!
      const before = corners[corners.length - 2]!
      const isBelow =
        (survival[last]! - survival[before]!) * (step - before) <
        (survival[step]! - survival[before]!) * (last - before)
      if (isBelow) break
      corners.pop()
    }
    corners.push(step)
  }
  const scores = new Float64Array(steps + 1)
  for (let index = 1; index < corners.length; index += 1) {
    const from = corners[index - 1]!
    const to = corners[index]!
    const savedPerHour = (survival[from]! - survival[to]!) / ((to - from) * stepHours)
    scores.fill(gain - Math.log(Math.max(savedPerHour, 1e-9)), from, to)
  }
  scores[steps] = scores[steps - 1]! + 1
  return scores
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
  for (const [topDay, score] of routine.tops) {
    const weight = Math.exp(-Math.max(0, day - topDay) / tailDays)
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

/** How unusual a finished silence was: the score of the last moment at which it still went on. */
export function scoreOf(routine: Routine, { since, provenMs, calm }: Ended, timeZone: string): number | null {
  if (provenMs + jitterMs < gapMsMin) return null
  const start = startOf(since, calm, timeZone)
  const scores = scoresOf(survivalOf(routine, start), start.hour)
  const at = (provenMs + jitterMs) / stepMs
  const step = Math.min(steps - 1, Math.floor(at))
  return scores[step]! + (at - step) * 1e-3
}

/** Days since the first activity; the line counts from the 14th. */
export const isLearned = (routine: Routine, at: EpochMs): boolean =>
  routine.firstAt !== null && at - routine.firstAt >= coldDays * dayMs && routine.tops.length > 0

/** The line for a silence that began at `since`, or null while too little is known. */
export function lineOf(
  routine: Routine,
  since: EpochMs,
  { budget, timeZone, neighbours }: { budget: number; timeZone: string; neighbours?: number[] | undefined },
): Line | null {
  if (!isLearned(routine, since)) return null
  const start = startOf(since, routine.calm, timeZone)
  const threshold = thresholdOf(routine, budget, start.day)
  if (threshold === null) return null
  const survival = survivalOf(routine, start)
  const scores = scoresOf(survival, start.hour)
  let step = gapMsMin / stepMs
  while (step < steps && scores[step]! <= threshold) step += 1
  const warmth = Math.min(1, ((since - routine.firstAt!) / dayMs - coldDays) / (warmDays - coldDays))
  const youngMs = Math.min(fixedMs, neighbours?.[Math.floor(start.hour)] ?? fixedMs)
  const limitMs = Math.round((warmth * step * stepMs + (1 - warmth) * youngMs) / quarterMs) * quarterMs
  let usual = 1
  while (usual < steps && survival[usual]! > unusualShare) usual += 1
  return { since, limitMs, usualMs: Math.min(Math.max(usual * stepMs, gapMsMin), limitMs) }
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
