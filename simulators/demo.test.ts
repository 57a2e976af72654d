import { expect, test } from 'vitest'
import type { ReadingArrival } from '../alerts/model.js'
import { emptyState, fold } from '../alerts/rules/fold.js'
import { idPattern, readingSchemas, type WaterReading } from '../ingest/contract.js'
import { arrivedAt, demoCommunity, demoHomes } from './demo.js'
import { demoHistory, type HistoryBatch } from './demo-history.js'
import { createHome } from './home.js'
import { type LiveHome, newReadings } from './simulated-home.js'

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

/** What the rules are handed of a home that the demo has lived in for 30 days at `start`, and for five minutes since. */
function heardOf(home: LiveHome, start: number) {
  const span = { known: new Map(), intervalS: 300, from: start - 30 * 24 * hourMs, to: start + 300_000 }
  const heard: ReadingArrival[] = []
  for (const { kind, at, reading } of newReadings(home, span)) {
    if (kind !== 'water' && kind !== 'electricity') continue
    const receivedAt = at * 1_000 < start ? arrivedAt(home, at * 1_000, start) : at * 1_000
    if (receivedAt === null) continue
    const value = 'litres' in reading ? reading.litres : 'wh' in reading ? reading.wh : 0
    const common = { type: 'reading', event: '', observedAt: at * 1_000, receivedAt, value } as const
    heard.push({ ...common, kind, deviceNo: kind === 'water' ? 1 : 2 })
  }
  return heard
}

test('whatever the hour of the start, the silent resident is asked about 75 s after it, and nothing was about to be before', () => {
  for (let hour = 0; hour < 24; hour += 3) {
    const start = now + hour * hourMs
    const heard = heardOf(demoHomes(community, start)[1]!, start)
    const { decisions } = fold(emptyState(), heard, start + 300_000, { timeZone, alarmsPerMonth: 2 })
    const about = decisions.filter((decision) => 'kind' in decision && decision.kind.startsWith('silen'))
    const [last, ...before] = about.reverse()
    expect(last, `start at +${hour} h`).toMatchObject({
      type: 'open',
      kind: 'silence_unusual',
      openedAt: Math.floor(start / 1_000) * 1_000 + 75_000,
      askUntil: Math.floor(start / 1_000) * 1_000 + 75_000 + hourMs / 2,
    })
    expect(before[0]?.type ?? 'clear', `start at +${hour} h`).toBe('clear')
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
