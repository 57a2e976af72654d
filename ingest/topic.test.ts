import { expect, test } from 'vitest'
import { readTopic } from './topic.js'

test.each([
  ['v1/gw/dev/water', 'reading'],
  ['v1/gw/dev/button', 'reading'],
  ['v1/gw/status', 'status'],
  ['v1/gw/dev/command-result', 'answer'],
  ['v1/gw/de v/command-result', 'other'],
  ['v1/gw/dev/command', 'other'],
  ['v1/gw/other', 'other'],
  ['v1/gw/dev/constructor', 'other'],
  ['v1/gw/dev/water/more', 'other'],
  ['v1/gw//water', 'other'],
  ['v1/gw/de v/water', 'other'],
  ['v1/other/dev/water', 'other'],
  ['v2/gw/dev/water', 'other'],
  ['v1/gw', 'other'],
  [`v1/gw${'/x'.repeat(48)}`, 'other'],
])('%s is %s', (topic, kind) => {
  expect(readTopic(topic, 'gw').kind).toBe(kind)
})
