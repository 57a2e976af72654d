import { isTaken } from '../../alerts/channels/channel.js'
import type { ChainRole, Move } from '../../alerts/escalation.js'
import type { AlertKind, EpochMs, Headline } from '../../alerts/model.js'
import type { Condition } from '../../alerts/policy.js'

/** One attempt to tell one person, made by the edge itself. */
export type StandInAttempt = {
  startedAt: EpochMs
  durationMs: number
  result: 'sent' | 'delivered' | 'retry' | 'refused'
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
  /** It goes to the family, who are told and not asked to come. */
  informs?: boolean
  condition?: Condition
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
  /** How many steps the chain had when the alert was opened. */
  steps?: number
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
        role: pages.find((page) => page.staffId === staffId)!.role,
        staffId,
        channels: pages.filter((page) => page.staffId === staffId).map(({ channel }) => channel),
      })),
    ],
    pages: [
      ...alert.pages,
      ...pages.map(
        ({ staffId, channel, position, informs, condition }): StandInPage => ({
          pageId: newId(),
          step,
          staffId,
          channel,
          position,
          createdAt: now,
          status: 'pending',
          nextAttemptAt: now,
          sentAt: null,
          informs,
          condition,
          attempts: [],
          linkHashes: [],
        }),
      ),
    ],
  }
}

/** No page of it has got through, and none is under way. */
export const isUnreached = ({ pages }: StandInAlert): boolean =>
  pages.length > 0 && pages.every(({ status, informs }) => status === 'failed' || informs)

/** The first of the person's channels that was not tried for this step; null where there is none. */
export function nextChannel(
  { pages }: StandInAlert,
  { step, staffId }: StandInPage,
  channels: readonly { position: number; kind: string }[],
): { channel: string; position: number } | null {
  const tried = pages.filter((page) => page.step === step && page.staffId === staffId)
  const next = channels.find(({ position }) => !tried.some((page) => page.position === position))
  return next ? { channel: next.kind, position: next.position } : null
}

export type AttemptOutcome = {
  attempt: StandInAttempt
  /** Null: not through this channel. */
  retryAt: EpochMs | null
  /** The page that follows where it is not tried again. */
  next: { pageId: string; channel: string; position: number } | null
  at: EpochMs
}

/**
 * Notes what came of one attempt. The person's next channel takes over from one that fails; when nobody of the step can be
 * reached any more, the next step is due at once.
 */
export function takeAttempt(
  alert: StandInAlert,
  pageId: string,
  { attempt, retryAt, next, at }: AttemptOutcome,
): StandInAlert {
  const pages = alert.pages.flatMap((page): StandInPage[] => {
    if (page.pageId !== pageId) return [page]
    const attempts = [...page.attempts, attempt]
    if (isTaken({ kind: attempt.result })) return [{ ...page, attempts, status: 'sent', sentAt: at }]
    if (retryAt !== null) return [{ ...page, attempts, nextAttemptAt: retryAt }]
    const follower = next && { ...page, ...next, createdAt: at, nextAttemptAt: at, attempts: [], linkHashes: [] }
    return [{ ...page, attempts, status: 'failed' }, ...(follower ? [follower] : [])]
  })
  const asked = pages.filter(({ step, informs }) => step === alert.step && !informs)
  const lost = asked.every(({ status }) => status === 'failed')
  return { ...alert, pages, dueAt: lost && !alert.walked ? at : alert.dueAt }
}
