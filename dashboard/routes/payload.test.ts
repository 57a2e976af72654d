import { expect, test } from 'vitest'
import { payloadExcerpt } from './payload.js'

const bytes = (text: string) => new TextEncoder().encode(text)

test('text is shown as text, with its lines', () => {
  expect(payloadExcerpt(bytes('{"ts":\n\t1}'), { cut: false })).toEqual({ as: 'text', text: '{"ts":\n\t1}' })
})

test('bytes that are no text are shown as hexadecimal', () => {
  expect(payloadExcerpt(Uint8Array.of(0xff, 0x00, 0x41), { cut: false })).toEqual({ as: 'hex', text: 'ff 00 41' })
})

test('a character cut in half at the end of an excerpt does not make the text binary', () => {
  const half = bytes('读数').subarray(0, 5)
  expect(payloadExcerpt(half, { cut: true })).toEqual({ as: 'text', text: '读' })
  expect(payloadExcerpt(half, { cut: false }).as).toBe('hex')
})

test.each([
  ['a null', 'a\0b', 'a\\u{0}b'],
  ['an escape sequence', 'a\u001b[31mb', 'a\\u{1b}[31mb'],
  ['a mark that turns the text around', 'a\u202eb', 'a\\u{202e}b'],
  ['a character that is not to be seen', 'a\u200bb', 'a\\u{200b}b'],
])('%s is shown as what it is', (_, payload, shown) => {
  expect(payloadExcerpt(bytes(payload), { cut: false })).toEqual({ as: 'text', text: shown })
})

test('an empty payload is an empty text', () => {
  expect(payloadExcerpt(new Uint8Array(), { cut: false })).toEqual({ as: 'text', text: '' })
})
