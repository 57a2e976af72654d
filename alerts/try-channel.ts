import type { Log } from '../kit/log.js'
import { within } from '../kit/within.js'
import { retryPauseMs, type SendResult } from './channels/channel.js'
import { startDeadline } from './channels/deadline.js'
import type { Severity } from './model.js'

/** One attempt through one channel, whichever; a claim lasts longer. */
export const sendMsMax = 12_000
/** For a channel that does not end when its signal does. */
const lateMsMax = 1_000

/**
 * One attempt, within `sendMsMax` or until `stopping`. A channel answers with values; what it throws is a bug of ours: it
 * is logged with `about`, and what was to be told is tried again.
 */
export async function tryChannel(
  call: (options: { attempt: number; signal: AbortSignal }) => Promise<SendResult>,
  p: { attempt: number; severity: Severity; stopping: AbortSignal; log: Log; about: Record<string, unknown> },
): Promise<SendResult> {
  const { attempt, severity, stopping, log, about } = p
  const deadline = startDeadline({ signal: stopping, ms: sendMsMax })
  try {
    return await within(sendMsMax + lateMsMax, call({ attempt, signal: deadline.signal }))
  } catch (error) {
    log.error({ err: error, ...about }, 'channel.threw')
    const detail = `internal error: ${(error as Error).message}`
    return { kind: 'retry', afterMs: retryPauseMs(attempt, severity), detail }
  } finally {
    deadline.clear()
  }
}
