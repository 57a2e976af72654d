import { expect, test } from 'vitest'
import { cutText, fitLines, smsParts, utf8Bytes } from './text-fit.js'

test.each([
  ['', 1],
  ['a'.repeat(160), 1],
  ['a'.repeat(161), 2],
  ['a'.repeat(306), 2],
  ['a'.repeat(307), 3],
  // {, } and € take two septets.
  ['{'.repeat(80), 1],
  ['{'.repeat(81), 2],
  ['守'.repeat(70), 1],
  ['守'.repeat(71), 2],
  ['守'.repeat(134), 2],
  ['守'.repeat(135), 3],
  [`${'a'.repeat(70)}守`, 2],
  // Outside the basic plane a character takes two of the 70.
  ['😀'.repeat(35), 1],
  ['😀'.repeat(36), 2],
  // A typographic apostrophe is no GSM character.
  [`${'a'.repeat(70)}’`, 2],
])('%j takes %i parts', (text, parts) => {
  expect(smsParts(text)).toBe(parts)
})

test('what is needed least goes first, whole lines at a time', () => {
  const lines = [
    { text: 'what', drop: 0 },
    { text: 'when', drop: 2 },
    { text: 'where', drop: 1 },
    { text: 'link', drop: 0 },
  ]
  const within = (max: number) => fitLines(lines, (kept) => kept.join(' ').length <= max)
  expect(within(99)).toEqual(['what', 'when', 'where', 'link'])
  expect(within(17)).toEqual(['what', 'where', 'link'])
  expect(within(10)).toEqual(['what', 'link'])
  // Of equals the last.
  const equals = ['a', 'b', 'c'].map((text) => ({ text, drop: 1 }))
  expect(fitLines(equals, (kept) => kept.length <= 2)).toEqual(['a', 'b'])
  // What must be there stays, though it does not fit.
  expect(within(3)).toEqual(['what', 'link'])
})

test('then long names give way, and characters stay whole', () => {
  const long = '😀'.repeat(200)
  const lines = [
    { text: long, drop: 0, shorten: (charsMax: number) => cutText(long, charsMax) },
    { text: 'https://example.org/p/token', drop: 0 },
  ]
  const [first, link] = fitLines(lines, (kept) => utf8Bytes(kept.join('\n')) <= 100)
  expect(link).toBe('https://example.org/p/token')
  expect(first).toMatch(/^(😀){13,17}…$/u)
  expect(encodeURIComponent(first!)).toMatch(/^(%F0%9F%98%80)+%E2%80%A6$/)
})
