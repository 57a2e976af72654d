import type { AlertKind, Outcome, Severity } from './model.js'

/**
 * The numbers of a month, computed from one row an alert. Pure. What nobody knows is null or a share of nothing, never 0 %.
 */

/** Notices page nobody and are no alerts of these numbers. */
export const countedSeverities = ['emergency', 'urgent', 'warning'] as const satisfies readonly Severity[]
export type CountedSeverity = (typeof countedSeverities)[number]

/** One alert; times in ms since it was opened, null where it did not happen (yet). */
export type AlertTimes = {
  kind: AlertKind
  severity: CountedSeverity
  /** What was found; null while it is open. */
  outcome: Outcome | null
  /** Day of the month, 1..31, by the clock of the community. */
  day: number
  /** The first page to somebody who could come left. */
  pageMs: number | null
  /** A person took it: acknowledged, set out, stood at the door or closed it, whichever came first. */
  takenMs: number | null
  /** Somebody was at the door. */
  doorMs: number | null
  /** How long it has been open: until it was closed, or until now. */
  openMs: number
  /** How long the home was asked before anybody was to be paged; null or left out: it was not. */
  askMs?: number | null
}

/** She was fine, says the home or who phoned, before anybody was paged: no false alarm, and nothing to wait for. */
export const isSettledByAsking = ({ askMs, outcome, pageMs, openMs }: AlertTimes): boolean =>
  typeof askMs === 'number' && outcome === 'resident fine' && pageMs === null && openMs <= askMs

/** What a person did with an alert, in order; 'undone' takes back the last of them that stands. */
export type ActionEvent = { kind: 'acknowledged' | 'en_route' | 'arrived' | 'closed' | 'undone'; afterMs: number }

/** When somebody took it and when somebody was at the door, as far as it was not taken back. */
export function timesOfActions(events: readonly ActionEvent[]): Pick<AlertTimes, 'takenMs' | 'doorMs'> {
  const standing: ActionEvent[] = []
  for (const event of events)
    if (event.kind === 'undone') standing.pop()
    else standing.push(event)
  const first = (wanted: readonly ActionEvent[]) =>
    wanted.length === 0 ? null : Math.min(...wanted.map(({ afterMs }) => afterMs))
  return { takenMs: first(standing), doorMs: first(standing.filter(({ kind }) => kind === 'arrived')) }
}

/** `part` of `of`; nothing can be said where `of` is 0. */
export type Share = { part: number; of: number }

/**
 * The smallest of the values that at least `p` (0 < p ≤ 1) of them do not exceed: nearest rank, so that each percentile
 * is a time that somebody really waited. null of none.
 */
export function percentile(values: readonly number[], p: number): number | null {
  if (values.length === 0) return null
  const sorted = Float64Array.from(values).sort()
  return sorted[Math.max(1, Math.ceil(p * sorted.length)) - 1]!
}

/** A time that was waited for: how long it took, or how long it had been waited for in vain when it was last looked. */
export type Wait = { ms: number } | { vainMs: number }

/**
 * How many waits were over within `limitMs`. One that was in vain for longer counts as not; one that ended in vain before
 * the limit tells nothing and is not counted.
 */
export function shareWithin(waits: readonly Wait[], limitMs: number): Share {
  let part = 0
  let of = 0
  for (const wait of waits) {
    if ('ms' in wait) {
      of++
      if (wait.ms <= limitMs) part++
    } else if (wait.vainMs > limitMs) of++
  }
  return { part, of }
}

export type Measure = 'page' | 'taken' | 'door'
export const measures = ['page', 'taken', 'door'] as const satisfies readonly Measure[]

const second = 1_000
const minute = 60 * second
/** Within which times it should happen, in ms. */
export const goalsMs = {
  page: [60 * second, 180 * second],
  taken: [60 * second, 180 * second],
  door: [45 * minute, 60 * minute],
} as const satisfies Record<Measure, readonly number[]>

/** What was waited for in this alert, or undefined where there was nothing to wait for. */
export function waitOf(alert: AlertTimes, measure: Measure): Wait | undefined {
  if (measure !== 'door' && isSettledByAsking(alert)) return undefined
  // Where the home was asked first, people are waited for from then on.
  const sinceAsked = (ms: number) => Math.max(0, ms - (alert.askMs ?? 0))
  if (measure === 'page') {
    if (alert.pageMs !== null) return { ms: sinceAsked(alert.pageMs) }
    // Who takes it on the console before a page leaves needs none.
    return { vainMs: sinceAsked(Math.min(alert.takenMs ?? alert.openMs, alert.openMs)) }
  }
  if (measure === 'taken')
    return alert.takenMs === null ? { vainMs: sinceAsked(alert.openMs) } : { ms: sinceAsked(alert.takenMs) }
  if (alert.doorMs !== null) return { ms: alert.doorMs }
  // Closed without anybody at the door: by telephone, or because it was over.
  return alert.outcome === null ? { vainMs: alert.openMs } : undefined
}

export type Times = {
  /** Alerts for which it happened: on these the median and the 95th percentile stand. */
  n: number
  medianMs: number | null
  p95Ms: number | null
  /** Of `goalsMs`, in order. */
  within: Share[]
}

export function timesOf(alerts: readonly AlertTimes[], measure: Measure): Times {
  const waits = alerts.map((alert) => waitOf(alert, measure)).filter((wait) => wait !== undefined)
  const happened = waits.flatMap((wait) => ('ms' in wait ? [wait.ms] : []))
  return {
    n: happened.length,
    medianMs: percentile(happened, 0.5),
    p95Ms: percentile(happened, 0.95),
    within: goalsMs[measure].map((limitMs) => shareWithin(waits, limitMs)),
  }
}

/** Where the bars of a distribution end, in ms; the last bar is for what took longer. */
export const barsMs = {
  taken: [30 * second, 60 * second, 2 * minute, 3 * minute, 5 * minute, 10 * minute, 30 * minute, 60 * minute],
  door: [15 * minute, 30 * minute, 45 * minute, 60 * minute, 90 * minute, 120 * minute],
} as const satisfies Partial<Record<Measure, readonly number[]>>

export type Bar = { upToMs: number | null; counts: Record<CountedSeverity, number>; total: number }

/** How many took how long: one bar up to each limit of `barsMs`, one for longer. */
export function distribution(alerts: readonly AlertTimes[], measure: keyof typeof barsMs): Bar[] {
  const limits: readonly number[] = barsMs[measure]
  const bars: Bar[] = [...limits, null].map((upToMs) => ({ upToMs, counts: noneCounted(), total: 0 }))
  for (const alert of alerts) {
    const wait = waitOf(alert, measure)
    if (!wait || !('ms' in wait)) continue
    const index = limits.findIndex((limitMs) => wait.ms <= limitMs)
    const bar = bars[index === -1 ? limits.length : index]!
    bar.counts[alert.severity]++
    bar.total++
  }
  return bars
}

/** Found to be nothing. A test is none of either, and "other" does not say which. */
const nothingFound: readonly Outcome[] = ['resident fine', 'device fault']
const saysNothing: readonly Outcome[] = ['test', 'other']

export type FalseAlarms = {
  /** Of the alerts whose outcome says that it was something, or nothing. */
  share: Share
  /** Asked about, and over before anybody was paged. */
  settled: number
  tests: number
  others: number
  open: number
}

/** How many alerts were nothing: closed as "resident fine" or "device fault"; those that asking settled, tests, "other" and open ones stand apart. */
export function falseAlarms(alerts: readonly AlertTimes[]): FalseAlarms {
  const told = { share: { part: 0, of: 0 }, settled: 0, tests: 0, others: 0, open: 0 }
  for (const alert of alerts) {
    const { outcome } = alert
    if (outcome === null) told.open++
    else if (isSettledByAsking(alert)) told.settled++
    else if (outcome === 'test') told.tests++
    else if (saysNothing.includes(outcome)) told.others++
    else {
      told.share.of++
      if (nothingFound.includes(outcome)) told.share.part++
    }
  }
  return told
}

export type KindNumbers = {
  kind: AlertKind
  severity: CountedSeverity
  total: number
  outcomes: Partial<Record<Outcome | 'open', number>>
  falseAlarms: FalseAlarms
}
export type DayNumbers = { day: number; counts: Record<CountedSeverity, number>; total: number }

/** All about the alerts of one month. */
export type MonthNumbers = {
  alerts: number
  bySeverity: Record<CountedSeverity, number>
  /** Of those that there were, worst first. */
  severities: CountedSeverity[]
  byKind: KindNumbers[]
  falseAlarms: FalseAlarms
  times: Record<Measure, Partial<Record<CountedSeverity, Times>>>
  /** Closed without anybody at the door on record. */
  closedWithoutVisit: Record<CountedSeverity, number>
  byDay: DayNumbers[]
  taken: Bar[]
  door: Bar[]
}

/** `days`: how many days the month has. */
export function monthNumbers(alerts: readonly AlertTimes[], { days }: { days: number }): MonthNumbers {
  const groups = Object.fromEntries(
    countedSeverities.map((severity) => [severity, alerts.filter((alert) => alert.severity === severity)]),
  ) as Record<CountedSeverity, AlertTimes[]>
  const severities = countedSeverities.filter((severity) => groups[severity].length > 0)
  const timesBySeverity = (measure: Measure) =>
    Object.fromEntries(severities.map((severity) => [severity, timesOf(groups[severity], measure)]))
  return {
    alerts: alerts.length,
    bySeverity: countEach(groups, (group) => group.length),
    severities,
    byKind: byKind(alerts),
    falseAlarms: falseAlarms(alerts),
    times: { page: timesBySeverity('page'), taken: timesBySeverity('taken'), door: timesBySeverity('door') },
    closedWithoutVisit: countEach(
      groups,
      (group) => group.filter(({ outcome, doorMs }) => outcome !== null && doorMs === null).length,
    ),
    byDay: byDay(alerts, days),
    taken: distribution(alerts, 'taken'),
    door: distribution(alerts, 'door'),
  }
}

const noneCounted = (): Record<CountedSeverity, number> => ({ emergency: 0, urgent: 0, warning: 0 })
const countEach = <T>(groups: Record<CountedSeverity, T>, count: (group: T) => number) => ({
  emergency: count(groups.emergency),
  urgent: count(groups.urgent),
  warning: count(groups.warning),
})

/** Worst severity first, then the most frequent. */
function byKind(alerts: readonly AlertTimes[]): KindNumbers[] {
  const kinds = new Map<AlertKind, AlertTimes[]>()
  for (const alert of alerts) {
    const same = kinds.get(alert.kind)
    if (same) same.push(alert)
    else kinds.set(alert.kind, [alert])
  }
  return [...kinds]
    .map(([kind, same]) => ({
      kind,
      severity: same[0]!.severity,
      total: same.length,
      outcomes: countOutcomes(same),
      falseAlarms: falseAlarms(same),
    }))
    .sort(
      (a, b) =>
        countedSeverities.indexOf(a.severity) - countedSeverities.indexOf(b.severity) ||
        b.total - a.total ||
        (a.kind < b.kind ? -1 : 1),
    )
}

function countOutcomes(alerts: readonly AlertTimes[]): KindNumbers['outcomes'] {
  const counts: KindNumbers['outcomes'] = {}
  for (const { outcome } of alerts) counts[outcome ?? 'open'] = (counts[outcome ?? 'open'] ?? 0) + 1
  return counts
}

function byDay(alerts: readonly AlertTimes[], days: number): DayNumbers[] {
  const all: DayNumbers[] = Array.from({ length: days }, (_, i) => ({ day: i + 1, counts: noneCounted(), total: 0 }))
  for (const { day, severity } of alerts) {
    const one = all[day - 1]
    if (!one) continue
    one.counts[severity]++
    one.total++
  }
  return all
}

/** Pages that left to one person in one night, and the alerts that they were about. */
export type NightPages = { staffId: string; name: string; night: string; pages: number; alerts: number }

export type PersonNights = {
  staffId: string
  name: string
  /** By the date (YYYY-MM-DD) on which the night begins. */
  nights: Map<string, { pages: number; alerts: number }>
  pages: number
  worst: { night: string; pages: number }
}

/** By person, the most paged first. */
export function nightsByPerson(rows: readonly NightPages[]): PersonNights[] {
  const people = new Map<string, PersonNights>()
  for (const { staffId, name, night, pages, alerts } of [...rows].sort((a, b) => (a.night < b.night ? -1 : 1))) {
    const person = people.get(staffId) ?? {
      staffId,
      name,
      nights: new Map(),
      pages: 0,
      worst: { night, pages: 0 },
    }
    people.set(staffId, person)
    person.nights.set(night, { pages, alerts })
    person.pages += pages
    if (pages > person.worst.pages) person.worst = { night, pages }
  }
  return [...people.values()].sort((a, b) => b.pages - a.pages || (a.staffId < b.staffId ? -1 : 1))
}
