import type { MemoryRow } from '../db/announced.js'
import type { GatewayCard } from './directory.js'

const memoriesMax = 20_000

type Memory = {
  memory: Record<string, unknown>
  version: number
  /** Epoch ms; infinite: not yet. */
  savedAt: number
  /** What the database had before, as far as that came from here. */
  before: Memory | undefined
}
const isSaved = ({ savedAt }: Memory) => savedAt !== Number.POSITIVE_INFINITY
export type Memories = ReturnType<typeof createMemories>

/**
 * What adapters keep of their gateways between messages, ahead of the database by what is not committed yet. A gateway may
 * come by way of another edge next time: what the database says after our own newest was saved is newer.
 */
export function createMemories({
  shelve = () => {},
}: {
  /** Where a memory that is safe outlives the process. */
  shelve?: (gatewayId: string, memory: Record<string, unknown>) => void
} = {}) {
  const newest = new Map<string, Memory>()
  let lastVersion = 0

  function put(gatewayId: string, memory: Record<string, unknown>, version: number) {
    const ours = newest.get(gatewayId)
    const before = ours && (isSaved(ours) ? { ...ours, before: undefined } : ours.before)
    newest.delete(gatewayId)
    newest.set(gatewayId, { memory, version, savedAt: Number.POSITIVE_INFINITY, before })
  }

  return {
    of: (card: GatewayCard): Record<string, unknown> => {
      const ours = newest.get(card.gatewayId)
      if (ours && card.loadedAt <= ours.savedAt) return ours.memory
      if (ours) newest.delete(card.gatewayId)
      return card.dialectMemory ?? {}
    },
    /** Returns the row that has to be committed. */
    keep: (card: GatewayCard, memory: Record<string, unknown>, receivedAt: number): MemoryRow => {
      const { gatewayId } = card
      // Newer than what another edge has written, whose clock may run ahead.
      lastVersion = Math.max(lastVersion + 1, receivedAt * 1_000, card.dialectMemoryVersion + 1)
      put(gatewayId, memory, lastVersion)
      if (newest.size > memoriesMax) newest.delete(newest.keys().next().value!)
      return { gatewayId, memory, version: lastVersion }
    },
    /** Takes over what was kept for a message that has waited for its commit, unless something newer is known. */
    resume: (row: MemoryRow): MemoryRow => {
      const { gatewayId, memory, version } = row
      lastVersion = Math.max(lastVersion, version)
      const ours = newest.get(gatewayId)
      if (!ours || ours.version < version) put(gatewayId, memory, version)
      return row
    },
    /**
     * Its message was not acknowledged and will come again: it must not meet what it left itself. What the database has
     * counts until then.
     */
    takeBack: (row: MemoryRow | undefined) => {
      const ours = row && newest.get(row.gatewayId)
      if (!row || !ours || ours.version < row.version || isSaved(ours)) return
      newest.delete(row.gatewayId)
      if (ours.before) newest.set(row.gatewayId, ours.before)
    },
    /** Its message is in the journal. */
    journaled: (row: MemoryRow | undefined) => {
      if (row && newest.get(row.gatewayId)?.version === row.version) shelve(row.gatewayId, row.memory)
    },
    saved: (rows: MemoryRow[], savedAt: number) => {
      for (const { gatewayId, version } of rows) {
        const ours = newest.get(gatewayId)
        if (ours?.version !== version) continue
        ours.savedAt = savedAt
        ours.before = undefined
        shelve(gatewayId, ours.memory)
      }
    },
  }
}
