import { expect, test } from 'vitest'
import { createHome, simulateHome } from './home.js'
import type { SimulatedReading } from './scenarios.js'

const dayMs = 86_400_000
const hourMs = 3_600_000
const zones = ['Asia/Shanghai', 'Europe/Rome', 'America/New_York', 'Australia/Sydney', 'America/Santiago']
const from = Date.parse('2026-03-01T00:00:00Z')

const litres = (readings: SimulatedReading[]) =>
  readings.flatMap((r) => (r.kind === 'water' ? [{ at: r.at, value: r.reading.litres }] : []))
const wattHours = (readings: SimulatedReading[]) =>
  readings.flatMap((r) => (r.kind === 'electricity' ? [{ at: r.at, value: r.reading.wh, w: r.reading.w ?? 0 }] : []))

test('the same seed gives the same readings, another seed others', () => {
  const span = { timeZone: 'Asia/Shanghai', from, to: from + 3 * dayMs }
  const first = [...simulateHome({ seed: 7, ...span })]
  expect([...simulateHome({ seed: 7, ...span })]).toEqual(first)
  expect([...simulateHome({ seed: 8, ...span })]).not.toEqual(first)
})

test('readings do not depend on where the generation started', () => {
  const home = { seed: 11, timeZone: 'Europe/Rome', scenarios: [{ name: 'tap', at: from + 30 * hourMs } as const] }
  const wholeSpan = [...simulateHome({ ...home, from, to: from + 4 * dayMs })]
  const pieces: SimulatedReading[] = []
  for (let at = from; at < from + 4 * dayMs; at += 7 * hourMs + 12_345)
    pieces.push(...simulateHome({ ...home, from: at, to: Math.min(from + 4 * dayMs, at + 7 * hourMs + 12_345) }))
  expect(pieces).toEqual(wholeSpan)
  const late = [...simulateHome({ ...home, from: from + 3 * dayMs, to: from + 4 * dayMs })]
  expect(late).toEqual(wholeSpan.filter((r) => r.at * 1_000 >= from + 3 * dayMs))
})

test('registers continue from what is known without a step, even under another scenario', () => {
  const timeZone = 'Asia/Shanghai'
  const tap = createHome({ seed: 5, timeZone, scenarios: [{ name: 'tap', at: from }] })
  const at = from + 5 * hourMs
  const known = { water: { at, value: tap.litresAt(at / 1_000) }, electricity: { at, value: tap.whAt(at / 1_000) } }
  const home = createHome({ seed: 5, timeZone, continueFrom: known })
  expect(home.litresAt(at / 1_000)).toBe(known.water.value)
  expect(home.whAt(at / 1_000)).toBe(known.electricity.value)
  const plain = createHome({ seed: 5, timeZone })
  const later = at / 1_000 + 86_400
  expect(home.litresAt(later) - known.water.value).toBeCloseTo(plain.litresAt(later) - plain.litresAt(at / 1_000), 6)
})

test('60 days of 20 residents: registers never run backwards, and no 12 h pass without a sign of life', () => {
  const windowS = 12 * 3_600
  for (let seed = 1; seed <= 20; seed++) {
    const timeZone = zones[seed % zones.length]!
    const readings = [...simulateHome({ seed, timeZone, from, to: from + 60 * dayMs })]
    for (const register of [litres(readings), wattHours(readings)])
      for (let i = 1; i < register.length; i++)
        if (register[i]!.value < register[i - 1]!.value || register[i]!.at <= register[i - 1]!.at)
          expect.fail(`seed ${seed}: register ran backwards at ${register[i]!.at}`)
    const water = litres(readings)
    let start = 0
    for (const { at, value } of water) {
      while (water[start + 1]!.at <= at - windowS) start++
      if (at - water[0]!.at >= windowS && value - water[start]!.value < 10)
        expect.fail(`seed ${seed} ${timeZone}: ${value - water[start]!.value} L in the 12 h before ${at}`)
    }
    const day = (water.at(-1)!.value - water[0]!.value) / 60
    expect(day, `seed ${seed}: litres a day`).toBeGreaterThan(60)
    expect(day, `seed ${seed}: litres a day`).toBeLessThan(260)
    const power = wattHours(readings)
    const kwh = (power.at(-1)!.value - power[0]!.value) / 60_000
    expect(kwh, `seed ${seed}: kWh a day`).toBeGreaterThan(1.2)
    expect(kwh, `seed ${seed}: kWh a day`).toBeLessThan(8)
  }
})

test('meters report at least every five minutes, in whole steps of their resolution', () => {
  const readings = [...simulateHome({ seed: 3, timeZone: 'Asia/Shanghai', from, to: from + 2 * dayMs })]
  for (const register of [litres(readings), wattHours(readings)])
    for (let i = 1; i < register.length; i++) expect(register[i]!.at - register[i - 1]!.at).toBeLessThanOrEqual(300)
  for (const { value } of litres(readings)) expect(Math.round(value * 10) / 10).toBe(value)
})

test('people differ: in when they get up, and in how much water they use', () => {
  const midnightS = Date.parse('2026-03-01T16:00:00Z') / 1_000
  const homes = Array.from({ length: 12 }, (_, seed) => createHome({ seed, timeZone: 'Asia/Shanghai' }))
  const rises = homes.map((home) => {
    const day = home.planOf(Math.round((midnightS + 8 * 3_600) / 86_400))
    return Math.min(...day.loads.filter(({ watts }) => watts > 1_000).map(({ from: begins }) => begins - midnightS))
  })
  expect(Math.max(...rises) - Math.min(...rises)).toBeGreaterThan(1_800)
  expect(Math.min(...rises)).toBeGreaterThan(4.5 * 3_600)
  expect(Math.max(...rises)).toBeLessThan(9 * 3_600)
  const used = homes.map((home) => Math.round(home.litresAt(midnightS + 86_400) - home.litresAt(midnightS)))
  expect(new Set(used).size).toBeGreaterThan(8)
})

test('30 days of 12 homes in seconds', () => {
  const begun = performance.now()
  let count = 0
  for (let seed = 100; seed < 112; seed++)
    for (const _ of simulateHome({ seed, timeZone: 'Asia/Shanghai', from, to: from + 30 * dayMs })) count++
  const ms = performance.now() - begun
  console.log(`${count} readings in ${Math.round(ms)} ms`)
  expect(ms).toBeLessThan(10_000)
})

test('there is no time before 2024', () => {
  const before = Date.parse('2023-06-01T00:00:00Z')
  expect(() => [...simulateHome({ seed: 1, timeZone: 'UTC', from: before, to: before + dayMs })]).toThrow(RangeError)
})
