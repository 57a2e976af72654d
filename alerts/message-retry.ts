import type { EpochMs } from './model.js'

/** Where a message stands when an attempt did not get through. Channels are named by their ids. */
export type MessageState = {
  /** The channel of this attempt; null when none was left to try. */
  channelId: string | null
  /** Attempts through it, with this one. */
  attempts: number
  refusedBy: readonly string[]
  givenUpOn: readonly string[]
  isTest: boolean
  givesUpAt: EpochMs
}
export type MessageFailure =
  | { kind: 'retry'; afterMs: number }
  | { kind: 'refused'; broken?: boolean }
  | { kind: 'none left' }

export type MessageDecision =
  | { kind: 'again'; at: EpochMs; attempts: number; refusedBy: string[]; givenUpOn: string[] }
  | { kind: 'failed' }

/** Then the person's next channel; for a test there is none, and who waits for it wants to know. */
const attemptsMax = { test: 3, other: 4 }
/** After the last channel, everything is tried again after this: a server that is down comes back. */
const roundPauseMs = 30 * 60_000
/** A test is over while somebody still looks at the page. */
const testPauseMsMax = 20_000

/** What becomes of a message that did not get through: the same channel again, the next one, all again later, or the end. Pure. */
export function decideMessage(state: MessageState, failure: MessageFailure, now: EpochMs): MessageDecision {
  const { channelId, attempts, isTest, givesUpAt } = state
  const refusedBy = [...state.refusedBy]
  const givenUpOn = [...state.givenUpOn]
  const again = (afterMs: number, attemptsNow: number): MessageDecision => {
    const at = now + afterMs
    return at <= givesUpAt ? { kind: 'again', at, attempts: attemptsNow, refusedBy, givenUpOn } : { kind: 'failed' }
  }
  if (failure.kind === 'none left' || channelId === null) {
    // What was refused is refused for good; with nothing else there is nothing to come back to.
    if (isTest || givenUpOn.length === 0) return { kind: 'failed' }
    givenUpOn.length = 0
    return again(roundPauseMs, 0)
  }
  if (failure.kind === 'refused') {
    if (isTest) return { kind: 'failed' }
    refusedBy.push(channelId)
    return again(0, 0)
  }
  if (attempts < (isTest ? attemptsMax.test : attemptsMax.other))
    return again(isTest ? Math.min(failure.afterMs, testPauseMsMax) : failure.afterMs, attempts)
  if (isTest) return { kind: 'failed' }
  givenUpOn.push(channelId)
  return again(0, 0)
}
