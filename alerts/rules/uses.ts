import type { EpochMs } from '../model.js'
import { minuteMs } from './say.js'
import { type ResidentState, round3 } from './state.js'

const bucketMs = 5 * minuteMs
/** A dripping tap may take hours to make 10 L; beyond this many entries (12 h 30 min of 5 min) the two oldest become one. */
const usesMax = 150
/** Less than this in 12 h is not living there: it is a drip, or a cistern that leaks. */
export const useLitresMin = 10
/** From here a 5-min bucket is somebody at a tap, for the "last used" on the pages. */
const tapLitresMin = 1

/**
 * Adds water that ran in the interval [from, at]; it counts at its end. Entries may come out of time order, because
 * each water meter of a home has a backlog of its own.
 */
export function addUse(state: ResidentState, { from, at }: { from: EpochMs; at: EpochMs }, litres: number): void {
  const { uses } = state
  let index = uses.length
  while (index > 0 && uses[index - 1]![0] > at) index -= 1
  const bucket = Math.floor(at / bucketMs)
  const before = uses[index - 1]
  const after = uses[index]
  let entry: [EpochMs, number]
  if (before && Math.floor(before[0] / bucketMs) === bucket) {
    entry = before
    entry[0] = at
  } else if (after && Math.floor(after[0] / bucketMs) === bucket) entry = after
  else {
    entry = [at, 0]
    uses.splice(index, 0, entry)
  }
  entry[1] = round3(entry[1] + litres)
  trim(uses)
  if (entry[1] >= tapLitresMin && at >= (state.lastWater?.at ?? 0)) state.lastWater = { from, at }
}

/** Keeps the newest entries that add up to 10 L: what is older can never again decide since when it has been silent. */
function trim(uses: ResidentState['uses']): void {
  let sum = 0
  let keep = uses.length
  while (keep > 0 && sum < useLitresMin) {
    keep -= 1
    sum += uses[keep]![1]
  }
  if (keep > 0) uses.splice(0, keep)
  while (uses.length > usesMax) {
    uses[1]![1] = round3(uses[0]![1] + uses[1]![1])
    uses.shift()
  }
}

/** The latest time since which less than 10 L have been used; null when there never were 10 L. */
export function waterActiveAt({ uses }: ResidentState): EpochMs | null {
  let sum = 0
  for (let index = uses.length - 1; index >= 0; index -= 1) {
    sum += uses[index]![1]
    if (sum >= useLitresMin) return uses[index]![0]
  }
  return null
}

/** When water last ran: newest of what is kept, or 0. */
export const lastTapAt = ({ uses, lastWater }: ResidentState): EpochMs =>
  Math.max(uses.at(-1)?.[0] ?? 0, lastWater?.at ?? 0)

/** Litres used after a time; exact only for times from `waterActiveAt` on. */
export function litresSince({ uses }: ResidentState, since: EpochMs): number {
  return round3(uses.reduce((sum, [at, litres]) => (at > since ? sum + litres : sum), 0))
}
