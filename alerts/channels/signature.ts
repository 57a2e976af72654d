import { createHmac, timingSafeEqual } from 'node:crypto'

/**
 * The signature on a page by webhook, for the sender and for whoever receives it. This file imports nothing but Node's
 * own crypto, so that a receiver can copy it.
 */
export const signatureHeader = 'Shouwang-Signature'

/** How old or how far ahead a signature may be, in seconds: room for a bad clock, not for a replay next week. */
const toleranceSecondsDefault = 300

function hmac({ body, secret, t }: { body: string | Uint8Array; secret: string; t: string }): Buffer {
  return createHmac('sha256', secret).update(`${t}.`).update(body).digest()
}

/** `t=<unix seconds>,v1=<hex HMAC-SHA256 over t.body>` */
export function signBody({ body, secret, at }: { body: string | Uint8Array; secret: string; at: Date }): string {
  const t = String(Math.floor(at.getTime() / 1_000))
  return `t=${t},v1=${hmac({ body, secret, t }).toString('hex')}`
}

export type Verdict = { kind: 'valid' } | { kind: 'invalid'; reason: string }

/**
 * Checks the signature of a page that was received. `body` is the raw body as it came, before any JSON parsing.
 * Several `v1=` are allowed; one that fits is enough.
 */
export function verifySignature({
  header,
  body,
  secret,
  now,
  toleranceSeconds = toleranceSecondsDefault,
}: {
  header: string | undefined
  body: string | Uint8Array
  secret: string
  now: Date
  toleranceSeconds?: number
}): Verdict {
  if (!header) return { kind: 'invalid', reason: 'no signature' }
  const parts = header.split(',').map((part) => part.trim())
  const t = parts.find((part) => part.startsWith('t='))?.slice(2)
  if (!t || !/^\d{1,12}$/.test(t)) return { kind: 'invalid', reason: 'no time in the signature' }
  const expected = hmac({ body, secret, t })
  const fits = parts
    .filter((part) => /^v1=[0-9a-f]{64}$/i.test(part))
    .some((part) => timingSafeEqual(Buffer.from(part.slice(3), 'hex'), expected))
  if (!fits) return { kind: 'invalid', reason: 'signature does not fit' }
  const apartSeconds = Math.abs(now.getTime() / 1_000 - Number(t))
  if (apartSeconds > toleranceSeconds) return { kind: 'invalid', reason: `signed ${Math.round(apartSeconds)} s apart` }
  return { kind: 'valid' }
}
