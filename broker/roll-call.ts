export type Presence = {
  connected(gatewayId: string): void
  disconnected(gatewayId: string): void
  heard(gatewayId: string): void
}
export type RollCall = {
  enter(gatewayId: string): void
  ready(gatewayId: string): void
  leave(gatewayId: string): void
  isPresent(gatewayId: string): boolean
}

/**
 * Turns connections into presence: a gateway is connected from its first ready connection until its last one goes.
 * A connection enters before it is ready, so that one that takes over another leaves no gap between the two.
 */
export function createRollCall({ presence }: { presence: Presence }): RollCall {
  const present = new Map<string, { connections: number; announced: boolean }>()
  return {
    enter(gatewayId) {
      const entry = present.get(gatewayId)
      if (entry) entry.connections++
      else present.set(gatewayId, { connections: 1, announced: false })
    },
    ready(gatewayId) {
      const entry = present.get(gatewayId)
      if (!entry || entry.announced) return
      entry.announced = true
      presence.connected(gatewayId)
    },
    leave(gatewayId) {
      const entry = present.get(gatewayId)
      if (!entry || --entry.connections > 0) return
      present.delete(gatewayId)
      if (entry.announced) presence.disconnected(gatewayId)
    },
    isPresent: (gatewayId) => present.get(gatewayId)?.announced ?? false,
  }
}
