import { createHash } from 'node:crypto'
import type { ReadingKind } from '../contract.js'

const readableCharsMax = 32

/**
 * The device id of what a gateway names `nativeId` and that measures `kind`: always the same, no other gateway's, and
 * still readable, such as `0x00158d0001a2b3c4.smoke.9f86d081884c`. At most 64 characters of the id pattern.
 */
export function nativeDeviceId(gatewayId: string, nativeId: string, kind: ReadingKind): string {
  const digest = createHash('sha256').update(`${gatewayId}\0${nativeId}\0${kind}`).digest('hex').slice(0, 12)
  const readable = nativeId.replace(/[^A-Za-z0-9._:-]/g, '').slice(0, readableCharsMax)
  return `${readable}.${kind}.${digest}`
}
