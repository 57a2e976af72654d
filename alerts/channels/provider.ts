import { randomUUID } from 'node:crypto'
import type { Clock } from '../../kit/clock.js'
import { messageSms, messageSpeech } from '../message-text.js'
import type { Language, Severity } from '../model.js'
import { oneLine } from '../page-message.js'
import { pageSms, pageSpeech, pageTime, pageWords, spacedDigits } from '../page-text.js'
import { cutText } from '../text-fit.js'
import { checkAddress } from './address.js'
import {
  boundedRetryAfterMs,
  type Channel,
  detailLine,
  type Message,
  type Page,
  type Recipient,
  retryPauseMs,
  type SendResult,
} from './channel.js'
import { type Answer, judgeStatus, openPoster, pauseAfterMs } from './poster.js'
import { fillText, fillValue, type GapName, messageValuesOf, type Provider, type Value } from './provider-file.js'
import { canonicalQuery, signAliyunRpc, signAliyunV3 } from './provider-sign.js'

/** How long a provider that says "too often" without saying how long is left alone. */
const limitedMs = 60_000
const tokenHeadChars = 22
const locales: Record<Language, string> = { zh: 'zh-CN', en: 'en-GB' }

/** A number as the provider wants it. */
export function numberFor(to: string, { numbers, countryCode }: Pick<Provider, 'numbers' | 'countryCode'>): string {
  if (numbers === 'international') return to.startsWith('+') ? to : `+${countryCode}${to.replace(/^0/, '')}`
  if (!to.startsWith('+')) return to
  return to.startsWith(`+${countryCode}`) ? to.slice(1 + countryCode.length) : `00${to.slice(1)}`
}

type Wanted = { method: 'POST' | 'GET'; url: URL; headers: Record<string, string>; body: string }

/** One flat text a value: nested ones are JSON within a form, as templates' parameters are. */
const flat = (values: Record<string, Value>): Record<string, string> =>
  Object.fromEntries(
    Object.entries(values).map(([name, value]) => [
      name,
      typeof value === 'object' ? JSON.stringify(value) : String(value),
    ]),
  )

/** The request to a provider with its gaps filled, signed. */
export function providerRequest(
  provider: Provider,
  values: Provider['values'],
  gaps: Record<GapName, string>,
  { now, nonce }: { now: Date; nonce: string },
): Wanted {
  const { method, send, sign } = provider
  const escaped = Object.fromEntries(Object.entries(gaps).map(([name, text]) => [name, encodeURIComponent(text)]))
  const url = new URL(fillText(provider.url, escaped as Record<GapName, string>))
  const filled = fillValue(values, gaps) as Record<string, Value>
  const texts = sign.way === 'aliyun rpc' ? signAliyunRpc(flat(filled), sign, { method, now, nonce }) : flat(filled)
  const query = send === 'query' ? canonicalQuery(texts) : ''
  const body = send === 'json' ? JSON.stringify(filled) : send === 'form' ? canonicalQuery(texts) : ''
  const contentType =
    send === 'json' ? 'application/json' : send === 'form' ? 'application/x-www-form-urlencoded' : undefined
  if (query) url.search = query
  const headers: Record<string, string> = {
    'user-agent': 'Shouwang/1',
    ...provider.headers,
    ...(contentType ? { 'content-type': contentType } : {}),
  }
  if (sign.way === 'basic')
    headers.authorization = `Basic ${Buffer.from(`${sign.user}:${sign.password}`).toString('base64')}`
  if (sign.way === 'bearer') headers.authorization = `Bearer ${sign.token}`
  if (sign.way === 'aliyun v3')
    Object.assign(headers, signAliyunV3({ method, url, query, contentType, body }, sign, { now, nonce }))
  return { method, url, headers, body }
}

function fieldOf(text: string, path: string): unknown {
  try {
    return path.split('.').reduce<unknown>((part, name) => (part as Record<string, unknown>)?.[name], JSON.parse(text))
  } catch {
    return undefined
  }
}

/** Equal, or beginning with what stands before a final `*`. */
const isLike = (value: string, pattern: string): boolean =>
  pattern.endsWith('*') ? value.startsWith(pattern.slice(0, -1)) : value === pattern

/** What an answer means by the provider's own rules, of which the first that fits decides; undefined where none does. */
export function judgeAnswer({ answers }: Pick<Provider, 'answers'>, { status, text }: Answer) {
  return answers.find((rule) => {
    const byStatus = rule.status?.some((each) => each === status || each === `${Math.floor(status / 100)}xx`) ?? true
    if (!byStatus || !rule.field) return byStatus
    const value = fieldOf(text, rule.field)
    return value !== undefined && rule.is!.some((each) => isLike(String(value), String(each)))
  })?.means
}

/**
 * Text messages (`sms`) or calls (`voice_call`) through a provider's HTTP interface, as its file describes it. Neither
 * carries a door code or health: both pass through others' hands. An answered call is no acknowledgement.
 */
export function providerChannel({
  kind,
  provider,
  clock,
  answerMsMax = 5_000,
}: {
  kind: 'sms' | 'voice_call'
  provider: Provider
  clock: Clock
  answerMsMax?: number
}): Channel {
  const poster = openPoster({ clock, answerMsMax })
  const { partsMax, reservedChars, gapCharsMax } = provider
  const messageValues = messageValuesOf(provider)

  function resultOf(answer: Answer, { attempt, severity }: { attempt: number; severity: Severity }): SendResult {
    const detail = detailLine(`${answer.status} ${answer.text}`)
    const means = judgeAnswer(provider, answer)
    switch (means) {
      case 'sent':
      case 'delivered':
        return { kind: means, detail }
      case 'refused':
        return { kind: 'refused', reason: detail }
      case 'broken':
        return { kind: 'refused', reason: detail, broken: true }
      case 'retry':
        return { kind: 'retry', afterMs: pauseAfterMs(answer, { attempt, severity }), detail }
      case 'limited': {
        const afterMs = boundedRetryAfterMs(answer.askedMs ?? limitedMs, severity)
        return { kind: 'retry', afterMs, detail, limited: true }
      }
      case undefined: {
        const afterMs = retryPauseMs(attempt, severity)
        return (
          judgeStatus(answer, { attempt, severity }) ?? { kind: 'retry', afterMs, detail: `not understood: ${detail}` }
        )
      }
    }
  }

  async function deliver(
    { values, gaps, severity }: { values: Provider['values']; gaps: Record<GapName, string>; severity: Severity },
    to: Recipient,
    { attempt, signal }: { attempt: number; signal: AbortSignal },
  ): Promise<SendResult> {
    const checked = checkAddress(kind, to.address)
    if (checked.kind === 'wrong') return { kind: 'refused', reason: checked.text.en, broken: true }
    const filled = { ...gaps, to: numberFor(checked.address, provider) }
    const wanted = providerRequest(provider, values, filled, { now: clock.now(), nonce: randomUUID() })
    const posted = await poster.post({ ...wanted, signal, attempt, severity })
    return posted.kind === 'retry' ? posted : resultOf(posted.answer, { attempt, severity })
  }

  const spoken = (text: string) => (kind === 'voice_call' ? spacedDigits(text) : text)

  function pageGaps(page: Page): Record<GapName, string> {
    const { what, who, where } = pageWords(page)
    const gap = (text: string) => cutText(text, gapCharsMax)
    const token = page.url.slice(page.url.lastIndexOf('/') + 1)
    return {
      to: '',
      id: page.pageId,
      text: pageSms({ page, partsMax, reservedChars }),
      speech: pageSpeech(page),
      line: gap(`${what} ${who}`),
      what: gap(what),
      who: gap(who),
      where: gap(spoken(where)),
      time: pageTime(page, clock.now()),
      url: page.url,
      token,
      tokenHead: token.slice(0, tokenHeadChars),
      tokenTail: token.slice(tokenHeadChars),
      locale: locales[page.language],
    }
  }

  function messageGaps(message: Message): Record<GapName, string> {
    const none = { what: '', who: '', where: '', time: '', token: '', tokenHead: '', tokenTail: '' }
    return {
      ...none,
      to: '',
      id: message.messageId,
      text: messageSms({ message, partsMax, reservedChars }),
      speech: messageSpeech(message),
      line: cutText(spoken(oneLine(message.text[message.language], 1_000)), gapCharsMax),
      url: message.url ?? '',
      locale: locales[message.language],
    }
  }

  return {
    kind,
    send: (page, to, options) =>
      deliver({ values: provider.values, gaps: pageGaps(page), severity: page.severity }, to, options),
    tell: async (message, to, options) =>
      messageValues
        ? deliver({ values: messageValues, gaps: messageGaps(message), severity: 'notice' }, to, options)
        : { kind: 'refused', reason: 'the provider’s file says nothing of messages (messageValues)' },
    async stop() {
      poster.stop()
    },
  }
}
