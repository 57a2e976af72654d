import { createDecipheriv, createECDH, createPublicKey, hkdfSync, randomBytes, verify } from 'node:crypto'
import { type Asked, type ProviderServer, type Reply, startProviderServer } from './provider-server.js'

export type Pushed = { text: string; ttl: number; urgency: string; topic: string; proof: string }
export type PushServer = ProviderServer & {
  /** Subscribes an invented browser with this server's public key. */
  subscribe(applicationServerKey: string): { address: string; secret: string; pushed: Pushed[] }
  /** The browser's owner has switched push off, or cleared its data. */
  unsubscribe(address: string): void
}

type Browser = {
  applicationServerKey: string
  keys: ReturnType<typeof createECDH>
  auth: Buffer
  pushed: Pushed[]
  gone: boolean
}

/** RFC 8291 from the browser's side, on purpose not with alerts/channels/push-crypto. @throws where it cannot be read */
export function decryptPush(
  body: Buffer,
  keys: { p256dh: Buffer; secretOf: (sender: Buffer) => Buffer; auth: Buffer },
): string {
  const salt = body.subarray(0, 16)
  const recordSize = body.readUInt32BE(16)
  const sender = body.subarray(21, 21 + body[20]!)
  const sealed = body.subarray(21 + body[20]!)
  if (sealed.length > recordSize) throw new Error('more than one record')
  const hkdf = (key: Uint8Array, salted: Buffer, info: Uint8Array, bytes: number) =>
    Buffer.from(hkdfSync('sha256', key, salted, info, bytes))
  const keyInfo = Buffer.concat([Buffer.from('WebPush: info\0', 'latin1'), keys.p256dh, sender])
  const input = hkdf(keys.secretOf(sender), keys.auth, keyInfo, 32)
  const key = hkdf(input, salt, Buffer.from('Content-Encoding: aes128gcm\0', 'latin1'), 16)
  const nonce = hkdf(input, salt, Buffer.from('Content-Encoding: nonce\0', 'latin1'), 12)
  const decipher = createDecipheriv('aes-128-gcm', key, nonce)
  decipher.setAuthTag(sealed.subarray(-16))
  const padded = Buffer.concat([decipher.update(sealed.subarray(0, -16)), decipher.final()])
  const end = padded.lastIndexOf(2)
  if (end < 0 || padded.subarray(end + 1).some((byte) => byte !== 0)) throw new Error('no delimiter of the last record')
  return padded.subarray(0, end).toString('utf8')
}

/** RFC 8292: who sends, and whether it is the one that the browser has subscribed to. */
function judgeProof(
  asked: Asked,
  { origin, expected, now }: { origin: string; expected: string; now: Date },
): Reply | undefined {
  const match = /^vapid t=([\w-]+)\.([\w-]+)\.([\w-]+), k=([\w-]+)$/.exec(asked.headers.authorization ?? '')
  if (!match) return { status: 401, text: 'missing or malformed VAPID' }
  const [, head, claims, signature, k] = match as unknown as [string, string, string, string, string]
  const point = Buffer.from(k, 'base64url')
  const jwk = {
    kty: 'EC',
    crv: 'P-256',
    x: point.subarray(1, 33).toString('base64url'),
    y: point.subarray(33).toString('base64url'),
  }
  const key = createPublicKey({ key: jwk, format: 'jwk' })
  const fits = verify(
    'sha256',
    Buffer.from(`${head}.${claims}`),
    { key, dsaEncoding: 'ieee-p1363' },
    Buffer.from(signature, 'base64url'),
  )
  const { aud, exp, sub } = JSON.parse(Buffer.from(claims, 'base64url').toString()) as Record<string, unknown>
  const { alg } = JSON.parse(Buffer.from(head, 'base64url').toString()) as Record<string, unknown>
  const aheadS = Number(exp) - now.getTime() / 1_000
  if (
    !fits ||
    alg !== 'ES256' ||
    aud !== origin ||
    aheadS < 0 ||
    aheadS > 86_400 ||
    !/^(mailto:|https:)/.test(String(sub))
  )
    return { status: 401, text: 'invalid JWT' }
  if (k !== expected) return { status: 403, text: 'the VAPID credentials do not correspond to the subscription' }
  return undefined
}

/** A browsers' push service that checks who sends and reads each message with the browser's own keys. */
export async function startPushService({ now }: { now: () => Date }): Promise<PushServer> {
  const browsers = new Map<string, Browser>()
  const server: ProviderServer = await startProviderServer((asked) => {
    const browser = browsers.get(asked.path)
    if (!browser) return { status: 404, text: 'no such subscription' }
    const refused = judgeProof(asked, { origin: server.origin, expected: browser.applicationServerKey, now: now() })
    if (refused) return refused
    if (browser.gone) return { status: 410, text: 'push subscription has unsubscribed or expired' }
    const { ttl, urgency = 'normal', topic = '' } = asked.headers as Record<string, string>
    if (!/^\d+$/.test(ttl ?? '')) return { status: 400, text: 'TTL is missing' }
    if (asked.headers['content-encoding'] !== 'aes128gcm') return { status: 415, text: 'aes128gcm only' }
    if (!/^(very-low|low|normal|high)$/.test(urgency) || !/^[\w-]{0,32}$/.test(topic))
      return { status: 400, text: 'bad header' }
    if (asked.body.length > 4_096) return { status: 413, text: 'payload too large' }
    try {
      const { keys, auth } = browser
      const text = decryptPush(asked.body, {
        p256dh: keys.getPublicKey(),
        secretOf: (sender) => keys.computeSecret(sender),
        auth,
      })
      browser.pushed.push({ text, ttl: Number(ttl), urgency, topic, proof: asked.headers.authorization! })
    } catch {
      return { status: 400, text: 'the browser could not read it' }
    }
    return { status: 201, headers: { location: `${server.origin}/message/1` } }
  })
  return {
    ...server,
    subscribe(applicationServerKey) {
      const keys = createECDH('prime256v1')
      keys.generateKeys()
      const auth = randomBytes(16)
      const path = `/push/${randomBytes(12).toString('base64url')}`
      const browser: Browser = { applicationServerKey, keys, auth, pushed: [], gone: false }
      browsers.set(path, browser)
      const secret = JSON.stringify({ p256dh: keys.getPublicKey('base64url'), auth: auth.toString('base64url') })
      return { address: `${server.origin}${path}`, secret, pushed: browser.pushed }
    },
    unsubscribe(address) {
      browsers.get(new URL(address).pathname)!.gone = true
    },
  }
}
