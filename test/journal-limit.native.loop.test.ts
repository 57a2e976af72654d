import { setTimeout as sleep } from 'node:timers/promises'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { startTestDatabase, type TestDatabase } from './support/database.js'
import { type FaultyLine, startFaultyLine } from './support/faulty-line.js'
import type { Sent } from './support/gateway-load.js'
import { acknowledged, sentOf, startJournalScene } from './support/journal-scene.js'
import { eventually, seedOf } from './support/processes.js'
import { pageDelays, pressesOf, toldTwice } from './support/told.js'

const seed = seedOf('journal-limit')
let database: TestDatabase
let line: FaultyLine
beforeAll(async () => {
  database = await startTestDatabase()
  line = await startFaultyLine({ targetUrl: database.url })
})
afterAll(async () => {
  await line?.stop()
  await database?.stop()
})

const start = (env: Record<string, string>) => startJournalScene({ database, line, buttons: 700, seed, env })
const meters = (readings: Sent[]) => readings.filter(({ value }) => value !== null)

test('at its limit the journal takes no more meter readings, and all emergencies; what was withheld comes in later', async () => {
  const { rig, loads, publish, ready, finish, balance } = await start({ JOURNAL_MB_MAX: '1' })
  await line.away()
  const awayAt = Date.now()
  const from = awayAt - 7 * 86_400_000
  const backlog = (n: number) =>
    Array.from({ length: 1_000 }, (_, i) => ({ ts: from + (n * 1_000 + i) * 1_000, litres: n + i / 1_000 }))
  const withheld = Promise.all(Array.from({ length: 40 }, (_, n) => publish('water', backlog(n))))
  await eventually('full', async () => (await ready()).includes('it is full') || undefined, 20_000)
  await sleep(500)
  const fullAt = Date.now()
  const metersBefore = meters(acknowledged(loads.slice(2, 3))).length
  const pressesBefore = pressesOf(acknowledged(loads)).length
  await sleep(4_000)
  expect(meters(acknowledged(loads.slice(2, 3))).length - metersBefore, 'arrays acknowledged').toBeLessThan(200)
  expect(pressesOf(acknowledged(loads)).length - pressesBefore).toBeGreaterThan(20)
  const pressed = pressesOf(sentOf(loads)).filter(({ ts }) => ts > awayAt && ts < Date.now() - 2_000)
  expect(rig.edge().stderr()).toBe('')
  await line.mend()
  await eventually('drained', async () => (await ready()).startsWith('ready') || undefined, 30_000)
  await finish()
  await withheld
  const counts = await balance()
  expect(counts.acknowledged).toBe(counts.sent)
  const delays = pageDelays(rig.receiver, pressed)
  console.log(
    `full after ${fullAt - awayAt} ms`,
    counts,
    `paged p50 ${delays[delays.length >> 1]} max ${delays.at(-1)}`,
  )
  expect(delays.at(-1)).toBeLessThan(2_000)
  expect(toldTwice(rig.receiver)).toEqual([])
})
