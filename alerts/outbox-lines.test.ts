import { expect, test } from 'vitest'
import { createLines } from './outbox-lines.js'

const quick = { taken: true, ms: 100 }

test('a line begins with a few and takes more while answers come quickly, up to a limit', () => {
  const lines = createLines()
  lines.begin('line')
  const counts = [1, 2, 3, 4, 5].map(() => {
    const free = lines.free().get('line')!
    for (let i = 0; i < free; i++) lines.begin('line')
    for (let i = 0; i < free; i++) lines.end('line', quick)
    return free + 1
  })
  expect(counts).toEqual([8, 15, 29, 40, 40])
})

test.each([
  ['slow leaves it as it is', { taken: true, ms: 2_000 }, [39, 39, 39, 39, 39]],
  ['refused halves it, down to a few', { taken: false, ms: 10 }, [39, 19, 9, 7, 7]],
])('an answer that is %s', (_name, answer, expected) => {
  const lines = createLines()
  lines.begin('line')
  for (let i = 0; i < 40; i++) {
    lines.begin('line')
    lines.end('line', quick)
  }
  const free = () => lines.free().get('line')!
  const after = [free()]
  for (let i = 0; i < 4; i++) {
    lines.begin('line')
    lines.end('line', answer)
    after.push(free())
  }
  expect(after).toEqual(expected)
})

test('what was learned is kept between two claims, of a thousand lines', () => {
  const lines = createLines()
  lines.begin('line')
  lines.end('line', quick)
  expect(lines.free().get('line')).toBe(9)
  for (let i = 0; i < 1_000; i++) {
    lines.begin(`other ${i}`)
    lines.end(`other ${i}`, quick)
  }
  expect(lines.free().size).toBe(1_000)
  expect(lines.free().has('line')).toBe(false)
})

test('where nothing was sent nothing is learned, and nothing is kept', () => {
  const lines = createLines()
  lines.begin('a')
  lines.begin('b')
  expect([...lines.free()]).toEqual([
    ['a', 7],
    ['b', 7],
  ])
  lines.begin('a')
  lines.end('a')
  expect(lines.free().get('a')).toBe(7)
  lines.end('a')
  lines.end('b', { taken: false, ms: 10 })
  expect([...lines.free()]).toEqual([])
})
