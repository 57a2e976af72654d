import type { AlertAction } from '../../alerts/lifecycle.js'
import type { AlertKind, EpochMs, Headline, Severity, Stage } from '../../alerts/model.js'
import type { PagedSeverity, Policy, Target } from '../../alerts/policy.js'
import type { ReadingKind } from '../../ingest/contract.js'

/** A span of time, epoch ms, `to` not included. */
export type Span = { from: EpochMs; to: EpochMs }

/** A reading that a gateway has handed to the network at least once. */
export type Published = {
  gatewayId: string
  deviceId: string
  kind: ReadingKind
  /** By the clock of the gateway, as it was sent. */
  ts: EpochMs
  event: string
  value: number | null
  /** When edges took it, and when the first of them acknowledged it. */
  receivedAt: EpochMs[]
  ackedAt: EpochMs | null
  /** When it was acknowledged against the journal. */
  keptAt?: EpochMs
}

/** What a channel was asked to deliver. */
export type Send = {
  pageId: string
  alertId: number
  round: number
  step: number
  staffId: string
  channel: string
  /** Of the edge's own stand-in, or of the outbox. */
  by: 'edge' | 'outbox'
  /** What it tells of. */
  about: { residentId: string; kind: AlertKind; observedAt: EpochMs }
  /** The last moment at which the outbox looked whether somebody has taken the alert. */
  lookedAt: EpochMs
  startedAt: EpochMs
  endedAt: EpochMs | null
  result: 'sent' | 'retry' | 'refused' | 'lost'
  /** The process that sent it died, or lost its database, before it could write it down. */
  interrupted: boolean
}

/** What a person has done, with the time of its commit. */
export type Action = { alertId: number; staffId: string; action: AlertAction['kind'] | 'undo'; at: EpochMs }

/** Who can be told of a resident at one time, by their ids; nobody without a channel. */
export type Station = {
  of(target: Target): string[]
  family: string[]
  everybody: string[]
  /** Kinds, in the person's own order. */
  channels(staffId: string): readonly string[]
  /** When the person may be told again of what is no emergency; null: now. */
  wakesAt(staffId: string): EpochMs | null
}
export type Roster = (residentId: string, at: EpochMs) => Station
/** The policies that stand. */
export type Policies = Record<PagedSeverity, Policy>

/** What the simulation knows to be true of a home. */
export type HomeTruth = {
  residentId: string
  gatewayId: string
  meters: { kind: 'water' | 'electricity'; deviceId: string; intervalMs: number }[]
  /** Litres that had truly run through the meter at a time. */
  litresAt(at: EpochMs): number
  /** When the resident truly used nothing. */
  silences: Span[]
  /** How far the clock of the gateway is ahead at a true time, in ms. */
  clockAheadMs(at: EpochMs): number
}

/** What stands in the database at the end. Times in epoch ms. */
export type StoredReading = {
  deviceId: string
  residentId: string
  kind: ReadingKind
  observedAt: EpochMs
  receivedAt: EpochMs
  event: string
  value: number | null
  clockWrong: boolean
}
export type StoredAlert = {
  alertId: number
  residentId: string
  deviceId: string | null
  kind: AlertKind
  severity: Severity
  stage: Stage
  openedAt: EpochMs
  observedAt: EpochMs
  closedAt: EpochMs | null
  dueAt: EpochMs | null
  outcome: string | null
  headline: Headline
  reason: Record<string, unknown>
}
export type StoredEvent = {
  alertId: number
  at: EpochMs
  kind: string
  staffId: string | null
  detail: Record<string, unknown>
}
export type StoredPage = {
  pageId: string
  alertId: number
  round: number
  step: number
  staffId: string
  channel: string
  status: 'pending' | 'sent' | 'failed' | 'cancelled'
  createdAt: EpochMs
  nextAttemptAt: EpochMs
  condition: 'not acknowledged' | 'not resolved'
  informs: boolean
}
export type Stored = {
  readings: StoredReading[]
  /** How many rows of quarantine each device has that say its time is absurd. */
  absurdTimes: Map<string, number>
  alerts: StoredAlert[]
  events: StoredEvent[]
  pages: StoredPage[]
  /** What the outbox has written down of its attempts. */
  attempts: { pageId: string; startedAt: EpochMs; result: string }[]
  /** Arrivals that were not folded, and residents whose wake-up time has passed. */
  unfolded: number
}

export type History = {
  start: EpochMs
  end: EpochMs
  published: Published[]
  sends: Send[]
  actions: Action[]
  homes: HomeTruth[]
  roster: Roster
  policies: Policies
  /** When no alerts process was up, or the database was away. */
  alertsDown: Span[]
  /** When an alarm lay in the journal, committed nowhere else. */
  journalHeld: Span[]
  /** When the database was away. */
  outages: Span[]
  /** How long each edge lived; with a journal they page by themselves while the database is away. */
  edges: Span[]
  hasJournal: boolean
  /** What was found wrong while it ran. */
  complaints: string[]
  stored: Stored
}

/** A broken guarantee, in words that let one find the place. */
export type Violation = { guarantee: 1 | 2 | 3 | 7; what: string }

export const timeText = (at: EpochMs | null) => (at === null ? 'never' : new Date(at).toISOString())
