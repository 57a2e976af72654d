import { expect, test } from 'vitest'
import { mayReceive, maySubscribe, publishRefusal } from './topic-rights.js'

test.each([
  ['v1/gw1/meter/water', undefined],
  ['v1/gw1/status', undefined],
  ['v1/gw1/a/b/c/d', undefined],
  ['v1/gw1/', undefined],
  [`v1/gw1/${'x/'.repeat(50)}`, undefined],
  ['v1/gw2/meter/water', 'another gateway'],
  ['v1/gw10/meter/water', 'another gateway'],
  ['v1/gw1x', 'another gateway'],
  ['v1/../gw1/status', 'another gateway'],
  ['v1/gw1', 'unknown prefix'],
  ['v1//status', 'unknown prefix'],
  ['/v1/gw1/status', 'unknown prefix'],
  ['V1/gw1/status', 'unknown prefix'],
  ['v2/gw1/status', 'unknown prefix'],
  ['', 'unknown prefix'],
  ['$SYS/broker', 'system topic'],
  ['$share/x/v1/gw1/status', 'system topic'],
  ['v1/gw1/meter\0/water', 'malformed topic'],
])('a publish of gw1 to %j: %s', (topic, refusal) => {
  expect(publishRefusal('gw1', topic)).toBe(refusal)
})

test.each([
  ['v1/gw1/+/command', true],
  ['v1/gw1/meter-1/command', true],
  ['#', false],
  ['+/+/+/command', false],
  ['v1/#', false],
  ['v1/+/+/command', false],
  ['v1/gw1/#', false],
  ['v1/gw1/+/+', false],
  ['v1/gw1/+/command/#', false],
  ['v1/gw1/+/water', false],
  ['v1/gw2/+/command', false],
  ['v1/gw2/meter-1/command', false],
  ['$share/g/v1/gw1/+/command', false],
  ['$SYS/#', false],
  ['v1/gw1/#/command', false],
  ['v1/gw1//command', false],
  ['', false],
])('gw1 subscribes to %j: %s', (filter, allowed) => {
  expect(maySubscribe('gw1', filter)).toBe(allowed)
})

test('a command is received by its own gateway only, and never by a wildcard in its topic', () => {
  expect(mayReceive('gw1', 'v1/gw1/meter-1/command')).toBe(true)
  expect(mayReceive('gw2', 'v1/gw1/meter-1/command')).toBe(false)
  expect(mayReceive('gw1', 'v1/gw1/+/command')).toBe(false)
  expect(mayReceive('gw1', 'v1/gw1/meter-1/command/more')).toBe(false)
})
