import type { EpochMs } from '../../alerts/model.js'
import { chance, type Random, whole } from '../../simulators/random.js'
import type { Span } from './history.js'
import { minuteMs, secondMs } from './plan.js'

export const lengthOfOutage = (random: Random) =>
  chance(random, 0.6) ? whole(random, 1, 60) * secondMs : whole(random, 1, 240) * minuteMs

type Range = { start: EpochMs; calm: EpochMs; everyMs: number }

/** Instants from `start` to `calm`, on average one in `everyMs`, to the second. */
export function instants(random: Random, { start, calm, everyMs }: Range): EpochMs[] {
  const found: EpochMs[] = []
  for (let at = start; ; ) {
    at += Math.ceil((-Math.log(1 - random()) * everyMs) / secondMs) * secondMs
    if (at >= calm) return found
    found.push(at)
  }
}

/** Spans that do not touch each other and end by `calm`. */
export function spans(random: Random, { lengthMs, ...range }: Range & { lengthMs: () => number }): Span[] {
  const found: Span[] = []
  for (const from of instants(random, range)) {
    const to = Math.min(range.calm, from + lengthMs())
    if (from > (found.at(-1)?.to ?? 0)) found.push({ from, to })
  }
  return found
}
