import { expect, onTestFinished, test } from 'vitest'
import type { Message } from '../alerts/channels/channel.js'
import { manualClock } from '../kit/clock.js'
import { createLog } from '../kit/log.js'
import { eventually } from '../test/support/processes.js'
import { createOperatorNotice } from './operator-notice.js'
import type { JournalState } from './store-and-forward.js'

const log = createLog({ role: 'test', level: 'silent' })
const calm: JournalState = { sinceMs: null, alarms: 0, meters: 0, bytes: 0, full: false }

/** Two operators, of whom one has only a channel that this server does not have. */
function scene(answers: ('sent' | 'retry')[] = []) {
  const clock = manualClock(new Date('2026-05-01T00:00:00Z'))
  const told: (Message & { to: string })[] = []
  let state = calm
  const person = (staffId: string, kind: string) => ({
    staffId,
    name: `示例·${staffId}`,
    role: 'operator' as const,
    language: 'zh' as const,
    channels: [{ position: 1, kind, address: `${staffId}@example.org`, secret: null }],
  })
  const notice = createOperatorNotice({
    state: () => state,
    directory: { operators: () => [person('op1', 'email'), person('op2', 'pigeon')] },
    channels: [
      {
        kind: 'email',
        send: () => Promise.reject(new Error('not a page')),
        tell: async (each, to) => {
          told.push({ ...each, to: to.address })
          const answer = answers.shift() ?? 'sent'
          return answer === 'sent' ? { kind: 'sent', detail: '' } : { kind: 'retry', afterMs: 0, detail: '' }
        },
      },
    ],
    retryPauseMs: 1,
    lookPauseMs: 5,
    clock,
    log,
  })
  onTestFinished(notice.stop)
  notice.start()
  const since = clock.now().getTime()
  return {
    told,
    clock,
    set: (change: Partial<JournalState>) => {
      state = { ...state, ...change }
    },
    away: () => {
      state = { ...calm, sinceMs: since, alarms: 1, meters: 41 }
    },
    kinds: () => told.map(({ kind }) => kind),
  }
}
const looks = () => new Promise((resolve) => setTimeout(resolve, 60))

test('a short absence of the database is told to nobody', async () => {
  const { told, clock, away, set } = scene()
  away()
  clock.advance(29_000)
  await looks()
  set(calm)
  await looks()
  expect(told).toEqual([])
})

test('a longer one is told once, with its numbers, and its end too', async () => {
  const { told, clock, away, set, kinds } = scene()
  away()
  clock.advance(31_000)
  await eventually('told', () => told.length > 0)
  clock.advance(600_000)
  await looks()
  expect(kinds()).toEqual(['database away'])
  expect(told[0]).toMatchObject({ to: 'op1@example.org', language: 'zh' })
  expect(told[0]!.text.zh).toContain('31 秒')
  expect(told[0]!.text.en).toContain('42 messages')
  set(calm)
  await eventually('the end', () => kinds().includes('database back'))
  await looks()
  expect(kinds()).toEqual(['database away', 'database back'])
})

test('a full journal is told once', async () => {
  const { away, set, kinds, clock } = scene()
  away()
  set({ full: true })
  clock.advance(40_000)
  await eventually('both', () => kinds().length >= 2)
  await looks()
  expect(kinds().sort()).toEqual(['database away', 'journal full'])
})

test('what does not get through is tried again under the same id', async () => {
  const { told, away, clock } = scene(['retry', 'retry'])
  away()
  clock.advance(40_000)
  await eventually('three attempts', () => told.length === 3)
  await looks()
  expect(told).toHaveLength(3)
  expect(new Set(told.map(({ messageId }) => messageId)).size).toBe(1)
})
