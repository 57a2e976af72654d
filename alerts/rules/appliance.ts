import type { Decision, EpochMs } from '../model.js'
import { endHeadline, onHeadline } from './appliance-words.js'
import { baseWattsOf } from './electricity.js'
import { hourMs, minuteMs } from './say.js'
import {
  type Context,
  type ElectricityMeter,
  hoursOf,
  limitMsOf,
  type Point,
  type ResidentState,
  round3,
} from './state.js'

const dayMs = 24 * hourMs
/**
 * So many W above what always runs: one appliance of 1 kW, and of 2 kW, at 10 % below its rating. Each has limits of its own,
 * so that a stove is seen in a home whose heating runs all evening.
 */
const levelsWatts = [900, 1_800]
/** A thermostat switches a hob or an oven within these; longer intervals do not show a pause. */
const windowMsMin = 15 * minuteMs
const windowMsMax = 65 * minuteMs
/** Upper ends of the classes that run lengths are counted in: no limit is below the first. What is longer counts as the longest. */
const classMinutes = [45, 60, 90, 120, 180, 240, 360, 480, 720, 1_440]
/** In 1,000 runs 995 are as long as the usual limit at most … */
const tailShare = 0.005
/** … which is stretched by a quarter, and by more while few runs are known: the longest of ten is not the longest of 200. */
const marginShare = 0.25
const fewRuns = 25
/** Nothing is known of a home in its first days, and 8 h is long for anything but heating. */
const learnMs = 14 * dayMs
const unknownMs = 8 * hourMs
/** Half of what was learned is forgotten in half a year: last winter's heating still counts. */
const monthMs = 30 * dayMs
const keptPercent = 89
/** An oven that rests so long within what has been told is still on. */
const restMsMin = 30 * minuteMs
/** Then it is what always runs. */
const alwaysMs = 7 * dayMs
/** Rounding of the register on its way. */
const roundingWh = 1

/** How long electricity has been high, and how long it usually is, at each level. */
export type LeftOn = {
  mark: Point
  /** What always runs (W), as it was before the run that goes on. */
  base: number | null
  firstAt: EpochMs
  /** 30-day month of the newest forgetting. */
  month: number
  levels: Level[]
}
type Run = { since: EpochMs; fromTotal: number; restMs: number; told: boolean }
/** `lengths`: how many runs were of each class. */
type Level = { run: Run | null; lengths: number[] }

type Sink = { arrivedAt: EpochMs; context: Context; out: Decision[] }

/** Looks at the window that ends with the meter's newest reading, once it is long enough. */
export function followAppliance(
  meter: ElectricityMeter,
  { from, increment, known }: { from: EpochMs; increment: number; known: boolean },
  arrivedAt: EpochMs,
  context: Context,
  out: Decision[],
): void {
  meter.left ??= newLeftOn(from, round3(meter.total - increment))
  const { left } = meter
  const { mark } = left
  const spanMs = meter.at - mark[0]
  // A register that counts in steps is one step off at most; wait until a step is no more than half of what must run.
  const isShort = spanMs < windowMsMin || levelsWatts[0]! * hoursOf(spanMs) < 2 * meter.step
  if (known && isShort && spanMs <= windowMsMax) return
  forget(left, meter.at)
  const shows = known && spanMs <= windowMsMax
  const base = shows ? baseOf(meter, left) : null
  for (let index = 0; index < levelsWatts.length; index += 1) {
    const level = left.levels[index]!
    if (base !== null) {
      const needed = (base + levelsWatts[index]!) * hoursOf(spanMs)
      const isHigh = meter.total - mark[1] + Math.max(meter.step, roundingWh) >= needed
      if (isHigh) level.run ??= { since: mark[0], fromTotal: mark[1], restMs: 0, told: false }
      if (isHigh) level.run!.restMs = 0
      else if (level.run) rest(meter, level, spanMs, { arrivedAt, context, out })
    } else if (level.run && !level.run.told) level.run = null
  }
  mark[0] = meter.at
  mark[1] = meter.total
}

const newLeftOn = (at: EpochMs, total: number): LeftOn => ({
  mark: [at, total],
  base: null,
  firstAt: at,
  month: Math.floor(at / monthMs),
  levels: levelsWatts.map(() => ({ run: null, lengths: classMinutes.map(() => 0) })),
})

/** What always runs is not learned from a run that goes on, unless it has gone on for a week. */
function baseOf(meter: ElectricityMeter, left: LeftOn): number | null {
  const quietest = baseWattsOf(meter)
  const { run } = left.levels[0]!
  if (quietest === null || left.base === null || run === null || meter.at - run.since > alwaysMs) left.base = quietest
  else left.base = Math.min(left.base, quietest)
  return left.base
}

function forget(left: LeftOn, at: EpochMs): void {
  const month = Math.floor(at / monthMs)
  for (; left.month < month; left.month += 1)
    for (const { lengths } of left.levels)
      for (let index = 0; index < lengths.length; index += 1)
        lengths[index] = Math.floor(lengths[index]! * keptPercent + 1e-6) / 100
}

/** A run that was told has taught what it may; any other one ends at its first pause, and counts. */
function rest(meter: ElectricityMeter, level: Level, spanMs: number, sink: Sink): void {
  const run = level.run!
  run.restMs += spanMs
  if (run.told && run.restMs < restMsMin) return
  level.run = null
  const endedAt = meter.at - run.restMs
  if (run.told) clear(meter, run, endedAt, sink)
  else learn(level, endedAt - run.since)
}

function learn({ lengths }: Level, ms: number): void {
  let index = 0
  while (index < classMinutes.length - 1 && ms > classMinutes[index]! * minuteMs) index += 1
  lengths[index] = Math.round((lengths[index]! + 1) * 100) / 100
}

function clear(meter: ElectricityMeter, run: Run, endedAt: EpochMs, { arrivedAt, context, out }: Sink): void {
  // One appliance may be seen at both levels.
  if (meter.left!.levels.some((level) => level.run?.told)) return
  const isAlways = endedAt - run.since >= alwaysMs
  const kWh = (meter.total - run.fromTotal) / 1_000
  const headline = endHeadline({ since: run.since, endedAt, kWh, isAlways, at: arrivedAt }, context.timeZone)
  out.push({ type: 'clear', kind: 'appliance_on', deviceNo: meter.deviceNo, at: arrivedAt, headline })
}

type Limit = { usualMs: number | null; limitMs: number }

/** `usualMs`: 995 in 1,000 of this resident's runs are no longer; null while too little is known. */
function limitOf({ lengths }: Level, knownMs: number): Limit {
  let runs = 0
  for (const count of lengths) runs += count
  if (runs < 1) return { usualMs: null, limitMs: unknownMs }
  let tail = 0
  let index = classMinutes.length
  while (index > 0 && tail <= tailShare * runs) {
    index -= 1
    tail += lengths[index]!
  }
  const usualMs = classMinutes[index]! * minuteMs
  const least = Math.round(usualMs * (1 + marginShare))
  if (knownMs < learnMs) return { usualMs: null, limitMs: Math.max(least, unknownMs) }
  const careful = Math.round(usualMs * (1 + marginShare + fewRuns / runs))
  return { usualMs, limitMs: Math.max(least, Math.min(careful, unknownMs)) }
}

/** Opens the alert for each home where electricity is high for longer than it ever is, and still at the newest reading. */
export function judgeAppliance(state: ResidentState, at: EpochMs, context: Context, out: Decision[]): void {
  if (state.settleAt !== null) return
  for (const meter of state.meters)
    if (meter.kind === 'electricity' && meter.left?.levels[0]?.run) judgeMeter(meter, meter.left, at, context, out)
}

function judgeMeter(meter: ElectricityMeter, left: LeftOn, at: EpochMs, context: Context, out: Decision[]): void {
  const [until, total] = left.mark
  for (let index = levelsWatts.length - 1; index >= 0; index -= 1) {
    const level = left.levels[index]!
    const { run } = level
    if (!run || run.told || at - until > limitMsOf(meter.reach)) continue
    const watts = Math.round((total - run.fromTotal) / hoursOf(until - run.since) - left.base!)
    const limit = limitOf(level, until - left.firstAt)
    // Each window may be one step of the register too high; all of them together may not.
    if (watts + roundingWh < levelsWatts[index]! || until - run.since < limit.limitMs) continue
    const isNews = !left.levels.some((other) => other.run?.told)
    run.told = true
    // Whatever happens to it from here on, it was no routine.
    learn(level, until - run.since)
    if (!isNews) continue
    const minutes = (ms: number) => Math.round(ms / minuteMs)
    out.push({
      type: 'open',
      kind: 'appliance_on',
      deviceNo: meter.deviceNo,
      openedAt: at,
      observedAt: until,
      headline: onHeadline({ since: run.since, until, watts, ...limit, at }, context.timeZone),
      reason: {
        since: run.since,
        until,
        minutes: minutes(until - run.since),
        watts,
        baseWatts: Math.round(left.base!),
        usualMinutes: limit.usualMs === null ? null : minutes(limit.usualMs),
        limitMinutes: minutes(limit.limitMs),
      },
    })
  }
}
