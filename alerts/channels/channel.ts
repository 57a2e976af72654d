import type { AlertKind, Headline, Language, Severity } from '../model.js'

/**
 * What became of one attempt. `detail` and `reason` are for the record of attempts: one line, at most
 * `detailCharsMax` characters, possibly with what the other side said, so they belong in no log.
 */
export type SendResult =
  | { kind: 'sent'; detail: string }
  /** Worth another attempt after `afterMs`. */
  | { kind: 'retry'; afterMs: number; detail: string }
  /** This address will not take this page, however often it is tried: go on to the person's next channel. */
  | { kind: 'refused'; reason: string }

/** One attempt to tell one person about one alert through one channel, with all that its message says. */
export type Page = {
  pageId: string
  alertId: string
  severity: Severity
  kind: AlertKind
  resident: { id: string; name: string; address: string }
  headline: Headline
  openedAt: Date
  observedAt: Date
  step: number
  round: number
  /** The one-tap link that acknowledges. */
  url: string
  doorCode?: string | null
  keyHolder?: string | null
  healthNote?: string | null
  phone?: string | null
  /** IANA zone of the resident's home. */
  timeZone: string
  /** The language of the person who is paged. */
  language: Language
}

/** Something that the operator has to know about Shouwang itself; of nobody's home. */
export type Notice = {
  /** The same for every attempt. */
  noticeId: string
  kind: 'database away' | 'journal full' | 'database back'
  text: Headline
  at: Date
  /** The language of the person who is told. */
  language: Language
}

export type Recipient = { address: string; secret: string | null; name: string }

/**
 * One way to reach a person. `send` answers with a value for everything that can go wrong outside; it throws for bugs
 * only. It ends by itself within a few seconds, and at once when `signal` aborts. `attempt` counts from 1.
 */
export type Channel = {
  kind: string
  send(page: Page, to: Recipient, options: { attempt: number; signal: AbortSignal }): Promise<SendResult>
  /** The same with a notice. */
  tell?(notice: Notice, to: Recipient, options: { attempt: number; signal: AbortSignal }): Promise<SendResult>
  stop?(): Promise<void>
}

/** The last pause stands for all attempts after it. */
const retryPausesMs: Record<Severity, readonly number[]> = {
  emergency: [1_000, 2_000, 5_000, 10_000, 30_000],
  urgent: [2_000, 5_000, 15_000, 60_000, 120_000],
  warning: [5_000, 30_000, 120_000, 300_000],
  notice: [10_000, 60_000, 300_000, 900_000],
}

/** How long to wait after failed attempt number `attempt` (from 1), in ms: growing, bounded, quicker for emergencies. */
export function retryPauseMs(attempt: number, severity: Severity): number {
  const pauses = retryPausesMs[severity]
  const index = Math.min(Math.max(Math.floor(attempt) || 1, 1), pauses.length) - 1
  return pauses[index]!
}

/** A receiver that asks for a longer pause than this gets this one. */
const retryAfterMsMax: Record<Severity, number> = {
  emergency: 60_000,
  urgent: 300_000,
  warning: 900_000,
  notice: 900_000,
}

/** The pause that a receiver asked for, in ms, bounded below by 1 s and above by severity. */
export function boundedRetryAfterMs(askedMs: number, severity: Severity): number {
  return Math.min(Math.max(askedMs, 1_000), retryAfterMsMax[severity])
}

/**
 * How many attempts one channel gets before the outbox falls over to the person's next channel. Four attempts of an
 * emergency take 8 s when the connection is refused and 28 s when each hangs for the webhook's 5 s: the next channel is
 * tried before the next person is told (60 s).
 */
export function attemptsMax(severity: Severity): number {
  return severity === 'emergency' ? 4 : severity === 'urgent' ? 5 : 6
}

export const detailCharsMax = 1_024

/**
 * Text of another system as one bounded line. Control characters go: PostgreSQL refuses a NUL in text, and the record
 * of an attempt must never be what makes the attempt fail.
 */
export function detailLine(text: string): string {
  return [...text.slice(0, 2 * detailCharsMax)]
    .map((char) => (/[\p{Cc}\p{Cs}\p{Zl}\p{Zp}]/u.test(char) ? ' ' : char))
    .join('')
    .replace(/ {2,}/g, ' ')
    .trim()
    .slice(0, detailCharsMax)
    .replace(/[\uD800-\uDBFF]$/, '')
}
