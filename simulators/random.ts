/** A seeded source of numbers in [0, 1). */
export type Random = () => number

/** A 32-bit hash of what the numbers are for: FNV-1a over the text, then a finalizer, so that near seeds differ wholly. */
export function hash(...parts: (string | number)[]): number {
  const text = parts.join('|')
  let h = 0x811c9dc5
  for (let i = 0; i < text.length; i++) h = Math.imul(h ^ text.charCodeAt(i), 0x01000193)
  h = Math.imul(h ^ (h >>> 16), 0x85ebca6b)
  h = Math.imul(h ^ (h >>> 13), 0xc2b2ae35)
  return (h ^ (h >>> 16)) >>> 0
}

/** The same parts give the same numbers, in every process (mulberry32). */
export function seededRandom(...parts: (string | number)[]): Random {
  let state = hash(...parts)
  return () => {
    state = (state + 0x6d2b79f5) | 0
    let t = Math.imul(state ^ (state >>> 15), 1 | state)
    t = (t + Math.imul(t ^ (t >>> 7), 61 | t)) ^ t
    return ((t ^ (t >>> 14)) >>> 0) / 4_294_967_296
  }
}

/** A whole number from `low` to `high`, both included. */
export const whole = (random: Random, low: number, high: number) => low + Math.floor(random() * (high - low + 1))

/** A whole number near `middle`, at most `spread` away, the middle likelier than the ends. */
export const around = (random: Random, middle: number, spread: number) =>
  Math.round(middle + (random() + random() - 1) * spread)

export const chance = (random: Random, probability: number) => random() < probability
