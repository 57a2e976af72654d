import { expect, test } from 'vitest'
import { idPattern, readingSchemas, type WaterReading } from '../ingest/contract.js'
import { demoCommunity, demoHomes } from './demo.js'
import { demoHistory, type HistoryBatch } from './demo-history.js'
import { createHome } from './home.js'

const timeZone = 'Asia/Shanghai'
const hourMs = 3_600_000
const community = demoCommunity({ timeZone })
const now = Date.parse('2026-06-10T02:34:56Z')

const waterOf = (batches: Iterable<HistoryBatch>, deviceId: string) =>
  [...batches].filter((b) => b.deviceId === deviceId).flatMap((b) => b.readings as WaterReading[])

test('twelve invented residents with ids of their own', () => {
  const { residents } = community
  expect(residents.length).toBe(12)
  for (const key of ['residentId', 'name', 'address', 'phone'] as const)
    expect(new Set(residents.map((resident) => resident[key])).size).toBe(12)
  for (const { name, address, home } of residents) {
    expect(name).toMatch(/^示例·.*Demo/)
    expect(address).toMatch(/^示例路/)
    for (const id of [home.gatewayId, ...Object.values(home.devices)]) expect(id).toMatch(idPattern)
  }
  expect(new Set(residents.flatMap(({ home }) => Object.values(home.devices))).size).toBe(
    residents.reduce((sum, { home }) => sum + Object.keys(home.devices).length, 0),
  )
})

test('the history ends at now, in order, in the words of the contract', () => {
  const homes = demoHomes(community, now)
  const newest = new Map<string, number>()
  let count = 0
  const begun = performance.now()
  for (const { deviceId, kind, readings } of demoHistory({ homes, now, days: 30 })) {
    expect(readings.length).toBeLessThanOrEqual(1_000)
    for (const reading of readings) {
      const ts = Number(reading.ts)
      if (ts <= (newest.get(deviceId) ?? 0)) expect.fail(`${deviceId}: ${ts} is not after ${newest.get(deviceId)}`)
      newest.set(deviceId, ts)
      if (count++ % 500 === 0) expect(readingSchemas[kind].safeParse(reading).success).toBe(true)
    }
  }
  console.log(`${count} readings of history in ${Math.round(performance.now() - begun)} ms`)
  expect(count).toBeGreaterThan(150_000)
  for (const { home } of community.residents) {
    for (const kind of ['water', 'electricity'] as const) {
      expect(newest.get(home.devices[kind]!)! * 1_000).toBeLessThan(now)
      expect(newest.get(home.devices[kind]!)! * 1_000).toBeGreaterThan(now - 301_000)
    }
  }
})

test('whatever the hour of the start, only the silent resident is silent, for just under 12 h, and one tap runs', () => {
  for (let hour = 0; hour < 24; hour += 3) {
    const start = now + hour * hourMs
    for (const [index, home] of demoHomes(community, start).entries()) {
      const { litresAt } = createHome({ seed: home.residentSeed, timeZone, scenarios: home.scenarios })
      const s = Math.floor(start / 1_000)
      const name = home.scenarios[0]?.name
      const used = (fromS: number, toS: number) => litresAt(s + toS) - litresAt(s + fromS)
      const inTwelveHours = used(-12 * 3_600, 0)
      expect(inTwelveHours, `resident ${index} at +${hour} h`).toBeGreaterThanOrEqual(10)
      if (name === 'silent') {
        expect(used(-12 * 3_600 + 60, 0)).toBe(0)
        expect(used(-12 * 3_600 + 60, 120)).toBe(0)
        expect(used(-12 * 3_600 - 60, 0)).toBeGreaterThanOrEqual(10)
      }
      if (name === 'tap') expect(used(-116 * 60, 0)).toBeGreaterThan(630)
      else if (name !== 'silent') expect(used(-2 * 3_600, 0)).toBeLessThan(250)
    }
  }
})

test('a second start fills what lies between and carries the registers on, without a step', () => {
  const later = now + 10 * 60_000
  const homes = demoHomes(community, now)
  for (const resident of [1, 3, 5]) {
    const { devices, residentSeed: seed, scenarios } = homes[resident]!
    const first = createHome({ seed, timeZone, scenarios })
    const at = Math.floor(now / 1_000) + 60
    const known = new Map([
      [devices.water!, { at: at * 1_000, value: first.litresAt(at) }],
      [devices.electricity!, { at: at * 1_000, value: first.whAt(at) }],
    ])
    const restarted = demoHomes(community, later)
    const batches = [...demoHistory({ homes: [restarted[resident]!], now: later, known })]
    const water = waterOf(batches, devices.water!)
    expect(water.length).toBeGreaterThan(0)
    expect(water[0]!.ts).toBeGreaterThan(at)
    expect(water[0]!.litres - first.litresAt(at)).toBeGreaterThanOrEqual(0)
    expect(water.at(-1)!.litres - first.litresAt(at)).toBeLessThan(120)
  }
})
