import { expect, test } from 'vitest'
import { arrivalsOf } from './arrivals.js'
import type { ReadingRow } from './readings.js'

const row = (over: Partial<ReadingRow> = {}): ReadingRow => ({
  deviceNo: 1,
  residentId: 'a',
  kind: 'water',
  observedAt: 1_780_000_000_000,
  receivedAt: 1_780_000_001_000,
  event: '',
  value: 12.5,
  clockWrong: false,
  ...over,
})
const entriesOf = (rows: ReadingRow[]) =>
  arrivalsOf(rows)!.map(({ residentId, entries, receivedAt, body }) => ({
    residentId,
    entries,
    receivedAt,
    body: JSON.parse(body) as Record<string, unknown>[],
  }))

test('a reading is told with what it has, and not with what it lacks', () => {
  const full = row({ rate: -0.5, battery: 0.25, tamper: false, fault: true, clockWrong: true, unit: 'ppm', seq: 7 })
  expect(entriesOf([row({ value: undefined }), full])[0]!.body).toEqual([
    {
      type: 'reading',
      deviceNo: 1,
      kind: 'water',
      event: '',
      observedAt: 1_780_000_000_000,
      receivedAt: 1_780_000_001_000,
    },
    {
      type: 'reading',
      deviceNo: 1,
      kind: 'water',
      event: '',
      observedAt: 1_780_000_000_000,
      receivedAt: 1_780_000_001_000,
      value: 12.5,
      rate: -0.5,
      battery: 0.25,
      tamper: false,
      fault: true,
      clockWrong: true,
    },
  ])
})

test('a row for each resident, its readings in the order of arrival, then of what the devices say', () => {
  const rows = [
    row({ receivedAt: 3_000, observedAt: 1 }),
    row({ residentId: 'b', deviceNo: 9, receivedAt: 2_000 }),
    row({ receivedAt: 2_000, observedAt: 5 }),
    row({ receivedAt: 2_000, observedAt: 4, deviceNo: 2 }),
    row({ receivedAt: 2_000, observedAt: 4 }),
  ]
  const [a, b] = entriesOf(rows)
  expect(a).toMatchObject({ residentId: 'a', entries: 4, receivedAt: 3_000 })
  expect(a!.body.map((entry) => [entry.receivedAt, entry.observedAt, entry.deviceNo])).toEqual([
    [2_000, 4, 1],
    [2_000, 4, 2],
    [2_000, 5, 1],
    [3_000, 1, 1],
  ])
  expect(b).toMatchObject({ residentId: 'b', entries: 1, receivedAt: 2_000 })
})

test.each(['residentId', 'kind'] as const)('none where a reading does not say its %s', (field) => {
  const { [field]: _, ...rest } = row()
  expect(arrivalsOf([row(), rest])).toBeUndefined()
})
