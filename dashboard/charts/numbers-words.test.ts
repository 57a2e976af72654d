import { expect, test } from 'vitest'
import { dateWords, limitWords, monthWords, p95Words, percentOf, shareWords, timeWords } from './numbers-words.js'

const s = 1_000
/** As it reads: a number and its unit are kept on one line. */
const plain = (words: string) => words.replaceAll('\u00a0', ' ')
const min = 60 * s
test.each<[number | null, string, string]>([
  [null, 'unknown', '不清楚'],
  [0, '0 s', '0 秒'],
  [4_230, '4.2 s', '4.2 秒'],
  [9_960, '10 s', '10 秒'],
  [75 * s, '75 s', '75 秒'],
  [200 * s, '3 min 20 s', '3 分 20 秒'],
  [4 * min, '4 min', '4 分钟'],
  [18.4 * min, '18 min', '18 分钟'],
  [125 * min, '2 h 5 min', '2 小时 5 分钟'],
  [120 * min, '2 h', '2 小时'],
  [75 * 60 * min, '75 h', '75 小时'],
])('%s ms', (ms, en, zh) => {
  expect(plain(timeWords(ms, 'en'))).toBe(en)
  expect(plain(timeWords(ms, 'zh'))).toBe(zh)
})

test.each<[{ part: number; of: number }, string, string]>([
  [{ part: 0, of: 0 }, 'unknown', '不清楚'],
  [{ part: 3, of: 7 }, '3 of 7', '7 条中 3 条'],
  [{ part: 0, of: 3 }, '0 of 3', '3 条中 0 条'],
  [{ part: 30, of: 70 }, '43 % (30 of 70)', '43%（70 条中 30 条）'],
  [{ part: 0, of: 40 }, '0 % (0 of 40)', '0%（40 条中 0 条）'],
])('%o', (share, en, zh) => {
  expect(plain(shareWords(share, 'en'))).toBe(en)
  expect(plain(shareWords(share, 'zh'))).toBe(zh)
})

test('nearly all is not all, and hardly any is not none', () => {
  expect(percentOf({ part: 399, of: 400 })).toBe(99)
  expect(percentOf({ part: 1, of: 400 })).toBe(1)
})

test('of a few times the 95th percentile is the longest, and says so', () => {
  const times = (n: number, p95Ms: number | null) => ({ n, medianMs: p95Ms, p95Ms, within: [] })
  expect(plain(p95Words(times(7, 52 * min), 'en'))).toBe('52 min, the longest')
  expect(plain(p95Words(times(20, 52 * min), 'en'))).toBe('52 min')
  expect(p95Words(times(0, null), 'zh')).toBe('不清楚')
})

test('no line ends between a number and its unit', () => {
  expect(timeWords(200 * s, 'en')).toBe('3\u00a0min 20\u00a0s')
})

test('months, days and limits', () => {
  expect([monthWords('2026-10', 'en'), monthWords('2026-10', 'zh')]).toEqual(['October 2026', '2026年10月'])
  expect([dateWords('2026-10-03', 'en'), dateWords('2026-10-03', 'zh')]).toEqual(['3 Oct', '10月3日'])
  expect([60 * s, 180 * s, 45 * min, 120 * min].map((ms) => plain(limitWords(ms, 'en')))).toEqual([
    '60 s',
    '180 s',
    '45 min',
    '2 h',
  ])
})
