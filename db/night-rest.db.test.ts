import { afterAll, beforeAll, expect, test } from 'vitest'
import { registerCommunity } from '../test/support/community.js'
import { startTestDatabase, type TestDatabase } from '../test/support/database.js'
import { bedNights } from './night-rest.js'
import { insertReadings } from './readings.js'

let database: TestDatabase
let beds: number[]
const from = Date.parse('2026-03-02T10:00:00Z')
const minute = 60_000
const hour = 60 * minute
const to = from + 18 * hour

beforeAll(async () => {
  database = await startTestDatabase()
  await registerCommunity(database.db, { key: 'a', homes: 3 })
  const { rows } = await database.db.query<{ device_no: number }>(
    `insert into devices (device_id, kind, gateway_id, resident_id, bound_at)
     select gateway_id || '-bed', 'bed', gateway_id, gateway_id, $1 from gateways order by gateway_id returning device_no`,
    [new Date(from)],
  )
  beds = rows.map((row) => row.device_no)
})
afterAll(() => database.stop())

type Said = [minutes: number, inBed: boolean, breaths?: number, heart?: number]
const say = (deviceNo: number, said: Said[]) =>
  insertReadings(
    database.db,
    said.map(([minutes, inBed, value, rate]) => {
      const at = from + minutes * minute
      return { deviceNo, observedAt: at, receivedAt: at, event: inBed ? 'in' : 'out', value, rate, clockWrong: false }
    }),
  )
const nights = (deviceNos = beds) => bedNights(database.db, { deviceNos, from, to })

test('a bed that said nothing in that time is not there, and no beds are no question', async () => {
  await say(beds[0]!, [
    [-1, true],
    [18 * 60, true],
  ])
  expect(await nights()).toEqual([])
  expect(await nights([])).toEqual([])
})

test('edges are changes, long gaps and the first of the night, each with what was said before', async () => {
  await say(beds[1]!, [
    [-45, false],
    [5, false],
    [10, true, 15, 61],
    [20, true, 12, 0],
    [60, true, 18, 70],
    [65, false, 30, 99],
  ])
  const at = (minutes: number) => from + minutes * minute
  const said = (minutes: number, inBed: boolean) => ({ at: at(minutes), inBed })
  expect(await nights()).toEqual([
    {
      deviceNo: beds[1],
      readings: 5,
      firstAt: at(5),
      lastAt: at(65),
      lastInBed: false,
      breaths: { min: 12, max: 18 },
      heartBeats: { min: 61, max: 70 },
      edges: [
        { ...said(5, false), before: said(-45, false) },
        { ...said(10, true), before: said(5, false) },
        { ...said(60, true), before: said(20, true) },
        { ...said(65, false), before: said(60, true) },
      ],
    },
  ])
})

test('a sensor that has gone mad is cut off, and one of a reading each 10 s stays small', async () => {
  await say(
    beds[2]!,
    Array.from({ length: 6_480 }, (_, i) => [i / 6, i < 2_000 ? i % 2 === 0 : true, 14, 60] as Said),
  )
  const [night] = await nights([beds[2]!])
  expect(night).toMatchObject({ readings: 6_480, lastInBed: true, breaths: { min: 14, max: 14 } })
  expect(night!.edges).toHaveLength(500)
})
