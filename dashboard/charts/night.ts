import type { BedNight } from '../../db/night-rest.js'
import { localClock } from './days.js'

/** A night's rest as one bed sensor saw it. Times in epoch ms. */
export type NightRest = {
  /** Proved by readings on both sides. */
  inBedMs: number
  /** Times somebody got up and came back. */
  timesOut: number
  /** Time that no readings tell of. */
  unknownMs: number
  firstInAt: number | null
  /** The last getting up; null while nobody has, or when somebody was in bed when the sensor was heard last. */
  upAt: number | null
  heardAt: number
  lastInBed: boolean
}

const hourMs = 3_600_000
const beginsHour = 18
const endsHour = 12

/**
 * The night that is told of at `now` (epoch ms): from 18:00 on the day before to 12:00 in the resident's own zone, or to now
 * while it lasts.
 */
export function lastNight(now: number, timeZone: string): { from: number; to: number } {
  const { date } = localClock(now, timeZone)
  const today = Date.parse(`${date}T00:00:00Z`)
  return {
    from: atLocal(today - (24 - beginsHour) * hourMs, timeZone),
    to: Math.min(now, atLocal(today + endsHour * hourMs, timeZone)),
  }
}

/** When a wall clock in the zone shows what `wall` would show in UTC; clocks change at night, not at noon or 18:00. */
function atLocal(wall: number, timeZone: string): number {
  const offsetMs = (at: number) => {
    const { date, hour, minute } = localClock(at, timeZone)
    return Date.parse(`${date}T${String(hour).padStart(2, '0')}:${String(minute).padStart(2, '0')}:00Z`) - at
  }
  const guess = wall - offsetMs(wall)
  return wall - offsetMs(guess)
}

/** A sensor that reports all the time and then not is not heard; one that reports changes alone may say nothing for hours. */
const holeMsMin = hourMs
const holeIntervals = 6

type Stretch = { state: 'in' | 'out' | 'unknown'; from: number; to: number }
const stateOf = (inBed: boolean) => (inBed ? 'in' : 'out')

/** Adds up what the readings between `from` and `to` prove. */
export function restOf(night: BedNight, span: { from: number; to: number }): NightRest {
  const stretches = stretchesOf(night, span)
  const lengthOf = (state: Stretch['state']) =>
    stretches.reduce((sum, stretch) => (stretch.state === state ? sum + stretch.to - stretch.from : sum), 0)
  const isIn = ({ state }: Stretch) => state === 'in'
  const after = stretches[stretches.findLastIndex(isIn) + 1]
  const firstIn = stretches.find(isIn)
  return {
    inBedMs: lengthOf('in'),
    timesOut: stretches.filter(
      ({ state }, i) => state === 'out' && stretches[i - 1]?.state === 'in' && stretches[i + 1]?.state === 'in',
    ).length,
    unknownMs: lengthOf('unknown'),
    firstInAt: firstIn?.from ?? null,
    upAt: firstIn && after?.state === 'out' ? after.from : null,
    heardAt: night.lastAt,
    lastInBed: night.lastInBed,
  }
}

/** The night in order and without gaps, each stretch in another state than the one before. */
function stretchesOf(
  { readings, firstAt, lastAt, lastInBed, edges }: BedNight,
  { from, to }: { from: number; to: number },
) {
  const usualMs = readings > 1 ? (lastAt - firstAt) / (readings - 1) : Number.POSITIVE_INFINITY
  const holeMs = Math.max(holeMsMin, holeIntervals * usualMs)
  const stretches: Stretch[] = []
  let sure = from
  const add = (state: Stretch['state'], until: number) => {
    if (until <= sure) return
    const last = stretches.at(-1)
    if (last?.state === state) last.to = until
    else stretches.push({ state, from: sure, to: until })
    sure = until
  }
  for (const { at, before } of edges) {
    if (before) add(stateOf(before.inBed), at - before.at > holeMs ? before.at : at)
    add('unknown', at)
  }
  add(stateOf(lastInBed), lastAt)
  // Of a sensor that reports changes alone nothing is heard after the last getting up; but that she still lies there is a
  // thing to be heard.
  const trailingMs = lastInBed ? holeMsMin : holeMs
  add(to - lastAt > trailingMs ? 'unknown' : stateOf(lastInBed), to)
  return stretches
}
