import { hourMs, secondMs } from './say.js'
import type { Meter } from './state.js'

/** A meter that reports less often than this tells what was used, and not when. */
export const seldomMs = 3 * hourMs

/** Two long outages lengthen the usual interval, and not most of its intervals. */
export function isSeldom({ reach: { usualMs, gapsS } }: Meter): boolean {
  if (usualMs <= seldomMs) return false
  let long = 0
  for (const gapS of gapsS) if (gapS * secondMs > seldomMs) long += 1
  return long * 2 > gapsS.length
}

/** Is there a meter among those that count which reports often? The others need not be waited for then. */
export function isAnyOften(meters: Meter[], counts: (meter: Meter) => boolean): boolean {
  for (const meter of meters) if (counts(meter) && !isSeldom(meter)) return true
  return false
}

/**
 * Does a meter tell how long nothing has been used? One that reports seldom does where no other one does so better, and an
 * electricity meter whose readings lie far apart never: one reading a day would otherwise hold back what the water tells.
 */
export function tells(meter: Meter, anyOften: boolean): boolean {
  if (!isSeldom(meter)) return true
  if (anyOften) return false
  return meter.kind === 'water' || meter.coveredTo > meter.coveredFrom
}
