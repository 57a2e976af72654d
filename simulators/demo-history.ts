import { batchReadingsMax, type ReadingKind } from '../ingest/contract.js'
import type { ContractReading } from './buffer.js'
import { type KnownRegisters, type LiveHome, newReadings } from './simulated-home.js'

/** Readings of one device in order of time, at most `batchReadingsMax`. */
export type HistoryBatch = { gatewayId: string; deviceId: string; kind: ReadingKind; readings: ContractReading[] }

const dayMs = 86_400_000

/**
 * What live homes have measured in the `days` up to `now` (epoch ms, not included: a runner with `from: now` goes on where
 * this ends), as batches for a bulk commit: home by home, a day at a time, so that the newest readings of a home come last.
 * A later start gives `known`, the newest registers that are stored, and gets what has come since; the meters go on from
 * those values. `intervalS` is how often meters at rest report.
 */
export function* demoHistory({
  homes,
  now,
  days = 30,
  known = new Map(),
  intervalS = 300,
}: {
  homes: readonly LiveHome[]
  now: number
  days?: number
  known?: KnownRegisters
  intervalS?: number
}): Generator<HistoryBatch, void, void> {
  for (const home of homes) {
    let dayEnds = now - (days - 1) * dayMs
    let day = new Map<ReadingKind, ContractReading[]>()
    for (const { kind, at, reading } of newReadings(home, { known, intervalS, from: now - days * dayMs, to: now })) {
      if (at * 1_000 >= dayEnds) {
        yield* batchesOf(home, day)
        day = new Map()
        dayEnds += dayMs * (1 + Math.floor((at * 1_000 - dayEnds) / dayMs))
      }
      const readings = day.get(kind)
      if (readings) readings.push(reading)
      else day.set(kind, [reading])
    }
    yield* batchesOf(home, day)
  }
}

function* batchesOf({ gatewayId, devices }: LiveHome, day: Map<ReadingKind, ContractReading[]>) {
  for (const [kind, readings] of day)
    for (let start = 0; start < readings.length; start += batchReadingsMax)
      yield { gatewayId, deviceId: devices[kind]!, kind, readings: readings.slice(start, start + batchReadingsMax) }
}
