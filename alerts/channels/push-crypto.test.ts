import { createECDH, randomBytes } from 'node:crypto'
import { expect, test } from 'vitest'
import { decryptPush } from '../../test/support/provider-push.js'
import { encryptPush, pushPayloadBytesMax, signingKey } from './push-crypto.js'

test('the example of RFC 8291, Appendix A, byte for byte', () => {
  const body = encryptPush({
    payload: Buffer.from('When I grow up, I want to be a watermelon'),
    p256dh: 'BCVxsr7N_eNgVRqvHtD0zTZsEc6-VV-JvLexhqUzORcxaOzi6-AYWXvTBHm4bjyPjs7Vd8pZGH6SRpkNtoIAiw4',
    auth: 'BTBZMqHH6r4Tts7J_aSIgg',
    salt: Buffer.from('DGv6ra1nlYgDCS1FRnbzlw', 'base64url'),
    privateKey: Buffer.from('yfWPiYE-n46HLnH0KqZOF1fJJU3MYrct3AELtAQ-oRw', 'base64url'),
  })
  expect(body.toString('base64url')).toBe(
    'DGv6ra1nlYgDCS1FRnbzlwAAEABBBP4z9KsN6nGRTbVYI_c7VJSPQTBtkgcy27mlmlMoZIIgDll6e3vCYLocInmYWAmS6TlzAC8wEqKK6PBru3jl7A_yl95bQpu6cVPTpK4Mqgkf1CXztLVBSt2Ks3oZwbuwXPXLWyouBWLVWGNWQexSgSxsj_Qulcy4a-fN',
  )
})

test('the longest payload makes a body of 4,096 bytes, which the browser reads', () => {
  const browser = createECDH('prime256v1')
  browser.generateKeys()
  const auth = randomBytes(16)
  const payload = Buffer.alloc(pushPayloadBytesMax, 'x')
  const body = encryptPush({ payload, p256dh: browser.getPublicKey('base64url'), auth: auth.toString('base64url') })
  expect(body).toHaveLength(4_096)
  const keys = { p256dh: browser.getPublicKey(), secretOf: (sender: Buffer) => browser.computeSecret(sender), auth }
  expect(decryptPush(body, keys)).toBe(payload.toString())
  body[2_000]! ^= 1
  expect(() => decryptPush(body, keys)).toThrow()
})

test('no two messages are encrypted with the same key', () => {
  const [browser] = [createECDH('prime256v1')]
  browser.generateKeys()
  const p256dh = browser.getPublicKey('base64url')
  const bodies = Array.from({ length: 20 }, () =>
    encryptPush({ payload: Buffer.from('a'), p256dh, auth: 'A'.repeat(22) }),
  )
  expect(new Set(bodies.map((body) => body.subarray(0, 16).toString('hex'))).size).toBe(20)
  expect(new Set(bodies.map((body) => body.subarray(21, 86).toString('hex'))).size).toBe(20)
})

test('keys that do not belong together are found at once', () => {
  const [one, other] = [createECDH('prime256v1'), createECDH('prime256v1')]
  const publicKey = one.generateKeys('base64url')
  other.generateKeys()
  expect(() => signingKey({ publicKey, privateKey: one.getPrivateKey('base64url') })).not.toThrow()
  expect(() => signingKey({ publicKey, privateKey: other.getPrivateKey('base64url') })).toThrow('does not belong')
})
