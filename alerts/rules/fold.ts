import type { Arrival, Decision, EpochMs, ReadingArrival } from '../model.js'
import { followAppliance, judgeAppliance } from './appliance.js'
import { isAnyOften, isSeldom, seldomMs } from './cadence.js'
import { isSwitched } from './cycles.js'
import { followWeeks } from './decline.js'
import { followPower } from './electricity.js'
import { judgeHealth } from './health.js'
import { followLeak, isTap } from './leak.js'
import { isUp, takeSighting } from './movement.js'
import { followBedNight, followNight } from './night-visits.js'
import { expire, hear, judgeOffline, newReach, presenceDueAt, takePresence } from './offline.js'
import { stepOf, takeRegister } from './register.js'
import { followFlow, judgeRunning } from './running.js'
import { secondMs } from './say.js'
import { hearSensor } from './sensors.js'
import { judgeSilence } from './silence.js'
import { followStanding, judgeStanding } from './standing-leak.js'
import { type Context, dueAtOf, lateMs, type Meter, type ResidentState } from './state.js'
import { noteActivity, switchLearning } from './unusual.js'
import { addUse } from './uses.js'
import { awayDueAt, judgeAway, takeWord } from './words.js'

export { knowledge } from './knowledge.js'
export { type Context, emptyState, forgetDevice, type ResidentState } from './state.js'

/** After the last late reading, so long must nothing late come before anything is opened. */
const settleMs = 10 * secondMs

/**
 * Folds arrivals in order of arrival, then looks at what is due at `now`. Time goes forward from arrival to arrival:
 * what falls due before one is decided before it, with its due time, so that batches, wakes and restarts change
 * nothing. `wakeAt` is when to call again though nothing arrives. `state` is not changed.
 */
export function fold(
  state: ResidentState,
  arrivals: Arrival[],
  now: EpochMs,
  context: Context,
): { state: ResidentState; decisions: Decision[]; wakeAt: EpochMs | null } {
  const next = structuredClone(state)
  const decisions: Decision[] = []
  const wakeAt = foldInto(next, arrivals, now, context, decisions)
  return { state: next, decisions, wakeAt }
}

/** `fold` for a caller who owns the state: changes it in place and appends the decisions. Returns `wakeAt`. */
export function foldInto(
  next: ResidentState,
  arrivals: Arrival[],
  now: EpochMs,
  context: Context,
  decisions: Decision[],
): EpochMs | null {
  switchLearning(next, context)
  for (const arrival of arrivals) {
    // Arrival times may step back a little between connections; time for the rules does not.
    const at = Math.max(arrival.receivedAt, next.newestAt)
    advance(next, at, context, decisions)
    next.newestAt = at
    if (arrival.type === 'presence') takePresence(next, arrival, at, context, decisions)
    else if (arrival.type === 'reading') takeReading(next, arrival, at, context, decisions)
    else takeWord(next, arrival, at, context, decisions)
    judge(next, at, context, decisions)
  }
  advance(next, now, context, decisions)
  return nextDueAt(next)
}

/** Lets time pass: each due time up to `to` is met in order. Each one ends what made it due, so that this ends. */
function advance(state: ResidentState, to: EpochMs, context: Context, out: Decision[]): void {
  for (let due = nextDueAt(state); due !== null && due <= to; due = nextDueAt(state)) {
    expire(state, due, context, out)
    if (state.settleAt !== null && state.settleAt <= due) state.settleAt = null
    judge(state, due, context, out)
  }
}

function nextDueAt(state: ResidentState): EpochMs | null {
  let due = state.settleAt
  for (const { reach } of state.meters) {
    if (reach.overdue) continue
    const at = dueAtOf(reach)
    if (due === null || at < due) due = at
  }
  const presence = presenceDueAt(state)
  if (presence !== null && (due === null || presence < due)) due = presence
  const away = awayDueAt(state)
  return away !== null && (due === null || away < due) ? away : due
}

function judge(state: ResidentState, at: EpochMs, context: Context, out: Decision[]): void {
  judgeOffline(state, at, context, out)
  judgeAway(state, at, out)
  judgeSilence(state, at, context, out)
  judgeRunning(state, at, context, out)
  judgeStanding(state, at, context, out)
  judgeAppliance(state, at, context, out)
}

function takeReading(
  state: ResidentState,
  reading: ReadingArrival,
  arrivedAt: EpochMs,
  context: Context,
  out: Decision[],
): void {
  // A clock that runs ahead does not make readings of the future: they are from their arrival at the latest.
  const at = reading.clockWrong ? reading.receivedAt : Math.min(reading.observedAt, reading.receivedAt)
  const late = reading.receivedAt - at > lateMs
  judgeHealth(state, reading, { at, arrivedAt }, context, out)
  if (reading.kind === 'button') {
    if (at > (state.buttonAt ?? 0)) state.buttonAt = at
    noteActivity(state, { at, spanMs: 0, by: 'button' }, context)
    return
  }
  if (reading.kind !== 'water' && reading.kind !== 'electricity') {
    if (state.routine && reading.kind === 'bed') followBedNight(state, reading, { at, arrivedAt }, context, out)
    const by = takeSighting(state, reading, at)
    hearSensor(state)
    if (isUp(by)) noteActivity(state, { at, spanMs: 0, by }, context)
    return
  }
  if (late) state.settleAt = arrivedAt + settleMs
  const meter = meterOf(state, reading.deviceNo)
  if (meter) {
    hear(state, meter, { at: arrivedAt, late }, context, out)
    if (reading.value !== undefined)
      takeValue(state, meter, { value: reading.value, observedAt: reading.observedAt }, { at, arrivedAt }, context, out)
  } else if (reading.value !== undefined) {
    const first = newMeter(reading, reading.kind, reading.value, { at, arrivedAt })
    state.meters.push(first)
    hear(state, first, { at: arrivedAt, late }, context, out)
  }
}

function meterOf({ meters }: ResidentState, deviceNo: number): Meter | undefined {
  for (const meter of meters) if (meter.deviceNo === deviceNo) return meter
  return undefined
}

function takeValue(
  state: ResidentState,
  meter: Meter,
  { value, observedAt }: { value: number; observedAt: EpochMs },
  { at, arrivedAt }: { at: EpochMs; arrivedAt: EpochMs },
  context: Context,
  out: Decision[],
): void {
  // What is older than the newest is part of what the register has told already.
  if (at < meter.at || (at === meter.at && observedAt <= meter.observedAt)) return
  const from = meter.at
  const { increment, known } = takeRegister(meter, value, at, out)
  meter.at = at
  meter.observedAt = observedAt
  if (meter.kind === 'electricity') {
    const [windowFrom, windowTotal] = meter.mark
    followPower(meter, { from, known })
    followAppliance(meter, { from, increment, known }, arrivedAt, context, out)
    let isUse = false
    if (state.routine && known && meter.coveredFrom < at && meter.mark[0] > windowFrom) {
      const window = { from: windowFrom, at, wh: meter.total - windowTotal }
      isUse = isSwitched(meter, window)
      if (isUse) noteActivity(state, { at, spanMs: at - windowFrom, by: 'electricity' }, context)
    }
    if (state.routine) followWeeks(state, { from, at, known, isUse, proves: false }, arrivedAt, context)
    return
  }
  meter.coveredTo = at
  if (!known) meter.coveredFrom = at
  if (increment > 0) addUse(state, { from, at }, increment)
  if (state.routine) {
    followLeak(meter, { increment, known })
    const isUse = isTap(meter, increment, at - from)
    if (isUse) {
      const usedAt = isUntimed(state, meter, at - from) ? from : at
      noteActivity(state, { at: usedAt, spanMs: at - from, by: 'water' }, context)
    }
    const interval = { from, at, known, isUse, proves: true }
    followWeeks(state, interval, arrivedAt, context)
    followNight(state, interval, arrivedAt, context, out)
  }
  const interval = { from, increment, known }
  followFlow(meter, interval, arrivedAt, context, out)
  followStanding(meter, interval, arrivedAt, context, out)
}

/** Used at some time in a day: where another meter is heard, that ends only a silence that began before that day. */
const isUntimed = ({ meters }: ResidentState, meter: Meter, spanMs: number): boolean =>
  spanMs > seldomMs && isSeldom(meter) && isAnyOften(meters, ({ reach }) => !reach.overdue)

function newMeter(
  { deviceNo, observedAt }: ReadingArrival,
  kind: Meter['kind'],
  value: number,
  { at, arrivedAt }: { at: EpochMs; arrivedAt: EpochMs },
): Meter {
  const step = stepOf(value, 1_000)
  const register = { at, observedAt, raw: value, high: value, step, total: 0, coveredFrom: at, coveredTo: at }
  const base = { deviceNo, reach: newReach(arrivedAt), ...register }
  return kind === 'water'
    ? { ...base, kind, mark: [at, 0], run: null }
    : { ...base, kind, mark: [at, 0], hourMark: [at, 0], hours: [], activeAt: null }
}
