import type { EpochMs } from '../../alerts/model.js'
import { type History, type Send, type StoredAlert, type StoredEvent, timeText, type Violation } from './history.js'
import { hourMs, minuteMs, secondMs } from './plan.js'
import { unionOf } from './spans.js'

/** The pauses of escalation, written down once more: after step 1, 2, 3, and until an acknowledged alert comes back. */
const pauses = {
  emergency: { steps: [60 * secondMs, 120 * secondMs, 180 * secondMs], returnMs: 30 * minuteMs },
  urgent: { steps: [15 * minuteMs, 15 * minuteMs, 30 * minuteMs], returnMs: 2 * hourMs },
  warning: { steps: [hourMs, hourMs, 4 * hourMs], returnMs: 24 * hourMs },
} as const
/** What polling, a lost connection and a step that is passed over for a while may cost. */
const slackMs = 30 * secondMs
const leaseMs = 30 * secondMs

type Told = { at: EpochMs; round: number; step: number; staff: string[] }

/**
 * Guarantee 2: alerts keep escalating through the people of the chain until somebody takes them, what is due is done,
 * each step reaches each of its people, and nobody is told twice or after the alert was taken, but for what a crash
 * between sending and recording excuses.
 */
export function checkPaging(
  history: Pick<History, 'end' | 'sends' | 'actions' | 'roster' | 'alertsDown' | 'journalHeld' | 'stored'>,
): Violation[] {
  const { end, sends, actions, roster, alertsDown, journalHeld, stored } = history
  const violations: Violation[] = []
  const complain = (what: string) => violations.push({ guarantee: 2, what })
  const sendsOf = groupBy(sends, ({ pageId }) => pageId)
  const eventsOf = groupBy(stored.events, ({ alertId }) => alertId)
  const pagesOf = groupBy(stored.pages, ({ alertId }) => alertId)
  const actionsOf = groupBy(actions, ({ alertId }) => alertId)
  // What lies in the journal alone is with the edge: told once through the chain, and the rest is for the database.
  const excused = unionOf([...alertsDown, ...journalHeld])
  const downBetween = (from: EpochMs, to: EpochMs) =>
    excused.reduce((sum, span) => sum + Math.max(0, Math.min(to, span.to + slackMs) - Math.max(from, span.from)), 0)
  const isLate = (from: EpochMs, to: EpochMs, pauseMs: number) => to - from - downBetween(from, to) > pauseMs + slackMs

  if (stored.unfolded > 0) complain('something that arrived or was due was never folded')
  for (const alert of stored.alerts) {
    if (alert.dueAt !== null && alert.dueAt < end - slackMs)
      complain(`alert ${alert.alertId} has been due since ${timeText(alert.dueAt)}`)
    if (alert.severity === 'notice') continue
    const events = eventsOf.get(alert.alertId) ?? []
    const told = toldOf(events)
    if (told.length === 0) complain(`nobody was ever told of alert ${alert.alertId}`)
    checkChain(alert, told)
    checkPace(alert, events, told)
    checkDelivery(alert, told)
  }
  for (const [pageId, attempts] of sendsOf) checkOnce(pageId, attempts)
  return violations

  /** Each step told exactly those of its role who were not told in this round; a step was left out where there was none. */
  function checkChain({ alertId, residentId }: StoredAlert, told: Told[]) {
    const known = new Map<number, Set<string>>()
    let before = { round: 0, step: 0 }
    for (const { at, round, step, staff } of told) {
      const chain = roster(residentId, at)
      const already = known.get(round) ?? new Set<string>()
      known.set(round, already)
      const expected = (index: number) => (chain[index] ?? []).filter((id) => !already.has(id)).sort()
      const place = `alert ${alertId} round ${round} step ${step}`
      if (round < before.round || (round === before.round && step <= before.step)) complain(`${place} came twice`)
      for (let left = round === before.round ? before.step : 0; left < step - 1; left++)
        if (expected(left).length > 0) complain(`${place} passed over step ${left + 1} of ${expected(left).join()}`)
      if (expected(step - 1).join() !== [...staff].sort().join())
        complain(`${place} told ${staff.join() || 'nobody'} instead of ${expected(step - 1).join() || 'nobody'}`)
      for (const id of staff) already.add(id)
      before = { round, step }
    }
  }

  function checkPace(alert: StoredAlert, events: StoredEvent[], told: Told[]) {
    const { alertId } = alert
    const { steps, returnMs } = pauses[alert.severity as keyof typeof pauses]
    const closedAt = alert.closedAt ?? Number.POSITIVE_INFINITY
    const taken = actionsOf.get(alertId) ?? []
    for (const [index, one] of told.entries()) {
      const action = taken.find(({ at }) => at >= one.at)?.at ?? Number.POSITIVE_INFINITY
      const until = Math.min(told[index + 1]?.at ?? Number.POSITIVE_INFINITY, action, closedAt, end)
      const pauseMs = steps[one.step - 1]!
      if (isLate(one.at, until, pauseMs))
        complain(`alert ${alertId} stood still from ${timeText(one.at)} to ${timeText(until)} after step ${one.step}`)
      const next = told[index + 1]
      const failed = pagesOf
        .get(alertId)
        ?.some(({ round, step, status }) => round === one.round && step === one.step && status === 'failed')
      if (next && next.at < action && next.at - one.at < pauseMs - secondMs && !failed)
        complain(`alert ${alertId} took step ${next.step} too early, ${timeText(next.at)}`)
    }
    for (const [index, { at, action }] of taken.entries()) {
      if (action === 'close') continue
      const returned = events.find((event) => event.kind === 'returned' && event.at >= at)?.at
      const until = Math.min(
        returned ?? Number.POSITIVE_INFINITY,
        taken[index + 1]?.at ?? Number.POSITIVE_INFINITY,
        closedAt,
        end,
      )
      if (isLate(at, until, returnMs)) complain(`alert ${alertId} was acknowledged ${timeText(at)} and never came back`)
    }
  }

  function checkDelivery({ alertId, closedAt }: StoredAlert, told: Told[]) {
    for (const { round, step, staff } of told)
      for (const staffId of staff) {
        const place = `alert ${alertId} round ${round} step ${step} ${staffId}`
        const pages = (pagesOf.get(alertId) ?? []).filter(
          (p) => p.round === round && p.step === step && p.staffId === staffId,
        )
        if (pages.length === 0) complain(`no page for ${place}`)
        for (const page of pages) {
          const sent = (sendsOf.get(page.pageId) ?? []).map(({ result }) => result)
          const { status, nextAttemptAt, createdAt } = page
          if (status === 'pending' && nextAttemptAt < end - leaseMs) complain(`a page was left lying: ${place}`)
          if (status === 'sent' && !sent.includes('sent')) complain(`recorded as sent, but nobody was told: ${place}`)
          if (status === 'failed' && !sent.includes('refused') && sent.filter((one) => one === 'retry').length < 4)
            complain(`given up too early: ${place}`)
          const wasTaken = closedAt !== null || actionsOf.get(alertId)?.some(({ at }) => at >= createdAt)
          if (status === 'cancelled' && !wasTaken) complain(`cancelled though nobody took the alert: ${place}`)
        }
      }
  }

  function checkOnce(pageId: string, attempts: Send[]) {
    const place = ({ alertId, round, step, staffId, channel }: Send) =>
      `alert ${alertId} round ${round} step ${step} ${staffId} by ${channel}`
    for (const [index, send] of attempts.entries()) {
      if (send.result === 'sent' && !send.interrupted && index < attempts.length - 1)
        complain(`told again though the first time was over and recorded: ${place(send)}, page ${pageId}`)
      const taken = actionsOf.get(send.alertId)?.findLast(({ at }) => at < send.lookedAt)
      const returned = (eventsOf.get(send.alertId) ?? []).some(
        ({ kind, at }) => kind === 'returned' && taken && at >= taken.at && at <= send.lookedAt,
      )
      if (taken && !returned)
        complain(`told after ${taken.staffId} took it (${taken.action} ${timeText(taken.at)}): ${place(send)}`)
    }
  }
}

function toldOf(events: StoredEvent[]): Told[] {
  const told: Told[] = []
  for (const { kind, at, detail } of events) {
    if (kind !== 'told') continue
    const { round, step, staffId } = detail as { round: number; step: number; staffId: string }
    const last = told.at(-1)
    if (last && last.round === round && last.step === step && last.at === at) last.staff.push(staffId)
    else told.push({ at, round, step, staff: [staffId] })
  }
  return told
}

function groupBy<T, K>(items: readonly T[], keyOf: (item: T) => K): Map<K, T[]> {
  const groups = new Map<K, T[]>()
  for (const item of items) {
    const group = groups.get(keyOf(item))
    if (group) group.push(item)
    else groups.set(keyOf(item), [item])
  }
  return groups
}
