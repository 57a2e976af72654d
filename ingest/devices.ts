import { findDevices, isDeviceKnown, type RegisteredDevice } from '../db/gateway-registry.js'
import type { Queryable } from '../db/pool.js'
import type { Clock } from '../kit/clock.js'

export type DeviceLookup =
  | { kind: 'found'; device: RegisteredDevice }
  | { kind: 'unknown device' }
  | { kind: 'device of another gateway' }

const freshMsMax = 15_000
const missReloadMsMin = 1_000
const gatewaysMax = 200_000

type Entry = { loadedAt: number; devices: Promise<Map<string, RegisteredDevice>> }

/**
 * Finds the device that a gateway speaks for, with a cache per gateway: a new binding is seen within a second, an ended
 * one within 15 s. Rejects only when the database cannot be asked.
 */
export function createDeviceLookup({ db, clock }: { db: Queryable; clock: Clock }) {
  const gateways = new Map<string, Entry>()

  function load(gatewayId: string, now: number): Entry {
    const devices = findDevices(db, gatewayId).then(
      (found) => new Map(found.map((device) => [device.deviceId, device])),
    )
    const entry: Entry = { loadedAt: now, devices }
    devices.catch(() => gateways.get(gatewayId) === entry && gateways.delete(gatewayId))
    if (gateways.size >= gatewaysMax) gateways.delete(gateways.keys().next().value!)
    gateways.set(gatewayId, entry)
    return entry
  }

  function keep(gatewayId: string, cached: Entry) {
    gateways.set(gatewayId, cached)
    return cached.devices
  }

  return async function lookUp(gatewayId: string, deviceId: string): Promise<DeviceLookup> {
    const now = clock.now().getTime()
    const cached = gateways.get(gatewayId)
    const isFresh = cached && now - cached.loadedAt <= freshMsMax && now >= cached.loadedAt
    const entry = isFresh ? cached : load(gatewayId, now)
    // While the database is away, what was known a moment ago is better than turning a gateway away: the commit waits anyway.
    const known = !isFresh && cached ? entry.devices.catch(() => keep(gatewayId, cached)) : entry.devices
    let device = (await known).get(deviceId)
    if (!device && now - entry.loadedAt > missReloadMsMin) device = (await load(gatewayId, now).devices).get(deviceId)
    if (device) return { kind: 'found', device }
    return { kind: (await isDeviceKnown(db, deviceId)) ? 'device of another gateway' : 'unknown device' }
  }
}
