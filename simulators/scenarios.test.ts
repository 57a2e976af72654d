import { expect, test } from 'vitest'
import { readingSchemas } from '../ingest/contract.js'
import { simulateHome } from './home.js'
import { scenarioTime } from './scenario-time.js'
import { isOffline, type Scenario, type ScenarioName, type SimulatedReading, scenarioNames } from './scenarios.js'

const hourMs = 3_600_000
const timeZone = 'Asia/Shanghai'
/** 08:00 in Shanghai. */
const morning = Date.parse('2026-05-04T00:00:00Z')
const home = { seed: 21, timeZone, from: morning - 24 * hourMs, to: morning + 36 * hourMs }
const play = (name: ScenarioName, at: number, until?: number): SimulatedReading[] => {
  const scenario: Scenario = { name, at, ...(until === undefined ? {} : { until }) }
  return [...simulateHome({ ...home, scenario })]
}
const healthy = [...simulateHome(home)]
const registerAt = (readings: SimulatedReading[], kind: 'water' | 'electricity', at: number) => {
  const last = readings.filter((r) => r.kind === kind && r.at * 1_000 <= at).at(-1)!
  return last.kind === 'water' ? last.reading.litres : last.kind === 'electricity' ? last.reading.wh : Number.NaN
}
const before = (readings: SimulatedReading[], at: number) => readings.filter((r) => r.at * 1_000 < at)

test('every scenario speaks the contract and leaves what was before it alone', () => {
  const at = morning + 4 * hourMs
  for (const name of scenarioNames) {
    const readings = play(name, at)
    for (const { kind, reading } of readings) expect(readingSchemas[kind].safeParse(reading).success).toBe(true)
    // A silence ends the loads a little earlier, so that its first second is known.
    const untouched = at - 75 * 60_000
    expect(before(readings, untouched), name).toEqual(before(healthy, untouched))
  }
})

test.each(['fall', 'silent', 'fall-night'] as const)('%s: used until then, nothing after', (name) => {
  const at = morning + 5 * hourMs
  const readings = play(name, at)
  const drop = registerAt(readings, 'water', at) - registerAt(readings, 'water', at - 150_000)
  expect(drop).toBeGreaterThanOrEqual(name === 'fall-night' ? 6 : 12)
  expect(readings.some((r) => r.kind === 'water' && r.at * 1_000 === at)).toBe(true)
  expect(registerAt(readings, 'water', at + 24 * hourMs)).toBe(registerAt(readings, 'water', at))
  const power = readings.flatMap((r) => (r.kind === 'electricity' && r.at * 1_000 > at ? [r.reading.w ?? 0] : []))
  expect(Math.max(...power)).toBeLessThan(170)
})

test('silence ends when it is over', () => {
  const at = morning + hourMs
  const readings = play('silent', at, at + 8 * hourMs)
  expect(registerAt(readings, 'water', at + 8 * hourMs)).toBe(registerAt(readings, 'water', at))
  expect(registerAt(readings, 'water', at + 20 * hourMs)).toBeGreaterThan(registerAt(readings, 'water', at) + 20)
})

test('a tap runs at more than 300 L/h without a pause, also past midnight', () => {
  const at = morning + 3 * hourMs
  const readings = play('tap', at)
  for (let hour = 0; hour < 30; hour++) {
    const used =
      registerAt(readings, 'water', at + (hour + 1) * hourMs) - registerAt(readings, 'water', at + hour * hourMs)
    expect(used).toBeGreaterThan(300)
  }
  const flows = readings.flatMap((r) => (r.kind === 'water' && r.at * 1_000 > at ? [r.reading.flowLpm ?? 0] : []))
  expect(Math.min(...flows)).toBeGreaterThan(5)
})

test('button, smoke and gas say so at that second; an alarm clears and no sign of rest comes in between', () => {
  const at = morning + 2 * hourMs
  expect(play('button', at).filter(({ kind }) => kind === 'button')).toEqual([
    { kind: 'button', at: at / 1_000, reading: { ts: at / 1_000, event: 'pressed' } },
  ])
  for (const name of ['smoke', 'gas'] as const) {
    // Begun on the second at which a sign of rest would come.
    const rest = healthy.find((r) => r.kind === name)!
    const readings = play(name, rest.at * 1_000).flatMap((r) =>
      r.kind === name && r.at >= rest.at ? [{ s: r.at - rest.at, alarm: r.reading.alarm }] : [],
    )
    expect(readings.slice(0, 7)).toEqual([
      ...[0, 60, 120, 180, 240, 300].map((s) => ({ s, alarm: true })),
      { s: 360, alarm: false },
    ])
  }
})

test('a battery runs down, a clock falls back by two hours', () => {
  const at = morning + 2 * hourMs
  const levels = play('battery', at).flatMap((r) =>
    r.kind === 'water' && r.at * 1_000 > at ? [(r.reading.battery ?? 1) * 100] : [],
  )
  expect(levels[0]).toBeGreaterThan(18)
  expect(levels.at(-1)).toBe(2)
  for (const r of play('clock', at)) expect(r.reading.ts).toBe(r.at * 1_000 >= at ? r.at - 7_200 : r.at)
})

test('offline is three hours without a line and no change of what was measured', () => {
  const at = morning
  expect(play('offline', at)).toEqual(healthy)
  const scenarios = [{ name: 'offline' as const, at }]
  expect([-1, 0, 3 * hourMs - 1, 3 * hourMs].map((ms) => isOffline(scenarios, at + ms))).toEqual([
    false,
    true,
    true,
    false,
  ])
})

test('the clock starts so far back that the consequence is due when it has caught up', () => {
  for (const name of scenarioNames)
    for (let hour = 0; hour < 24; hour++) {
      const now = morning + hour * hourMs
      const { clockStart, scenarios } = scenarioTime({ name, now, speed: 60, timeZone })
      const { at } = scenarios[0]!
      expect(at).toBeGreaterThan(clockStart)
      expect(clockStart).toBeLessThan(now)
      const wallHour = (at / hourMs + 8) % 24
      if (name === 'fall') expect(wallHour >= 8 && wallHour <= 20, `${hour}: ${wallHour}`).toBe(true)
      if (name === 'fall-night') expect(wallHour >= 0 && wallHour <= 5, `${hour}: ${wallHour}`).toBe(true)
      if (name.startsWith('fall')) expect(now - at).toBeGreaterThan(12 * hourMs)
    }
})

test('at 1x a scenario begins in ten seconds; an earlier start is taken as asked', () => {
  const ask = { name: 'smoke', now: morning, speed: 1, timeZone } as const
  expect(scenarioTime(ask)).toEqual({ clockStart: morning, scenarios: [{ name: 'smoke', at: morning + 10_000 }] })
  const asked = scenarioTime({ ...ask, name: 'silent', fromHours: 2 })
  expect(asked.clockStart).toBe(morning - 2 * hourMs)
  expect(asked.scenarios[0]!.at).toBe(asked.clockStart + 10_000)
})
