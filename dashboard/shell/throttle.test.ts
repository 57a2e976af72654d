import { expect, test } from 'vitest'
import { addressKey, createThrottle } from './throttle.js'

const at = (ms: number) => new Date(ms)

test('so many in a window, then none until the next one', () => {
  const throttle = createThrottle({ hitsMax: 2, perMs: 1_000 })
  expect([0, 1, 2, 999].map((ms) => throttle.take('a', at(ms)))).toEqual([true, true, false, false])
  expect(throttle.take('b', at(3))).toBe(true)
  expect(throttle.take('a', at(1_000))).toBe(true)
})

test('bounded: the oldest key makes room', () => {
  const throttle = createThrottle({ hitsMax: 1, perMs: 1_000, keysMax: 2 })
  for (const key of ['a', 'b', 'c']) throttle.take(key, at(0))
  expect(throttle.take('c', at(1))).toBe(false)
  expect(throttle.take('a', at(1))).toBe(true)
})

test('one IPv6 network is one address', () => {
  expect(addressKey('2001:db8:1:2:aaaa::1')).toBe(addressKey('2001:db8:1:2:bbbb::2'))
  expect(addressKey('2001:db8:1:3::1')).not.toBe(addressKey('2001:db8:1:2::1'))
  expect(addressKey('10.0.0.1')).not.toBe(addressKey('10.0.0.2'))
  expect(addressKey('::ffff:10.0.0.1')).not.toBe(addressKey('::ffff:10.0.0.2'))
})
