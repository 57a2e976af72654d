import type { ReadingKind } from '../ingest/contract.js'
import { createHome, type Home, type KnownRegister } from './home.js'
import type { Scenario, SimulatedReading } from './scenarios.js'

/** A home as the broker and the database know it, and the seed of the resident who lives there. */
export type SimulatedHome = {
  gatewayId: string
  secret: string
  residentSeed: number
  timeZone: string
  devices: Partial<Record<ReadingKind, string>>
}

/** A home with what happens in it, and one of the instants (epoch seconds) at which its meters report, if that matters. */
export type LiveHome = SimulatedHome & { scenarios: readonly Scenario[]; phaseS?: number }

/** What the database knows already of a device, by device id: the newest register. */
export type KnownRegisters = ReadonlyMap<string, KnownRegister>

/**
 * Makes sure that these homes exist with their gateways and devices (called once, before anything is sent), and says
 * which registers are known already, so that they are continued rather than begun anew.
 */
export type Provision = (homes: readonly SimulatedHome[]) => Promise<KnownRegisters>

/** The home with its resident; the meters carry on from what is known. */
export const openHome = (home: LiveHome, { known, intervalS }: { known: KnownRegisters; intervalS: number }): Home =>
  createHome({
    seed: home.residentSeed,
    timeZone: home.timeZone,
    scenarios: home.scenarios,
    intervalS,
    ...(home.phaseS === undefined ? {} : { phaseS: home.phaseS }),
    kinds: Object.keys(home.devices) as ReadingKind[],
    continueFrom: registersOf(home.devices, known),
  })

function registersOf(devices: SimulatedHome['devices'], known: KnownRegisters) {
  const water = devices.water && known.get(devices.water)
  const electricity = devices.electricity && known.get(devices.electricity)
  return { ...(water ? { water } : {}), ...(electricity ? { electricity } : {}) }
}

/**
 * The readings of a home from `from` to before `to` (epoch ms; `to` may be Infinity) that are not known already: what a
 * meter has told up to its newest known register it does not tell again, perhaps otherwise, under another scenario.
 */
export function* newReadings(
  home: LiveHome,
  { known, intervalS, from, to }: { known: KnownRegisters; intervalS: number; from: number; to: number },
): Generator<SimulatedReading, void, void> {
  const stored = registersOf(home.devices, known)
  const newest: Partial<Record<ReadingKind, number>> = {
    water: stored.water?.at ?? 0,
    electricity: stored.electricity?.at ?? 0,
  }
  const storedUntil = Math.min(
    ...(['water', 'electricity'] as const).map((kind) => (home.devices[kind] ? newest[kind]! : from - 1)),
  )
  for (const reading of openHome(home, { known, intervalS }).readings({ from: Math.max(from, storedUntil + 1), to }))
    if (reading.at * 1_000 > (newest[reading.kind] ?? 0)) yield reading
}
