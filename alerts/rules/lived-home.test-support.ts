import type { EpochMs, ReadingArrival } from '../model.js'
import { hour, meter, minute } from './scene.test-support.js'

const day = 24 * hour

/** A generator of our own, so that one seed gives one home. */
function random(from: number): () => number {
  let x = from | 0
  return () => {
    x = (x + 0x6d2b79f5) | 0
    let y = Math.imul(x ^ (x >>> 15), 1 | x)
    y = (y + Math.imul(y ^ (y >>> 7), 61 | y)) ^ y
    return ((y ^ (y >>> 14)) >>> 0) / 4_294_967_296
  }
}

/**
 * The water meter of an invented home, read every 10 min from `days` days before `to` on: somebody is up from 7 to 22, uses
 * water about every hour and a half, and in one afternoon of seven naps for some three hours. Nothing is used in `quiet` (epoch
 * ms). `night`: midnight of the first day by the clock of the home.
 */
export function livedHome({
  to,
  days,
  night,
  quiet = [],
  deviceNo = 1,
  seed = 7,
}: {
  to: EpochMs
  days: number
  night: EpochMs
  quiet?: readonly (readonly [from: EpochMs, to: EpochMs])[]
  deviceNo?: number
  seed?: number
}): ReadingArrival[] {
  const roll = random(seed)
  const used = new Map<number, number>()
  for (let index = 0; index <= days + 1; index += 1) {
    const nap = roll() < 1 / 7
    for (let h = 7 + roll(); h < 22; h += 0.5 + roll() * 2) {
      if (nap && h > 13.5 && h < 15.5) continue
      const at = Math.ceil((night + index * day + h * hour) / (10 * minute)) * 10 * minute
      const isQuiet = quiet.some(([from, until]) => at > from && at < until)
      if (!isQuiet) used.set(at, 11 + Math.floor(roll() * 10))
    }
  }
  const from = Math.ceil(night / (10 * minute)) * 10 * minute
  const readings = meter('water', { from, to, every: 10 * minute }, (at) => (used.get(at) ?? 0) * 6)
  return readings.map((reading) => ({ ...reading, deviceNo }))
}
