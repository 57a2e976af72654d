import { expect, test } from 'vitest'
import type { Arrival, Decision } from '../model.js'
import { emptyState, fold } from './fold.js'
import { livedHome } from './lived-home.test-support.js'
import { hour, inOrder, minute, monday7, reading } from './scene.test-support.js'

const day = 24 * hour
const night = monday7 - 7 * hour
const context = { timeZone: 'Asia/Shanghai', alarmsPerMonth: 1 }
const today = night + 60 * day

/** One arrival after the other, each by a process that has just been started. */
function restarted(arrivals: Arrival[], now: number) {
  let state = emptyState()
  const decisions: Decision[] = []
  const before = arrivals.filter(({ receivedAt }) => receivedAt < today)
  for (const batch of [before, ...arrivals.slice(before.length).map((arrival) => [arrival]), []]) {
    const folded = fold(JSON.parse(JSON.stringify(state)), batch, batch.at(-1)?.receivedAt ?? now, context)
    state = folded.state
    decisions.push(...folded.decisions)
  }
  return { state, decisions }
}

test('a press that arrives late, from before the time that the meter covers, changes the line alike with and without restarts', () => {
  const swappedAt = today + 9 * hour
  // Nothing is used after 08:00; a new meter begins at 09:00, and the line counts from there.
  const home = livedHome({
    to: today + day,
    days: 60,
    night,
    seed: 1,
    quiet: [[today + 8 * hour, today + 2 * day]],
  }).map((one) => (one.observedAt >= swappedAt ? { ...one, value: 3 } : one))
  const press = reading('button', swappedAt - 30 * minute, undefined, {
    event: 'pressed',
    receivedAt: swappedAt + 2 * hour + 13 * minute,
  })
  const arrivals = inOrder(home, [press])
  const atOnce = fold(emptyState(), arrivals, today + day, context)
  const stepwise = restarted(arrivals, today + day)
  expect(atOnce.decisions.map(({ type }) => type)).toContain('open')
  expect(atOnce.decisions).toEqual(stepwise.decisions)
  expect(JSON.parse(JSON.stringify(atOnce.state))).toEqual(JSON.parse(JSON.stringify(stepwise.state)))
})
