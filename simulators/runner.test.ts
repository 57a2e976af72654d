import { afterEach, expect, test } from 'vitest'
import { manualClock, systemClock } from '../kit/clock.js'
import { createLog } from '../kit/log.js'
import { simulateHome } from './home.js'
import { numberedHomes } from './numbered-homes.js'
import { createRunner } from './runner.js'
import type { Scenario } from './scenarios.js'
import { createSimulatedClock } from './simulated-clock.js'
import { startTestBroker } from './test-broker.js'
import { until } from './test-wait.js'

const log = createLog({ role: 'test', level: 'silent' })
const hourMs = 3_600_000
const undo: (() => Promise<void>)[] = []
afterEach(async () => {
  for (const step of undo.splice(0).reverse()) await step()
})
const now = Date.parse('2026-05-04T06:00:00Z')
type Sent = { ts: number; litres?: number }

async function rig(options: {
  homes?: number
  scenarios?: Scenario[]
  from: number
  clock?: ReturnType<typeof manualClock>
}) {
  const broker = await startTestBroker()
  undo.push(() => broker.stop())
  const clock = options.clock ?? manualClock(new Date(now))
  const homes = numberedHomes({ homes: options.homes ?? 1, seed: 5, timeZone: 'Asia/Shanghai' }).map((home) => ({
    ...home,
    scenarios: options.scenarios ?? [],
  }))
  const runner = createRunner({ homes, from: options.from, clock, url: broker.url, log, tickMs: 10 })
  undo.push(() => runner.stop())
  const home = homes[0]!
  const water = () => broker.readings<Sent>(`v1/${home.gatewayId}/${home.devices.water}/water`)
  const expected = (to: number) => [
    ...simulateHome({
      seed: home.residentSeed,
      timeZone: home.timeZone,
      from: options.from,
      to,
      scenarios: home.scenarios,
    }),
  ]
  const status = () =>
    broker.received.filter(({ topic }) => topic === `v1/${home.gatewayId}/status`).map(({ payload }) => payload)
  return { broker, clock, homes, runner, water, expected, status }
}

test('the past goes at once, the rest as the clock comes to it, and nothing before', async () => {
  const { clock, runner, water, expected } = await rig({ from: now - 6 * hourMs })
  runner.start()
  const due = (to: number) =>
    expected(to)
      .filter(({ kind }) => kind === 'water')
      .map(({ reading }) => reading)
  await until(() => water().length >= due(now).length)
  expect(water()).toEqual(due(now))
  clock.advance(hourMs)
  const later = due(now + hourMs)
  await until(() => water().length >= later.length)
  expect(water()).toEqual(later)
  await until(() => runner.counters().buffered === 0)
  expect(runner.counters().dropped).toBe(0)
})

test('three hours offline: the last will, silence, then the backlog as arrays, complete and in order', async () => {
  const at = now + hourMs
  const { broker, clock, runner, water, expected, status } = await rig({
    from: now,
    scenarios: [{ name: 'offline', at }],
  })
  runner.start()
  await until(() => status().length === 1)
  clock.advance(hourMs)
  await until(() => status().length === 2)
  expect(status()).toEqual(['online', 'offline'])
  const before = broker.received.length
  for (let step = 0; step < 11; step++) {
    clock.advance(hourMs / 4)
    await new Promise((resolve) => setTimeout(resolve, 30))
  }
  expect(broker.received.length).toBe(before)
  expect(runner.counters().buffered).toBeGreaterThan(60)
  clock.advance(hourMs / 4 + 60_000)
  await until(() => status().length === 3)
  await until(() => runner.counters().buffered === 0)
  const due = expected(clock.now().getTime()).flatMap(({ kind, reading }) => (kind === 'water' ? [reading] : []))
  expect(water()).toEqual(due)
  expect(broker.received.slice(before).some(({ payload }) => payload.startsWith('['))).toBe(true)
})

test('a fall at high speed: the clock catches up with the wall, no reading is in the future', async () => {
  const start = Date.now() - 13 * hourMs
  const broker = await startTestBroker()
  undo.push(() => broker.stop())
  const homes = numberedHomes({ homes: 5, seed: 7, timeZone: 'Asia/Shanghai' })
  const fall = { name: 'fall', at: start + hourMs / 2 } as const
  const clock = createSimulatedClock({ clock: systemClock, start, speed: 40_000 })
  const runner = createRunner({
    homes: homes.map((home, index) => ({ ...home, scenarios: index === 0 ? [fall] : [] })),
    from: start,
    clock,
    url: broker.url,
    log,
    tickMs: 10,
  })
  undo.push(() => runner.stop())
  runner.start()
  await until(() => Math.abs(Date.now() - clock.now().getTime()) < 5)
  await new Promise((resolve) => setTimeout(resolve, 50))
  await until(() => runner.counters().buffered === 0)
  const used = homes.map(({ gatewayId, devices }) => {
    const sent = broker.readings<Sent>(`v1/${gatewayId}/${devices.water}/water`)
    for (const { ts } of sent) expect(ts * 1_000).toBeLessThanOrEqual(Date.now())
    const after = sent.filter(({ ts }) => ts * 1_000 >= fall.at)
    return after.at(-1)!.litres! - after[0]!.litres!
  })
  expect(used[0]).toBe(0)
  for (const litres of used.slice(1)) expect(litres).toBeGreaterThan(10)
})

test('what is known already is not told again, and the register goes on from there', async () => {
  const broker = await startTestBroker()
  undo.push(() => broker.stop())
  const [home] = numberedHomes({ homes: 1, seed: 5, timeZone: 'Asia/Shanghai' })
  const { water, electricity } = home!.devices
  const known = new Map([
    [water!, { at: now - 2 * hourMs, value: 777_000 }],
    [electricity!, { at: now - hourMs, value: 888_000 }],
  ])
  const homes = [{ ...home!, scenarios: [] }]
  const clock = manualClock(new Date(now))
  const runner = createRunner({ homes, from: now - 12 * hourMs, clock, url: broker.url, log, tickMs: 10, known })
  undo.push(() => runner.stop())
  runner.start()
  await until(() => runner.counters().acknowledged > 20 && runner.counters().buffered === 0)
  const litres = broker.readings<Sent>(`v1/${home!.gatewayId}/${water}/water`)
  const wh = broker.readings<{ ts: number; wh: number }>(`v1/${home!.gatewayId}/${electricity}/electricity`)
  expect(litres[0]!.ts * 1_000).toBeGreaterThan(now - 2 * hourMs)
  expect(litres[0]!.ts * 1_000).toBeLessThan(now - 1.9 * hourMs)
  expect(litres[0]!.litres! - 777_000).toBeGreaterThanOrEqual(0)
  expect(litres[0]!.litres! - 777_000).toBeLessThan(50)
  expect(wh[0]!.ts * 1_000).toBeGreaterThan(now - hourMs)
  expect(wh[0]!.wh).toBeGreaterThanOrEqual(888_000)
  expect(wh[0]!.wh).toBeLessThan(888_300)
})

test('homes that share a gateway share its line', async () => {
  const broker = await startTestBroker()
  undo.push(() => broker.stop())
  const [a, b] = numberedHomes({ homes: 2, seed: 5, timeZone: 'Asia/Shanghai' })
  const homes = [a!, { ...b!, gatewayId: a!.gatewayId, secret: a!.secret }].map((home) => ({ ...home, scenarios: [] }))
  const runner = createRunner({
    homes,
    from: now - hourMs,
    clock: manualClock(new Date(now)),
    url: broker.url,
    log,
    tickMs: 10,
  })
  undo.push(() => runner.stop())
  runner.start()
  await until(() => runner.counters().acknowledged > 20 && runner.counters().buffered === 0)
  expect(runner.counters().connected).toBe(1)
  for (const { devices } of homes)
    expect(broker.readings(`v1/${a!.gatewayId}/${devices.water}/water`).length).toBeGreaterThan(10)
})

test('the simulated clock is never ahead of the wall clock', () => {
  const wall = manualClock(new Date(now))
  const clock = createSimulatedClock({ clock: wall, start: now - hourMs, speed: 61 })
  expect(clock.now().getTime()).toBe(now - hourMs)
  wall.advance(30_000)
  expect(clock.now().getTime()).toBe(now - hourMs + 30_000 * 61)
  wall.advance(30_000)
  expect(clock.now()).toEqual(wall.now())
  wall.advance(hourMs)
  expect(clock.now()).toEqual(wall.now())
})
