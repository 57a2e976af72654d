import type { Clock } from '../../kit/clock.js'
import { messageNotification } from '../message-text.js'
import type { Language, Severity } from '../model.js'
import { linkLabel } from '../page-message.js'
import { pageNotification } from '../page-text.js'
import { cutText, utf8Bytes } from '../text-fit.js'
import { checkAddress } from './address.js'
import { type Channel, detailLine, type Recipient, retryPauseMs, type SendResult } from './channel.js'
import { judgeStatus, openPoster } from './poster.js'

/** A longer message becomes an attachment, which nobody opens at night. */
const messageBytesMax = 4_096
/** 5 sounds and vibrates for long and breaks through where the phone is silent, as far as its owner allowed that. */
const priorityOf: Record<Severity, number> = { emergency: 5, urgent: 4, warning: 3, notice: 2 }
const tagsOf: Record<Severity, string[]> = {
  emergency: ['rotating_light'],
  urgent: ['warning'],
  warning: [],
  notice: [],
}

type Outgoing = { title: string; body: string; severity: Severity; link: { label: string; url: string } | null }
const openLabel: Record<Language, string> = { zh: '打开', en: 'Open' }

/**
 * Pages by ntfy (docs.ntfy.sh/publish), ntfy.sh or a server of one's own, published as JSON. The button opens the page
 * that acknowledges rather than acknowledging from the notification: what is needed at the door stands there.
 */
export function ntfyChannel({
  clock,
  origins = [],
  answerMsMax = 5_000,
}: {
  clock: Clock
  origins?: readonly string[]
  answerMsMax?: number
}): Channel {
  const poster = openPoster({ clock, answerMsMax })
  const fits = (body: string) => utf8Bytes(body) <= messageBytesMax

  async function deliver(
    { title, body, severity, link }: Outgoing,
    to: Recipient,
    { attempt, signal }: { attempt: number; signal: AbortSignal },
  ): Promise<SendResult> {
    const checked = checkAddress('ntfy', to.address, to.secret, origins)
    if (checked.kind === 'wrong') return { kind: 'refused', reason: checked.text.en, broken: true }
    const topicUrl = new URL(checked.address)
    const json = {
      topic: topicUrl.pathname.slice(1),
      title: cutText(title, 200),
      message: body || title,
      priority: priorityOf[severity],
      tags: tagsOf[severity],
      ...(link
        ? { click: link.url, actions: [{ action: 'view', label: link.label, url: link.url, clear: true }] }
        : {}),
    }
    const headers = {
      'content-type': 'application/json',
      'user-agent': 'Shouwang/1',
      ...(checked.secret ? { authorization: `Bearer ${checked.secret}` } : {}),
    }
    const url = new URL('/', topicUrl)
    const posted = await poster.post({ url, headers, body: JSON.stringify(json), signal, attempt, severity })
    if (posted.kind === 'retry') return posted
    const { answer } = posted
    const detail = detailLine(`${answer.status} ${answer.text}`)
    // 401, 403: the token is not one, or may not write there; 404: no such topic is allowed.
    if ([401, 403, 404].includes(answer.status)) return { kind: 'refused', reason: detail, broken: true }
    const result = judgeStatus(answer, { attempt, severity })
    if (result) return result
    // What was published comes back with an id: anything else that says 200 is no ntfy server.
    return /"id"\s*:\s*"/.test(answer.text)
      ? { kind: 'sent', detail }
      : { kind: 'retry', afterMs: retryPauseMs(attempt, severity), detail: `not understood: ${detail}` }
  }

  return {
    kind: 'ntfy',
    send: (page, to, options) => {
      const { title, body } = pageNotification({ page, now: clock.now(), fits })
      return deliver(
        { title, body, severity: page.severity, link: { label: linkLabel(page), url: page.url } },
        to,
        options,
      )
    },
    tell: (message, to, options) => {
      const { title, body } = messageNotification({ message, fits })
      const link = message.url ? { label: openLabel[message.language], url: message.url } : null
      return deliver({ title, body, severity: 'notice', link }, to, options)
    },
    async stop() {
      poster.stop()
    },
  }
}
