import { JournalFull } from './journal.js'

/** One gateway has as much in the journal as it may. */
export class ShareSpent extends JournalFull {}

/** Keeps one gateway from filling the journal for all. Sizes in bytes; what an earlier process kept is not counted. */
export function createShares({ bytesMax }: { bytesMax: number }) {
  const held = new Map<string, number>()
  return {
    /** @throws ShareSpent */
    check: (gatewayId: string, bytes: number): void => {
      if ((held.get(gatewayId) ?? 0) + bytes > bytesMax)
        throw new ShareSpent(`gateway ${gatewayId} has ${bytesMax} bytes in the journal`)
    },
    add: (gatewayId: string, bytes: number): void => void held.set(gatewayId, (held.get(gatewayId) ?? 0) + bytes),
    giveBack: (gatewayId: string, bytes: number): void => {
      const left = (held.get(gatewayId) ?? 0) - bytes
      if (left > 0) held.set(gatewayId, left)
      else held.delete(gatewayId)
    },
  }
}
