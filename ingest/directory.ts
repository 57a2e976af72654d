import type { Chain } from '../alerts/escalation.js'
import type { EpochMs } from '../alerts/model.js'
import type { DirectorySource, PersonCard, ResidentCard } from '../db/directory.js'
import type { Clock } from '../kit/clock.js'
import type { Log } from '../kit/log.js'
import { type Loop, startLoop } from '../kit/loop.js'
import { createGatewayCards, type DeviceLookup } from './directory-gateways.js'
import { createPeople } from './directory-people.js'
import { createResidentCards } from './directory-residents.js'
import { createCardShelf, type GatewayCard, restoreCards, type Shelf } from './directory-shelf.js'

export type { CommunityCard, DirectorySource, PersonCard, ResidentCard } from '../db/directory.js'
export type { RegisteredDevice as DeviceCard } from '../db/gateway-registry.js'
export type { DeviceLookup } from './directory-gateways.js'
export { DirectoryUnavailable } from './directory-loads.js'
export type { GatewayCard, Shelf } from './directory-shelf.js'

/** In memory and on the shelf: twice what one edge is built for. */
const gatewaysInMemoryMax = 200_000
const lookMs = 1_000

export type Directory = {
  /** Takes over what the shelf has; does not need the database. */
  start(): Promise<void>
  stop(): Promise<void>
  /**
   * The gateway as the database has it now, or as it was last known where the database cannot be asked; undefined where
   * there is none. @throws DirectoryUnavailable where neither can tell
   */
  findGateway(gatewayId: string): Promise<GatewayCard | undefined>
  /** The device that a gateway speaks for; at once where it is known. @throws DirectoryUnavailable where nobody can tell */
  lookUp(gatewayId: string, deviceId: string): DeviceLookup | Promise<DeviceLookup>
  /** What is in memory of a gateway, however old. */
  cardOf(gatewayId: string): GatewayCard | undefined
  /**
   * As `lookUp`, for a device whose id is made of its gateway's, so that nobody else can have it: what the card does not
   * have is unknown where the database cannot be asked. @throws DirectoryUnavailable where the gateway is not known
   */
  lookUpOwn(gatewayId: string, deviceId: string): DeviceLookup | Promise<DeviceLookup>
  /** What the adapter of a gateway has learned since its card was loaded, once that is safe. */
  noteMemory(gatewayId: string, memory: Record<string, unknown>): void
  residentOf(residentId: string): ResidentCard | undefined
  /** Who is told of an emergency of this resident at `now`: what `loadChain` says, from memory. */
  chainOf(residentId: string, now: EpochMs): Chain
  personOf(staffId: string): PersonCard | undefined
  operators(): PersonCard[]
  /** Nothing is known of anybody. */
  isEmpty(): boolean
  /** When all communities and people were last up to date (epoch ms); undefined: never. */
  refreshedAt(): EpochMs | undefined
  sizes(): { gateways: number; residents: number }
}

/**
 * What an edge knows of its gateways, of whom they speak for and of who is called for them: in memory, refreshed while
 * they are in use, and on a shelf. While the database is away it goes on with what it knew, however old.
 */
export function createDirectory({
  source,
  shelf,
  clock,
  log,
  gatewaysMax = gatewaysInMemoryMax,
}: {
  source: DirectorySource
  shelf: Shelf
  clock: Clock
  log: Log
  gatewaysMax?: number
}): Directory {
  const cards = createCardShelf(shelf)
  const residents = createResidentCards({ shelf: cards })
  const people = createPeople({ source, shelf: cards, residents, clock, log })
  const gateways = createGatewayCards({
    source,
    shelf: cards,
    residents,
    onResidents: people.meet,
    gatewaysMax,
    clock,
    log,
  })
  let loop: Loop | undefined

  return {
    start: async () => {
      const keepers = {
        gateway: gateways.restore,
        resident: residents.restore,
        community: people.restoreCommunity,
        person: people.restorePerson,
        directory: people.restoreAge,
      }
      await restoreCards(shelf, keepers, log)
      residents.prune()
      const work = async () => {
        gateways.sweep()
        await people.refreshIfDue()
        return 'idle' as const
      }
      loop = startLoop({ name: 'directory', work, pauseMs: lookMs, log })
    },
    stop: async () => {
      gateways.stop()
      people.stop()
      await loop?.stop()
    },
    findGateway: gateways.find,
    lookUp: gateways.lookUp,
    cardOf: gateways.cardOf,
    lookUpOwn: gateways.lookUpOwn,
    noteMemory: gateways.noteMemory,
    residentOf: residents.get,
    chainOf: people.chainOf,
    personOf: people.personOf,
    operators: people.operators,
    isEmpty: () => gateways.size === 0,
    refreshedAt: people.refreshedAt,
    sizes: () => ({ gateways: gateways.size, residents: residents.size }),
  }
}
