import type { EpochMs } from '../model.js'
import { hourMs, minuteMs } from './say.js'
import { type ElectricityMeter, hoursOf, round3 } from './state.js'

/** Registers that count in steps say nothing about a few seconds; shorter intervals are put together. */
const windowMsMin = 5 * minuteMs
const shortMsMax = 30 * minuteMs
/** A longer interval proves nothing: a fridge alone can hide a kettle in it, and a kettle a fridge. */
const intervalMsMax = 2 * hourMs
/**
 * A kettle (2 kW for 3 min) is 100 Wh, that is 200 W over half an hour; a fridge's cycle is 60 to 120 W. Between them
 * stand 150 W for intervals up to half an hour, and the kettle's 100 Wh for longer ones.
 */
const wattsAboveMin = 150
const whAboveMin = 100
/** Hourly meters come some seconds early, too. */
const hourMsMin = 55 * minuteMs
const baseMs = 48 * hourMs

/** Looks at the interval that ended with the newest reading: was an appliance switched on, and what runs always? */
export function followPower(meter: ElectricityMeter, { from, known }: { from: EpochMs; known: boolean }): void {
  const { at, total } = meter
  if (!known || at - from > intervalMsMax) {
    meter.mark = [at, total]
    meter.hourMark = [at, total]
    meter.coveredFrom = at
    meter.coveredTo = at
    return
  }
  if (at - meter.hourMark[0] >= hourMsMin) closeHour(meter)
  if (at - meter.mark[0] < windowMsMin) return
  const base = baseWattsOf(meter)
  if (base !== null) {
    const hours = hoursOf(at - meter.mark[0])
    // One step of the register may belong to the time before.
    const whAbove = total - meter.mark[1] - meter.step - base * hours
    const needed = at - meter.mark[0] <= shortMsMax ? wattsAboveMin * hours : whAboveMin
    if (whAbove >= needed) meter.activeAt = at
  }
  meter.mark = [at, total]
  meter.coveredTo = at
}

/**
 * Keeps the hour's mean, and looks at the last 48 h again: what ran in a busy first evening only shows once a quiet
 * hour has told what the home uses with nobody at a switch.
 */
function closeHour(meter: ElectricityMeter): void {
  const { at, hours } = meter
  const length = hoursOf(at - meter.hourMark[0])
  hours.push([at, Math.round(((meter.total - meter.hourMark[1]) / length) * 10) / 10])
  while (hours.length > 1 && hours[0]![0] < at - baseMs) hours.shift()
  meter.hourMark = [at, round3(meter.total)]
  const base = lowestOf(hours)
  meter.baseWatts = base
  for (let index = hours.length - 1; index >= 0; index -= 1) {
    const [endedAt, watts] = hours[index]!
    if (meter.activeAt !== null && endedAt <= meter.activeAt) return
    if (watts - base - meter.step >= whAboveMin) {
      meter.activeAt = endedAt
      return
    }
  }
}

/** What the home uses with nobody at a switch: the lowest hourly mean of the last 48 h, in W. */
export function baseWattsOf(meter: ElectricityMeter): number | null {
  if (meter.hours.length === 0) return null
  meter.baseWatts ??= lowestOf(meter.hours)
  return meter.baseWatts
}

function lowestOf(hours: ElectricityMeter['hours']): number {
  let base = Number.POSITIVE_INFINITY
  for (let index = 0; index < hours.length; index += 1) base = Math.min(base, hours[index]![1])
  return base
}
