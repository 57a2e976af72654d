import { isDeepStrictEqual } from 'node:util'
import type { ResidentCard } from '../db/directory.js'
import type { CardShelf } from './directory-shelf.js'

export type ResidentCards = ReturnType<typeof createResidentCards>

/** The residents whom the known gateways speak for: a card goes with the last gateway that refers to it. */
export function createResidentCards({ shelf }: { shelf: CardShelf }) {
  const cards = new Map<string, ResidentCard>()
  const holders = new Map<string, number>()

  return {
    get: (residentId: string) => cards.get(residentId),
    all: () => cards.values(),
    isHeld: (residentId: string) => holders.has(residentId),
    put: (card: ResidentCard) => {
      if (isDeepStrictEqual(cards.get(card.residentId), card)) return
      cards.set(card.residentId, card)
      shelf.put('resident', card.residentId, card)
    },
    /** From the shelf: it is there already. */
    restore: (card: ResidentCard) => void cards.set(card.residentId, card),
    hold: (residentIds: Iterable<string>) => {
      for (const residentId of new Set(residentIds)) holders.set(residentId, (holders.get(residentId) ?? 0) + 1)
    },
    release: (residentIds: Iterable<string>) => {
      for (const residentId of new Set(residentIds)) {
        const left = (holders.get(residentId) ?? 0) - 1
        if (left > 0) {
          holders.set(residentId, left)
          continue
        }
        holders.delete(residentId)
        if (cards.delete(residentId)) shelf.delete('resident', residentId)
      }
    },
    /** Forgets those that nobody refers to. */
    prune: () => {
      for (const residentId of cards.keys())
        if (!holders.has(residentId)) {
          cards.delete(residentId)
          shelf.delete('resident', residentId)
        }
    },
    get size() {
      return cards.size
    },
  }
}
