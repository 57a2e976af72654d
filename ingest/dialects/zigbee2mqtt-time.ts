import type { EpochMs } from '../../alerts/model.js'

/** So long after its start a bridge may still be saying what it had kept. */
const startMs = 60_000
/** A device that was heard within so long has said itself what the message says. */
const freshMs = 5_000
const isoWithZone = /^\d{4}-\d{2}-\d{2}T.*(Z|[+-]\d{2}:?\d{2})$/

/** How old a message is that a bridge has put together out of what it has heard and what it has kept. */
export type MessageTime = {
  /** For the contract: `last_seen` as the bridge gave it, or the arrival. */
  ts: string | number
  /** Published to be kept by a broker, and the device was not heard just now: by itself that says nothing of its age. */
  isRetained: boolean
  /** The bridge has just started, and the device was not heard just now. */
  isFromStart: boolean
  /** From the start, and nobody knows since when: a register of then is no register of now. */
  isOld: boolean
}

/**
 * Zigbee2MQTT sends what it hears at once, so without `last_seen` (which is off unless set) the time of arrival is the time
 * of measuring; not so after its start and whenever it has reached its broker again, when it sends the last state of each
 * device and whatever it had published to be retained. The retain flag alone says less: devices can be set to publish with
 * it always, and then their live alarms have it too. What the broker of an attached gateway had kept is marked where it
 * comes in, and our own broker keeps nothing. A `last_seen` in words ("2 minutes ago") is none.
 */
export function readMessageTime({
  lastSeen,
  receivedAt,
  retain,
  online,
}: {
  lastSeen: unknown
  receivedAt: EpochMs
  retain: boolean
  online: EpochMs | undefined
}): MessageTime {
  const told =
    (typeof lastSeen === 'number' && Number.isFinite(lastSeen)) ||
    (typeof lastSeen === 'string' && isoWithZone.test(lastSeen))
      ? lastSeen
      : undefined
  const at = typeof told === 'string' ? Date.parse(told) : told
  const isFresh = at !== undefined && Math.abs(receivedAt - at) <= freshMs
  const isRetained = retain && !isFresh
  const isFromStart = !isFresh && online !== undefined && receivedAt >= online && receivedAt - online < startMs
  return {
    ts: told ?? receivedAt,
    isRetained,
    isFromStart,
    isOld: isFromStart && told === undefined,
  }
}
