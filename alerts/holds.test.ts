import { expect, test } from 'vitest'
import { samplePage } from '../test/support/page.js'
import { afterMs, heldAfter, heldUntil, holdMsMax } from './holds.js'
import { pageText } from './page-text.js'
import { onsetMs } from './quiet-streets.js'

const now = Date.parse('2026-03-10T06:05:00Z')
const minute = 60_000

test.each<[string, number, number, number | null]>([
  ['opened now', 0, 180, holdMsMax],
  ['opened half an hour ago: 2 h from then', -30, 180, holdMsMax - 30 * minute],
  ['opened ahead of now, as when a clock has jumped back', 300, 180, holdMsMax],
  ['opened 2 h ago: no longer', -120, 180, null],
  ['silent just as long before the others as they may have been', 0, 60 + onsetMs / minute, holdMsMax],
  ['silent for longer', 0, 61 + onsetMs / minute, null],
  ['silent since after the others', 0, 10, holdMsMax],
])('an alert %s', (_name, opened, silentFor, expected) => {
  const p = { since: now - silentFor * minute, openedAt: now + opened * minute, lastAt: now - 60 * minute }
  expect(heldUntil(p, now)).toBe(expected === null ? null : now + expected)
})

test('the end of an incident shortens, and never lengthens', () => {
  expect(heldAfter(now + holdMsMax, now)).toBe(now + afterMs)
  expect(heldAfter(now + minute, now)).toBe(now + minute)
})

test('who is paged late is told why', () => {
  const at = new Date('2026-03-10T04:05:00Z')
  const line = (language: 'zh' | 'en', more = {}) =>
    pageText({
      page: samplePage({
        language,
        kind: 'silence_unusual',
        severity: 'urgent',
        held: { at, kind: 'no water' },
        ...more,
      }),
      now: new Date(now),
      fits: () => true,
    }).split('\n')[4]
  expect(line('zh')).toBe('周围多户同时没有用水，可能停水，所以自 12:05 起暂缓，到现在才通知。')
  expect(line('en')).toBe('Held since 12:05, because many homes around it used no water since the same time.')
  const asked = { at, ways: ['home'] as const, result: 'unanswered' as const, by: null }
  expect(line('en', { asked })).toMatch(/^Asked since 12:05.*: no answer\. Held since 12:05/)
})
