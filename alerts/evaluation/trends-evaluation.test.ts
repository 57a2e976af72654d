import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, expect, test } from 'vitest'
import type { ReadingArrival } from '../model.js'
import { emptyState, foldInto } from '../rules/fold.js'
import { wallClock } from '../rules/zone.js'
import { seeded } from './collapse.js'
import { homesIn, readingsOf } from './recordings.js'
import { evaluateTrends, trendRowsOf, trendTableOf } from './trends-evaluation.js'
import { fewerUses, moreVisits } from './trends-injected.js'

const hourS = 3_600
const days = 370
const startS = Date.parse('2025-01-06T00:00:00+01:00') / 1_000
let folder = ''

/** A year of an invented home, hourly: up once or twice a night, and in about ten hours of the day. */
beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), 'trends-'))
  for (const [index, name] of ['first', 'second'].entries()) {
    const roll = seeded(index + 1)
    const lines = ['epoch_s,kind,value']
    let litres = 100
    for (let hour = 0; hour < days * 24; hour += 1) {
      const clock = hour % 24
      if (roll() < (clock < 6 ? 0.25 : clock >= 7 && clock < 22 ? 0.6 : 0)) litres += 2 + Math.floor(roll() * 9)
      lines.push(`${startS + (hour + 1) * hourS},water,${litres}`)
    }
    mkdirSync(join(folder, name))
    writeFileSync(join(folder, name, 'home.json'), JSON.stringify({ timezone: 'Europe/Rome', source: 'Invented' }))
    writeFileSync(join(folder, name, 'readings.csv'), lines.join('\n'))
  }
})
afterAll(() => rmSync(folder, { recursive: true }))

/** How many litres ran by the clock of the home, and in how many intervals some did. */
function usesOf(readings: readonly ReadingArrival[], counts: (hour: number) => boolean) {
  let litres = 0
  let uses = 0
  for (const [index, reading] of readings.entries()) {
    const before = readings[index - 1]
    if (!before || !counts(wallClock(reading.receivedAt - 1, 'Europe/Rome').hour)) continue
    const more = reading.value! - before.value!
    expect(more).toBeGreaterThanOrEqual(0)
    litres += more
    if (more > 0) uses += 1
  }
  return { litres, uses }
}

test('visits are put into the nights, and uses taken away, as many as were asked for', async () => {
  const { readings } = await readingsOf(homesIn(folder)[0]!)
  const state = emptyState()
  foldInto(state, readings.slice(0, 24), readings[23]!.receivedAt, { timeZone: 'Europe/Rome', alarmsPerMonth: 1 }, [])
  const rest = readings.slice(24)
  const night = (hour: number) => hour < 5
  const more = moreVisits(rest, { perNight: 2, timeZone: 'Europe/Rome', roll: seeded(3) })
  const extra = (usesOf(more, night).litres - usesOf(rest, night).litres) / 6 / (days - 1)
  expect(extra).toBeGreaterThan(1.85)
  expect(extra).toBeLessThan(2.15)
  const day = (hour: number) => !night(hour)
  expect(usesOf(more, day)).toEqual(usesOf(rest, day))
  expect(moreVisits(rest, { perNight: 0, timeZone: 'Europe/Rome', roll: seeded(3) })).toEqual(rest)

  const start = rest[0]!.receivedAt
  const fewer = fewerUses(rest, state, { share: 0.4, start, roll: seeded(4) })
  const all = () => true
  const late = (list: readonly ReadingArrival[]) => list.slice(42 * 24)
  const early = (list: readonly ReadingArrival[]) => list.slice(0, 14 * 24)
  expect(usesOf(late(fewer), all).uses / usesOf(late(rest), all).uses).toBeCloseTo(0.6, 1)
  expect(usesOf(early(fewer), all).uses / usesOf(early(rest), all).uses).toBeGreaterThan(0.9)
})

test('finds what was put in far more often than what was not, the same each time', async () => {
  const run = async () => trendRowsOf(await evaluateTrends(folder, { rule: 'nights', changesEach: 6 }))
  const rows = await run()
  expect(await run()).toEqual(rows)
  const by = (level: unknown) => rows.find((row) => row.level === level)!
  expect(rows.map(({ level }) => level)).toEqual([0, 1, 2, 'double'])
  expect(by(2).foundShare).toBeGreaterThan(0.8)
  expect(by(2).foundShare).toBeGreaterThan(by(0).foundShare + 0.5)
  expect(by(2).medianDays).toBeLessThan(21)
  expect(by(0).toldPerYear).toBeLessThan(3)
  expect(trendTableOf(rows, 'nights')).toMatch(/^Invented \(2 homes, 1\.6 resident-years\)[\s\S]*\+2 visits a night/)
}, 60_000)

test('a decline is found within weeks, and none where there is none', async () => {
  const rows = trendRowsOf(await evaluateTrends(folder, { rule: 'decline', changesEach: 3 }))
  expect(rows.map(({ level, foundShare }) => [level, foundShare])).toEqual([
    [0, 0],
    [0.2, 1],
    [0.4, 1],
  ])
  expect(rows[2]!.medianDays).toBeLessThan(60)
  expect(rows[0]!.toldPerYear).toBe(0)
  expect(trendTableOf(rows, 'decline')).toContain('−40 % within 6 weeks')
  expect(trendTableOf([], 'decline')).toContain('no home here')
}, 60_000)
