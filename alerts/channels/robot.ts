import type { Clock } from '../../kit/clock.js'
import { messageText } from '../message-text.js'
import type { Severity } from '../model.js'
import { pageText } from '../page-text.js'
import { type ChannelKind, checkAddress } from './address.js'
import {
  boundedRetryAfterMs,
  type Channel,
  detailLine,
  type Recipient,
  retryPauseMs,
  type SendResult,
} from './channel.js'
import { judgeStatus, openPoster, pauseAfterMs } from './poster.js'
import { createRateLimit, type Window } from './rate-limit.js'

/** What a provider's own code means. Broken: nothing will be taken until somebody mends the robot's address or settings. */
export type RobotVerdict = 'sent' | 'limited' | 'retry' | 'refused' | 'broken'

export type Robot = {
  kind: ChannelKind
  /** The provider's documented limits of one robot. */
  windows: readonly Window[]
  /** How long a robot that exceeded them takes nothing, in ms. */
  closedMs: number
  fits(text: string): boolean
  /** `everybody`: the whole group is called by name, which sounds on each phone. */
  request(to: { url: URL; secret: string | null; text: string; everybody: boolean; now: Date }): {
    url: URL
    body: Record<string, unknown>
  }
  /** From the JSON of an answer; undefined where it is none of this provider's. */
  judge(json: Record<string, unknown>): RobotVerdict | undefined
}

function parseJson(text: string): Record<string, unknown> | undefined {
  try {
    const json: unknown = JSON.parse(text)
    return typeof json === 'object' && json !== null ? (json as Record<string, unknown>) : undefined
  } catch {
    return undefined
  }
}

export type RobotOptions = {
  clock: Clock
  /** Web origins taken beside the provider's own. */
  origins?: readonly string[]
  answerMsMax?: number
}

/**
 * Pages into a group by its robot. A provider answers errors with HTTP 200 and a code in the JSON; an answer without one
 * says nothing, so it is tried again. The robot belongs to a group: several people of a community may share it, and its
 * limits.
 */
export function robotChannel(robot: Robot, { clock, origins = [], answerMsMax = 5_000 }: RobotOptions): Channel {
  const poster = openPoster({ clock, answerMsMax })
  const rateLimit = createRateLimit(robot.windows)

  async function deliver(
    { text, severity }: { text: string; severity: Severity },
    to: Recipient,
    { attempt, signal }: { attempt: number; signal: AbortSignal },
  ): Promise<SendResult> {
    const checked = checkAddress(robot.kind, to.address, to.secret, origins)
    if (checked.kind === 'wrong') return { kind: 'refused', reason: checked.text.en, broken: true }
    const { address, secret } = checked
    const now = clock.now()
    const everybody = severity === 'emergency'
    const waitMs = rateLimit.take(address, now.getTime(), everybody)
    if (waitMs > 0) {
      const afterMs = boundedRetryAfterMs(waitMs, severity)
      return { kind: 'retry', afterMs, detail: `kept back: the robot’s limit is reached`, limited: true }
    }
    const { url, body } = robot.request({ url: new URL(address), secret, text, everybody, now })
    const headers = { 'content-type': 'application/json; charset=utf-8', 'user-agent': 'Shouwang/1' }
    const posted = await poster.post({ url, headers, body: JSON.stringify(body), signal, attempt, severity })
    if (posted.kind === 'retry') return posted
    const { answer } = posted
    const detail = detailLine(`${answer.status} ${answer.text}`)
    const json = parseJson(answer.text)
    const verdict = json && robot.judge(json)
    switch (verdict) {
      case 'sent':
        return { kind: 'sent', detail }
      case 'broken':
        return { kind: 'refused', reason: detail, broken: true }
      case 'refused':
        return { kind: 'refused', reason: detail }
      case 'limited':
        rateLimit.close(address, now.getTime() + robot.closedMs)
        return { kind: 'retry', afterMs: pauseAfterMs(answer, { attempt, severity }), detail, limited: true }
      case 'retry':
        return { kind: 'retry', afterMs: retryPauseMs(attempt, severity), detail }
      case undefined: {
        const result = judgeStatus(answer, { attempt, severity })
        if (result?.kind === 'retry' && result.limited) rateLimit.close(address, now.getTime() + robot.closedMs)
        return (
          result ?? { kind: 'retry', afterMs: retryPauseMs(attempt, severity), detail: `not understood: ${detail}` }
        )
      }
    }
  }

  return {
    kind: robot.kind,
    send: (page, to, options) =>
      deliver({ text: pageText({ page, now: clock.now(), fits: robot.fits }), severity: page.severity }, to, options),
    tell: (message, to, options) =>
      deliver({ text: messageText({ message, fits: robot.fits }), severity: 'notice' }, to, options),
    async stop() {
      poster.stop()
    },
  }
}
