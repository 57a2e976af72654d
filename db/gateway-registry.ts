import type { ReadingKind } from '../ingest/contract.js'

/** A device as it is bound now, with the resident and the room that it speaks for. */
export type RegisteredDevice = {
  deviceNo: number
  deviceId: string
  kind: ReadingKind
  residentId: string
  room: string
}
