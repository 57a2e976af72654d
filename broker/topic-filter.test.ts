import { expect, test } from 'vitest'
import { filterCovers, filterMatches, isTopicFilter, isTopicName } from './topic-filter.js'

test.each([
  ['a/b', 'a/b', true],
  ['a/b', 'a/c', false],
  ['a/b', 'a/bc', false],
  ['a/bc', 'a/b', false],
  ['a/#', 'a', true],
  ['a/#', 'a/', true],
  ['a/#', 'a/b/c', true],
  ['a/#', 'ab', false],
  ['a/+', 'a/b', true],
  ['a/+', 'a/', true],
  ['a/+', 'a', false],
  ['a/+', 'a/b/c', false],
  ['a/+/#', 'a/b', true],
  ['+/b', '/b', true],
  ['+', 'a', true],
  ['+', 'a/b', false],
  ['#', 'a/b', true],
  ['#', '$SYS/a', false],
  ['+/a', '$SYS/a', false],
  ['$SYS/#', '$SYS/a', true],
  ['/sys/+/x', '/sys/a/x', true],
])('%j matches %j: %s', (filter, topic, matches) => {
  expect(filterMatches(filter, topic)).toBe(matches)
})

test.each([
  ['homeassistant/#', 'homeassistant/#', true],
  ['homeassistant/#', 'homeassistant/+/+/config', true],
  ['homeassistant/#', 'homeassistant', true],
  ['homeassistant/#', 'homeassistant/status', true],
  ['homeassistant/#', '#', false],
  ['homeassistant/#', '+/#', false],
  ['homeassistant/#', '+/status', false],
  ['homeassistant/#', 'homeassistant2/a', false],
  ['a/+', 'a/#', false],
  ['a/+', 'a/+', true],
  ['a/+', 'a/+/b', false],
  ['a/+/c', 'a/b/c', true],
  ['a/b/c', 'a/+/c', false],
  ['#', '$SYS/#', false],
  ['+/a', '$x/a', false],
  ['a/#', '$share/g/a/#', false],
])('all of %j contains all of %j: %s', (outer, inner, covers) => {
  expect(filterCovers(outer, inner)).toBe(covers)
})

test('what a filter covers it matches, whatever the levels', () => {
  const levels = ['', 'a', 'b', 'ab', '+', '#', '$a']
  const all = levels.flatMap((x) => [
    x,
    ...levels.flatMap((y) => [`${x}/${y}`, ...levels.map((z) => `${x}/${y}/${z}`)]),
  ])
  const filters = all.filter(isTopicFilter)
  const topics = all.filter(isTopicName)
  expect(filters.length).toBeGreaterThan(150)
  for (const filter of filters)
    for (const topic of topics) {
      const matches = filterMatches(filter, topic)
      if (matches !== filterCovers(filter, topic)) throw new Error(`${filter} ${topic} ${matches}`)
    }
  for (const outer of filters)
    for (const inner of filters) {
      if (!filterCovers(outer, inner)) continue
      const stray = topics.find((topic) => filterMatches(inner, topic) && !filterMatches(outer, topic))
      if (stray !== undefined) throw new Error(`${outer} ${inner} ${stray}`)
    }
})

test('names and filters', () => {
  for (const bad of ['', 'a/+', '#', 'a\0', 'x'.repeat(65_536)]) expect(isTopicName(bad), bad).toBe(false)
  for (const good of ['a', '/', '/sys/a', '楼/一']) expect(isTopicName(good), good).toBe(true)
  for (const bad of ['', 'a#', '#/a', 'a+', '+a/b', 'a/b+/c', 'a\0']) expect(isTopicFilter(bad), bad).toBe(false)
  for (const good of ['#', '+', '+/+', 'a/#', '/#', 'a//+']) expect(isTopicFilter(good), good).toBe(true)
})
