import fc from 'fast-check'
import { expect, test } from 'vitest'
import { inOrder } from './acknowledgements.js'

test('PUBACKs leave in the order of the messages, each once, whichever is safe first', () => {
  fc.assert(
    fc.property(
      fc.shuffledSubarray(
        Array.from({ length: 3_000 }, (_, i) => i),
        { minLength: 2_900 },
      ),
      (order) => {
        const sent: number[] = []
        const acknowledgements = inOrder((ids) => sent.push(...ids))
        const safe = Array.from({ length: 3_000 }, (_, i) => acknowledgements.add(i))
        for (const i of order) safe[i]!()
        const missing = Array.from({ length: 3_000 }, (_, i) => i).find((i) => !order.includes(i)) ?? 3_000
        expect(sent).toEqual(Array.from({ length: missing }, (_, i) => i))
      },
    ),
    { numRuns: 20 },
  )
})

test('what is safe goes on leaving while more comes', () => {
  const sent: number[] = []
  const acknowledgements = inOrder((ids) => sent.push(...ids))
  for (let i = 0; i < 10_000; i++) acknowledgements.add(i % 65_535)()
  const late = acknowledgements.add(7)
  acknowledgements.add(8)()
  expect(sent.slice(-1)).toEqual([9_999])
  late()
  expect(sent.slice(-2)).toEqual([7, 8])
  expect(sent).toHaveLength(10_002)
})
