import { policies } from './escalation.js'
import type { EpochMs, Outcome, Severity, Stage } from './model.js'

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

/**
 * The stage that `action` leads to, or undefined where it is not allowed; and when the alert comes back if nobody does
 * anything after it (null: never).
 */
export function transition(
  { stage, severity }: { stage: Stage; severity: Severity },
  action: AlertAction,
  now: EpochMs,
): { stage: Stage; dueAt: EpochMs | null } | undefined {
  if (!allowedFrom[action.kind].includes(stage)) return undefined
  const returnAfterMs = policies[severity]?.returnAfterMs ?? null
  const to = stageAfter[action.kind]
  return { stage: to, dueAt: to === 'closed' || returnAfterMs === null ? null : now + returnAfterMs }
}
