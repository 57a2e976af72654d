import type { DeviceKind, EpochMs } from '../model.js'
import type { LeftOn } from './appliance.js'
import type { Cycles } from './cycles.js'
import type { Weeks } from './decline.js'
import type { Seen } from './movement.js'
import type { Nights } from './night-visits.js'
import type { Routine } from './routine.js'
import { hourMs, minuteMs } from './say.js'
import type { Standing } from './standing-leak.js'

/** A time and a running total (L or Wh) at that time. */
export type Point = [at: EpochMs, total: number]

/** When a meter was heard, and how often it usually is. */
export type Reach = {
  heardAt: EpochMs
  /** The arrival before, until the gap between the two has been learned or is known to teach nothing. */
  beforeAt: EpochMs | null
  /** Counts as heard here: the gateway came back, and this meter is given its time to follow. */
  graceFrom: EpochMs
  /** The last gaps between arrivals, in whole seconds. */
  gapsS: number[]
  usualMs: number
  overdue: boolean
  alerted: boolean
  /** The newest gap was an outage. */
  outage?: true
  /** The newest gap between two uploads of late readings only, in seconds. */
  lateGapS?: number
}

type MeterBase = {
  deviceNo: number
  reach: Reach
  /** Time of the newest reading, never later than its arrival. */
  at: EpochMs
  /** Its time by its own clock: the order of readings that came in one message from a clock that runs ahead. */
  observedAt: EpochMs
  /** The register as it was read last, and the highest since the baseline. */
  raw: number
  high: number
  /** The step in which the register counts, as far as is known: 1000, 100, 10 … 0 for finer than all. */
  step: number
  /** Sum of all increments since the first reading. */
  total: number
  /** Use is known from here … */
  coveredFrom: EpochMs
  /** … to here. */
  coveredTo: EpochMs
}

export type WaterMeter = MeterBase & {
  kind: 'water'
  mark: Point
  /** Water has flowed without a pause since then. */
  run: { since: EpochMs; fromTotal: number; alerted: boolean } | null
  /** The hour being counted, the lowest hourly rate (L/h) of each 6 h of the last 48 h, the rates of the last 4 h, and when it last stood still. */
  leak?: { mark: Point; lowest: [from: EpochMs, litresPerHour: number][]; newest: number[]; stillAt: EpochMs }
  standing?: Standing
}

export type ElectricityMeter = MeterBase & {
  kind: 'electricity'
  mark: Point
  hourMark: Point
  /** Mean power (W) of the hours of the last 48 h, each with its end, and the lowest of them. */
  hours: [endedAt: EpochMs, watts: number][]
  baseWatts?: number
  activeAt: EpochMs | null
  cycles?: Cycles
  left?: LeftOn
}

export type Meter = WaterMeter | ElectricityMeter

/** What any device says about itself, and which of its notices are open. */
export type Health = {
  kind: DeviceKind
  at: EpochMs
  heardAt: EpochMs
  lagMs: number
  aheadCount: number
  behindCount: number
  open: Partial<Record<'battery_low' | 'tamper' | 'device_fault' | 'clock_wrong', true>>
}

/** One word of a person, for a minute; `activeAt`: as the routine had it after the word. */
export type Said = {
  word: 'away' | 'visit' | 'spoken'
  at: EpochMs
  until: EpochMs
  activeAt: EpochMs | null
  before: { seenAt: EpochMs | null; away: { from: EpochMs; until: EpochMs } | null; routine: Routine | null }
  /** The word before it, as long as that can be taken back as well; not the one before that. */
  older?: Said
}

/**
 * All that the rules know about one resident: plain JSON, bounded (5 devices: 2 to 5 KB). Times are epoch milliseconds.
 */
export type ResidentState = {
  version: 1
  /** Arrival time of the newest arrival: time does not run backwards for the rules. */
  newestAt: EpochMs
  meters: Meter[]
  health: Record<string, Health>
  /** Water used, in time order, at most one entry per 5 min: the newest that add up to 10 L, and no more. */
  uses: [at: EpochMs, litres: number][]
  lastWater: { from: EpochMs; at: EpochMs } | null
  buttonAt: EpochMs | null
  /** What motion, door and bed sensors and voice panels have seen; missing where there are none. */
  seen?: Seen
  /** How each bed was last. */
  beds?: Record<string, { inBed: boolean; at: EpochMs }>
  /** A backlog is coming in: nothing opens before. */
  settleAt: EpochMs | null
  /** told24Until: the end of the silence that the newest silent_24h told of. */
  silence: { since: EpochMs; fired12: boolean; fired24: boolean; told24Until?: EpochMs } | null
  presence: Record<string, { online: boolean; since: EpochMs }>
  gatewayOffline: { since: EpochMs } | null
  /** Away mode: nobody is expected at home. */
  away?: { from: EpochMs; until: EpochMs }
  /** What was said last, and how things stood before it, while it can still be taken back. */
  said?: Said
  /** When an alert would come in the homes around, by the hour in which a silence begins, while the own line is young. */
  neighbours?: number[]
  /** What is learned of this resident's own silences; missing where nothing is to be learned. */
  routine?: Routine
  /** How often somebody is up at night, and how much goes on in a week; missing where nothing is to be learned. */
  nights?: Nights
  weeks?: Weeks
}

/**
 * The resident's own zone, and how many false alarms a month the learned line may cost; null: the fixed rules alone,
 * and nothing is learned.
 */
export type Context = { timeZone: string; alarmsPerMonth: number | null }

export function emptyState(): ResidentState {
  return {
    version: 1,
    newestAt: 0,
    meters: [],
    health: {},
    uses: [],
    lastWater: null,
    buttonAt: null,
    settleAt: null,
    silence: null,
    presence: {},
    gatewayOffline: null,
  }
}

/** A reading is late when it comes this long after it was measured: it was kept back somewhere. */
export const lateMs = 2 * minuteMs

/** How long a meter may be silent before it counts as offline: two usual intervals and some grace. */
export const limitMsOf = (reach: Reach): number => 2 * reach.usualMs + 5 * minuteMs
export const dueAtOf = (reach: Reach): EpochMs => Math.max(reach.heardAt, reach.graceFrom) + limitMsOf(reach)

/** Registers count in thousandths here: sums of floats would otherwise grow digits without end in the stored state. */
export const round3 = (value: number): number => Math.round(value * 1_000) / 1_000

export const hoursOf = (ms: number): number => ms / hourMs

/**
 * The state without a device that has been unbound from the resident, so that nobody is told that it is silent. Its
 * open alerts are for the caller to close.
 */
export function forgetDevice(state: ResidentState, deviceNo: number): ResidentState {
  const { [String(deviceNo)]: _gone, ...health } = state.health
  const { [String(deviceNo)]: _empty, ...beds } = state.beds ?? {}
  return {
    ...state,
    health,
    meters: state.meters.filter((meter) => meter.deviceNo !== deviceNo),
    ...(state.beds ? { beds } : {}),
  }
}
