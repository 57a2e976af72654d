import type { RegisteredDevice } from '../db/gateway-registry.js'
import type { QuarantineRow } from '../db/quarantine.js'
import type { ReadingRow } from '../db/readings.js'
import type { AlarmRow } from './alarms.js'
import { presenceSchema } from './contract.js'
import { type DecodedReading, decodePayload } from './decode.js'
import type { DeviceLookup } from './directory.js'
import type { Message } from './message.js'
import type { Presence } from './presence.js'
import { readTopic } from './topic.js'

/** What one message wants committed: all of it together, or none. */
export type Work = { message: Message; readings: ReadingRow[]; alarms: AlarmRow[]; quarantine: QuarantineRow[] }

export type LookUp = (gatewayId: string, deviceId: string) => DeviceLookup | Promise<DeviceLookup>

/** Each field by name: spread copies of twelve fields took 9 % of the edge, and reading them later as much again. */
const rowOf = (
  { observedAt, event, value, rate, unit, battery, tamper, fault, clockWrong, seq }: DecodedReading,
  { deviceNo, residentId, kind }: RegisteredDevice,
  receivedAt: number,
): ReadingRow => ({
  deviceNo,
  residentId,
  kind,
  observedAt,
  receivedAt,
  event,
  value,
  rate,
  unit,
  battery,
  tamper,
  fault,
  clockWrong,
  seq,
})

/** A message, or a part of it, as the operator will see it. */
export const toQuarantine = (
  message: Message,
  reason: string,
  detail: string,
  payload: Uint8Array = message.payload,
): QuarantineRow => ({
  receivedAt: message.receivedAt.getTime(),
  gatewayId: message.gatewayId,
  topic: message.topic,
  reason,
  detail,
  payload,
  payloadBytes: message.oversizeBytes,
})

/**
 * What a message says, and the reasons for what could not be understood: at once where its device is known, else a
 * promise. Rejects only when the directory cannot tell whose device it is.
 */
export function createUnderstand({ lookUp, presence }: { lookUp: LookUp; presence: Pick<Presence, 'sawClock'> }) {
  return (message: Message): Work | Promise<Work> => {
    const work: Work = { message, readings: [], alarms: [], quarantine: [] }
    if (message.oversizeBytes !== undefined) {
      // What the broker limits is the whole packet: a payload just below it can be too large with its topic.
      const detail = `${message.oversizeBytes.toLocaleString('en-US')} bytes, at most 65,536 with topic and header`
      work.quarantine.push(toQuarantine(message, 'payload too large', detail))
      return work
    }
    const address = readTopic(message.topic, message.gatewayId)
    if (address.kind === 'status') {
      if (!presenceSchema.safeParse(message.payload.toString()).success)
        work.quarantine.push(toQuarantine(message, 'wrong shape', 'a status is online or offline'))
      return work
    }
    if (address.kind === 'other') {
      work.quarantine.push(toQuarantine(message, 'topic not in contract', 'expected v1/{gateway}/{device}/{kind}'))
      return work
    }
    const { deviceId, readingKind } = address
    const found = lookUp(message.gatewayId, deviceId)
    return found instanceof Promise
      ? found.then((device) => read(work, deviceId, readingKind, device))
      : read(work, deviceId, readingKind, found)
  }

  function read(work: Work, deviceId: string, readingKind: string, found: DeviceLookup): Work {
    const { message } = work
    if (found.kind !== 'found') {
      work.quarantine.push(toQuarantine(message, found.kind, `device ${deviceId}`))
      return work
    }
    const { device } = found
    const { deviceNo, residentId, room } = device
    if (device.kind !== readingKind) {
      const detail = `device ${device.deviceId} is registered as ${device.kind}`
      work.quarantine.push(toQuarantine(message, 'kind does not match device', detail))
      return work
    }
    const receivedAt = message.receivedAt.getTime()
    const { readings, rejections } = decodePayload({ kind: device.kind, payload: message.payload, receivedAt })
    for (const { reason, detail, part, kept = false } of rejections) {
      const payload = part === undefined ? undefined : Buffer.from(part)
      work.quarantine.push({ ...toQuarantine(message, reason, detail, payload), kept })
    }
    const { kind } = device
    if (kind === 'water' || kind === 'electricity')
      work.readings = readings.map((reading) => rowOf(reading, device, receivedAt))
    else
      work.alarms = readings.map((reading) => ({
        ...reading,
        deviceNo,
        residentId,
        kind,
        room,
        receivedAt,
        retained: message.retain,
      }))
    const newest = readings.reduce((at, reading) => (reading.clockWrong ? at : Math.max(at, reading.observedAt)), 0)
    if (newest > 0) presence.sawClock(message.gatewayId, newest, receivedAt)
    return work
  }
}
