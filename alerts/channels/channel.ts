import type { AskedBefore } from '../asking.js'
import type { HeldBefore } from '../holds.js'
import type { AlertKind, Headline, Language, Severity } from '../model.js'
import type { TakenStage } from '../policy.js'

/**
 * What became of one attempt. `detail` and `reason` are for the record of attempts: one line, at most
 * `detailCharsMax` characters, possibly with what the other side said, so they belong in no log.
 */
export type SendResult =
  /** The provider has taken it. */
  | { kind: 'sent'; detail: string }
  /** It has arrived: the person's own receiver says so, or the telephone was answered. */
  | { kind: 'delivered'; detail: string }
  /** Worth another attempt after `afterMs`. Limited: the provider takes no more for the moment. */
  | { kind: 'retry'; afterMs: number; detail: string; limited?: true }
  /**
   * This address will not take this page, however often it is tried: go on to the person's next channel. Broken: it will
   * take no other either until somebody mends it (no such mailbox, an expired subscription, a wrong secret).
   */
  | { kind: 'refused'; reason: string; broken?: true }

/** Sent or delivered: nothing more to be done. */
export const isTaken = (result: { kind: SendResult['kind'] }): boolean =>
  result.kind === 'sent' || result.kind === 'delivered'

/** For whom a message is written: who goes to the door, a neighbour or volunteer who does, or the family, who are told. */
export type Audience = 'staff' | 'volunteer' | 'family'
/** In which capacity a person of this role is told. */
export const audienceOf = ({ role }: { role: string }): Audience =>
  role === 'family' || role === 'volunteer' ? role : 'staff'

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
  /** The one-tap link that acknowledges; for the family, their own page. */
  url: string
  /** Staff where nothing is said. */
  audience?: Audience
  /** Who had taken the alert before it came back, and how far that person had come. */
  returned?: { name: string; stage: TakenStage } | null
  /** What was asked before anybody was paged. */
  asked?: AskedBefore | null
  /** Nobody was paged for some time, because of an incident. */
  held?: HeldBefore | null
  doorCode?: string | null
  keyHolder?: string | null
  healthNote?: string | null
  phone?: string | null
  /** IANA zone of the resident's home. */
  timeZone: string
  /** The language of the person who is paged. */
  language: Language
}

/** What the messages outbox tells. */
export const messageKinds = [
  'test',
  'digest',
  'incident',
  'coverage',
  'watch',
  'device tests',
  'weekly report',
  'alert news',
  'call task',
] as const
export type MessageKind = (typeof messageKinds)[number]

/** Something to be told to one person that is not one alert which needs somebody. */
export type Message = {
  /** The same for every attempt. */
  messageId: string
  /** The last three: what the edge has to say of itself while there is no database. */
  kind: MessageKind | 'database away' | 'journal full' | 'database back'
  /** One line, which says it all where there is no room for more. */
  text: Headline
  /** What follows where there is room, in order of importance. */
  lines?: readonly Headline[]
  /** Where to read on or to answer; of a test, the page with the one button "I got it". */
  url?: string | null
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
  /** The same with a message. */
  tell(message: Message, to: Recipient, options: { attempt: number; signal: AbortSignal }): Promise<SendResult>
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

/**
 * Whether failed attempt number `attempt` was the last one through this channel, so that the person's next channel takes
 * over. An emergency waits for no provider's limit where there is a `next` channel.
 */
export function isLastTry({
  result,
  attempt,
  severity,
  hasNext,
}: {
  result: SendResult
  attempt: number
  severity: Severity
  hasNext: boolean
}): boolean {
  if (result.kind === 'refused') return true
  if (result.kind === 'retry' && result.limited && severity === 'emergency' && hasNext) return true
  return attempt >= attemptsMax(severity)
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
