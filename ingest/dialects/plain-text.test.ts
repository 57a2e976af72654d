import { expect, test } from 'vitest'
import { plainText } from './plain-text.js'

test.each<[string, unknown, number, string]>([
  ['text', ' Flat 31 ', 60, 'Flat 31'],
  ['other languages', '客厅烟感', 60, '客厅烟感'],
  ['a NUL and a line feed', 'a\u0000b\nc', 60, 'a b c'],
  ['half a character', 'a\ud83db', 60, 'a\ufffdb'],
  ['a character that is cut in half', 'ab\u{1f525}', 3, 'ab\ufffd'],
  ['too long', 'x'.repeat(100), 4, 'xxxx'],
  ['no text', { toString: 1 }, 60, ''],
])('%s', (_what, value, charsMax, text) => {
  expect(plainText(value, charsMax)).toBe(text)
})
