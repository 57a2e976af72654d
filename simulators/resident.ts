import { seededRandom, whole } from './random.js'

/** What stays the same about a resident and the home: habits and appliances. Seconds of the day, decilitres, watts. */
export type Resident = {
  riseS: number
  bedS: number
  /** How far a day's times stray from habit. */
  straySeconds: number
  flushDl: number
  nightVisits: number
  outingChance: number
  showerEveryDays: number
  laundryEveryDays: number
  naps: boolean
  kettleW: number
  cookerW: number
  tvW: number
  lightW: number
  standbyW: number
  fridgeW: number
  fridgeOnS: number
  fridgePeriodS: number
  /** The registers on 1 January 2024, when these meters were new in this world: decilitres and watt seconds. */
  firstDl: number
  firstJoules: number
  battery: number
}

const hour = 3_600

/** The resident that a seed stands for. */
export function residentOf(seed: number): Resident {
  const random = seededRandom(seed, 'resident')
  const pick = (low: number, high: number) => whole(random, low, high)
  return {
    riseS: pick(5.25 * hour, 7 * hour),
    bedS: pick(20.75 * hour, 22.25 * hour),
    straySeconds: pick(600, 1_500),
    flushDl: pick(45, 75),
    nightVisits: random() * 1.8,
    outingChance: 0.2 + random() * 0.5,
    showerEveryDays: pick(1, 3),
    laundryEveryDays: pick(3, 6),
    naps: random() < 0.7,
    kettleW: pick(1_500, 2_100),
    cookerW: pick(700, 1_500),
    tvW: pick(55, 130),
    lightW: pick(12, 45),
    standbyW: pick(9, 40),
    fridgeW: pick(70, 120),
    fridgeOnS: pick(700, 1_100),
    fridgePeriodS: pick(2_300, 3_100),
    firstDl: pick(200_000, 3_000_000),
    firstJoules: pick(500_000, 9_000_000) * 3_600,
    battery: 0.7 + Math.floor(random() * 30) / 100,
  }
}
