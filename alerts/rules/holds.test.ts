import { expect, test } from 'vitest'
import { emptyState, fold, knowledge } from './fold.js'
import { holdsUntil } from './holds.js'
import { context, hour, inOrder, meter, minute, monday7, reading } from './scene.test-support.js'

/** Water stops being used at `usedFor`; the meters are heard for so long. */
function stateAfter({ usedFor, water, electricity }: { usedFor: number; water: number; electricity: number }) {
  const every = 10 * minute
  const arrivals = inOrder(
    meter('water', { from: monday7, to: monday7 + water, every }, (at) => (at - monday7 < usedFor ? 30 : 0)),
    meter('electricity', { from: monday7, to: monday7 + electricity, every, start: 5 }, () => 40),
  )
  const now = monday7 + Math.max(water, electricity) + minute
  return { now, state: fold(emptyState(), arrivals, now, context).state }
}

const scenes = [
  { usedFor: 20 * hour, water: 20 * hour, electricity: 20 * hour },
  { usedFor: 2 * hour, water: 20 * hour, electricity: 20 * hour },
  { usedFor: 19 * hour, water: 20 * hour, electricity: 19 * hour + 50 * minute },
  { usedFor: 20 * hour, water: 20 * hour - 24 * minute, electricity: 20 * hour },
  { usedFor: hour, water: 3 * hour, electricity: 20 * hour },
]

test.each(scenes)('what is known stays the same until it no longer holds, and not much longer: %o', (scene) => {
  const { state, now } = stateAfter(scene)
  const until = holdsUntil(state, now)!
  expect(until).toBeGreaterThan(now)
  const before = knowledge(state, now)
  for (let at = now; at < until; at += 30_000) expect(knowledge(state, at).knowledge).toBe(before.knowledge)
  expect(knowledge(state, until + 6 * hour).knowledge).toBe('unknown')
})

test('a meter that is heard but tells no register makes what is known too old, though it is not overdue', () => {
  const end = monday7 + 20 * hour
  const arrivals = inOrder(
    meter('water', { from: monday7, to: end, every: 10 * minute }, () => 30),
    [10, 20].map((late) => reading('water', end + late * minute)),
  )
  const { state } = fold(emptyState(), arrivals, end + 21 * minute, context)
  const until = holdsUntil(state, end + 21 * minute)!
  expect((until - end) / minute).toBe(25)
  expect(knowledge(state, until).knowledge).toBe('used')
  expect(knowledge(state, until + 1).knowledge).toBe('unknown')
})

test('where no meter reports nothing changes by itself', () => {
  expect(holdsUntil(emptyState(), monday7)).toBeNull()
})
