import { expect, test } from 'vitest'
import { createTopicIndex, isCommandOf, sharedFilter } from './topics.js'

const index = createTopicIndex([
  { gatewayId: 'lotus-gw1', baseTopics: ['zigbee2mqtt'] },
  { gatewayId: 'lotus-gw2', baseTopics: ['tele/plug-2', 'stat/plug-2', '/sys/pk1/dn1'] },
  { gatewayId: 'lotus-gw3', baseTopics: [] },
])

test.each([
  ['zigbee2mqtt/小明家/button', 'lotus-gw1'],
  ['zigbee2mqtt', 'lotus-gw1'],
  ['tele/plug-2/SENSOR', 'lotus-gw2'],
  ['/sys/pk1/dn1/thing/event/property/post', 'lotus-gw2'],
  ['v1/lotus-gw3/w1/water', 'lotus-gw3'],
  ['v1/lotus-gw1/w1/water', 'lotus-gw1'],
  ['zigbee2mqtt2/x', undefined],
  ['tele/plug-22/SENSOR', undefined],
  ['tele', undefined],
  ['v1/lotus-gw33/w1/water', undefined],
  ['/sys/pk1', undefined],
  ['', undefined],
  ['/', undefined],
])('%s is of %s', (topic, owner) => expect(index.ownerOf(topic)).toBe(owner))

test('asks for what stands under each base, and for nothing else', () => {
  expect(index.filters).toEqual([
    '/sys/pk1/dn1/#',
    'stat/plug-2/#',
    'tele/plug-2/#',
    'v1/lotus-gw1/#',
    'v1/lotus-gw2/#',
    'v1/lotus-gw3/#',
    'zigbee2mqtt/#',
  ])
})

test('a base that two have is asked for once, and belongs to one of them', () => {
  const both = createTopicIndex([
    { gatewayId: 'a', baseTopics: ['shared'] },
    { gatewayId: 'b', baseTopics: ['shared', 'shared/deeper'] },
  ])
  expect(both.filters.filter((filter) => filter === 'shared/#')).toHaveLength(1)
  expect(both.ownerOf('shared/x')).toBe('a')
  expect(both.ownerOf('shared/deeper/x')).toBe('b')
})

test('a shared filter keeps the slash that a topic begins with', () => {
  expect(sharedFilter('demo', '/sys/pk1/#')).toBe('$share/demo//sys/pk1/#')
})

test('commands of the v1 contract are not for us', () => {
  expect(isCommandOf('gw1', 'v1/gw1/w1/command')).toBe(true)
  expect(isCommandOf('gw1', 'v1/gw1/w1/command-result')).toBe(false)
  expect(isCommandOf('gw1', 'v1/gw1/w1/command/x')).toBe(false)
  expect(isCommandOf('gw1', 'zigbee2mqtt/w1/x/command')).toBe(false)
})
