import { Agent as HttpAgent, request as httpRequest, type IncomingMessage } from 'node:http'
import { Agent as HttpsAgent, request as httpsRequest } from 'node:https'
import type { Clock } from '../../kit/clock.js'
import type { Severity } from '../model.js'
import {
  boundedRetryAfterMs,
  type Channel,
  detailCharsMax,
  detailLine,
  type Notice,
  type Page,
  type Recipient,
  retryPauseMs,
  type SendResult,
} from './channel.js'
import { startDeadline } from './deadline.js'
import { signatureHeader, signBody } from './signature.js'

/** More than this is not worth keeping the connection for. */
const responseBytesMax = 65_536
const idleMsMax = 30_000

/** The body of a page by webhook: exactly what the contract names, so nothing said at the door leaks by spreading. */
export function webhookBody(page: Page): string {
  const { pageId, alertId, severity, kind, resident, headline, openedAt, observedAt, step, url } = page
  return JSON.stringify({
    pageId,
    alertId,
    severity,
    kind,
    resident: { id: resident.id, name: resident.name, address: resident.address },
    headline: { zh: headline.zh, en: headline.en },
    openedAt,
    observedAt,
    step,
    url,
  })
}

/** The body of a notice by webhook: told apart from a page by its `noticeId`. */
export function noticeBody({ noticeId, kind, text, at }: Notice): string {
  return JSON.stringify({ noticeId, severity: 'notice', kind, text: { zh: text.zh, en: text.en }, at })
}

type Outgoing = { id: string; severity: Severity; body: string }
type Answer = { status: number; retryAfter: string | undefined; text: string }
type Post = { url: URL; headers: Record<string, string>; body: string; signal: AbortSignal; bodyMsMax: number }

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
      if (keptBytes < detailCharsMax) {
        const part = chunk.subarray(0, detailCharsMax - keptBytes)
        kept.push(part)
        keptBytes += part.length
      }
      if (bytes > responseBytesMax) response.destroy()
    })
    // The status has decided already: how the body ends changes nothing.
    response.on('error', done)
    response.on('close', done)
    response.on('end', done)
  })
}

function post({ url, headers, body, signal, bodyMsMax, agent }: Post & { agent: HttpAgent | false }): Promise<Answer> {
  return new Promise((resolve, reject) => {
    const send = url.protocol === 'https:' ? httpsRequest : httpRequest
    const request = send(url, { method: 'POST', headers, agent, signal })
    let answered = false
    request.on('response', (response) => {
      answered = true
      const { statusCode = 0 } = response
      readText(response, bodyMsMax).then(
        (text) => resolve({ status: statusCode, retryAfter: response.headers['retry-after'], text }),
        reject,
      )
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

/** `Retry-After` in ms: seconds or an HTTP date; undefined when it is neither. */
export function parseRetryAfterMs(value: string | undefined, now: Date): number | undefined {
  const text = value?.trim()
  if (!text) return undefined
  if (/^\d{1,9}$/.test(text)) return Number(text) * 1_000
  // Date.parse alone would read "-1" and "1.5" as dates.
  const at = /GMT$/.test(text) ? Date.parse(text) : Number.NaN
  return Number.isNaN(at) ? undefined : Math.max(at - now.getTime(), 0)
}

/** What an answer means: any 2xx is delivery; busy or broken is worth another attempt; the rest is refused for good. */
function judge(
  answer: Answer,
  { attempt, severity, now }: { attempt: number; severity: Severity; now: Date },
): SendResult {
  const { status } = answer
  const said = detailLine(`${status} ${answer.text}`)
  if (status >= 200 && status < 300) return { kind: 'sent', detail: said }
  if (status === 408 || status === 425 || status === 429 || status >= 500) {
    const askedMs = parseRetryAfterMs(answer.retryAfter, now)
    const afterMs = askedMs === undefined ? retryPauseMs(attempt, severity) : boundedRetryAfterMs(askedMs, severity)
    return { kind: 'retry', afterMs, detail: said }
  }
  if (status >= 300 && status < 400)
    return { kind: 'refused', reason: `${status}: redirects are not followed, register the address that is meant` }
  return { kind: 'refused', reason: said }
}

function parseAddress(address: string): URL | undefined {
  if (!URL.canParse(address)) return undefined
  const url = new URL(address)
  return url.protocol === 'http:' || url.protocol === 'https:' ? url : undefined
}

/**
 * Pages by signed HTTP POST. `answerMsMax` bounds an attempt up to the answer's status, `bodyMsMax` the reading of its body.
 *
 * Node's own http with a keep-alive agent rather than fetch: the attempt has one deadline over name look-up, connection
 * and headers, and an idle socket that the receiver closed meanwhile costs one more connection, not a pause of 1 s.
 * There is no limit on sockets to a host: a hanging receiver must not make an emergency queue behind it (the outbox
 * bounds how many pages are under way).
 *
 * Who registers an address decides what is contacted: http and https only, redirects not followed, nothing else is
 * checked, since a webhook inside the operator's own network is the usual case.
 */
export function webhookChannel({
  clock,
  answerMsMax = 5_000,
  bodyMsMax = 500,
}: {
  clock: Clock
  answerMsMax?: number
  bodyMsMax?: number
}): Channel {
  const agentOptions = { keepAlive: true, timeout: idleMsMax, maxFreeSockets: 16 }
  const httpAgent = new HttpAgent(agentOptions)
  const httpsAgent = new HttpsAgent(agentOptions)

  async function postOnce(wanted: Post): Promise<Answer> {
    try {
      return await post({ ...wanted, agent: wanted.url.protocol === 'https:' ? httpsAgent : httpAgent })
    } catch (error) {
      // Safe to repeat: the receiver knows the page by its Idempotency-Key.
      if (error instanceof StaleSocket) return post({ ...wanted, agent: false })
      throw error
    }
  }

  async function deliver(
    { id, severity, body }: Outgoing,
    to: Recipient,
    { attempt, signal }: { attempt: number; signal: AbortSignal },
  ): Promise<SendResult> {
    const url = parseAddress(to.address)
    if (!url) return { kind: 'refused', reason: 'the address is not an http or https URL' }
    if (!to.secret) return { kind: 'refused', reason: 'no secret is registered to sign with' }
    const headers = {
      'content-type': 'application/json',
      'content-length': String(Buffer.byteLength(body)),
      'user-agent': 'Shouwang-Webhook/1',
      'idempotency-key': id,
      [signatureHeader]: signBody({ body, secret: to.secret, at: clock.now() }),
    }
    const deadline = startDeadline({ signal, ms: answerMsMax })
    try {
      const answer = await postOnce({ url, headers, body, signal: deadline.signal, bodyMsMax })
      return judge(answer, { attempt, severity, now: clock.now() })
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
    kind: 'webhook',
    send: (page, to, options) =>
      deliver({ id: page.pageId, severity: page.severity, body: webhookBody(page) }, to, options),
    tell: (notice, to, options) =>
      deliver({ id: notice.noticeId, severity: 'notice', body: noticeBody(notice) }, to, options),
    async stop() {
      httpAgent.destroy()
      httpsAgent.destroy()
    },
  }
}
