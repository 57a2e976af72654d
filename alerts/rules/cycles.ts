import type { EpochMs } from '../model.js'
import { baseWattsOf } from './electricity.js'
import { hourMs, minuteMs } from './say.js'
import { type ElectricityMeter, hoursOf } from './state.js'

/** In the quietest 4 h of a day only what switches itself has run: fridge, heater, air conditioning. */
const slotMs = 30 * minuteMs
const slots = 8
const dayMs = 24 * hourMs
const daysMax = 7
/** A machine's next cycle may be a little stronger than the ones before. */
const marginShare = 0.1
/** As for the fixed rule: a kettle is 200 W over half an hour, a fridge 60 to 120 W. */
const wattsAboveMin = 150
/** A television or a heater that stays on is nobody at a switch: nothing was switched where 4 h are as even as this. */
const evenWatts = 150
/** The fridge shows in readings of up to half an hour; the mean of a longer interval swallows its cycles. */
const evenMeanWatts = 30
const shortMsMax = 30 * minuteMs

/** Highest power of each half hour of the last 4 h, and for each of the last 7 days the lowest such 4-h maximum. */
export type Cycles = { recent: [slot: number, watts: number][]; days: [day: number, watts: number][] }

/** Follows one window of mean power (W) that ended at `at`; true when it shows more than what switches itself. */
export function isSwitched(
  meter: ElectricityMeter,
  { from, at, wh }: { from: EpochMs; at: EpochMs; wh: number },
): boolean {
  const watts = Math.round((wh - meter.step) / hoursOf(at - from))
  meter.cycles ??= { recent: [], days: [] }
  const { cycles } = meter
  const base = baseWattsOf(meter)
  const usual = usualOf(cycles)
  follow(cycles, at, watts)
  if (base === null || watts < base + wattsAboveMin) return false
  if (usual !== null && watts <= usual * (1 + marginShare)) return false
  return !isEven(cycles, at - from <= shortMsMax ? evenWatts : evenMeanWatts)
}

/** Power was the same over the last 4 h, this reading with them: what runs was switched on before. */
function isEven({ recent }: Cycles, within: number): boolean {
  if (!isWhole(recent)) return false
  let highest = 0
  let lowest = Number.POSITIVE_INFINITY
  for (let index = 0; index < recent.length; index += 1) {
    const watts = recent[index]![1]
    if (watts > highest) highest = watts
    if (watts < lowest) lowest = watts
  }
  return highest - lowest < within
}

/** A 4-h window that is not covered by at least four readings says nothing. */
const isWhole = (recent: Cycles['recent']): boolean =>
  recent.length >= slots / 2 && recent.at(-1)![0] - recent[0]![0] >= slots - 2

function follow({ recent, days }: Cycles, at: EpochMs, watts: number): void {
  const slot = Math.floor(at / slotMs)
  const newest = recent.at(-1)
  if (newest?.[0] === slot) newest[1] = Math.max(newest[1], watts)
  else recent.push([slot, watts])
  while (recent.length > 0 && recent[0]![0] <= slot - slots) recent.shift()
  if (!isWhole(recent)) return
  let highest = 0
  for (const [, one] of recent) if (one > highest) highest = one
  const day = Math.floor(at / dayMs)
  const today = days.at(-1)
  if (today?.[0] === day) today[1] = Math.min(today[1], highest)
  else {
    days.push([day, highest])
    if (days.length > daysMax) days.shift()
  }
}

/** What the home's machines reach by themselves: the second highest of the last days' quietest 4 h; null at first. */
function usualOf({ days }: Cycles): number | null {
  if (days.length < 3) return null
  let highest = 0
  let second = 0
  for (let index = 0; index < days.length - 1; index += 1) {
    const watts = days[index]![1]
    if (watts > highest) {
      second = highest
      highest = watts
    } else if (watts > second) second = watts
  }
  return second
}
