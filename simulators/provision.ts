import { newestRegisters } from '../db/known-registers.js'
import type { Database } from '../db/pool.js'
import { registerDocument } from '../db/register/document.js'
import { lendStaff } from '../db/register/lend-staff.js'
import { register } from '../db/register/register.js'
import type { Clock } from '../kit/clock.js'
import type { Provision } from './simulated-home.js'

const communityId = 'simulated'

/** Registers simulated homes in a community of their own, whose alerts page nobody: they are seen by whoever is added to it. */
export function createProvision({ db, clock, timeZone }: { db: Database; clock: Clock; timeZone: string }): Provision {
  return async (homes) => {
    const document = registerDocument.parse({
      communities: [{ id: communityId, name: '模拟社区 (simulated homes)', timeZone }],
      gateways: homes.map(({ gatewayId, secret }) => ({
        id: gatewayId,
        community: communityId,
        secret,
        label: 'simulated',
      })),
      residents: homes.map(({ gatewayId, timeZone: zone }, index) => ({
        id: gatewayId,
        community: communityId,
        name: `模拟居民 ${gatewayId}`,
        address: `模拟路 ${index + 1} 号`,
        timeZone: zone,
      })),
      devices: homes.flatMap(({ gatewayId, devices }) =>
        Object.entries(devices).map(([kind, id]) => ({ id, kind, gateway: gatewayId, resident: gatewayId })),
      ),
    })
    await register(db, { document, timeZoneDefault: timeZone, now: clock.now() })
    // Where the demo runs, its staff look after the simulated homes too.
    await lendStaff(db, { from: 'demo', to: communityId })
    return newestRegisters(
      db,
      homes.flatMap(({ devices }) => Object.values(devices)),
    )
  }
}
