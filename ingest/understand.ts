import { readAnswer } from './commands/answer.js'
import { presenceSchema } from './contract.js'
import { decodePayload } from './decode.js'
import type { DeviceLookup, GatewayCard } from './directory.js'
import type { Message } from './message.js'
import type { Presence } from './presence.js'
import { readTopic } from './topic.js'
import { addReading, newWork, toQuarantine, type Work } from './work.js'

export type LookUp = (gatewayId: string, deviceId: string) => DeviceLookup | Promise<DeviceLookup>

/**
 * What an adapter is told of its gateway, the names of its devices among it, is not older than this while the database can
 * be asked: another edge may have heard of them meanwhile.
 */
const dialectCardMsMax = 60_000
const isOld = ({ dialect, loadedAt }: GatewayCard, { receivedAt }: Message) =>
  dialect !== 'v1' && receivedAt.getTime() - loadedAt > dialectCardMsMax

/**
 * What a message says, and the reasons for what could not be understood: at once where its device is known, else a
 * promise. Rejects only when the directory cannot tell whose device it is.
 */
export function createUnderstand({
  lookUp,
  cardOf,
  findGateway,
  understandDialect,
  presence,
}: {
  lookUp: LookUp
  /** What is in memory of a gateway. */
  cardOf: (gatewayId: string) => GatewayCard | undefined
  /** @throws where nobody can tell */
  findGateway: (gatewayId: string) => Promise<GatewayCard | undefined>
  understandDialect: (work: Work, card: GatewayCard) => Promise<Work>
  presence: Pick<Presence, 'sawClock' | 'connected' | 'disconnected'>
}) {
  return (message: Message): Work | Promise<Work> => {
    const work = newWork(message)
    if (message.oversizeBytes !== undefined) {
      // What the broker limits is the whole packet: a payload just below it can be too large with its topic.
      const detail = `${message.oversizeBytes.toLocaleString('en-US')} bytes, at most 65,536 with topic and header`
      work.quarantine.push(toQuarantine(message, 'payload too large', detail))
      return work
    }
    const card = cardOf(message.gatewayId)
    if (card && !isOld(card, message)) return understandAs(card, work)
    return findGateway(message.gatewayId).then((found) => understandAs(found, work))
  }

  function understandAs(card: GatewayCard | undefined, work: Work): Work | Promise<Work> {
    if (card && card.dialect !== 'v1') return understandDialect(work, card)
    const { message } = work
    const address = readTopic(message.topic, message.gatewayId)
    if (address.kind === 'status') {
      const status = presenceSchema.safeParse(message.payload.toString())
      if (!status.success) work.quarantine.push(toQuarantine(message, 'wrong shape', 'a status is online or offline'))
      else if (card?.attached)
        (status.data === 'online' ? presence.connected : presence.disconnected)(message.gatewayId)
      return work
    }
    if (address.kind === 'other') {
      work.quarantine.push(toQuarantine(message, 'topic not in contract', 'expected v1/{gateway}/{device}/{kind}'))
      return work
    }
    if (address.kind === 'answer') {
      const said = readAnswer(message, address.deviceId)
      if ('answer' in said) work.answer = said.answer
      else work.quarantine.push(toQuarantine(message, said.rejection.reason, said.rejection.detail))
      return work
    }
    const { deviceId, readingKind } = address
    // Of what another broker had kept, an alarm is to be verified; with us gateways set the flag as they like.
    const isKept = card?.attached === true && message.retain
    const found = lookUp(message.gatewayId, deviceId)
    return found instanceof Promise
      ? found.then((device) => read(work, deviceId, readingKind, device, isKept))
      : read(work, deviceId, readingKind, found, isKept)
  }

  function read(work: Work, deviceId: string, readingKind: string, found: DeviceLookup, isKept: boolean): Work {
    const { message } = work
    if (found.kind !== 'found') {
      work.quarantine.push(toQuarantine(message, found.kind, `device ${deviceId}`))
      return work
    }
    const { device } = found
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
    for (const reading of readings) {
      if (isKept) reading.cached = true
      addReading(work, reading, device)
    }
    const newest = readings.reduce((at, reading) => (reading.clockWrong ? at : Math.max(at, reading.observedAt)), 0)
    if (newest > 0) presence.sawClock(message.gatewayId, newest, receivedAt)
    return work
  }
}
