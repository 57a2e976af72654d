import { emptyRoutine, type Routine } from './routine.js'
import { hourMs } from './say.js'
import type { ResidentState } from './state.js'

/** About two days of a life that meters show. */
const unsensedHoursMax = 24

/** A motion or bed sensor was heard: it is alive, whatever it says. */
export function hearSensor({ routine }: ResidentState): void {
  if (routine?.unsensed) routine.unsensed[0] = 0
}

/**
 * Follows the newest activity of a home whose sensors have taught the line. When they fall silent while life goes on, their
 * battery has died; each silence would look unusual from then on, so that learning begins anew and the fixed rules stand.
 * A backlog proves nothing: the sensor's own may still be on its way.
 */
export function followSensors({ settleAt }: ResidentState, routine: Routine, by: Routine['by']): void {
  if (by === 'motion' || by === 'bed') {
    routine.unsensed ??= [0, 0]
    routine.unsensed[0] = 0
    return
  }
  const { unsensed, activeAt } = routine
  const hour = Math.floor(activeAt! / hourMs)
  if (!unsensed || settleAt !== null || hour === unsensed[1]) return
  unsensed[0] += 1
  unsensed[1] = hour
  if (unsensed[0] < unsensedHoursMax) return
  const { activeHour, calm, alert } = routine
  delete routine.unsensed
  Object.assign(routine, emptyRoutine(), { activeAt, by, activeHour, calm, alert, firstAt: activeAt })
}
