import { setTimeout as sleep } from 'node:timers/promises'
import { expect, test } from 'vitest'
import { manualClock } from '../kit/clock.js'
import { createBoundedCache } from './bounded-cache.js'
import { createFairGate } from './fair-gate.js'
import { createHeadcount } from './headcount.js'
import { createLogLimit } from './log-limit.js'
import { createLoginThrottle } from './login-throttle.js'

const clockAt = () => manualClock(new Date('2024-03-01T03:00:00Z'))

test('a bounded cache forgets the oldest when full, and everything in time', () => {
  const clock = clockAt()
  const cache = createBoundedCache<number>({ entriesMax: 2, ttlMs: 1_000, clock })
  cache.set('a', 1)
  cache.set('b', 2)
  cache.set('a', 3)
  cache.set('c', 4)
  expect([cache.get('a'), cache.get('b'), cache.get('c'), cache.size]).toEqual([3, undefined, 4, 2])
  clock.advance(1_000)
  expect([cache.get('a'), cache.get('c'), cache.size]).toEqual([undefined, undefined, 0])
})

test('the wait doubles with each failure of a pair, has an end, and is forgotten', () => {
  const clock = clockAt()
  const throttle = createLoginThrottle({ delayMsMin: 250, delayMsMax: 8_000, pairsMax: 100, forgetMs: 60_000, clock })
  const fail = (gatewayId = 'gw1', address = '203.0.113.7') => {
    const ms = throttle.begin(address, gatewayId)
    throttle.end(address, gatewayId, 'wrong')
    return ms
  }
  expect(Array.from({ length: 9 }, () => fail())).toEqual([0, 250, 500, 1_000, 2_000, 4_000, 8_000, 8_000, 8_000])
  expect([fail('gw2'), fail('gw1', '203.0.113.8')]).toEqual([0, 0])
  throttle.begin('203.0.113.7', 'gw1')
  throttle.end('203.0.113.7', 'gw1', 'right')
  expect(fail()).toBe(0)
  fail()
  clock.advance(60_000)
  expect(fail()).toBe(0)
})

test('guesses that are made at once wait as if one came after the other', () => {
  const throttle = createLoginThrottle({ delayMsMin: 1, delayMsMax: 100, pairsMax: 9, forgetMs: 9, clock: clockAt() })
  expect([1, 2, 3, 4].map(() => throttle.begin('a', 'gw1'))).toEqual([0, 1, 2, 4])
})

test('those who wait at the gate take turns by key', async () => {
  const gate = createFairGate({ inFlightMax: 1 })
  const order: string[] = []
  const work = (name: string) => () => sleep(1).then(() => void order.push(name))
  await Promise.all([
    ...['a1', 'a2', 'a3', 'a4'].map((name) => gate.run('a', work(name))),
    gate.run('b', () => Promise.reject(new Error('no'))).catch((error: Error) => order.push(error.message)),
    gate.run('c', work('c1')),
  ])
  expect(order).toEqual(['a1', 'a2', 'no', 'c1', 'a3', 'a4'])
})

test('a headcount is bounded per key and in total, and leaving twice counts once', () => {
  const count = createHeadcount({ perKeyMax: 2, totalMax: 3 })
  const leave = count.enter('a')!
  count.enter('a')
  expect(count.enter('a')).toBeUndefined()
  count.enter('b')
  expect(count.enter('c')).toBeUndefined()
  leave()
  leave()
  expect(count.enter('c')).toBeDefined()
  expect(count.enter('c')).toBeUndefined()
})

test('a limited log line tells how many were held back', () => {
  const clock = clockAt()
  const limit = createLogLimit({ everyMs: 60_000, keysMax: 10, clock })
  expect([limit('a'), limit('a'), limit('a'), limit('b')]).toEqual([{ unsaid: 0 }, undefined, undefined, { unsaid: 0 }])
  clock.advance(60_000)
  expect(limit('a')).toEqual({ unsaid: 2 })
})
