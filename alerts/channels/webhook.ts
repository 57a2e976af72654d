import type { Clock } from '../../kit/clock.js'
import type { Severity } from '../model.js'
import { familyHeadline } from '../page-message.js'
import { type Channel, detailLine, type Message, type Page, type Recipient, type SendResult } from './channel.js'
import { judgeStatus, openPoster } from './poster.js'
import { signatureHeader, signBody } from './signature.js'

/**
 * The body of a page by webhook: exactly what the contract names, so nothing said at the door leaks by spreading. To the
 * family without the address and what the device said.
 */
export function webhookBody(page: Page): string {
  const { pageId, alertId, severity, kind, resident, openedAt, observedAt, step, url } = page
  const family = page.audience === 'family'
  const headline = family ? familyHeadline(page) : page.headline
  return JSON.stringify({
    pageId,
    alertId,
    severity,
    kind,
    resident: { id: resident.id, name: resident.name, address: family ? '' : resident.address },
    headline: { zh: headline.zh, en: headline.en },
    openedAt,
    observedAt,
    step,
    url,
  })
}

/** The body of a message by webhook: told apart from a page by its `noticeId`. */
export function messageBody({ messageId, kind, text, lines, url, at }: Message): string {
  return JSON.stringify({
    noticeId: messageId,
    severity: 'notice',
    kind,
    text: { zh: text.zh, en: text.en },
    ...(lines && lines.length > 0 ? { lines: lines.map(({ zh, en }) => ({ zh, en })) } : {}),
    ...(url ? { url } : {}),
    at,
  })
}

type Outgoing = { id: string; severity: Severity; body: string }

function parseAddress(address: string): URL | undefined {
  if (!URL.canParse(address)) return undefined
  const url = new URL(address)
  return url.protocol === 'http:' || url.protocol === 'https:' ? url : undefined
}

/**
 * Pages by signed HTTP POST; any 2xx is delivery. `answerMsMax` bounds an attempt up to the answer's status, `bodyMsMax`
 * the reading of its body, which decides nothing here.
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
  const poster = openPoster({ clock, answerMsMax, bodyMsMax })

  async function deliver(
    { id, severity, body }: Outgoing,
    to: Recipient,
    { attempt, signal }: { attempt: number; signal: AbortSignal },
  ): Promise<SendResult> {
    const url = parseAddress(to.address)
    if (!url) return { kind: 'refused', reason: 'the address is not an http or https URL', broken: true }
    if (!to.secret) return { kind: 'refused', reason: 'no secret is registered to sign with', broken: true }
    const headers = {
      'content-type': 'application/json',
      'user-agent': 'Shouwang-Webhook/1',
      // The receiver knows by it what it has had already.
      'idempotency-key': id,
      [signatureHeader]: signBody({ body, secret: to.secret, at: clock.now() }),
    }
    const posted = await poster.post({ url, headers, body, signal, attempt, severity })
    if (posted.kind === 'retry') return posted
    const { status, text } = posted.answer
    return (
      judgeStatus(posted.answer, { attempt, severity }) ?? {
        kind: 'delivered',
        detail: detailLine(`${status} ${text}`),
      }
    )
  }

  return {
    kind: 'webhook',
    send: (page, to, options) =>
      deliver({ id: page.pageId, severity: page.severity, body: webhookBody(page) }, to, options),
    tell: (message, to, options) =>
      deliver({ id: message.messageId, severity: 'notice', body: messageBody(message) }, to, options),
    async stop() {
      poster.stop()
    },
  }
}
