import { takenDueAt } from './escalation.js'
import type { EpochMs, Outcome, Stage } from './model.js'
import type { Policy } from './policy.js'

/** What a person does with an alert. */
export type AlertAction =
  | { kind: 'acknowledge' }
  | { kind: 'en_route' }
  | { kind: 'arrived' }
  | { kind: 'close'; outcome: Outcome; note: string }

const stageAfter = { acknowledge: 'acknowledged', en_route: 'en_route', arrived: 'arrived', close: 'closed' } as const

/** Each stage may be skipped, none may be walked back: somebody already at the door does not acknowledge. */
const allowedFrom: Record<AlertAction['kind'], Stage[]> = {
  acknowledge: ['open'],
  en_route: ['open', 'acknowledged'],
  arrived: ['open', 'acknowledged', 'en_route'],
  close: ['open', 'acknowledged', 'en_route', 'arrived'],
}

/** The stage that `action` leads to, or undefined where it is not allowed. */
export const transition = (stage: Stage, action: AlertAction['kind']): Stage | undefined =>
  allowedFrom[action].includes(stage) ? stageAfter[action] : undefined

/** When an alert that enters `stage` at `now` is due again if nobody does anything (null: never). */
export const dueAfter = (
  alert: { stage: Stage; step: number; roundAt: EpochMs },
  policy: Policy | null,
  now: EpochMs,
): EpochMs | null => (policy && alert.stage !== 'closed' ? takenDueAt({ ...alert, stageAt: now }, policy) : null)

/** A slip of the thumb is taken back within this. */
export const undoMsMax = 60_000
