import type { EpochMs, ReadingArrival } from '../model.js'
import { wallClock } from '../rules/zone.js'

const hourMs = 3_600_000
/** How far back the quietest night is looked for. */
const nightsMs = 7 * 24 * hourMs

/** Mulberry32: one seed, one sequence, 0 ≤ x < 1. */
export function seeded(seed: number): () => number {
  let x = seed | 0
  return () => {
    x = (x + 0x6d2b79f5) | 0
    let y = Math.imul(x ^ (x >>> 15), 1 | x)
    y = (y + Math.imul(y ^ (y >>> 7), 61 | y)) ^ y
    return ((y ^ (y >>> 14)) >>> 0) / 4_294_967_296
  }
}

/** A home's own seed (FNV-1a of its name): it draws the same alone and beside others. */
export function seedFor(name: string, seed: number): number {
  let hash = 0x811c9dc5 ^ seed
  for (let index = 0; index < name.length; index += 1) hash = Math.imul(hash ^ name.charCodeAt(index), 0x01000193)
  return hash | 0
}

/** A collapse at `at`; `index` is the first reading after it. */
export type Collapse = { at: EpochMs; index: number; night: boolean }

const dayFrom = 7
const dayTo = 21
const nightFrom = 22
const nightTo = 6
/** By day somebody falls who was up a moment ago. */
const upMsMax = hourMs
/** Silence that turns out this long is an absence: nobody is at home to fall. */
const absenceMs = 24 * hourMs
/** A moment in a hole of the recording would measure the hole. */
const holeMsMax = 3 * hourMs
const triesMax = 200_000

/**
 * Draws `each` collapses by day (07–21, within an hour of activity) and as many by night (22–06), from `from` on and at
 * least `observeMs` before the end. `activeAt[i]`: newest activity by reading i, null before the first. Fewer come
 * back where a recording has too few such moments.
 */
export function drawCollapses(
  readings: ReadingArrival[],
  activeAt: (EpochMs | null)[],
  p: { from: EpochMs; observeMs: number; each: number; seed: number; timeZone: string },
): Collapse[] {
  const last = readings.at(-1)
  const collapses: Collapse[] = []
  if (!last || last.receivedAt - p.observeMs <= p.from) return collapses
  const roll = seeded(p.seed)
  const until = last.receivedAt - p.observeMs
  const missing = { day: p.each, night: p.each }
  for (let tries = 0; tries < triesMax && missing.day + missing.night > 0; tries += 1) {
    const at = Math.floor(p.from + roll() * (until - p.from))
    const index = firstAfter(readings, at)
    if (readings[index]!.receivedAt - readings[index - 1]!.receivedAt > holeMsMax) continue
    const active = activeAt[index - 1]
    if (active === null || active === undefined) continue
    const { hour } = wallClock(at, p.timeZone)
    const night = hour >= nightFrom || hour < nightTo
    if (night ? missing.night === 0 : hour < dayFrom || hour >= dayTo || missing.day === 0) continue
    if (night ? endOf(activeAt, index, last.receivedAt) - active >= absenceMs : at - active > upMsMax) continue
    missing[night ? 'night' : 'day'] -= 1
    collapses.push({ at, index, night })
  }
  return collapses.sort((a, b) => a.at - b.at)
}

/** When the silence that goes on before reading `index` ends. */
export function endOf(activeAt: (EpochMs | null)[], index: number, recordingEnd: EpochMs): EpochMs {
  const now = activeAt[index - 1]
  for (let next = index; next < activeAt.length; next += 1) if (activeAt[next] !== now) return activeAt[next]!
  return recordingEnd
}

/** Index of the first reading after a time; the number of readings where there is none. */
export function firstAfter(readings: ReadingArrival[], at: EpochMs): number {
  let low = 0
  let high = readings.length
  while (low < high) {
    const middle = (low + high) >> 1
    if (readings[middle]!.receivedAt > at) high = middle
    else low = middle + 1
  }
  return low
}

/**
 * What the meters would have sent after a collapse: the same moments, water registers frozen, electricity registers
 * going on at the home's own night load, its cycles included. Nobody moves, opens a door or presses a button; a sensor that
 * reports now and then that it sees nobody goes on doing so.
 */
export function* afterCollapse(
  readings: ReadingArrival[],
  { index, at }: Collapse,
  { untilMs, timeZone }: { untilMs: number; timeZone: string },
): Generator<ReadingArrival> {
  const water = new Map<number, number>()
  const power = new Map<number, { value: number; at: EpochMs; watts: number[]; next: number }>()
  for (let back = index - 1; back >= 0 && readings[back]!.receivedAt > at - nightsMs; back -= 1) {
    const { deviceNo, kind, value, observedAt } = readings[back]!
    if (value === undefined) continue
    if (kind === 'water' && !water.has(deviceNo)) water.set(deviceNo, value)
    if (kind === 'electricity' && !power.has(deviceNo)) {
      const watts = quietestNight(readings, { deviceNo, before: index, from: at - nightsMs }, timeZone)
      power.set(deviceNo, { value, at: observedAt, watts, next: 0 })
    }
  }
  for (let next = index; next < readings.length && readings[next]!.receivedAt <= at + untilMs; next += 1) {
    const reading = readings[next]!
    if (reading.kind === 'button' || reading.event === 'motion' || reading.event === 'open') continue
    const load = power.get(reading.deviceNo)
    if (load && load.watts.length > 0) {
      load.value += (load.watts[load.next % load.watts.length]! * (reading.observedAt - load.at)) / hourMs
      load.next += 1
      load.at = reading.observedAt
      yield { ...reading, value: Math.round(load.value) }
    } else if (load) yield { ...reading, value: load.value }
    else yield { ...reading, value: water.get(reading.deviceNo) ?? reading.value! }
  }
}

/** Mean power (W) of each interval from 01:00 to 05:00 of the night that used least, of those since `from`. */
function quietestNight(
  readings: ReadingArrival[],
  { deviceNo, before, from }: { deviceNo: number; before: number; from: EpochMs },
  timeZone: string,
): number[] {
  const nights = new Map<number, number[]>()
  let later: ReadingArrival | null = null
  for (let index = before - 1; index >= 0 && readings[index]!.receivedAt > from; index -= 1) {
    const reading = readings[index]!
    if (reading.deviceNo !== deviceNo || reading.value === undefined) continue
    if (later) {
      const spanMs = later.observedAt - reading.observedAt
      const { day, hour } = wallClock(reading.observedAt, timeZone)
      if (hour >= 1 && hour < 5 && spanMs > 0 && spanMs <= 2 * hourMs && later.value! >= reading.value) {
        const night = nights.get(day) ?? []
        night.unshift(((later.value! - reading.value) * hourMs) / spanMs)
        nights.set(day, night)
      }
    }
    later = reading
  }
  const mean = (watts: number[]) => watts.reduce((sum, one) => sum + one, 0) / watts.length
  const fullest = Math.max(0, ...[...nights.values()].map(({ length }) => length))
  const whole = [...nights.values()].filter(({ length }) => length >= fullest / 2)
  return whole.sort((a, b) => mean(a) - mean(b))[0] ?? []
}
