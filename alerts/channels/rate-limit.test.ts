import { expect, test } from 'vitest'
import { createRateLimit } from './rate-limit.js'

const minute = [{ max: 20, ms: 60_000 }]

test('what can wait stops short of the limit and goes on when the window has moved', () => {
  const limit = createRateLimit(minute)
  for (let at = 0; at < 15; at += 1) expect(limit.take('robot', at * 1_000, false)).toBe(0)
  expect(limit.take('robot', 15_000, false)).toBe(45_000)
  expect(limit.take('robot', 60_000, false)).toBe(0)
  expect(limit.take('robot', 60_000, false)).toBe(1_000)
})

test('an emergency is never kept back, and counts', () => {
  const limit = createRateLimit(minute)
  for (let at = 0; at < 100; at += 1) expect(limit.take('robot', at, true)).toBe(0)
  expect(limit.take('robot', 100, false)).toBeGreaterThan(59_000)
  limit.close('robot', 600_000)
  expect(limit.take('robot', 200, true)).toBe(0)
  expect(limit.take('robot', 599_000, false)).toBe(1_000)
})

test('one robot’s limit is not another’s', () => {
  const limit = createRateLimit(minute)
  for (let at = 0; at < 15; at += 1) limit.take('robot', 0, false)
  expect(limit.take('robot', 0, false)).toBe(60_000)
  expect(limit.take('other', 0, false)).toBe(0)
})

test('of two limits the one that is reached first counts', () => {
  const limit = createRateLimit([
    { max: 100, ms: 60_000 },
    { max: 5, ms: 1_000 },
  ])
  for (let at = 0; at < 3; at += 1) expect(limit.take('robot', 0, false)).toBe(0)
  expect(limit.take('robot', 400, false)).toBe(600)
  expect(limit.take('robot', 1_000, false)).toBe(0)
})

test('a clock that is put back shuts nobody out', () => {
  const limit = createRateLimit(minute)
  for (let at = 0; at < 15; at += 1) limit.take('robot', 9_000_000, false)
  expect(limit.take('robot', 1_000_000, false)).toBe(0)
})

test('thousands of robots are forgotten in their order', () => {
  const limit = createRateLimit(minute)
  for (let robot = 0; robot < 2_000; robot += 1)
    for (let at = 0; at < 15; at += 1) limit.take(`robot ${robot}`, 0, false)
  limit.take('one more', 0, false)
  expect(limit.take('robot 1999', 0, false)).toBe(60_000)
  expect(limit.take('robot 0', 0, false)).toBe(0)
})
