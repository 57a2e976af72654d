import type { Clock } from '../kit/clock.js'

/**
 * A clock that starts at `start` (epoch ms) and runs `speed` times as fast as the wall clock until it has caught up with
 * it; from then on it is the wall clock. It is never ahead, and a wall clock that is set back does not turn it back
 * before `start`.
 */
export function createSimulatedClock({ clock, start, speed }: { clock: Clock; start: number; speed: number }): Clock {
  const begun = clock.now().getTime()
  return {
    now: () => {
      const wall = clock.now().getTime()
      return new Date(Math.min(wall, Math.max(start, start + (wall - begun) * speed)))
    },
  }
}
