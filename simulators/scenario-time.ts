import { secondOfDay } from './calendar.js'
import type { Scenario, ScenarioName } from './scenarios.js'

const hourS = 3_600
/** How long after its start a scenario has had its consequence, in seconds. */
const consequenceS: Record<ScenarioName, number> = {
  fall: 12 * hourS,
  'fall-night': 12 * hourS,
  silent: 12 * hourS,
  tap: 2 * hourS,
  button: 0,
  smoke: 0,
  gas: 0,
  battery: 5 * hourS,
  clock: hourS,
  offline: 3 * hourS,
}
const marginS = 120
const lifeBeforeS = 1_800
const liveDelayS = 10
/** At 1x nobody waits: this much before the rule's 12 h are full. */
const silentAlmostS = 12 * hourS - 90

/** Hours of the wall clock at which a fall counts as by day or by night. */
const byDay = { from: 8, to: 20 }
const byNight = { from: 0, to: 5 }

/** The latest instant not after `atS` at which the wall clock is within the hours. */
function snapBack(atS: number, timeZone: string, { from, to }: { from: number; to: number }): number {
  const hourNow = secondOfDay(atS, timeZone) / hourS
  if (hourNow >= from && hourNow <= to) return atS
  const back = hourNow > to ? hourNow - to : hourNow + 24 - to
  return Math.floor(atS - back * hourS)
}

/**
 * When a scenario begins, and where the simulated clock starts, in epoch milliseconds. Faster than life, the clock
 * starts so far back that the scenario's consequence falls due as it catches up with the wall clock (a fall by day or by
 * night moves back to such an hour). At 1x the scenario begins in ten seconds; `silent`, which is over before it is
 * noticed, lies in a past that is sent at once. `fromHours` moves the start of the clock; what is past by then, stays.
 */
export function scenarioTime({
  name,
  now,
  speed,
  timeZone,
  fromHours,
}: {
  name: ScenarioName | undefined
  now: number
  speed: number
  timeZone: string
  fromHours?: number
}): { clockStart: number; scenarios: Scenario[] } {
  const asked = fromHours === undefined ? undefined : now - fromHours * hourS * 1_000
  if (name === undefined) return { clockStart: asked ?? (speed > 1 ? now - 24 * hourS * 1_000 : now), scenarios: [] }
  const live = speed === 1 && asked === undefined
  if (live && name !== 'silent') return { clockStart: now, scenarios: [{ name, at: now + liveDelayS * 1_000 }] }
  let atS = Math.floor(now / 1_000) - (speed === 1 && name === 'silent' ? silentAlmostS : consequenceS[name] + marginS)
  if (name === 'fall') atS = snapBack(atS, timeZone, byDay)
  if (name === 'fall-night') atS = snapBack(atS, timeZone, byNight)
  const clockStart = asked ?? (atS - lifeBeforeS) * 1_000
  // A start later than the scenario would have it: it begins with the clock.
  const at = Math.max(atS * 1_000, clockStart + liveDelayS * 1_000)
  return { clockStart, scenarios: [{ name, at }] }
}
