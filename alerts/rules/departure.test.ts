import { expect, test } from 'vitest'
import type { Arrival } from '../model.js'
import { departureOf } from './departure.js'
import { emptyState, fold } from './fold.js'
import { context, hour, inOrder, meter, minute, monday7, reading } from './scene.test-support.js'

const start = monday7
const doorNo = 7
/** A home that uses water for two hours from 07:00, and none from 09:00 to 13:00. */
const morning = (every = 5 * minute) =>
  meter('water', { from: start, to: start + 6 * hour, every }, (at) => (at <= start + 2 * hour ? 60 : 0))
const event = (kind: 'door' | 'motion' | 'bed', at: number, what: string) =>
  reading(kind, at, undefined, { deviceNo: doorNo, event: what })
const door = (at: number) => [event('door', at, 'open'), event('door', at + 10_000, 'closed')]
const nine5 = start + 2 * hour + 5 * minute

const at13 = (arrivals: Arrival[], now = start + 6 * hour, learning = false) => {
  const last = inOrder(arrivals).filter(({ receivedAt }) => receivedAt <= now)
  const { state } = fold(emptyState(), last, now, { ...context, alarmsPerMonth: learning ? 2 : null })
  return departureOf(state, now)
}

test.each([false, true])('the door, and then nothing that readings cover (line learned: %s)', (learning) => {
  expect(at13([...morning(), ...door(nine5)], undefined, learning)).toBe(nine5)
})

test('not so soon after the door', () => {
  expect(at13([...morning(), ...door(nine5)], nine5 + 25 * minute)).toBeNull()
  expect(at13([...morning(), ...door(nine5)], nine5 + 35 * minute)).toBe(nine5)
})

test.each<[string, Arrival[]]>([
  ['water', meter('water', { from: start, to: start + 6 * hour, every: 5 * minute }, () => 60)],
  ['the button', [reading('button', nine5 + hour, undefined, { event: 'pressed' })]],
  ['movement', [event('motion', nine5 + minute, 'motion')]],
  ['the bed', [event('bed', nine5 - minute, 'in'), event('bed', nine5 + minute, 'out')]],
  ['somebody who spoke with her', [{ type: 'spoken', at: nine5 + hour, receivedAt: nine5 + hour }]],
  ['a carer', [{ type: 'visit', at: nine5 + hour, receivedAt: nine5 + hour }]],
  ['away mode that is over', [{ type: 'away', from: nine5 + minute, until: nine5 + hour, receivedAt: nine5 + minute }]],
  ['away mode', [{ type: 'away', from: nine5 + hour, until: nine5 + 40 * hour, receivedAt: nine5 + hour }]],
])('nothing is suggested after %s', (what, later) => {
  expect(at13([...(what === 'water' ? [] : morning()), ...door(nine5), ...later])).toBeNull()
})

test('a door that nobody ever opened, and a door before the last use, suggest nothing', () => {
  expect(at13(morning())).toBeNull()
  expect(at13([...morning(), ...door(start + hour)])).toBeNull()
})

test('where no reading covers the time since, nothing is known', () => {
  const until = (to: number) => morning().filter(({ receivedAt }) => receivedAt <= to)
  expect(at13([...until(nine5 + 10 * minute), ...door(nine5)])).toBeNull()
  expect(at13(door(nine5))).toBeNull()
  // A meter that was read for the first time after the door.
  const fresh = meter('water', { from: nine5 + 15 * minute, to: start + 6 * hour, every: 5 * minute }, () => 0)
  expect(at13([...fresh, ...door(nine5)])).toBeNull()
  // A backlog that is still on its way.
  const late = { ...reading('water', start + 3 * hour + 5 * minute, 120), receivedAt: start + 6 * hour - minute }
  expect(at13([...until(start + 3 * hour), late, ...door(nine5)])).toBeNull()
  // Silent since an hour: what happened meanwhile is open.
  expect(at13([...until(start + 5 * hour), ...door(nine5)])).toBeNull()
})

test('a drip is nobody at home', () => {
  const drip = meter('water', { from: start, to: start + 6 * hour, every: 5 * minute }, (at) =>
    at <= start + 2 * hour ? 60 : 0.2,
  )
  expect(at13([...drip, ...door(nine5)])).toBe(nine5)
})
