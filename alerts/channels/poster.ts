import { Agent as HttpAgent, request as httpRequest, type IncomingMessage } from 'node:http'
import { Agent as HttpsAgent, request as httpsRequest } from 'node:https'
import type { Clock } from '../../kit/clock.js'
import type { Severity } from '../model.js'
import { boundedRetryAfterMs, detailLine, retryPauseMs, type SendResult } from './channel.js'
import { startDeadline } from './deadline.js'

/** More than this is not worth keeping the connection for. */
const responseBytesMax = 65_536
/** What is kept of an answer: any provider's JSON fits. */
const textBytesMax = 8_192
const idleMsMax = 30_000

/** What came back: `text` is the first 8 KB of the body, `askedMs` what Retry-After asked for. */
export type Answer = { status: number; askedMs: number | undefined; text: string }

export type Sending = {
  url: URL
  method?: string
  headers: Record<string, string>
  body: string | Buffer
  signal: AbortSignal
  attempt: number
  severity: Severity
}

type Retry = Extract<SendResult, { kind: 'retry' }>
/** One attempt over HTTP: what was answered, or why another attempt is worth it. */
export type Posted = { kind: 'answered'; answer: Answer } | Retry

export type Poster = { post(sending: Sending): Promise<Posted>; stop(): void }

/** The connection ended before any answer, on a socket that had idled in the pool. */
class StaleSocket extends Error {}

/** The first bytes of a response as text; the rest is discarded, and a response that is too big or too slow is cut off. */
function readText(response: IncomingMessage, msMax: number): Promise<string> {
  return new Promise((resolve) => {
    const kept: Buffer[] = []
    let keptBytes = 0
    let bytes = 0
    const done = () => {
      clearTimeout(timer)
      resolve(new TextDecoder().decode(Buffer.concat(kept)))
    }
    const timer = setTimeout(() => {
      response.destroy()
      done()
    }, msMax)
    response.on('data', (chunk: Buffer) => {
      bytes += chunk.length
      if (keptBytes < textBytesMax) {
        const part = chunk.subarray(0, textBytesMax - keptBytes)
        kept.push(part)
        keptBytes += part.length
      }
      if (bytes > responseBytesMax) response.destroy()
    })
    // How the body ends changes nothing: who needs all of it sees that it is no whole JSON.
    response.on('error', done)
    response.on('close', done)
    response.on('end', done)
  })
}

/** `Retry-After` in ms: seconds or an HTTP date; undefined when it is neither. */
export function parseRetryAfterMs(value: string | undefined, now: Date): number | undefined {
  const text = value?.trim()
  if (!text) return undefined
  if (/^\d{1,9}$/.test(text)) return Number(text) * 1_000
  // Date.parse alone would read "-1" and "1.5" as dates.
  const at = /GMT$/.test(text) ? Date.parse(text) : Number.NaN
  return Number.isNaN(at) ? undefined : Math.max(at - now.getTime(), 0)
}

/** How long to wait before the next attempt, in ms: what the answer asked for within bounds, or the usual pause. */
export const pauseAfterMs = (answer: Answer, { attempt, severity }: { attempt: number; severity: Severity }): number =>
  answer.askedMs === undefined ? retryPauseMs(attempt, severity) : boundedRetryAfterMs(answer.askedMs, severity)

/**
 * What a status means by itself, for all channels over HTTP: busy or broken is worth another attempt, a redirect or
 * another 4xx is refused for good; undefined for 2xx, which each channel reads by itself.
 */
export function judgeStatus(
  answer: Answer,
  { attempt, severity }: { attempt: number; severity: Severity },
): SendResult | undefined {
  const { status } = answer
  if (status >= 200 && status < 300) return undefined
  const detail = detailLine(`${status} ${answer.text}`)
  const afterMs = pauseAfterMs(answer, { attempt, severity })
  if (status === 429) return { kind: 'retry', afterMs, detail, limited: true }
  if (status === 408 || status === 425 || status >= 500) return { kind: 'retry', afterMs, detail }
  if (status >= 300 && status < 400)
    return { kind: 'refused', reason: `${status}: redirects are not followed, register the address that is meant` }
  return { kind: 'refused', reason: detail }
}

/**
 * Requests over HTTP and HTTPS for the channels. `answerMsMax` bounds an attempt up to the answer's status, `bodyMsMax`
 * the reading of its body.
 *
 * Node's own http with a keep-alive agent rather than fetch: the attempt has one deadline over name look-up, connection
 * and headers, and an idle socket that the receiver closed meanwhile costs one more connection, not a pause of 1 s.
 * There is no limit on sockets to a host: a hanging receiver must not make an emergency queue behind it (the outbox
 * bounds how many pages are under way). Redirects are not followed.
 */
export function openPoster({
  clock,
  answerMsMax = 5_000,
  bodyMsMax = 2_000,
}: {
  clock: Clock
  answerMsMax?: number
  bodyMsMax?: number
}): Poster {
  const agentOptions = { keepAlive: true, timeout: idleMsMax, maxFreeSockets: 16 }
  const httpAgent = new HttpAgent(agentOptions)
  const httpsAgent = new HttpsAgent(agentOptions)

  function attemptOnce({ url, method = 'POST', headers, body, signal }: Sending, fresh: boolean): Promise<Answer> {
    return new Promise((resolve, reject) => {
      const secure = url.protocol === 'https:'
      const agent = fresh ? false : secure ? httpsAgent : httpAgent
      const request = (secure ? httpsRequest : httpRequest)(url, {
        method,
        headers: { ...headers, 'content-length': String(Buffer.byteLength(body)) },
        agent,
        signal,
      })
      let answered = false
      request.on('response', (response) => {
        answered = true
        const { statusCode = 0 } = response
        const askedMs = parseRetryAfterMs(response.headers['retry-after'], clock.now())
        readText(response, bodyMsMax).then((text) => resolve({ status: statusCode, askedMs, text }), reject)
      })
      request.on('error', (error: NodeJS.ErrnoException) => {
        // Once there is a status, what breaks afterwards only shortens the text.
        if (answered) return
        const gone = error.code === 'ECONNRESET' || error.code === 'EPIPE'
        reject(gone && request.reusedSocket && !signal.aborted ? new StaleSocket(error.code) : error)
      })
      request.on('close', () => {
        if (!answered) reject(new Error('connection closed without an answer'))
      })
      request.end(body)
    })
  }

  async function post(sending: Sending): Promise<Posted> {
    const { signal, attempt, severity } = sending
    const deadline = startDeadline({ signal, ms: answerMsMax })
    try {
      const bounded = { ...sending, signal: deadline.signal }
      const answer = await attemptOnce(bounded, false).catch((error: unknown) => {
        // The receiver closed an idle connection, most likely before it saw anything.
        if (error instanceof StaleSocket) return attemptOnce(bounded, true)
        throw error
      })
      return { kind: 'answered', answer }
    } catch (error) {
      const afterMs = retryPauseMs(attempt, severity)
      if (deadline.passed()) return { kind: 'retry', afterMs, detail: `no answer in ${answerMsMax} ms` }
      if (signal.aborted) return { kind: 'retry', afterMs: 0, detail: 'stopped before an answer' }
      const { code, message } = error as NodeJS.ErrnoException
      return { kind: 'retry', afterMs, detail: detailLine(`not reached: ${code ?? message}`) }
    } finally {
      deadline.clear()
    }
  }

  return {
    post,
    stop() {
      httpAgent.destroy()
      httpsAgent.destroy()
    },
  }
}
