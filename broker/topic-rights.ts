import { commandFilter, contractVersion, idPattern } from '../ingest/contract.js'

export type PublishRefusal = 'another gateway' | 'system topic' | 'unknown prefix' | 'malformed topic'

/**
 * Why a gateway may not publish under a topic; undefined: it may. Everything under `v1/{gatewayId}/` is its own, sense
 * or nonsense: what it means is judged by ingest, which can quarantine it.
 */
export function publishRefusal(gatewayId: string, topic: string): PublishRefusal | undefined {
  // U+0000 is forbidden in MQTT strings and cannot be stored as text: it must not get as far as the database.
  if (topic.includes('\0')) return 'malformed topic'
  if (topic.startsWith(`${contractVersion}/${gatewayId}/`)) return undefined
  if (topic.startsWith('$')) return 'system topic'
  const [version, other] = topic.split('/', 2)
  return version === contractVersion && other && other !== gatewayId ? 'another gateway' : 'unknown prefix'
}

/** A gateway may subscribe to its commands, for all of its devices or for one: no other filter. */
export function maySubscribe(gatewayId: string, filter: string): boolean {
  return filter === commandFilter(gatewayId) || mayReceive(gatewayId, filter)
}

/** Whether a message under `topic` may be sent to the gateway. */
export function mayReceive(gatewayId: string, topic: string): boolean {
  const levels = topic.split('/', 5)
  return (
    levels.length === 4 &&
    levels[0] === contractVersion &&
    levels[1] === gatewayId &&
    idPattern.test(levels[2]!) &&
    levels[3] === 'command'
  )
}

/** `v1/{gatewayId}/{deviceId}/command` */
export const commandTopic = (gatewayId: string, deviceId: string) =>
  `${contractVersion}/${gatewayId}/${deviceId}/command`
