import { isWeekend } from './calendar.js'
import { around, chance, seededRandom, whole } from './random.js'
import type { Resident } from './resident.js'

/** Water drawn evenly from one instant to another: epoch seconds, decilitres. */
export type Draw = { from: number; to: number; dl: number }
/** An appliance that runs: epoch seconds, watts. */
export type Load = { from: number; to: number; watts: number }
/** What happens in a home on one civil day; nothing reaches over its end. */
export type DayPlan = { day: number; from: number; to: number; draws: Draw[]; loads: Load[] }

const minute = 60
const hour = 3_600
/** Clocks change at night: what is planned after this hour keeps its place on the wall clock. */
const clocksChangedS = 3 * hour

/**
 * One day of a resident: rises, washes, drinks, cooks, naps, goes out now and then, sleeps. Seed and day decide
 * everything, so that any day can be planned without the days before it. `from` and `to` are the day's ends, epoch seconds.
 */
export function planDay({
  seed,
  resident,
  day,
  from,
  to,
}: {
  seed: number
  resident: Resident
  day: number
  from: number
  to: number
}): DayPlan {
  const random = seededRandom(seed, day, 'day')
  const draws: Draw[] = []
  const loads: Load[] = []
  const clockChange = to - from - 86_400
  let out: [number, number] = [0, 0]

  const instant = (second: number) => from + second + (second >= clocksChangedS ? clockChange : 0)
  const within = (second: number) => Math.max(from, Math.min(instant(second), to - 1))
  const away = (second: number) => second >= out[0] && second < out[1]
  const draw = (second: number, seconds: number, dl: number) => {
    const begins = within(second)
    if (!away(second)) draws.push({ from: begins, to: Math.max(begins + 1, within(second + seconds)), dl })
  }
  const load = (second: number, seconds: number, watts: number) => {
    const begins = within(second)
    if (!away(second)) loads.push({ from: begins, to: Math.max(begins + 1, within(second + seconds)), watts })
  }
  const near = (second: number) => around(random, second, resident.straySeconds)
  const toilet = (second: number) => {
    draw(second, 40, resident.flushDl)
    draw(second + 70, 15, whole(random, 5, 12))
  }
  const kettle = (second: number) => {
    draw(second, 12, whole(random, 8, 15))
    load(second + 20, whole(random, 150, 300), resident.kettleW)
  }
  const cook = (second: number, seconds: number) => {
    draw(second - 8 * minute, whole(random, 60, 150), whole(random, 40, 110))
    load(second, seconds, resident.cookerW)
    draw(second + seconds + 25 * minute, whole(random, 90, 200), whole(random, 50, 110))
  }

  const rise = near(resident.riseS) + (isWeekend(day) ? whole(random, 0, 25) * minute : 0)
  const bed = near(resident.bedS)
  if (chance(random, resident.outingChance)) {
    const leaves = near(Math.max(rise + 2 * hour, 8.75 * hour))
    const long = chance(random, 0.12)
    out = [leaves, leaves + (long ? whole(random, 4 * hour, 6 * hour) : whole(random, hour, 2.5 * hour))]
  }

  for (let visit = Math.round(resident.nightVisits * random() * 1.6); visit > 0; visit--) {
    const second = whole(random, 20 * minute, rise - 50 * minute)
    toilet(second)
    load(second - minute, 5 * minute, 8)
  }

  toilet(rise)
  draw(rise + 4 * minute, whole(random, 60, 150), whole(random, 40, 80))
  load(rise, 45 * minute, resident.lightW)
  kettle(rise + whole(random, 8, 20) * minute)
  cook(rise + whole(random, 30, 50) * minute, whole(random, 8, 15) * minute)

  const morning = rise + 2.5 * hour
  toilet(near(morning))
  kettle(near(morning + 20 * minute))
  if ((day + (seed % 7)) % resident.laundryEveryDays === 0) {
    const begins = near(rise + 1.75 * hour)
    for (let fill = 0; fill < 3; fill++) draw(begins + fill * 17 * minute, 150, whole(random, 130, 200))
    load(begins, 55 * minute, 320)
  }

  cook(near(11.5 * hour), whole(random, 20, 40) * minute)
  toilet(near(12.75 * hour))
  const wakes = resident.naps ? near(14.25 * hour) : near(13.25 * hour)
  toilet(wakes)
  kettle(wakes + whole(random, 5, 25) * minute)
  load(wakes + 30 * minute, whole(random, 40, 110) * minute, resident.tvW)
  toilet(near(16.25 * hour))

  cook(near(17.5 * hour), whole(random, 15, 35) * minute)
  load(near(18 * hour), bed - 18.25 * hour, resident.lightW)
  load(near(18.75 * hour), Math.max(30 * minute, bed - 19.25 * hour), resident.tvW)
  toilet(near(19 * hour))
  if (chance(random, 0.5)) kettle(near(19.5 * hour))
  if ((day + (seed % 5)) % resident.showerEveryDays === 0)
    draw(near(20 * hour), whole(random, 5, 10) * minute, whole(random, 250, 480))
  draw(bed - whole(random, 15, 30) * minute, 90, whole(random, 50, 90))
  toilet(bed - 5 * minute)

  return { day, from, to, draws, loads }
}
