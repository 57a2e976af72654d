import { createHmac } from 'node:crypto'
import { expect, test } from 'vitest'
import { signBody, verifySignature } from './signature.js'

const at = new Date('2026-03-10T06:00:00Z')
const body = '{"name":"示例"}'
const secret = 'demo'
const header = signBody({ body, secret, at })
const verify = (changes: Partial<Parameters<typeof verifySignature>[0]>) =>
  verifySignature({ header, body, secret, now: at, ...changes })

test('the signature is HMAC-SHA256 over t.body in hex', () => {
  const hex = createHmac('sha256', secret).update(`1773122400.${body}`, 'utf8').digest('hex')
  expect(header).toBe(`t=1773122400,v1=${hex}`)
  expect(verify({}).kind).toBe('valid')
  expect(verify({ body: Buffer.from(body) }).kind).toBe('valid')
})

test('a second v1, as while a secret is being changed, does no harm', () => {
  expect(verify({ header: header.replace('v1=', `v1=${'0'.repeat(64)},v1=`) }).kind).toBe('valid')
})

test.each([
  ['missing', undefined],
  ['empty', ''],
  ['without time', header.replace(/^t=\d+,/, '')],
  ['another time', header.replace('t=1773122400', 't=1773122401')],
  ['no number', header.replace('t=1773122400', 't=NaN')],
  ['without digest', 't=1773122400'],
  ['short digest', header.slice(0, -2)],
  ['long digest', `${header}00`],
])('a signature that is %s is invalid', (_name, wrong) => {
  expect(verifySignature({ header: wrong, body, secret, now: at }).kind).toBe('invalid')
})

test('a signature is good for five minutes each way, unless told otherwise', () => {
  const later = (seconds: number) => new Date(at.getTime() + seconds * 1_000)
  expect(verify({ now: later(300) }).kind).toBe('valid')
  expect(verify({ now: later(-300) }).kind).toBe('valid')
  expect(verify({ now: later(301) })).toEqual({ kind: 'invalid', reason: 'signed 301 s apart' })
  expect(verify({ now: later(-301) }).kind).toBe('invalid')
  expect(verify({ now: later(31), toleranceSeconds: 30 }).kind).toBe('invalid')
})
