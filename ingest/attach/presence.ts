import type { AttachedGateway } from '../../db/attached.js'
import type { Clock } from '../../kit/clock.js'
import type { Presence } from '../presence.js'

/** Of one that never says that it is there: so long after its last message nobody can tell. Many sensors speak once a day. */
export const quietMsMax = 26 * 3_600_000

type Known = {
  online: boolean
  /** It says by itself when it comes and goes (its bridge, its last will). */
  speaksForItself: boolean
  heardAt: number
}

export type AttachedPresence = ReturnType<typeof createAttachedPresence>

/**
 * Who is there of the gateways whose connections end at a broker of somebody else's. What a gateway says of itself counts
 * most; one that says nothing of the kind is there while it is heard. And none of them is there for us while we are not
 * connected to that broker: a silence that we could not hear through means nothing.
 */
export function createAttachedPresence({
  presence,
  clock,
}: {
  presence: Pick<Presence, 'connected' | 'disconnected' | 'heard'>
  clock: Clock
}) {
  const known = new Map<string, Known>()
  let gateways: AttachedGateway[] = []
  let attached = false

  function set(gatewayId: string, online: boolean, told: Partial<Known>) {
    const before = known.get(gatewayId)
    known.set(gatewayId, { speaksForItself: false, heardAt: 0, ...before, ...told, online })
    if (before?.online === online) return
    if (online) presence.connected(gatewayId)
    else presence.disconnected(gatewayId)
  }
  const now = () => clock.now().getTime()
  const heardAtOf = ({ gatewayId, heardAt }: AttachedGateway) =>
    Math.max(heardAt ?? Number.NEGATIVE_INFINITY, known.get(gatewayId)?.heardAt ?? Number.NEGATIVE_INFINITY)

  return {
    /** A gateway, its bridge or its last will says so. */
    said: (gatewayId: string, online: boolean) => set(gatewayId, online, { speaksForItself: true }),

    /** A message came that its broker had not kept. */
    heard(gatewayId: string) {
      const before = known.get(gatewayId)
      if (before?.online) before.heardAt = now()
      else set(gatewayId, true, { heardAt: now() })
      presence.heard(gatewayId)
    },

    know(list: AttachedGateway[]) {
      gateways = list
      const listed = new Set(list.map(({ gatewayId }) => gatewayId))
      for (const [gatewayId, { online }] of known) {
        if (listed.has(gatewayId)) continue
        if (online) presence.disconnected(gatewayId)
        known.delete(gatewayId)
      }
    },

    /**
     * Attached for long enough that what their broker had kept, "offline" among it, has come: all others that were heard
     * lately count as there.
     */
    settled() {
      attached = true
      for (const gateway of gateways) {
        const { gatewayId } = gateway
        const state = known.get(gatewayId)
        if (state ? !state.online : now() - heardAtOf(gateway) > quietMsMax) continue
        // Also where we knew it: another edge may have written it off.
        presence.connected(gatewayId)
        known.set(gatewayId, { speaksForItself: false, heardAt: 0, ...state, online: true })
      }
    },

    /** Not attached any more, for longer than a broker takes to restart. */
    lost() {
      if (!attached && known.size === 0) return
      attached = false
      for (const [gatewayId, { online }] of known) if (online) presence.disconnected(gatewayId)
      known.clear()
    },

    /** Of those who do not speak for themselves, who has been silent for too long. */
    sweep() {
      if (!attached) return
      for (const gateway of gateways) {
        const state = known.get(gateway.gatewayId)
        if (state?.online && !state.speaksForItself && now() - heardAtOf(gateway) > quietMsMax)
          set(gateway.gatewayId, false, {})
      }
    },
  }
}
