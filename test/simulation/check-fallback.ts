import type { EpochMs } from '../../alerts/model.js'
import { type History, type Send, type Span, timeText, type Violation } from './history.js'
import { secondMs } from './plan.js'

/** From the arrival of an emergency to the first attempt to tell somebody, by an edge that has its directory. */
const toldMsMax = 3 * secondMs
/** Half a second is what the database is waited for. */
const settledMs = 10 * secondMs
const emergencies = ['button', 'smoke', 'gas']

/**
 * Guarantees 1 and 2 while the database is away: what was acknowledged was in the journal or in the database at that
 * time; an emergency is told at once by the edge, and nobody is told of it again by another page of the same step.
 */
export function checkFallback(
  history: Pick<History, 'hasJournal' | 'complaints' | 'sends' | 'outages' | 'edges' | 'stored'>,
): Violation[] {
  const { hasJournal, complaints, sends, outages, edges, stored } = history
  const violations: Violation[] = complaints.map((what) => ({ guarantee: 1, what }))
  if (!hasJournal) return violations
  const complain = (what: string) => violations.push({ guarantee: 2, what })
  checkOnce()
  checkAtOnce()
  return violations

  function checkOnce() {
    const told = new Map<string, Send[]>()
    for (const send of sends) {
      if (send.result !== 'sent') continue
      const { about, round, step, staffId, channel } = send
      const key = `${placeOf(about)} round ${round} step ${step} ${staffId} by ${channel}`
      told.set(key, [...(told.get(key) ?? []), send])
    }
    for (const [place, same] of told) {
      const first = same[0]!
      const other = same.find(({ pageId }) => pageId !== first.pageId)
      if (other && same.some(({ by }) => by === 'edge') && !wasCut(first))
        complain(`told by another page again: ${place}, ${timeText(first.startedAt)} and ${timeText(other.startedAt)}`)
    }
  }
  /** An edge that dies between taking a step and writing that down takes it again. */
  function wasCut({ by, startedAt, endedAt, interrupted }: Send): boolean {
    const writtenBy = (endedAt ?? startedAt) + secondMs
    return interrupted && (by === 'outbox' || edges.some(({ to }) => to >= startedAt && to <= writtenBy))
  }

  function checkAtOnce() {
    for (const { alertId, residentId, kind, openedAt, observedAt } of stored.alerts) {
      if (!emergencies.includes(kind) || !isAwayAll(openedAt)) continue
      const about = { residentId, kind, observedAt }
      const first = sends.find((send) => placeOf(send.about) === placeOf(about))
      if (!first || first.startedAt > openedAt + toldMsMax)
        complain(
          `alert ${alertId}, ${placeOf(about)}, came ${timeText(openedAt)} while the database was away and was told ${timeText(first?.startedAt ?? null)}`,
        )
    }
  }
  /** The database is away, and one edge lives, from well before `at` until people should know. */
  function isAwayAll(at: EpochMs): boolean {
    const around = { from: at - settledMs, to: at + toldMsMax }
    const covers = (span: Span) => span.from <= around.from && span.to >= around.to
    return outages.some(covers) && edges.some(covers)
  }
}

const placeOf = ({ residentId, kind, observedAt }: Send['about']) => `${kind} of ${residentId} ${timeText(observedAt)}`
