import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, expect, test } from 'vitest'
import type { ReadingArrival } from '../model.js'
import { wallClock } from '../rules/zone.js'
import { afterCollapse, drawCollapses, seeded } from './collapse.js'
import { curveOf } from './curve.js'
import { evaluate } from './evaluate.js'
import { homesIn, readingsOf } from './recordings.js'
import { type ReplayedAlert, replay, replayArgs, speedOf } from './replay.js'
import { rowsOf, tableOf } from './report.js'
import { quantile } from './summary.js'

const hourS = 3_600
const startS = Date.parse('2025-01-06T00:00:00+01:00') / 1_000
let folder = ''

/** 70 days of an invented home: water about every hour and a half from 7 to 22, a fridge, lights and a kettle. */
function writeHome(name: string, seed: number): void {
  const roll = seeded(seed)
  const lines = ['epoch_s,kind,value']
  let litres = 100
  let wh = 5_000
  for (let slot = 0; slot < 70 * 48; slot += 1) {
    const at = startS + slot * 1_800
    const hour = (slot / 2) % 24
    const isUp = hour >= 7 && hour < 22
    if (isUp && roll() < 0.35) litres += 2 + Math.floor(roll() * 9)
    wh += 40 + (slot % 3 === 0 ? 20 : 0) + (isUp && roll() < 0.2 ? 150 : 0)
    lines.push(`${at},water,${litres}`, `${at},electricity,${wh}`)
  }
  const end = startS + 70 * 86_400
  lines.push(`${end},motion,1`, `${end},motion,off`, `${end},door,open`, `${end},door,ajar`, `${end},light,1`, '')
  mkdirSync(join(folder, name))
  writeFileSync(
    join(folder, name, 'home.json'),
    JSON.stringify({ timezone: 'Europe/Rome', source: 'Invented, seeded' }),
  )
  writeFileSync(join(folder, name, 'readings.csv'), lines.join('\n'))
}

beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), 'recordings-'))
  writeHome('first', 1)
  writeHome('second', 2)
})
afterAll(() => rmSync(folder, { recursive: true }))

test('reads a folder of homes, or one home; says what it left out, and what is missing', async () => {
  const homes = homesIn(folder)
  expect(homes.map(({ name, group, timeZone }) => [name, group, timeZone])).toEqual([
    ['first', 'Invented', 'Europe/Rome'],
    ['second', 'Invented', 'Europe/Rome'],
  ])
  expect(homesIn(join(folder, 'first')).map(({ name }) => name)).toEqual(['first'])
  const { readings, leftOut } = await readingsOf(homes[0]!)
  expect([readings.length, leftOut]).toEqual([2 * 70 * 48 + 3, 2])
  expect(readings.slice(-3).map(({ kind, event }) => [kind, event])).toEqual([
    ['motion', 'motion'],
    ['motion', 'still'],
    ['door', 'open'],
  ])
  expect(readings[0]).toMatchObject({ kind: 'water', value: 100, observedAt: startS * 1_000 })
  expect(() => homesIn(join(folder, 'nowhere'))).toThrow('no such folder')
  expect(() => homesIn(tmpdir())).toThrow('no home.json')
})

test('the command line is read strictly', () => {
  expect(replayArgs(['DIR'])).toEqual({ folder: 'DIR', alarmsPerMonth: 1, json: false })
  expect(replayArgs(['DIR', '--budget', '0.5', '--json'])).toEqual({ folder: 'DIR', alarmsPerMonth: 0.5, json: true })
  for (const args of [[], ['A', 'B'], ['A', '--budget', '0'], ['A', '--budget', 'x'], ['A', '--other']])
    expect(() => replayArgs(args)).toThrow()
})

test('two replays give the identical list', async () => {
  const run = async () => {
    const alerts: ReplayedAlert[] = []
    const done = await replay(folder, { alarmsPerMonth: 4, onAlert: (alert) => alerts.push(alert) })
    return { alerts, readings: done.readings }
  }
  const [one, two] = [await run(), await run()]
  expect(one).toEqual(two)
  expect(one.readings).toBe(2 * (2 * 70 * 48 + 3))
  const unusual = one.alerts.filter(({ rule }) => rule === 'silence_unusual')
  expect(unusual.length).toBeGreaterThan(0)
  for (const { openedAt, silentSince, en, zh } of unusual) {
    expect(openedAt).toBeGreaterThan(silentSince! + 1.9 * hourS)
    expect(en).toMatch(/^No water or electricity used since .* at this hour silence normally lasts at most /)
    expect(zh).toMatch(/未用水、未用电；这个时段平时最多安静 /)
  }
})

test('collapses are drawn where the protocol says, the same ones each time', async () => {
  const { readings } = await readingsOf(homesIn(folder)[0]!)
  const activeAt: number[] = []
  for (const [index, { kind, value, receivedAt }] of readings.entries()) {
    const used = kind === 'water' && value! > (readings[index - 2]?.value ?? value!)
    activeAt.push(used ? receivedAt : (activeAt.at(-1) ?? receivedAt))
  }
  const from = (startS + 28 * 86_400) * 1_000
  const p = { from, observeMs: 48 * hourS * 1_000, each: 40, seed: 7, timeZone: 'Europe/Rome' }
  const drawn = drawCollapses(readings, activeAt, p)
  expect(drawn).toEqual(drawCollapses(readings, activeAt, p))
  expect(drawn.filter(({ night }) => night).length).toBe(40)
  expect(drawn.length).toBe(80)
  for (const { at, index, night } of drawn) {
    const { hour } = wallClock(at, 'Europe/Rome')
    expect(night ? hour >= 22 || hour < 6 : hour >= 7 && hour < 21).toBe(true)
    if (!night) expect(at - activeAt[index - 1]!).toBeLessThanOrEqual(hourS * 1_000)
    expect(readings[index]!.receivedAt).toBeGreaterThan(at)
    expect(readings[index - 1]!.receivedAt).toBeLessThanOrEqual(at)
    expect(at).toBeGreaterThan(from)
  }
})

test('after a collapse the water register is frozen, and electricity goes on at its night load', async () => {
  const { readings } = await readingsOf(homesIn(folder)[0]!)
  const index = 2 * 48 * 40 + 30
  const collapse = { at: readings[index]!.receivedAt - 1, index, night: false }
  const after = [...afterCollapse(readings, collapse, { untilMs: 24 * hourS * 1_000, timeZone: 'Europe/Rome' })]
  const values = (kind: string, list: ReadingArrival[]) => list.flatMap((r) => (r.kind === kind ? [r.value!] : []))
  const before = values('water', readings.slice(0, index)).at(-1)
  expect(new Set(values('water', after))).toEqual(new Set([before]))
  const power = values('electricity', after)
  const steps = new Set(power.slice(1).map((value, i) => value - power[i]!))
  // 40 Wh in a half hour, 60 with the fridge: no lights, no kettle.
  expect([...steps].sort()).toEqual([40, 60])
})

test('evaluates learned and fixed rules in one run: the table, the ratios, the curve', async () => {
  const results = await evaluate(folder, { collapsesEach: 10 })
  const again = await evaluate(folder, { collapsesEach: 10 })
  const rows = rowsOf(results)
  expect(rowsOf(again)).toEqual(rows)
  const fixed = rows.filter(({ rule, measure }) => rule === 'fixed' && measure === 'activity')
  // By day within an hour of use: a rule of 8 h finds it after 7 to 8 h and one interval of the meter.
  expect(fixed.map(({ hours }) => hours)).toEqual([8, 12, 24])
  expect(fixed[0]!.summary.day.median).toBeGreaterThan(6.9)
  expect(fixed[0]!.summary.day.p90).toBeLessThan(9.1)
  const learned = rows.filter(({ rule }) => rule === 'learned')
  expect(learned.map(({ budget }) => budget)).toEqual([4, 2.7, 2, 1, 0.5, 0.2])
  for (const { budget, summary } of learned) if (budget! >= 1) expect(summary.day.median).toBeLessThan(12)
  expect(tableOf(rows).split('\n').length).toBe(rows.length + 3)
  expect(curveOf(results)).toMatch(/^<svg [\s\S]*learned<\/text>[\s\S]*<\/svg>\n$/)
}, 60_000)

test('the speed of a replay is that of one core, from a cold start and when warm', () => {
  const part = (readings: number, cpuMs: number) => ({ readings, cpuMs })
  expect(speedOf([part(1_000, 20), part(1_000, 20), part(2_000, 10)])).toEqual({ all: 80_000, warm: 100_000 })
  expect(speedOf([])).toEqual({ all: 0, warm: 0 })
})

test('quantiles are values that occurred', () => {
  expect([quantile([3, 1, 2], 0.5), quantile([1, 2, 3, 4], 0.9), quantile([], 0.5)]).toEqual([2, 4, 0])
})
