import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, expect, test } from 'vitest'
import type { ReadingArrival } from '../model.js'
import { seeded } from './collapse.js'
import { drawMoments, leftRunning, protocols } from './left-running.js'
import { homesIn, readingsOf } from './recordings.js'
import { evaluateOthers, tableOfOthers } from './running-evaluation.js'

const hourMs = 3_600_000
const startS = Date.parse('2025-01-06T00:00:00+01:00') / 1_000
let folder = ''

/** 50 days of two invented homes: water by the litre, electricity by the Wh, used now and then from 7 to 22. */
function writeHome(name: string, kinds: ('water' | 'electricity')[]): void {
  const roll = seeded(5)
  const lines = ['epoch_s,kind,value']
  let litres = 100
  let wh = 5_000
  for (let slot = 0; slot < 50 * 48; slot += 1) {
    const hour = (slot / 2) % 24
    const isUp = hour >= 7 && hour < 22
    if (isUp && roll() < 0.35) litres += 2 + Math.floor(roll() * 9)
    wh += 40 + (isUp && roll() < 0.1 ? 600 : 0)
    for (const kind of kinds) lines.push(`${startS + slot * 1_800},${kind},${kind === 'water' ? litres : wh}`)
  }
  mkdirSync(join(folder, name))
  writeFileSync(
    join(folder, name, 'home.json'),
    JSON.stringify({ timezone: 'Europe/Rome', source: 'Invented, seeded' }),
  )
  writeFileSync(join(folder, name, 'readings.csv'), `${lines.join('\n')}\n`)
}

beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), 'running-'))
  writeHome('both', ['water', 'electricity'])
  writeHome('dry', ['electricity'])
})
afterAll(() => rmSync(folder, { recursive: true }))

test('finds what is left on in homes that have the meter, and nothing where nothing is; the same each time', async () => {
  const rows = async () => [
    ...(await evaluateOthers(folder, { rule: 'running', each: 6 })),
    ...(await evaluateOthers(folder, { rule: 'leak', each: 6 })),
    ...(await evaluateOthers(folder, { rule: 'appliance', each: 6 })),
  ]
  const first = await rows()
  expect(
    first.map(({ rule, homes, natural, injected }) => [rule, homes, natural, injected.map((one) => one.amount)]),
  ).toEqual([
    ['running', 1, 0, [400]],
    ['leak', 1, 0, [3, 5, 10, 30]],
    ['appliance', 2, 0, [1_000, 1_500, 2_000]],
  ])
  for (const { injected, homes } of first)
    for (const { cases, found } of injected) expect([cases, found]).toEqual([6 * homes, 6 * homes])
  const [tap, leak, appliance] = first.map(({ injected }) => injected[0]!.median!)
  expect(tap).toBeGreaterThanOrEqual(2)
  expect(tap).toBeLessThan(3.1)
  expect(leak).toBeGreaterThan(40)
  expect(leak).toBeLessThan(50)
  expect(appliance).toBeGreaterThan(0.7)
  expect(appliance).toBeLessThan(8)
  expect(await rows()).toEqual(first)
  const table = tableOfOthers(first)
  expect(table).toContain('Invented (1 homes), leak: with nothing injected 0.00 a resident-month (0 in 0.7)')
  expect(table).toMatch(/400 L\/h\s+6\/6 100 %/)
})

test('what is left running shows in the steps in which the register counts, from its moment on', async () => {
  const { readings } = await readingsOf(homesIn(join(folder, 'both'))[0]!)
  const water = readings.filter(({ kind }) => kind === 'water')
  const at = water[100]!.observedAt + hourMs / 4
  const after = [...leftRunning(water, 101, { at, amount: 10, step: 1, meter: 'water', ms: 3 * hourMs })]
  const more = after.map(({ value }, index) => value! - water[101 + index]!.value!)
  expect(more).toEqual([2, 7, 12, 17, 22, 27])
  expect(
    [...leftRunning(readings, 202, { at, amount: 10, step: 1, meter: 'electricity', ms: hourMs })].filter(
      ({ kind }) => kind === 'water',
    ),
  ).toEqual(water.slice(101, 103))
})

test('draws moments of real use, never in a hole, and no more than there are', async () => {
  const { readings } = await readingsOf(homesIn(join(folder, 'both'))[0]!)
  const water = readings.filter(({ kind }) => kind === 'water')
  const from = water[0]!.receivedAt + 28 * 24 * hourMs
  const until = water.at(-1)!.receivedAt - 24 * hourMs
  const draw = (some: ReadingArrival[]) =>
    drawMoments(some, protocols.running, { from, until, each: 1_000, seed: 9 }, 'Europe/Rome')
  const moments = draw(water)
  expect(moments.length).toBeGreaterThan(100)
  expect(moments.length).toBeLessThan(water.length / 3)
  for (const { index, at } of moments) {
    expect(water[index]!.value).toBeGreaterThan(water[index - 1]!.value!)
    expect(at).toBeGreaterThanOrEqual(water[index]!.receivedAt)
    expect(at).toBeLessThanOrEqual(water[index + 1]!.receivedAt)
  }
  const holed = water.filter((_, index) => index % 8 === 0)
  expect(draw(holed)).toEqual([])
})

test('what leaks already is not asked about again', async () => {
  const leaking = join(folder, 'both')
  const { readings } = await readingsOf(homesIn(leaking)[0]!)
  const at = startS * 1_000 + 34 * 24 * hourMs
  const water = readings.filter(({ kind }) => kind === 'water')
  const after = [...leftRunning(water, 0, { at, amount: 20, step: 1, meter: 'water', ms: 60 * 24 * hourMs })]
  mkdirSync(join(folder, 'old', 'leak'), { recursive: true })
  writeFileSync(join(folder, 'old', 'leak', 'home.json'), JSON.stringify({ timezone: 'Europe/Rome' }))
  const lines = after.map(({ observedAt, value }) => `${observedAt / 1_000},water,${value}`)
  writeFileSync(join(folder, 'old', 'leak', 'readings.csv'), `${lines.join('\n')}\n`)
  const [row] = await evaluateOthers(join(folder, 'old', 'leak'), { rule: 'leak', each: 20 })
  expect(row!.natural).toBe(1)
  expect(row!.injected[0]!.cases).toBeGreaterThan(4)
  expect(row!.injected[0]!.cases).toBeLessThan(16)
})

test('a folder without such a meter is told so', async () => {
  await expect(evaluateOthers(join(folder, 'dry'), { rule: 'leak', each: 1 })).rejects.toThrow(
    'no home with a water meter',
  )
})
