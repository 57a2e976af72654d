import { expect, test } from 'vitest'
import { decideMessage, type MessageFailure, type MessageState } from './message-retry.js'

const now = Date.parse('2026-05-01T12:00:00Z')
const minute = 60_000
const day = 1_440 * minute
const state = (more: Partial<MessageState> = {}): MessageState => ({
  channelId: 'a',
  attempts: 1,
  refusedBy: [],
  givenUpOn: [],
  isTest: false,
  givesUpAt: now + day,
  ...more,
})
const retry: MessageFailure = { kind: 'retry', afterMs: 5_000 }
const refused: MessageFailure = { kind: 'refused' }
const noneLeft: MessageFailure = { kind: 'none left' }
const again = (afterMs: number, attempts: number, refusedBy: string[] = [], givenUpOn: string[] = []) => ({
  kind: 'again',
  at: now + afterMs,
  attempts,
  refusedBy,
  givenUpOn,
})
const failed = { kind: 'failed' }

test.each<[string, MessageState, MessageFailure, object]>([
  ['busy: the same channel again, after what it asked for', state(), retry, again(5_000, 1)],
  ['busy for the fourth time: the next channel at once', state({ attempts: 4 }), retry, again(0, 0, [], ['a'])],
  ['refused: the next channel at once', state(), refused, again(0, 0, ['a'])],
  [
    'refused by the second after the first was busy: both are kept apart',
    state({ channelId: 'b', givenUpOn: ['a'] }),
    refused,
    again(0, 0, ['b'], ['a']),
  ],
  [
    'no channel left, one was only busy: all but the refused ones again in half an hour',
    state({ channelId: null, givenUpOn: ['a'], refusedBy: ['b'] }),
    noneLeft,
    again(30 * minute, 0, ['b']),
  ],
  ['no channel left, all refused', state({ channelId: null, refusedBy: ['a', 'b'] }), noneLeft, failed],
  ['a person without any channel', state({ channelId: null }), noneLeft, failed],
  ['no more than a day', state({ givesUpAt: now + 4_000 }), retry, failed],
  ['a last attempt may be at the very end', state({ givesUpAt: now + 5_000 }), retry, again(5_000, 1)],
  ['a test: the same channel again, soon', state({ isTest: true }), { kind: 'retry', afterMs: day }, again(20_000, 1)],
  ['a test: no other channel', state({ isTest: true, attempts: 3 }), retry, failed],
  ['a test that is refused', state({ isTest: true }), refused, failed],
  ['a test of a channel that is gone', state({ isTest: true, channelId: null }), noneLeft, failed],
])('%s', (_, from, failure, expected) => {
  expect(decideMessage(from, failure, now)).toEqual(expected)
})

test('however it fails, a message comes to an end within a day and within 600 attempts', () => {
  for (const afterMs of [0, 1_000, 900_000]) {
    let [at, attempts, sends] = [now, 0, 0]
    let [refusedBy, givenUpOn]: string[][] = [[], []]
    for (;;) {
      const channelId = ['a', 'b', 'c'].find((id) => !refusedBy!.includes(id) && !givenUpOn!.includes(id)) ?? null
      if (channelId) sends += 1
      const from = state({ channelId, attempts: attempts + 1, refusedBy: refusedBy!, givenUpOn: givenUpOn! })
      const next = decideMessage(from, channelId ? { kind: 'retry', afterMs } : noneLeft, at)
      if (next.kind === 'failed') break
      ;({ at, attempts, refusedBy, givenUpOn } = next)
    }
    expect(at - now).toBeLessThanOrEqual(day)
    // 48 rounds of three channels, four times each, where each attempt takes no time.
    expect(sends).toBeLessThanOrEqual(600)
  }
})
