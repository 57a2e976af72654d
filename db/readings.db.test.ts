import { afterAll, beforeAll, expect, test } from 'vitest'
import { startTestDatabase, type TestDatabase } from '../test/support/database.js'
import { seedCommunity } from '../test/support/fixtures.js'
import { insertAlarmReadings, insertReadings, type ReadingRow } from './readings.js'

let database: TestDatabase
let base: { deviceNo: number; residentId: string }
const now = new Date('2026-06-01T12:00:00Z')
const from = Date.UTC(2026, 5, 1)

beforeAll(async () => {
  database = await startTestDatabase()
  const { residents } = await seedCommunity(database.db, { key: 'r', now })
  base = { deviceNo: residents[0]!.devices.water, residentId: residents[0]!.residentId }
})
afterAll(() => database?.stop())

const full = (at: number): ReadingRow => ({
  ...base,
  kind: 'water',
  observedAt: at,
  receivedAt: at + 1_234,
  event: '',
  value: 123_456.789,
  rate: 0.1,
  unit: '升',
  battery: 0.8312,
  tamper: false,
  fault: true,
  clockWrong: true,
  seq: 2 ** 53 - 1,
})
const bare = (at: number): ReadingRow => ({
  ...base,
  kind: 'water',
  observedAt: at,
  receivedAt: at,
  event: '',
  clockWrong: false,
})
/** Without whose it is: then the server says it. */
const anonymous = ({ residentId: _, ...row }: ReadingRow): ReadingRow => row

async function arrivals() {
  const { rows } = await database.db.query<{
    resident_id: string
    received_at: Date
    entries: number
    body: unknown[]
  }>('delete from arrivals returning resident_id, received_at, entries, body')
  return rows
}

test('every column is stored as it was given, to the millisecond and the last digit', async () => {
  const rows = [full(from + 1), bare(from + 2), { ...bare(from + 3), value: -0.5 }]
  expect(await insertReadings(database.db, rows)).toBe(3)
  const { rows: stored } = await database.db.query(
    'select * from readings where observed_at < $1 order by observed_at',
    [new Date(from + 1_000)],
  )
  expect(stored[0]).toEqual({
    device_no: base.deviceNo,
    observed_at: new Date(from + 1),
    event: '',
    received_at: new Date(from + 1_235),
    value: 123_456.789,
    rate: 0.1,
    unit: '升',
    battery: 0.8312,
    tamper: false,
    fault: true,
    clock_wrong: true,
    seq: 2 ** 53 - 1,
  })
  expect(stored[1]).toMatchObject({ value: null, unit: null, battery: null, clock_wrong: null, seq: null })
  expect(stored[2]).toMatchObject({ value: -0.5, observed_at: new Date(from + 3) })
  await arrivals()
})

test('what the rules get is the same, whether we make it or the server does', async () => {
  const rows = [full(from + 2_002), bare(from + 2_001)]
  await insertReadings(database.db, rows)
  const ours = await arrivals()
  await database.db.query('delete from readings')
  await insertReadings(database.db, rows.map(anonymous))
  expect(ours).toEqual(await arrivals())
  expect(ours).toEqual([
    expect.objectContaining({ resident_id: base.residentId, entries: 2, received_at: new Date(from + 3_236) }),
  ])
})

test('of readings that were there already the rules get nothing, of the others all, however they come', async () => {
  const [old, fresh] = [full(from + 5_000), full(from + 6_000)]
  expect(await insertReadings(database.db, [old])).toBe(1)
  await arrivals()
  expect(await insertReadings(database.db, [old])).toBe(0)
  expect(await arrivals()).toEqual([])
  expect(await insertReadings(database.db, [old, fresh, fresh])).toBe(1)
  expect((await arrivals()).map(({ body }) => body)).toEqual([[expect.objectContaining({ observedAt: from + 6_000 })]])
  expect(await insertAlarmReadings(database.db, [fresh, { ...fresh, event: 'pressed' }])).toEqual([
    { deviceNo: base.deviceNo, observedAt: from + 6_000, event: 'pressed' },
  ])
  expect((await arrivals()).flatMap(({ body }) => body)).toEqual([expect.objectContaining({ event: 'pressed' })])
})
