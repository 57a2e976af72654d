import type { Clock } from '../kit/clock.js'
import type { Log } from '../kit/log.js'
import { createGateway, type Gateway, type GatewayCounters } from './gateway.js'
import { isOffline, type SimulatedReading } from './scenarios.js'
import { type KnownRegisters, type LiveHome, newReadings } from './simulated-home.js'

/** A home waits with further readings while its gateway holds this many; nothing is lost, they are made later. */
const pendingReadingsMax = 5_000
/** So many readings of one home at most in one tick: a long past does not keep the others waiting. */
const tickReadingsMax = 1_000

export type Runner = {
  start(): void
  stop(): Promise<void>
  /** The sum over all gateways. */
  counters(): GatewayCounters
}

/**
 * Lets homes live: one shared timer hands each reading to its gateway once `clock` (the wall clock or one that catches up
 * with it) has reached its instant, never before. Homes with the same gateway id share one gateway.
 * `from` is the first instant, epoch ms: what lies between it and the clock goes out as a backlog, but for what is
 * `known` (by device id) already: registers carry on from there.
 */
export function createRunner({
  homes,
  from,
  clock,
  url,
  log,
  known = new Map(),
  intervalS = 300,
  tickMs = 200,
}: {
  homes: readonly LiveHome[]
  from: number
  clock: Clock
  url: string
  log: Log
  known?: KnownRegisters
  intervalS?: number
  tickMs?: number
}): Runner {
  const gateways = new Map<string, Gateway>()
  for (const { gatewayId, secret } of homes)
    if (!gateways.has(gatewayId)) gateways.set(gatewayId, createGateway({ gatewayId, secret, url, log }))

  const lives = homes.map((home) => {
    const { devices, scenarios } = home
    const readings = newReadings(home, { known, intervalS, from, to: Number.POSITIVE_INFINITY })
    return {
      devices,
      scenarios,
      gateway: gateways.get(home.gatewayId)!,
      readings,
      next: undefined as SimulatedReading | undefined,
    }
  })
  let timer: NodeJS.Timeout | undefined

  function tick() {
    const now = clock.now().getTime()
    for (const life of lives) {
      const { gateway, devices, readings } = life
      if (gateway.isUp() && gateway.counters().buffered >= pendingReadingsMax) continue
      for (let taken = 0; taken < tickReadingsMax; taken++) {
        life.next ??= readings.next().value as SimulatedReading
        if (life.next.at * 1_000 > now) break
        const { kind, reading } = life.next
        gateway.add(devices[kind]!, kind, reading)
        life.next = undefined
      }
    }
    // After the readings: what was measured until the line came back belongs to the backlog.
    for (const [gatewayId, gateway] of gateways) {
      const down = homes.some((home) => home.gatewayId === gatewayId && isOffline(home.scenarios, now))
      if (down && gateway.isUp()) gateway.lineDown()
      if (!down && !gateway.isUp()) gateway.lineUp()
    }
  }

  return {
    start() {
      tick()
      timer = setInterval(tick, tickMs)
    },
    async stop() {
      clearInterval(timer)
      await Promise.all([...gateways.values()].map((gateway) => gateway.stop()))
    },
    counters() {
      const sum: GatewayCounters = { published: 0, acknowledged: 0, buffered: 0, dropped: 0, connected: 0 }
      for (const gateway of gateways.values()) {
        const each = gateway.counters()
        for (const key of Object.keys(sum) as (keyof GatewayCounters)[]) sum[key] += each[key]
      }
      return sum
    },
  }
}
