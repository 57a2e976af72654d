import type { ReadingKind } from '../ingest/contract.js'
import { dayOf, midnight } from './calendar.js'
import { hash } from './random.js'
import { residentOf } from './resident.js'
import { type DayPlan, planDay } from './routine.js'
import {
  alarming,
  alarmReadings,
  changeDay,
  changeReading,
  type Scenario,
  type SimulatedReading,
  tapDl,
  tapSpans,
} from './scenarios.js'

/** 2024-01-01: the registers count from here, in the resident's own zone. */
export const firstDay = 19_723
const flowReportS = 60
const statusReportS = 6 * 3_600

/** A register that is known already (the database's newest): the meter carries on from it. `at` in epoch ms; L or Wh. */
export type KnownRegister = { at: number; value: number }

export type HomeOptions = {
  seed: number
  timeZone: string
  scenarios?: readonly Scenario[]
  /** How often the meters report at rest, in seconds. */
  intervalS?: number
  /** Where in that interval they do, in epoch seconds (any one of their reports); the seed decides if left out. */
  phaseS?: number
  /** The devices that the home has; all five if left out. */
  kinds?: readonly ReadingKind[]
  continueFrom?: { water?: KnownRegister; electricity?: KnownRegister }
}

export type Home = {
  /** Registers at an instant in epoch seconds: litres in steps of 0.1, Wh in steps of 1. */
  litresAt(instant: number): number
  whAt(instant: number): number
  planOf(day: number): DayPlan
  /** Readings in order of time from `from` to before `to`, in epoch milliseconds; `to` may be Infinity. */
  readings(span: { from: number; to: number }): Generator<SimulatedReading, void, void>
}

/**
 * A home whose readings depend on nothing but the seed, the zone and the scenarios: each day is planned from seed and
 * date alone, and a register is the sum of all its days since 2024-01-01 (integers, so that the sum is exact wherever it
 * is begun; a thousand days take some 10 ms and are kept). Spans put together give what the whole span gives.
 * @throws RangeError for instants before 2024
 */
export function createHome(options: HomeOptions): Home {
  const { seed, timeZone, scenarios = [], intervalS = 300, kinds, continueFrom = {} } = options
  const resident = residentOf(seed)
  const phase = (options.phaseS ?? hash(seed, 'phase')) % intervalS
  const origin = midnight(firstDay, timeZone)
  const plans = new Map<number, DayPlan>()
  // The sums at the start of each day since the first: decilitres and joules.
  const sums: { dl: number; joules: number }[] = [{ dl: resident.firstDl, joules: resident.firstJoules }]
  const has = (kind: ReadingKind) => kinds?.includes(kind) ?? true

  function planOf(day: number): DayPlan {
    let plan = plans.get(day)
    if (!plan) {
      const [from, to] = [midnight(day, timeZone), midnight(day + 1, timeZone)]
      plan = changeDay(planDay({ seed, resident, day, from, to }), scenarios)
      if (plans.size >= 4) plans.clear()
      plans.set(day, plan)
    }
    return plan
  }
  function sumsAt(day: number) {
    if (day < firstDay) throw new RangeError('simulated homes begin on 2024-01-01')
    for (let index = sums.length; index <= day - firstDay; index++) {
      const { draws, loads } = planOf(firstDay + index - 1)
      const before = sums[index - 1]!
      sums.push({
        dl: draws.reduce((sum, draw) => sum + draw.dl, before.dl),
        joules: loads.reduce((sum, load) => sum + load.watts * (load.to - load.from), before.joules),
      })
    }
    return sums[day - firstDay]!
  }
  function dlAt(instant: number, day = dayOf(instant, timeZone)): number {
    let dl = sumsAt(day).dl + tapDl(scenarios, instant)
    for (const draw of planOf(day).draws)
      if (instant >= draw.to) dl += draw.dl
      else if (instant > draw.from) dl += Math.floor((draw.dl * (instant - draw.from)) / (draw.to - draw.from))
    return dl
  }
  function joulesAt(instant: number, day = dayOf(instant, timeZone)): number {
    const ran = instant - origin
    const { fridgePeriodS, fridgeOnS, fridgeW, standbyW } = resident
    const fridgeRan = Math.floor(ran / fridgePeriodS) * fridgeOnS + Math.min(ran % fridgePeriodS, fridgeOnS)
    let joules = sumsAt(day).joules + standbyW * ran + fridgeW * fridgeRan
    for (const { from, to, watts } of planOf(day).loads)
      if (instant > from) joules += watts * (Math.min(instant, to) - from)
    return joules
  }
  let shifts: { dl: number; joules: number } | undefined
  const shift = () => {
    const { water, electricity } = continueFrom
    shifts ??= {
      dl: water ? Math.round(water.value * 10) - dlAt(Math.floor(water.at / 1_000)) : 0,
      joules: electricity ? electricity.value * 3_600 - joulesAt(Math.floor(electricity.at / 1_000)) : 0,
    }
    return shifts
  }
  const litresAt = (instant: number, day?: number) => (dlAt(instant, day) + shift().dl) / 10
  const whAt = (instant: number, day?: number) => Math.floor((joulesAt(instant, day) + shift().joules) / 3_600)

  const grid = function* (from: number, to: number, every: number, offset: number) {
    for (let at = from + ((((offset - from) % every) + every) % every); at < to; at += every) yield at
  }
  /** At rest on the grid; sooner while water flows, and once when it stops. */
  function waterInstants(plan: DayPlan, from: number, to: number): Set<number> {
    const instants = new Set(grid(from, to, intervalS, phase))
    const flows = [...plan.draws, ...tapSpans(scenarios, plan.from, plan.to)]
    for (const flow of flows) {
      for (let at = flow.from + flowReportS; at < flow.to; at += flowReportS)
        if (at >= from && at < to) instants.add(at)
      if (flow.to >= from && flow.to < to) instants.add(flow.to)
    }
    return instants
  }
  function flowLpm(plan: DayPlan, at: number): number {
    let dlPerS = (tapDl(scenarios, at + 60) - tapDl(scenarios, at)) / 60
    for (const draw of plan.draws) if (at >= draw.from && at < draw.to) dlPerS += draw.dl / (draw.to - draw.from)
    return Math.round(dlPerS * 60) / 10
  }
  function powerW(plan: DayPlan, at: number): number {
    const fridge = (at - origin) % resident.fridgePeriodS < resident.fridgeOnS ? resident.fridgeW : 0
    return plan.loads.reduce(
      (sum, load) => sum + (at >= load.from && at < load.to ? load.watts : 0),
      resident.standbyW + fridge,
    )
  }
  function dayReadings(day: number, from: number, to: number): SimulatedReading[] {
    const plan = planOf(day)
    const readings = alarmReadings(scenarios, from, to).filter(({ kind }) => has(kind))
    if (has('water'))
      for (const at of waterInstants(plan, from, to)) {
        const battery = (at - phase) % statusReportS < intervalS ? { battery: resident.battery } : {}
        const reading = { ts: at, litres: litresAt(at, day), flowLpm: flowLpm(plan, at), ...battery }
        readings.push({ kind: 'water', at, reading })
      }
    if (has('electricity'))
      for (const at of grid(from, to, intervalS, phase))
        readings.push({ kind: 'electricity', at, reading: { ts: at, wh: whAt(at, day), w: powerW(plan, at) } })
    for (const kind of ['smoke', 'gas'] as const)
      if (has(kind))
        for (const at of grid(from, to, statusReportS, phase + 17))
          if (!alarming(scenarios, kind, at))
            readings.push({ kind, at, reading: { ts: at, alarm: false, battery: resident.battery } })
    return readings.sort((a, b) => a.at - b.at).map((reading) => changeReading(reading, scenarios))
  }

  return {
    litresAt,
    whAt,
    planOf,
    *readings({ from, to }) {
      const first = Math.ceil(from / 1_000)
      const last = to / 1_000
      for (let day = dayOf(first, timeZone); midnight(day, timeZone) < last; day++) {
        const [begins, ends] = [midnight(day, timeZone), midnight(day + 1, timeZone)]
        yield* dayReadings(day, Math.max(first, begins), Math.min(last, ends))
      }
    },
  }
}

/**
 * The readings of one simulated home from `from` to before `to`, in epoch milliseconds, in order of time.
 * @throws RangeError for instants before 2024
 */
export function simulateHome({
  from,
  to,
  scenario,
  ...home
}: HomeOptions & { from: number; to: number; scenario?: Scenario }): Generator<SimulatedReading, void, void> {
  const scenarios = scenario ? [...(home.scenarios ?? []), scenario] : home.scenarios
  return createHome({ ...home, ...(scenarios ? { scenarios } : {}) }).readings({ from, to })
}
