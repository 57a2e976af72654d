export type Presence = {
  connected(gatewayId: string): void
  disconnected(gatewayId: string): void
  heard(gatewayId: string): void
}
export type RollCall<Connection> = {
  enter(gatewayId: string, connection: Connection): void
  ready(gatewayId: string): void
  leave(gatewayId: string, connection: Connection): void
  isPresent(gatewayId: string): boolean
  /** The connections of a gateway, ready or not. */
  of(gatewayId: string): readonly Connection[]
}

/**
 * Turns connections into presence: a gateway is connected from its first ready connection until its last one goes.
 * A connection enters before it is ready, so that one that takes over another leaves no gap between the two.
 */
export function createRollCall<Connection>({ presence }: { presence: Presence }): RollCall<Connection> {
  const present = new Map<string, { connections: Connection[]; announced: boolean }>()
  return {
    enter(gatewayId, connection) {
      const entry = present.get(gatewayId)
      if (entry) entry.connections = [...entry.connections, connection]
      else present.set(gatewayId, { connections: [connection], announced: false })
    },
    ready(gatewayId) {
      const entry = present.get(gatewayId)
      if (!entry || entry.announced) return
      entry.announced = true
      presence.connected(gatewayId)
    },
    leave(gatewayId, connection) {
      const entry = present.get(gatewayId)
      if (!entry) return
      entry.connections = entry.connections.filter((other) => other !== connection)
      if (entry.connections.length > 0) return
      present.delete(gatewayId)
      if (entry.announced) presence.disconnected(gatewayId)
    },
    isPresent: (gatewayId) => present.get(gatewayId)?.announced ?? false,
    of: (gatewayId) => present.get(gatewayId)?.connections ?? [],
  }
}
