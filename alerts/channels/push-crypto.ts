import {
  createCipheriv,
  createECDH,
  createPrivateKey,
  createSign,
  hkdfSync,
  type KeyObject,
  randomBytes,
} from 'node:crypto'

/**
 * What Web Push needs of cryptography, by Node's own crypto: encryption of the message for one browser (RFC 8291 over
 * RFC 8188) and the sender's proof of who it is (VAPID, RFC 8292).
 */

export type VapidKeys = {
  /** Uncompressed P-256 point, base64url: what the browser subscribes with. */
  publicKey: string
  /** base64url, 32 bytes. */
  privateKey: string
}

const recordBytes = 4_096
const authTagBytes = 16
const headerBytes = 16 + 4 + 1 + 65
/** Push services need not take more than 4,096 bytes of body: so much text fits, with its delimiter and tag. */
export const pushPayloadBytesMax = recordBytes - headerBytes - authTagBytes - 1

const hkdf = (key: Buffer, salt: Buffer, info: Buffer | string, bytes: number) =>
  Buffer.from(hkdfSync('sha256', key, salt, info, bytes))

/**
 * Encrypts `payload` for the browser with these subscription keys: the body of a push message, content coding aes128gcm.
 * `salt` and `privateKey` of the message are random; given only to repeat a known example.
 * @throws where `p256dh` is no point of the curve
 */
export function encryptPush({
  payload,
  p256dh,
  auth,
  salt = randomBytes(16),
  privateKey,
}: {
  payload: Buffer
  p256dh: string
  auth: string
  salt?: Buffer
  privateKey?: Buffer
}): Buffer {
  const browserKey = Buffer.from(p256dh, 'base64url')
  const own = createECDH('prime256v1')
  if (privateKey) own.setPrivateKey(privateKey)
  else own.generateKeys()
  const ownKey = own.getPublicKey()
  const info = Buffer.concat([Buffer.from('WebPush: info\0'), browserKey, ownKey])
  const input = hkdf(own.computeSecret(browserKey), Buffer.from(auth, 'base64url'), info, 32)
  const contentKey = hkdf(input, salt, 'Content-Encoding: aes128gcm\0', 16)
  const nonce = hkdf(input, salt, 'Content-Encoding: nonce\0', 12)
  const cipher = createCipheriv('aes-128-gcm', contentKey, nonce)
  // 2 delimits the last record, and there is one.
  const sealed = Buffer.concat([
    cipher.update(payload),
    cipher.update(Buffer.of(2)),
    cipher.final(),
    cipher.getAuthTag(),
  ])
  const size = Buffer.alloc(4)
  size.writeUInt32BE(recordBytes)
  return Buffer.concat([salt, size, Buffer.of(ownKey.length), ownKey, sealed])
}

/** The private key as Node wants it to sign with. @throws where the two do not belong together or are no keys */
export function signingKey({ publicKey, privateKey }: VapidKeys): KeyObject {
  const point = Buffer.from(publicKey, 'base64url')
  const own = createECDH('prime256v1')
  own.setPrivateKey(Buffer.from(privateKey, 'base64url'))
  if (!own.getPublicKey().equals(point)) throw new Error('the public key does not belong to the private one')
  const x = point.subarray(1, 33).toString('base64url')
  const y = point.subarray(33).toString('base64url')
  return createPrivateKey({ key: { kty: 'EC', crv: 'P-256', x, y, d: privateKey }, format: 'jwk' })
}

const jsonPart = (value: object) => Buffer.from(JSON.stringify(value)).toString('base64url')

/** The Authorization header for the push service at `origin`; `expiresAt` at most 24 h ahead. */
export function vapidHeader({
  origin,
  subject,
  publicKey,
  key,
  expiresAt,
}: {
  origin: string
  subject: string
  publicKey: string
  key: KeyObject
  expiresAt: Date
}): string {
  const claims = { aud: origin, exp: Math.floor(expiresAt.getTime() / 1_000), sub: subject }
  const signed = `${jsonPart({ typ: 'JWT', alg: 'ES256' })}.${jsonPart(claims)}`
  const signature = createSign('sha256').update(signed).sign({ key, dsaEncoding: 'ieee-p1363' }).toString('base64url')
  return `vapid t=${signed}.${signature}, k=${publicKey}`
}
