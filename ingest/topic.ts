import { contractVersion, idPattern, type ReadingKind, readingSchemas } from './contract.js'

export type Address =
  | { kind: 'reading'; deviceId: string; readingKind: ReadingKind }
  | { kind: 'status' }
  | { kind: 'answer'; deviceId: string }
  | { kind: 'other' }

/** What a topic of `gatewayId` addresses in the v1 contract. */
export function readTopic(topic: string, gatewayId: string): Address {
  const [version, gateway, third, fourth, ...rest] = topic.split('/', 5)
  if (version !== contractVersion || gateway !== gatewayId || third === undefined || rest.length > 0)
    return { kind: 'other' }
  if (fourth === undefined) return third === 'status' ? { kind: 'status' } : { kind: 'other' }
  if (!idPattern.test(third)) return { kind: 'other' }
  if (fourth === 'command-result') return { kind: 'answer', deviceId: third }
  if (!Object.hasOwn(readingSchemas, fourth)) return { kind: 'other' }
  return { kind: 'reading', deviceId: third, readingKind: fourth as ReadingKind }
}
