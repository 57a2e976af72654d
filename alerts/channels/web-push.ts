import { createHash, type KeyObject } from 'node:crypto'
import type { Clock } from '../../kit/clock.js'
import { messageNotification } from '../message-text.js'
import type { Severity } from '../model.js'
import { pageNotification } from '../page-text.js'
import { cutText } from '../text-fit.js'
import { checkAddress, parsePushKeys } from './address.js'
import { type Channel, detailLine, type Recipient, retryPauseMs, type SendResult } from './channel.js'
import { judgeStatus, openPoster } from './poster.js'
import { encryptPush, pushPayloadBytesMax, signingKey, type VapidKeys, vapidHeader } from './push-crypto.js'

/** What the service worker gets. `tag`: a later notification with the same one takes the place of the first. */
export type PushPayload = { title: string; body: string; url: string | null; tag: string; urgent: boolean }

/** How long a push service keeps it for a telephone that is off: an emergency is said again within minutes anyway. */
const ttlSeconds: Record<Severity, number> = {
  emergency: 3_600,
  urgent: 4 * 3_600,
  warning: 12 * 3_600,
  notice: 86_400,
}
/** How much of the battery it is worth (RFC 8030): `high` is delivered though the telephone saves power. */
const urgencyOf: Record<Severity, string> = { emergency: 'high', urgent: 'high', warning: 'normal', notice: 'low' }

const proofMsMax = 12 * 3_600_000
/** A new proof well before the old one ends; Apple wants no more than one an hour. */
const proofMsUse = 6 * 3_600_000
const originsMax = 100

const titleCharsMax = 120
type Rest = Omit<PushPayload, 'title' | 'body'>
const payloadOf = ({ title, body }: { title: string; body: string }, rest: Rest): PushPayload => ({
  title: cutText(title, titleCharsMax),
  body,
  ...rest,
})
/** Whether a body fits, whatever the title: a character takes at most 6 bytes of JSON, as \\u and four digits. */
const fitsBeside = (rest: Rest) => (body: string) =>
  Buffer.byteLength(JSON.stringify({ title: '', body, ...rest })) + titleCharsMax * 6 <= pushPayloadBytesMax

type Outgoing = { payload: PushPayload; topic: string; severity: Severity }

/** At most 32 characters of base64url: of several waiting with the same one only the last is delivered. */
const topicOf = (id: string) => createHash('sha256').update(id).digest('base64url').slice(0, 32)

/**
 * Pages to browsers that were asked to show them. `vapidKeys` gives the keys by which push services know this server, and
 * throws while they cannot be had; `subject` is the mailto: or https: address at which a push service finds the operator.
 *
 * A subscription that has ended (404, 410) or that belongs to other keys (403) is broken for good: only the browser can
 * make a new one.
 */
export function webPushChannel({
  clock,
  vapidKeys,
  subject,
  origins = [],
  answerMsMax = 5_000,
}: {
  clock: Clock
  vapidKeys: () => Promise<VapidKeys>
  subject: string
  origins?: readonly string[]
  answerMsMax?: number
}): Channel {
  const poster = openPoster({ clock, answerMsMax })
  const proofs = new Map<string, { header: string; publicKey: string; fromMs: number }>()
  let known: { publicKey: string; key: KeyObject } | undefined

  async function proofFor(origin: string): Promise<string> {
    const keys = await vapidKeys()
    if (known?.publicKey !== keys.publicKey) known = { publicKey: keys.publicKey, key: signingKey(keys) }
    const { publicKey, key } = known
    const nowMs = clock.now().getTime()
    const kept = proofs.get(origin)
    if (kept && kept.publicKey === publicKey && Math.abs(nowMs - kept.fromMs) < proofMsUse) return kept.header
    const header = vapidHeader({ origin, subject, publicKey, key, expiresAt: new Date(nowMs + proofMsMax) })
    if (proofs.size >= originsMax) proofs.clear()
    proofs.set(origin, { header, publicKey, fromMs: nowMs })
    return header
  }

  async function deliver(
    { payload, topic, severity }: Outgoing,
    to: Recipient,
    { attempt, signal }: { attempt: number; signal: AbortSignal },
  ): Promise<SendResult> {
    const checked = checkAddress('web_push', to.address, to.secret, origins)
    const keys = parsePushKeys(to.secret)
    if (checked.kind === 'wrong' || !keys)
      return { kind: 'refused', reason: checked.kind === 'wrong' ? checked.text.en : 'no keys', broken: true }
    const url = new URL(checked.address)
    let body: Buffer
    try {
      body = encryptPush({ payload: Buffer.from(JSON.stringify(payload)), ...keys })
    } catch {
      return { kind: 'refused', reason: 'the keys of the subscription are no keys', broken: true }
    }
    let authorization: string
    try {
      authorization = await proofFor(url.origin)
    } catch (error) {
      const detail = detailLine(`no VAPID keys: ${(error as Error).message}`)
      return { kind: 'retry', afterMs: retryPauseMs(attempt, severity), detail }
    }
    const headers = {
      authorization,
      'content-type': 'application/octet-stream',
      'content-encoding': 'aes128gcm',
      ttl: String(ttlSeconds[severity]),
      urgency: urgencyOf[severity],
      topic,
    }
    const posted = await poster.post({ url, headers, body, signal, attempt, severity })
    if (posted.kind === 'retry') return posted
    const { answer } = posted
    const detail = detailLine(`${answer.status} ${answer.text}`)
    if ([403, 404, 410].includes(answer.status)) return { kind: 'refused', reason: detail, broken: true }
    return judgeStatus(answer, { attempt, severity }) ?? { kind: 'sent', detail }
  }

  return {
    kind: 'web_push',
    send: (page, to, options) => {
      const { severity, alertId, url } = page
      const urgent = severity === 'emergency' || severity === 'urgent'
      const rest = { url, tag: `alert-${alertId}`, urgent }
      const text = pageNotification({ page, now: clock.now(), fits: fitsBeside(rest) })
      return deliver({ payload: payloadOf(text, rest), topic: topicOf(alertId), severity }, to, options)
    },
    tell: (message, to, options) => {
      const { messageId, url = null } = message
      const rest = { url, tag: `message-${messageId}`, urgent: false }
      const payload = payloadOf(messageNotification({ message, fits: fitsBeside(rest) }), rest)
      return deliver({ payload, topic: topicOf(messageId), severity: 'notice' }, to, options)
    },
    async stop() {
      poster.stop()
    },
  }
}
