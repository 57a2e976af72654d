import { expect, test } from 'vitest'
import { clockWords, durationWords, leftWords, relativeWords } from './times.js'

const at = (text: string) => Date.parse(text)
const now = at('2026-03-10T06:30:00Z')
const zone = 'Asia/Shanghai'

test.each([
  [-5, '0 s', '0 秒'],
  [40_400, '40 s', '40 秒'],
  [59_600, '59 s', '59 秒'],
  [25 * 60_000 + 59_999, '25 min', '25 分钟'],
  [3 * 3_600_000, '3 h', '3 小时'],
  [3 * 3_600_000 + 20 * 60_000, '3 h 20 min', '3 小时 20 分钟'],
  [86_400_000, '1 day', '1 天'],
  [3 * 86_400_000 - 1, '2 days', '2 天'],
])('%d ms lasts %s', (ms, en, zh) => {
  expect([durationWords(ms, 'en'), durationWords(ms, 'zh')]).toEqual([en, zh])
})

test.each([
  [-5, '0 s'],
  [39_100, '40 s'],
  [59_600, '1 min'],
  [60_000, '1 min'],
  [119_400, '2 min'],
  [3_600_000 - 1, '1 h'],
])('of %d ms there is %s left: rounded up', (ms, en) => {
  expect(leftWords(ms, 'en')).toBe(en)
})

test.each([
  ['2026-03-10T06:05:00Z', '25 min ago, 14:05', '25 分钟前，14:05'],
  ['2026-03-10T06:29:30Z', 'just now, 14:29', '刚刚，14:29'],
  ['2026-03-10T06:30:40Z', 'in 40 s, 14:30', '40 秒后，14:30'],
  ['2026-03-09T15:00:00Z', '15 h 30 min ago, yesterday 23:00', '15 小时 30 分钟前，昨天 23:00'],
  ['2026-03-01T06:05:00Z', '9 days ago, 1 Mar, 14:05', '9 天前，3月1日 14:05'],
])('%s reads %s', (time, en, zh) => {
  expect([relativeWords(at(time), now, zone, 'en'), relativeWords(at(time), now, zone, 'zh')]).toEqual([en, zh])
})

test('the day is the one in the resident’s own zone', () => {
  const late = at('2026-03-09T16:30:00Z')
  expect(clockWords(late, now, 'Asia/Shanghai', 'en')).toBe('00:30')
  expect(clockWords(late, now, 'Europe/Madrid', 'en')).toBe('yesterday 17:30')
  expect(clockWords(at('2025-12-31T10:00:00Z'), now, 'UTC', 'en')).toBe('31 Dec 2025, 10:00')
})
