import type { EpochMs, Stage } from '../../alerts/model.js'
import type { PagedSeverity } from '../../alerts/policy.js'
import { checkChain, slackMs, type Told, timelineOf } from './check-chain.js'
import {
  type Action,
  type History,
  type Send,
  type Span,
  type StoredAlert,
  timeText,
  type Violation,
} from './history.js'
import { minuteMs, secondMs } from './plan.js'
import { unionOf } from './spans.js'

const leaseMs = 30 * secondMs
/** Whoever was told by the edge has so long to say that they have come, once the database is back. */
const returnGraceMs = 2 * minuteMs
/** So often a channel is tried at least. */
const attemptsMin = 4
const stageAfter = { acknowledge: 'acknowledged', en_route: 'en_route', arrived: 'arrived', close: 'closed' } as const

/**
 * Guarantee 2: alerts keep escalating through the people of the chain until somebody takes them, what is due is done,
 * each step reaches each of its people, and nobody is told twice or after the alert was taken, but for what a crash
 * between sending and recording excuses.
 */
export function checkPaging(
  history: Pick<History, 'end' | 'sends' | 'actions' | 'roster' | 'policies' | 'alertsDown' | 'journalHeld' | 'stored'>,
): Violation[] {
  const { end, sends, actions, roster, policies, alertsDown, journalHeld, stored } = history
  const violations: Violation[] = []
  const complain = (what: string) => violations.push({ guarantee: 2, what })
  const sendsOf = groupBy(sends, ({ pageId }) => pageId)
  const eventsOf = groupBy(stored.events, ({ alertId }) => alertId)
  const pagesOf = groupBy(stored.pages, ({ alertId }) => alertId)
  const actionsOf = groupBy(actions, ({ alertId }) => alertId)
  const conditionOf = new Map(stored.pages.map(({ pageId, condition }) => [pageId, condition]))
  // What lies in the journal alone is with the edge: told once through the chain, and the rest is for the database.
  const until = (spans: Span[], graceMs: number) => spans.map(({ from, to }) => ({ from, to: to + graceMs }))
  const excused = unionOf([...until(alertsDown, slackMs), ...until(journalHeld, returnGraceMs + slackMs)])

  if (stored.unfolded > 0) complain('something that arrived or was due was never folded')
  for (const alert of stored.alerts) {
    if (alert.dueAt !== null && alert.dueAt < end - slackMs)
      complain(`alert ${alert.alertId} has been due since ${timeText(alert.dueAt)}`)
    if (alert.severity === 'notice') continue
    const events = eventsOf.get(alert.alertId) ?? []
    const pages = pagesOf.get(alert.alertId) ?? []
    const told = timelineOf(events).filter((item): item is Told => 'members' in item)
    if (told.length === 0 && alert.severity === 'emergency') complain(`nobody was ever told of alert ${alert.alertId}`)
    const policy = policies[alert.severity as PagedSeverity]
    const stationAt = (at: EpochMs) => roster(alert.residentId, at)
    for (const what of checkChain({ alert, events, pages, policy, stationAt, end, excused })) complain(what)
    checkDelivery(alert, told)
  }
  for (const attempts of sendsOf.values()) checkOnce(attempts)
  return violations

  function checkDelivery({ alertId, closedAt, stage }: StoredAlert, told: Told[]) {
    const rounds = told.map(({ round }) => round)
    for (const { round, step, members } of told)
      for (const { staffId } of members) {
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
          const tries = sent.filter((one) => one === 'retry').length
          if (status === 'failed' && !sent.includes('refused') && tries < attemptsMin)
            complain(`given up too early: ${place}`)
          const theirs = actionsOf.get(alertId) ?? []
          const wasTaken = closedAt !== null || theirs.some(({ at }) => at >= createdAt)
          if (status === 'cancelled' && !wasTaken) complain(`cancelled though nobody took the alert: ${place}`)
          // Taken back, and nobody has had it since.
          const isWanted = stage === 'open' && theirs.at(-1)?.action === 'undo' && round === Math.max(...rounds)
          if (status === 'cancelled' && isWanted && createdAt < theirs.at(-1)!.at)
            complain(`left cancelled though it was taken back: ${place}`)
        }
      }
  }

  function checkOnce(attempts: Send[]) {
    for (const [index, send] of attempts.entries()) {
      const { alertId, round, step, staffId, channel, pageId } = send
      const place = `alert ${alertId} round ${round} step ${step} ${staffId} by ${channel}`
      if (send.result === 'sent' && !send.interrupted && index < attempts.length - 1)
        complain(`told again though the first time was over and recorded: ${place}, page ${pageId}`)
      const { stage, last } = stageAt(alertId, send.lookedAt)
      const isWanted = stage === 'open' || (stage !== 'closed' && conditionOf.get(pageId) === 'not resolved')
      if (!isWanted && last)
        complain(`told after ${last.staffId} took it (${last.action} ${timeText(last.at)}): ${place}`)
    }
  }
  /** How far people had come with an alert by then, and who was the last of them. */
  function stageAt(alertId: number, at: EpochMs): { stage: Stage; last: Action | undefined } {
    const returns = (eventsOf.get(alertId) ?? []).flatMap((event) => (event.kind === 'returned' ? event.at : []))
    let stages: Stage[] = ['open']
    let last: Action | undefined
    for (const action of actionsOf.get(alertId) ?? []) {
      if (action.at >= at) break
      if (returns.some((back) => back >= (last?.at ?? 0) && back <= action.at)) stages = ['open']
      if (action.action === 'undo') stages.pop()
      else stages.push(stageAfter[action.action])
      last = action
    }
    if (last && returns.some((back) => back >= last!.at && back <= at)) stages = ['open']
    return { stage: stages.at(-1) ?? 'open', last }
  }
}

function groupBy<T, K>(items: readonly T[], keyOf: (item: T) => K): Map<K, T[]> {
  const groups = new Map<K, T[]>()
  for (const item of items) {
    const key = keyOf(item)
    const group = groups.get(key)
    if (group) group.push(item)
    else groups.set(key, [item])
  }
  return groups
}
