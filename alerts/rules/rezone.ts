import type { EpochMs } from '../model.js'
import { forgetCurve } from './line.js'
import { gapCalm, gapQuarters, gapStart, packGap, quarterMs, type Routine } from './routine.js'
import { hourMs } from './say.js'
import { offsetMsAt } from './zone.js'

/**
 * The time zone of a resident was put right. What is learned is kept by the clock on the wall, and her days have not moved:
 * the clock has. Without this the line would look for her night in the middle of the day until it is learned anew.
 */
export function rezone(routine: Routine, timeZone: string, at: EpochMs): void {
  const before = routine.timeZone
  routine.timeZone = timeZone
  if (before === undefined || before === timeZone) return
  const shiftMs = offsetMsAt(at, timeZone) - offsetMsAt(at, before)
  if (shiftMs === 0) return
  const quarters = Math.round(shiftMs / quarterMs)
  const move = (gap: number) =>
    packGap({ start: gapStart(gap) + quarters, quarters: gapQuarters(gap), calm: gapCalm(gap) })
  routine.gaps = routine.gaps.map(move)
  for (const top of routine.tops) top[0] += quarters
  for (const marked of routine.marked ?? []) if (marked[2] !== undefined) marked[2] = move(marked[2])
  const hours = Math.round(shiftMs / hourMs)
  const { active } = routine
  routine.active = active.map((_, slot) => {
    const begin = slot - (slot % 24)
    return active[begin + ((((slot - hours) % 24) + 24) % 24)]!
  })
  // It is drawn anew where it is asked for.
  routine.line = null
  forgetCurve(routine)
}
