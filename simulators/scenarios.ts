import type { AlarmReading, ButtonReading, ElectricityReading, WaterReading } from '../ingest/contract.js'
import type { DayPlan } from './routine.js'

/**
 * What goes wrong in a home, as pure changes of what would have happened: to the day (who falls uses nothing), to the
 * register (a tap left running), to what devices say (alarms, batteries, clocks), to when it is sent (offline).
 */
export const scenarioNames = [
  'fall',
  'fall-night',
  'silent',
  'tap',
  'button',
  'smoke',
  'gas',
  'battery',
  'clock',
  'offline',
] as const
export type ScenarioName = (typeof scenarioNames)[number]

/** Begins at `at`, in epoch milliseconds; `until` ends what would go on for ever (silence, a running tap). */
export type Scenario = { name: ScenarioName; at: number; until?: number }

/** A reading as its device gives it, and when that truly was (epoch seconds), whatever its clock says. */
export type SimulatedReading =
  | { kind: 'water'; at: number; reading: WaterReading }
  | { kind: 'electricity'; at: number; reading: ElectricityReading }
  | { kind: 'button'; at: number; reading: ButtonReading }
  | { kind: 'smoke' | 'gas'; at: number; reading: AlarmReading }

/** 330 L/h. */
export const tapDlPerMinute = 55
export const clockAheadS = -7_200
export const offlineS = 3 * 3_600
const alarmS = 360
const alarmRepeatS = 60
/**
 * Appliances stand still for over an hour before a silence: power is judged by the hour too, and what ran in the first
 * minutes of an hour would count until its end. So the first second of a silence is known.
 */
const loadsEndBeforeS = 4_200
/** The last thing done before a silence: a basin of water; above 10 L, so that 12 h of silence are 12 h after it. */
const lastBasin = { seconds: 60, dl: 150 }

const seconds = (ms: number) => Math.floor(ms / 1_000)
const begins = (scenario: Scenario) => seconds(scenario.at)
const ends = (scenario: Scenario) => (scenario.until === undefined ? Number.POSITIVE_INFINITY : seconds(scenario.until))

/** The day as it goes under these scenarios. */
export function changeDay(plan: DayPlan, scenarios: readonly Scenario[]): DayPlan {
  return scenarios.reduce((changed, scenario) => {
    if (scenario.name === 'fall' || scenario.name === 'silent') return fallSilent(changed, scenario, lastBasin)
    // At night: on the way back from the toilet, which has just been flushed.
    if (scenario.name === 'fall-night') return fallSilent(changed, scenario, { seconds: 40, dl: 60 })
    return changed
  }, plan)
}

function fallSilent(plan: DayPlan, scenario: Scenario, last: { seconds: number; dl: number }): DayPlan {
  const at = begins(scenario)
  const until = ends(scenario)
  if (plan.to <= at - loadsEndBeforeS || plan.from >= until) return plan
  const cut = <Use extends { from: number; to: number }>(uses: Use[], from: number, shortened: (use: Use) => Use) =>
    uses
      .filter((use) => use.from < from || use.from >= until)
      .map((use) => (use.from < from && use.to > from ? shortened(use) : use))
  const draws = cut(plan.draws, at, (draw) => ({
    ...draw,
    to: at,
    dl: Math.floor((draw.dl * (at - draw.from)) / (draw.to - draw.from)),
  }))
  const loadsEnd = at - loadsEndBeforeS
  const loads = cut(plan.loads, loadsEnd, (load) => ({ ...load, to: loadsEnd }))
  if (plan.from < at && at <= plan.to) draws.push({ from: Math.max(plan.from, at - last.seconds), to: at, dl: last.dl })
  return { ...plan, draws, loads }
}

/** What a tap that was left running has let through up to an instant (epoch seconds), in decilitres. */
export function tapDl(scenarios: readonly Scenario[], instant: number): number {
  let dl = 0
  for (const scenario of scenarios) {
    if (scenario.name !== 'tap') continue
    const ran = Math.min(instant, ends(scenario)) - begins(scenario)
    if (ran > 0) dl += Math.floor((ran * tapDlPerMinute) / 60)
  }
  return dl
}

/** When such a tap runs within a span: epoch seconds. */
export const tapSpans = (scenarios: readonly Scenario[], from: number, to: number) =>
  scenarios
    .filter(({ name }) => name === 'tap')
    .map((scenario) => ({ from: Math.max(from, begins(scenario)), to: Math.min(to, ends(scenario)) }))
    .filter((span) => span.from < span.to)

/** What the button and the alarms say because of the scenarios, from `from` to before `to`, in epoch seconds. */
export function alarmReadings(scenarios: readonly Scenario[], from: number, to: number): SimulatedReading[] {
  const readings = scenarios.flatMap((scenario): SimulatedReading[] => {
    const at = begins(scenario)
    if (scenario.name === 'button') return [{ kind: 'button', at, reading: { ts: at, event: 'pressed' } }]
    if (scenario.name !== 'smoke' && scenario.name !== 'gas') return []
    const { name } = scenario
    const level = name === 'smoke' ? { level: 0.21, unit: 'dB/m' } : { level: 14, unit: '%LEL' }
    const repeats = Array.from({ length: alarmS / alarmRepeatS }, (_, index) => at + index * alarmRepeatS)
    return [
      ...repeats.map((ts) => ({ kind: name, at: ts, reading: { ts, alarm: true, ...level } })),
      { kind: name, at: at + alarmS, reading: { ts: at + alarmS, alarm: false } },
    ]
  })
  return readings.filter(({ at }) => at >= from && at < to)
}

/** Whether an alarm device is in the middle of an alarm, and so sends no sign of rest. */
export const alarming = (scenarios: readonly Scenario[], kind: 'smoke' | 'gas', instant: number) =>
  scenarios.some(
    (scenario) => scenario.name === kind && instant >= begins(scenario) && instant <= begins(scenario) + alarmS,
  )

/** What the device says under the scenarios: a battery that runs down within hours, a clock that has fallen back. */
export function changeReading(simulated: SimulatedReading, scenarios: readonly Scenario[]): SimulatedReading {
  let reading: SimulatedReading['reading'] = simulated.reading
  for (const scenario of scenarios) {
    const since = simulated.at - begins(scenario)
    if (since < 0) continue
    if (scenario.name === 'battery' && simulated.kind === 'water')
      reading = { ...reading, battery: Math.max(0.02, Math.round(22 - since / 900) / 100) }
    if (scenario.name === 'clock') reading = { ...reading, ts: simulated.at + clockAheadS }
  }
  return reading === simulated.reading ? simulated : ({ ...simulated, reading } as SimulatedReading)
}

/** Whether the line of the gateway is down at an instant, in epoch milliseconds. */
export const isOffline = (scenarios: readonly Scenario[], atMs: number) =>
  scenarios.some(({ name, at, until }) => name === 'offline' && atMs >= at && atMs < (until ?? at + offlineS * 1_000))
