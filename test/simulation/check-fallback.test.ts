import { expect, test } from 'vitest'
import { checkFallback } from './check-fallback.js'
import type { Send, StoredAlert } from './history.js'
import { minuteMs, secondMs } from './plan.js'

const start = Date.UTC(2026, 2, 1)
const at = (minutes: number) => start + minutes * minuteMs
const about = { residentId: 'r', kind: 'button' as const, observedAt: at(5) }
const send = (pageId: string, minutes: number, over: Partial<Send> = {}): Send => ({
  pageId,
  alertId: 1,
  round: 0,
  step: 1,
  staffId: 'anna',
  channel: 'webhook',
  by: 'edge',
  about,
  lookedAt: at(minutes),
  startedAt: at(minutes),
  endedAt: at(minutes) + 100,
  result: 'sent',
  interrupted: false,
  ...over,
})
const alert = { alertId: 1, ...about, openedAt: at(5) } as unknown as StoredAlert
const edgeLife = { from: at(0), to: at(60) }
const judge = (sends: Send[], { edges = [edgeLife], complaints = [] as string[] } = {}) =>
  checkFallback({
    hasJournal: true,
    complaints,
    sends,
    outages: [{ from: at(1), to: at(20) }],
    edges,
    stored: { alerts: [alert] } as never,
  })
    .map(({ what }) => what)
    .join('\n')
const told = send('p1', 5)

test('an emergency that the edge tells at once, and nobody tells again, is as it should be', () => {
  expect(judge([told, send('p2', 6, { step: 2 })])).toBe('')
})
test('nobody is told while the database is away', () => {
  expect(judge([])).toMatch(/was told never/)
  expect(judge([send('p1', 5 + 4 / 60)])).toMatch(/was told 2026-03-01T00:05:04/)
})
test('an edge that did not live is not asked for more', () => {
  expect(judge([], { edges: [{ from: at(5) - secondMs, to: at(60) }] })).toBe('')
})
test('another page of the same step comes when the database is back', () => {
  expect(judge([told, send('p9', 21, { by: 'outbox' })])).toMatch(/told by another page again/)
})
test('an edge that dies before it has written down whom it told may tell them again', () => {
  const edges = [{ from: at(0), to: told.endedAt! + 10 }, edgeLife]
  expect(judge([{ ...told, interrupted: true }, send('p9', 7)], { edges })).toBe('')
})
test('what was seen to be acknowledged too early is told', () => {
  expect(judge([told], { complaints: ['acknowledged, and nowhere'] })).toMatch('nowhere')
})
