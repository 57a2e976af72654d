import type { EpochMs } from '../../alerts/model.js'
import type { Span } from './history.js'
import type { VirtualTime } from './virtual-time.js'

/** Calls `work` after each `everyMs`, until `until`. */
export function every(time: VirtualTime, p: { from: EpochMs; until: EpochMs; everyMs: number }, work: () => void) {
  const again = (at: EpochMs) => {
    if (at > p.until) return
    time.at(at, () => {
      work()
      again(at + p.everyMs)
    })
  }
  again(p.from + p.everyMs)
}

/** Collects when something was so, asked whenever something has happened. */
export function watchSpans(isSo: () => boolean) {
  const spans: Span[] = []
  let since: EpochMs | undefined
  return {
    watch(now: EpochMs) {
      if (isSo()) since ??= now
      else if (since !== undefined) {
        spans.push({ from: since, to: now })
        since = undefined
      }
    },
    spans,
    /** Ends a span that has not ended. */
    end(now: EpochMs) {
      if (since !== undefined) spans.push({ from: since, to: now })
      since = undefined
    },
  }
}

/** The same time in spans that do not overlap. */
export function unionOf(spans: readonly Span[]): Span[] {
  const union: Span[] = []
  for (const span of [...spans].sort((a, b) => a.from - b.from)) {
    const last = union.at(-1)
    if (last && span.from <= last.to) last.to = Math.max(last.to, span.to)
    else union.push({ ...span })
  }
  return union
}
