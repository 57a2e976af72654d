import type { Language } from '../../alerts/model.js'
import { durationWords, relativeWords } from '../web/relative-time.js'

export { clockWords, durationWords, leftWords, relativeWords } from '../web/relative-time.js'

type TimeProps = { at: Date | number; now: Date; timeZone: string; language: Language }

/** Relative first, then by the clock in the resident's own zone: "25 min ago, 14:05". The browser keeps it fresh. */
export function When({ at, now, timeZone, language }: TimeProps) {
  const atMs = Number(at)
  return (
    <time datetime={new Date(atMs).toISOString()} data-time="relative" data-zone={timeZone}>
      {relativeWords(atMs, now.getTime(), timeZone, language)}
    </time>
  )
}

/** How long it has lasted: "25 min". */
export function HowLong({ at, now, timeZone, language }: TimeProps) {
  const atMs = Number(at)
  return (
    <time datetime={new Date(atMs).toISOString()} data-time="age" data-zone={timeZone}>
      {durationWords(now.getTime() - atMs, language)}
    </time>
  )
}
