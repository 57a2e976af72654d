import { isDeepStrictEqual } from 'node:util'
import type { DirectorySource, GatewayRecord, ResidentCard } from '../db/directory.js'
import type { RegisteredDevice } from '../db/gateway-registry.js'
import type { Clock } from '../kit/clock.js'
import type { Log } from '../kit/log.js'
import { idPattern } from './contract.js'
import { createLoads, DirectoryUnavailable } from './directory-loads.js'
import { createRecent } from './directory-recent.js'
import type { ResidentCards } from './directory-residents.js'
import type { CardShelf, GatewayCard } from './directory-shelf.js'

export type DeviceLookup =
  | { kind: 'found'; device: RegisteredDevice }
  | { kind: 'unknown device' }
  | { kind: 'device of another gateway' }

/** Younger cards answer; older ones answer and are asked for anew. */
const freshMsMax = 15_000
/** Older cards answer only when the database cannot be asked. */
const servedMsMax = 60_000
/** A device that is missing on a card of this age may be a new one. */
const missReloadMsMin = 1_000
/** Cards that nobody used for so long are asked for all the same: who is called in an emergency must not be of last year. */
const sweptMsMax = 3_600_000
const sweepMsMin = 15_000
const sweepKeysMax = 500
/** Whose a foreign device is: a gateway that asks 500 times a second gets the same answer for a while. */
const elsewhereLimits = { ttlMs: 15_000, entriesMax: 20_000 }
/** Up to here a search is as fast as a Map, and takes no memory. */
const searchedDevicesMax = 12

type Entry = { card: GatewayCard; byId: Map<string, RegisteredDevice> | undefined }

export type GatewayCards = ReturnType<typeof createGatewayCards>

/** What is known of gateways and their devices, at most `gatewaysMax` of them. */
export function createGatewayCards({
  source,
  shelf,
  residents,
  onResidents,
  gatewaysMax,
  clock,
  log,
}: {
  source: DirectorySource
  shelf: CardShelf
  residents: ResidentCards
  /** Called after each load, with those who came along. */
  onResidents: (residents: ResidentCard[]) => void
  gatewaysMax: number
  clock: Clock
  log: Log
}) {
  /** In the order in which somebody last had them asked for; of one in use that is at most 15 s ago. */
  const entries = new Map<string, Entry>()
  const epochNow = () => clock.now().getTime()
  const loads = createLoads({ name: 'gateways', load: source.gateways, take, epochNow, log })
  const elsewhere = createRecent<boolean>(elsewhereLimits)
  const bindings = createLoads({
    name: 'bindings',
    load: source.boundDevices,
    take: (deviceIds, bound: string[]) => {
      const now = epochNow()
      const isBound = new Set(bound)
      for (const deviceId of deviceIds) elsewhere.set(deviceId, isBound.has(deviceId), now)
    },
    epochNow,
    log,
  })
  let sweptAt = Number.NEGATIVE_INFINITY

  function take(
    gatewayIds: string[],
    answer: { gateways: GatewayRecord[]; residents: ResidentCard[] },
    begunAt: number,
  ) {
    const found = new Map(answer.gateways.map((record) => [record.gatewayId, record]))
    for (const gatewayId of gatewayIds) {
      const record = found.get(gatewayId)
      if (record) accept(record, begunAt)
      else forget(gatewayId)
    }
    const known = answer.residents.filter(({ residentId }) => residents.isHeld(residentId))
    for (const resident of known) residents.put(resident)
    onResidents(known)
  }

  function accept(record: GatewayRecord, loadedAt: number) {
    const { gatewayId } = record
    const old = entries.get(gatewayId)?.card
    if (old && isDeepStrictEqual(old, { ...record, loadedAt: old.loadedAt })) old.loadedAt = loadedAt
    else {
      const card: GatewayCard = { ...record, loadedAt }
      keep(card)
      shelf.put('gateway', gatewayId, card)
    }
  }

  function keep(card: GatewayCard) {
    const old = entries.get(card.gatewayId)?.card
    const { devices } = card
    const byId = devices.length > searchedDevicesMax ? new Map(devices.map((d) => [d.deviceId, d])) : undefined
    entries.set(card.gatewayId, { card, byId })
    residents.hold(residentsOf(card))
    if (old) residents.release(residentsOf(old))
    else if (entries.size > gatewaysMax) forget(entries.keys().next().value!)
  }

  function forget(gatewayId: string) {
    const old = entries.get(gatewayId)?.card
    if (!old) return
    entries.delete(gatewayId)
    residents.release(residentsOf(old))
    shelf.delete('gateway', gatewayId)
  }

  /** One in use goes behind the others that may be forgotten before it. */
  function touch(gatewayId: string, entry: Entry) {
    entries.delete(gatewayId)
    entries.set(gatewayId, entry)
  }

  async function loadUsed(gatewayId: string, pace: 'soon' | 'login'): Promise<Entry | undefined> {
    await loads.ask(gatewayId, pace)
    const entry = entries.get(gatewayId)
    if (entry) touch(gatewayId, entry)
    return entry
  }

  async function lookUpSlowly(gatewayId: string, deviceId: string): Promise<DeviceLookup> {
    if (!idPattern.test(gatewayId) || !idPattern.test(deviceId)) return { kind: 'unknown device' }
    let entry = entries.get(gatewayId)
    if (!entry || ageOf(entry.card, epochNow()) > missReloadMsMin) {
      const known = entry
      entry = await loadUsed(gatewayId, 'soon').catch((error: Error) => {
        // What was known a moment ago is better than nothing; of what was never known nothing can be said.
        if (known && deviceOf(known, deviceId)) return known
        throw error
      })
    }
    const device = entry && deviceOf(entry, deviceId)
    if (device) return { kind: 'found', device }
    if (elsewhere.get(deviceId, epochNow()) === undefined) await bindings.ask(deviceId, 'login')
    const bound = elsewhere.get(deviceId, epochNow())
    if (bound === undefined) throw new DirectoryUnavailable(`device ${deviceId}: the clock jumped`)
    return { kind: bound ? 'device of another gateway' : 'unknown device' }
  }

  return {
    /**
     * The gateway as the database has it now; as it was known where the database cannot be asked; undefined where there
     * is none. @throws DirectoryUnavailable where neither can tell
     */
    find: async (gatewayId: string): Promise<GatewayCard | undefined> => {
      if (!idPattern.test(gatewayId)) return undefined
      const known = entries.get(gatewayId)
      if (known && loads.isAway()) {
        loads.askQuietly(gatewayId)
        return known.card
      }
      const entry = await loadUsed(gatewayId, 'login').catch((error: Error) => {
        if (known) return known
        throw error
      })
      return entry?.card
    },
    /** At once where the card is at hand. @throws DirectoryUnavailable where nobody can tell */
    lookUp: (gatewayId: string, deviceId: string): DeviceLookup | Promise<DeviceLookup> => {
      const entry = entries.get(gatewayId)
      if (!entry) return lookUpSlowly(gatewayId, deviceId)
      const ageMs = ageOf(entry.card, epochNow())
      if (ageMs > servedMsMax && !loads.isAway()) return lookUpSlowly(gatewayId, deviceId)
      const device = deviceOf(entry, deviceId)
      if (!device) return lookUpSlowly(gatewayId, deviceId)
      if (ageMs > freshMsMax && loads.askQuietly(gatewayId)) touch(gatewayId, entry)
      return { kind: 'found', device }
    },
    cardOf: (gatewayId: string): GatewayCard | undefined => {
      const entry = entries.get(gatewayId)
      // One of v1 is asked for again with its devices.
      if (entry?.card.dialect === 'v1') return entry.card
      // A gateway none of whose messages is understood asks for no device, and waits for a mapping that was put right.
      if (entry && ageOf(entry.card, epochNow()) > freshMsMax && loads.askQuietly(gatewayId)) touch(gatewayId, entry)
      return entry?.card
    },
    lookUpOwn: (gatewayId: string, deviceId: string): DeviceLookup | Promise<DeviceLookup> => {
      const entry = entries.get(gatewayId)
      const found = (known: Entry | undefined): DeviceLookup => {
        const device = known && deviceOf(known, deviceId)
        return device ? { kind: 'found', device } : { kind: 'unknown device' }
      }
      const ageMs = entry ? ageOf(entry.card, epochNow()) : Number.POSITIVE_INFINITY
      const isKnown = entry !== undefined && deviceOf(entry, deviceId) !== undefined
      if (entry && ageMs <= (isKnown ? freshMsMax : missReloadMsMin)) return found(entry)
      if (entry && isKnown && (ageMs <= servedMsMax || loads.isAway())) {
        if (loads.askQuietly(gatewayId)) touch(gatewayId, entry)
        return found(entry)
      }
      return loadUsed(gatewayId, 'soon').then(found, (error: Error) => {
        if (entry) return found(entry)
        throw error
      })
    },
    /** What its adapter has learned, which is safe elsewhere: on the shelf, for an edge that starts without the database. */
    noteMemory: (gatewayId: string, dialectMemory: Record<string, unknown>) => {
      const entry = entries.get(gatewayId)
      if (!entry) return
      entry.card = { ...entry.card, dialectMemory }
      shelf.put('gateway', gatewayId, entry.card)
    },
    restore: keep,
    /** Has the oldest cards asked for, a few at a time. */
    sweep: () => {
      const now = epochNow()
      if (now >= sweptAt && now - sweptAt < sweepMsMin) return
      sweptAt = now
      let asked = 0
      for (const { card } of entries.values()) {
        if (ageOf(card, now) <= sweptMsMax) continue
        loads.askQuietly(card.gatewayId)
        if (++asked === sweepKeysMax) return
      }
    },
    stop: () => {
      loads.stop()
      bindings.stop()
    },
    get size() {
      return entries.size
    },
  }
}

const residentsOf = ({ devices }: GatewayCard) => devices.map(({ residentId }) => residentId)

function deviceOf({ card, byId }: Entry, deviceId: string): RegisteredDevice | undefined {
  return byId ? byId.get(deviceId) : card.devices.find((device) => device.deviceId === deviceId)
}

/** A card from the future is old: the clock has jumped back. */
function ageOf({ loadedAt }: GatewayCard, now: number): number {
  return now >= loadedAt ? now - loadedAt : Number.POSITIVE_INFINITY
}
