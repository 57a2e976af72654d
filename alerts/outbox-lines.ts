/** Sends under way to one person through one channel, to begin with: a phone that hangs takes no more places than these. */
const atFirst = 8
/** Where answers come quickly: 2,500 emergencies to one person whose server takes 0.2 s for each are through in 13 s. */
const atMost = 40
/** Lines of which it is remembered that they take more than a few. */
const linesMax = 1_000
/** An answer within this is quick. */
const quickMs = 2_000

/**
 * How many sends may be under way to one line (a person's one channel): few at first, one more for each quick answer, half
 * as many after each that fails. A slow one changes nothing: on a busy host all are slow. What was learned is kept while
 * nothing is under way: a quick one is through before the next pages are claimed.
 */
export function createLines() {
  const lines = new Map<string, { underWay: number; max: number }>()
  const of = (line: string) => lines.get(line) ?? { underWay: 0, max: atFirst }

  return {
    perLineMax: atFirst,
    /** How many more may begin, of the lines of which something is known. */
    free: (): Map<string, number> =>
      new Map([...lines].map(([line, { underWay, max }]) => [line, Math.max(0, max - underWay)])),
    begin(line: string) {
      const { underWay, max } = of(line)
      lines.set(line, { underWay: underWay + 1, max })
    },
    /** What came of a send: whether it was taken, and after how many ms. Undefined: nothing was sent. */
    end(line: string, answer?: { taken: boolean; ms: number }) {
      const { underWay, max } = of(line)
      const quick = answer?.taken && answer.ms < quickMs
      const failed = answer && !answer.taken
      const next = quick ? Math.min(atMost, max + 1) : failed ? Math.max(atFirst, max >> 1) : max
      lines.delete(line)
      if (underWay > 1 || next > atFirst) lines.set(line, { underWay: underWay - 1, max: next })
      if (lines.size <= linesMax) return
      for (const [other, { underWay: left }] of lines)
        if (left === 0) {
          lines.delete(other)
          return
        }
    },
  }
}
