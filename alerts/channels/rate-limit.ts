/** What a provider takes from one robot: at most `max` messages in each `ms`. */
export type Window = { max: number; ms: number }

/** Robots that are remembered; those longest unused go first. */
const keysMax = 2_000
/** Of each window the last part is left to emergencies: a digest never takes an emergency's place. */
const reservedShare = 0.25

export type RateLimit = {
  /** How long to wait before sending, in ms; 0: go, and it counts. An emergency always goes. */
  take(key: string, nowMs: number, urgent: boolean): number
  /** The provider has said that it takes no more: what is no emergency waits until then. */
  close(key: string, untilMs: number): void
}

/**
 * Keeps below a provider's documented limits, robot by robot, in this process. It delays only what can wait: nothing is
 * dropped here, and an emergency is sent whatever is counted, since the provider may still take it.
 */
export function createRateLimit(windows: readonly Window[]): RateLimit {
  const robots = new Map<string, { sentMs: number[]; closedUntilMs: number }>()
  const longestMs = Math.max(...windows.map(({ ms }) => ms))

  function robotOf(key: string, nowMs: number) {
    const known = robots.get(key) ?? { sentMs: [], closedUntilMs: 0 }
    // A time ahead of now is from before the clock was put back.
    known.sentMs = known.sentMs.filter((at) => at > nowMs - longestMs && at <= nowMs)
    robots.delete(key)
    robots.set(key, known)
    if (robots.size > keysMax) robots.delete(robots.keys().next().value!)
    return known
  }

  return {
    take(key, nowMs, urgent) {
      const robot = robotOf(key, nowMs)
      if (!urgent) {
        const waits = windows.map(({ max, ms }) => {
          const allowed = Math.max(Math.floor(max * (1 - reservedShare)), 1)
          const within = robot.sentMs.filter((at) => at > nowMs - ms)
          return within.length < allowed ? 0 : within[within.length - allowed]! + ms - nowMs
        })
        const waitMs = Math.max(robot.closedUntilMs - nowMs, ...waits)
        if (waitMs > 0) return waitMs
      }
      robot.sentMs.push(nowMs)
      return 0
    },
    close(key, untilMs) {
      const robot = robots.get(key)
      if (robot) robot.closedUntilMs = Math.max(robot.closedUntilMs, untilMs)
    },
  }
}
