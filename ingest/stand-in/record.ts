import type { ChainRole, Move } from '../../alerts/escalation.js'
import type { AlertKind, EpochMs, Headline } from '../../alerts/model.js'

/** One attempt to tell one person, made by the edge itself. */
export type StandInAttempt = {
  startedAt: EpochMs
  durationMs: number
  result: 'sent' | 'retry' | 'refused'
  detail: string
}

export type StandInPage = {
  pageId: string
  step: number
  staffId: string
  channel: string
  position: number
  createdAt: EpochMs
  status: 'pending' | 'sent' | 'failed'
  nextAttemptAt: EpochMs
  sentAt: EpochMs | null
  attempts: StandInAttempt[]
  /** Of the links that its attempts carried, as hex: they work from the moment the database has them. */
  linkHashes: string[]
}

/** An alert that the edge opened and paged by itself while the database was away: what is committed once it is back. */
export type StandInAlert = {
  /** From the ids that the edge had set aside; null where none were left: it gets one when it is committed. */
  alertId: number | null
  residentId: string
  deviceNo: number
  kind: AlertKind
  /** The reading that opened it, with the device. */
  reading: { observedAt: EpochMs; event: string }
  openedAt: EpochMs
  observedAt: EpochMs
  headline: Headline
  reason: Record<string, number | string | boolean | null>
  /** Escalation: the step taken last, and when the next one is due. */
  step: number
  dueAt: EpochMs | null
  /** The whole chain was told once: what follows is for the database. */
  walked: boolean
  told: { at: EpochMs; step: number; role: ChainRole; staffId: string; channels: string[] }[]
  pages: StandInPage[]
}

/** Takes a move of the escalation into the record. `newId` makes page ids. A second round is not begun here. */
export function takeMove(alert: StandInAlert, move: Move, now: EpochMs, newId: () => string): StandInAlert {
  if (move.happened !== 'told' || move.round > 0) return { ...alert, walked: true, dueAt: move.dueAt }
  const { step, pages } = move
  const people = [...new Set(pages.map((page) => page.staffId))]
  return {
    ...alert,
    step,
    dueAt: move.dueAt,
    told: [
      ...alert.told,
      ...people.map((staffId) => ({
        at: now,
        step,
        role: pages[0]!.role,
        staffId,
        channels: pages.filter((page) => page.staffId === staffId).map(({ channel }) => channel),
      })),
    ],
    pages: [
      ...alert.pages,
      ...pages.map(
        ({ staffId, channel, position }): StandInPage => ({
          pageId: newId(),
          step,
          staffId,
          channel,
          position,
          createdAt: now,
          status: 'pending',
          nextAttemptAt: now,
          sentAt: null,
          attempts: [],
          linkHashes: [],
        }),
      ),
    ],
  }
}

export type AttemptOutcome = { attempt: StandInAttempt; retryAt: EpochMs | null; at: EpochMs }

/** Notes what came of one attempt. When nobody of the step can be reached any more, the next step is due at once. */
export function takeAttempt(
  alert: StandInAlert,
  pageId: string,
  { attempt, retryAt, at }: AttemptOutcome,
): StandInAlert {
  const pages = alert.pages.map((page): StandInPage => {
    if (page.pageId !== pageId) return page
    const attempts = [...page.attempts, attempt]
    if (attempt.result === 'sent') return { ...page, attempts, status: 'sent', sentAt: at }
    return retryAt === null ? { ...page, attempts, status: 'failed' } : { ...page, attempts, nextAttemptAt: retryAt }
  })
  const lost = pages.filter(({ step }) => step === alert.step).every(({ status }) => status === 'failed')
  return { ...alert, pages, dueAt: lost && !alert.walked ? at : alert.dueAt }
}
