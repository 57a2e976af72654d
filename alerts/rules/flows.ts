import type { EpochMs } from '../model.js'
import { silenceOf } from './silence.js'
import { type ElectricityMeter, hoursOf, type Meter, type ResidentState } from './state.js'
import { longFrom } from './unusual.js'

/** Until when a home is known to have had something, and until when anything is known of it. */
export type Flow = { at: EpochMs; until: EpochMs }

/** What the meters of a home say of its street; null where no meter that is heard tells. */
export type Flows = {
  /** Silent for longer than four in five silences that begin like this one. */
  long: boolean
  water: Flow | null
  /** `at` lies before `until` where the home draws nothing at all. */
  power: Flow | null
}

/** Hours that must be known before "draws nothing" means anything, and the share of them in which something was drawn. */
const hoursMin = 6
const drawnShareMin = 0.8
/** A register that should have counted on so many Wh at the least is standing still. */
const missedWhMin = 3

/** What a state says of the street. Pure; as of the newest reading. */
export function flowsOf(state: ResidentState): Flows {
  const from = longFrom(state)
  const silence = from === null ? null : silenceOf(state, 'activity')
  let water: Flow | null = null
  let power: Flow | null = null
  for (const meter of state.meters) {
    if (meter.reach.overdue) continue
    if (meter.kind === 'water') water = widest(water, flowOf(meter, state.lastWater?.at ?? null))
    else power = widest(power, flowOf(meter, deadSinceOf(meter) ?? meter.coveredTo))
  }
  return { long: from !== null && silence !== null && from <= silence.until, water, power }
}

/** Before the time that a meter covers anything may have been used. */
const flowOf = ({ coveredFrom, coveredTo }: Meter, at: EpochMs | null): Flow => ({
  at: at === null ? coveredTo : Math.min(Math.max(at, coveredFrom), coveredTo),
  until: coveredTo,
})

const widest = (one: Flow | null, other: Flow): Flow =>
  one === null ? other : { at: Math.max(one.at, other.at), until: Math.min(one.until, other.until) }

/**
 * Since when a home draws nothing, not even what it draws with nobody at a switch (the lowest hour of the last 48 h);
 * null where it draws, or where it cannot be told. To the hour.
 */
export function deadSinceOf({ hours, hourMark, total, at, step }: ElectricityMeter): EpochMs | null {
  if (total - hourMark[1] > 0.001) return null
  let drawn = hours.length
  while (drawn > 0 && hours[drawn - 1]![1] === 0) drawn -= 1
  if (drawn === 0) return null
  let base = Number.POSITIVE_INFINITY
  let known = 0
  for (let index = 0; index < drawn; index += 1) {
    const watts = hours[index]![1]
    if (watts <= 0) continue
    known += 1
    base = Math.min(base, watts)
  }
  if (known < hoursMin || known < drawnShareMin * drawn) return null
  const since = hours[drawn - 1]![0]
  return base * hoursOf(at - since) >= missedWhMin * Math.max(step, 1) ? since : null
}
