import type { EpochMs } from '../../alerts/model.js'
import { openHome } from '../../simulators/simulated-home.js'
import type { HomeTruth, Send } from './history.js'
import type { Life } from './life.js'
import { clockAheadMs, type HomePlan, secondMs } from './plan.js'

/** Sent, but its sender died or lost its database before it could write that down. */
export function wasInterrupted(
  send: Omit<Send, 'interrupted'>,
  sender: Life,
  { attempts }: { attempts: { pageId: string; startedAt: EpochMs }[] },
): boolean {
  if (attempts.some(({ pageId, startedAt }) => pageId === send.pageId && startedAt === send.startedAt)) return false
  const writtenBy = (send.endedAt ?? send.startedAt) + 5 * secondMs
  const died = sender.diedAt !== null && sender.diedAt <= writtenBy
  return died || sender.brokeAt.some((at) => at >= send.startedAt && at <= writtenBy)
}

export function truthOf({ residentId, gatewayId, home, intervalS, clock }: HomePlan): HomeTruth {
  const opened = openHome(home, { known: new Map(), intervalS })
  const intervalMs = intervalS * secondMs
  return {
    residentId,
    gatewayId,
    meters: (['water', 'electricity'] as const).flatMap((kind) => {
      const deviceId = home.devices[kind]
      return deviceId ? [{ kind, deviceId, intervalMs }] : []
    }),
    litresAt: (at) => opened.litresAt(Math.floor(at / secondMs)),
    silences: home.scenarios.flatMap(({ name, at, until }) => (name === 'silent' ? [{ from: at, to: until! }] : [])),
    clockAheadMs: (at) => clockAheadMs(clock, at),
  }
}
