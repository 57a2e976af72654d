import { expect, test } from 'vitest'
import { partNames, readBenchArguments } from './arguments.js'
import { median, percentile, tableOf } from './figure.js'

test('without arguments: all parts, three rounds, a table', () => {
  expect(readBenchArguments([])).toEqual({ json: false, rounds: 3, parts: [...partNames] })
  expect(readBenchArguments(['--json', '--rounds', '5', '--only', 'press,ingest'])).toEqual({
    json: true,
    rounds: 5,
    parts: ['press', 'ingest'],
  })
})

test.each([
  [['--fast'], /--fast/],
  [['now'], /now/],
  [['--rounds', '0'], /--rounds 0: a whole number/],
  [['--rounds', 'many'], /--rounds many/],
  [['--only', 'ingest,speed'], /no such part, only ingest/],
])('%j is refused with a line that says why', (argv, message) => {
  expect(() => readBenchArguments(argv)).toThrow(message)
})

test('the median and the nearest rank', () => {
  expect(median([3, 1, 2])).toBe(2)
  expect(median([4, 1, 2, 3])).toBe(2.5)
  expect(() => median([])).toThrow(RangeError)
  const hundred = Array.from({ length: 100 }, (_, i) => i + 1)
  expect([50, 99, 99.9].map((percent) => percentile(hundred, percent))).toEqual([50, 99, 100])
})

test('a table has a line for each figure, its numbers under each other', () => {
  const lines = tableOf([
    { part: 'ingest', name: 'edge', value: 12_345.6, unit: 'readings/s', rounds: [12_000, 12_345.6] },
    { part: 'ingest', name: 'edge ÷ bare', value: 0.5, unit: '×', note: 'on two cores' },
  ])
  expect(lines).toEqual([
    'edge         12,346  readings/s  (12,000 · 12,346)',
    'edge ÷ bare    0.50  ×                              on two cores',
  ])
})
