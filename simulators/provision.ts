import { newestRegisters } from '../db/known-registers.js'
import type { Database } from '../db/pool.js'
import { registerDocument } from '../db/register/document.js'
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
    await letDemoStaffSee(db)
    return newestRegisters(
      db,
      homes.flatMap(({ devices }) => Object.values(devices)),
    )
  }
}

/** Where the demo runs, its staff look after the simulated homes too. */
async function letDemoStaffSee(db: Database) {
  await db.query(
    `insert into staff_communities (staff_id, community_id)
     select staff_id, $1 from staff_communities where community_id = 'demo' on conflict do nothing`,
    [communityId],
  )
  await db.query(
    `update residents set responsible_staff_id = 'demo-worker'
      where community_id = $1 and responsible_staff_id is null and exists (select from staff where staff_id = 'demo-worker')`,
    [communityId],
  )
}
