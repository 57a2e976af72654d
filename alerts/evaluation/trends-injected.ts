import type { EpochMs, ReadingArrival } from '../model.js'
import { instantOf, wallOf } from '../roster-time.js'
import { baseWattsOf } from '../rules/electricity.js'
import type { ResidentState } from '../rules/state.js'

const hourMs = 3_600_000
const dayMs = 24 * hourMs
const nightMinutes = 5 * 60
const flushLitres = 6
const rampMs = 42 * dayMs

/** Poisson (Knuth): how many in one night, `mean` on the average. */
function poisson(mean: number, roll: () => number): number {
  const limit = Math.exp(-mean)
  let count = 0
  for (let product = roll(); product > limit; product *= roll()) count += 1
  return count
}

/** The same readings with a flush more at random moments between 00:00 and 05:00, `perNight` on the average. */
export function moreVisits(
  readings: ReadingArrival[],
  { perNight, timeZone, roll }: { perNight: number; timeZone: string; roll: () => number },
): ReadingArrival[] {
  if (perNight === 0) return readings
  const first = wallOf(readings[0]?.receivedAt ?? 0, timeZone).day + 1
  const last = wallOf(readings.at(-1)?.receivedAt ?? 0, timeZone).day
  const flushes: EpochMs[] = []
  for (let day = first; day <= last; day += 1)
    for (let count = poisson(perNight, roll); count > 0; count -= 1)
      flushes.push(instantOf(day, Math.floor(roll() * nightMinutes), timeZone))
  flushes.sort((a, b) => a - b)
  let added = 0
  return readings.map((reading) => {
    if (reading.kind !== 'water') return reading
    while (added < flushes.length && flushes[added]! < reading.receivedAt) added += 1
    return { ...reading, value: reading.value! + added * flushLitres }
  })
}

/**
 * The same readings with part of the uses gone: from `start` on the share grows for 6 weeks up to `share`. A use is what a
 * meter counts between two readings; of electricity what always runs stays.
 */
export function fewerUses(
  readings: ReadingArrival[],
  before: ResidentState,
  { share, start, roll }: { share: number; start: EpochMs; roll: () => number },
): ReadingArrival[] {
  if (share === 0) return readings
  const meters = new Map(
    before.meters.map((meter) => {
      const watts = meter.kind === 'electricity' ? (baseWattsOf(meter) ?? 0) : 0
      return [meter.deviceNo, { raw: meter.raw, value: meter.raw, at: meter.at, watts }]
    }),
  )
  return readings.map((reading) => {
    const meter = meters.get(reading.deviceNo)
    if (reading.value === undefined || !meter) return reading
    const increment = reading.value - meter.raw
    const always = (meter.watts * (reading.observedAt - meter.at)) / hourMs
    const isUse = increment > always
    const isGone = isUse && roll() < share * Math.min(1, (reading.observedAt - start) / rampMs)
    meter.value = isUse ? meter.value + (isGone ? Math.round(always) : increment) : meter.value + increment
    meter.raw = reading.value
    meter.at = reading.observedAt
    return { ...reading, value: meter.value }
  })
}
