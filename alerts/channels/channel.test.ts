import { expect, test } from 'vitest'
import { severities } from '../model.js'
import {
  attemptsMax,
  boundedRetryAfterMs,
  detailCharsMax,
  detailLine,
  isLastTry,
  retryPauseMs,
  type SendResult,
} from './channel.js'

const attempts = Array.from({ length: 50 }, (_, at) => at + 1)

test.each(severities)('pauses of %s grow, never shrink, and stay bounded', (severity) => {
  const pauses = attempts.map((attempt) => retryPauseMs(attempt, severity))
  expect(pauses).toEqual([...pauses].sort((a, b) => a - b))
  expect(pauses[0]).toBeLessThan(pauses[2]!)
  expect(pauses.at(-1)).toBeLessThanOrEqual(900_000)
})

test('an emergency is tried again sooner than anything else', () => {
  expect([1, 2, 3, 4, 5, 6].map((attempt) => retryPauseMs(attempt, 'emergency'))).toEqual([
    1_000, 2_000, 5_000, 10_000, 30_000, 30_000,
  ])
  for (const other of ['urgent', 'warning', 'notice'] as const)
    for (const attempt of attempts)
      expect(retryPauseMs(attempt, other)).toBeGreaterThan(retryPauseMs(attempt, 'emergency'))
})

test('an attempt that makes no sense gets the first or last pause', () => {
  for (const attempt of [0, -1, Number.NaN, 0.5]) expect(retryPauseMs(attempt, 'emergency')).toBe(1_000)
  expect(retryPauseMs(1e9, 'emergency')).toBe(30_000)
})

test('all attempts of an emergency through one channel end before the next person is told, even when each hangs', () => {
  const hangMs = 5_000
  const count = attemptsMax('emergency')
  const pausesMs = attempts.slice(0, count - 1).reduce((sum, attempt) => sum + retryPauseMs(attempt, 'emergency'), 0)
  expect(count * hangMs + pausesMs).toBeLessThan(60_000)
})

test('the pause that a receiver asks for is bounded both ways', () => {
  expect(boundedRetryAfterMs(0, 'emergency')).toBe(1_000)
  expect(boundedRetryAfterMs(7_000, 'emergency')).toBe(7_000)
  expect(boundedRetryAfterMs(Number.MAX_VALUE, 'emergency')).toBe(60_000)
  expect(boundedRetryAfterMs(Number.MAX_VALUE, 'urgent')).toBe(300_000)
})

test('a detail is one bounded line that PostgreSQL takes', () => {
  expect(detailLine(' a\u0000b\r\n\tc\u2028d ')).toBe('a b c d')
  expect(detailLine('x'.repeat(1_000_000))).toHaveLength(detailCharsMax)
  const cut = detailLine(`x${'😀'.repeat(detailCharsMax)}`)
  expect(cut.length).toBeLessThanOrEqual(detailCharsMax)
  // encodeURIComponent throws on half a character.
  expect(encodeURIComponent(cut)).toMatch(/^x(%F0%9F%98%80)+$/)
  expect(detailLine('a\uD800b')).toBe('a b')
})

test('an emergency goes on to the next channel at once where a provider takes no more; without one it is tried again', () => {
  const limited: SendResult = { kind: 'retry', afterMs: 60_000, detail: '429', limited: true }
  const retry: SendResult = { kind: 'retry', afterMs: 1_000, detail: '503' }
  const refused: SendResult = { kind: 'refused', reason: '404' }
  const rows: [SendResult, number, 'emergency' | 'warning', boolean, boolean][] = [
    [limited, 1, 'emergency', true, true],
    [limited, 1, 'emergency', false, false],
    [limited, 4, 'emergency', false, true],
    [limited, 1, 'warning', true, false],
    [retry, 1, 'emergency', true, false],
    [retry, 4, 'emergency', true, true],
    [retry, 5, 'warning', true, false],
    [retry, 6, 'warning', true, true],
    [refused, 1, 'warning', false, true],
  ]
  for (const [result, attempt, severity, hasNext, last] of rows)
    expect({ result, attempt, severity, hasNext, last: isLastTry({ result, attempt, severity, hasNext }) }).toEqual({
      result,
      attempt,
      severity,
      hasNext,
      last,
    })
})
