import type { EpochMs } from '../alerts/model.js'
import type { AnnouncedRow } from '../db/announced.js'
import { within } from '../kit/within.js'
import { isAlarmKind, type ReadingKind } from './contract.js'
import { type DecodedReading, decodeOne, type Rejection } from './decode.js'
import { type Dialect, type DialectOutput, memoryBytesMax, type Saying, sayingsMax } from './dialects/dialect.js'
import { dialects } from './dialects/dialects.js'
import { nativeDeviceId } from './dialects/native-id.js'
import type { DeviceLookup, GatewayCard } from './directory.js'
import type { Memories } from './memories.js'
import type { Message, Said } from './message.js'
import type { Presence } from './presence.js'
import { addReading, toQuarantine, type Work } from './work.js'

const nativeIdCharsMax = 200
const textCharsMax = 200
/** A device that nobody has claimed is noted as heard at most this often, unless it gives an alarm. */
const notedMsMin = 10_000
const notedMax = 50_000
/** What an alarm waits for what came with it: its first page has 2 s. */
const besideAlarmMsMax = 250
const unknown: DeviceLookup = { kind: 'unknown device' }

type Understood = { saying: Saying; reading: DecodedReading }

/** What a message of a gateway with a dialect says: understood by its adapter, then held to the v1 contract. */
export function createUnderstandDialect({
  lookUpOwn,
  memories,
  presence,
  adapters = dialects,
}: {
  lookUpOwn: (gatewayId: string, deviceId: string) => DeviceLookup | Promise<DeviceLookup>
  memories: Memories
  presence: Pick<Presence, 'sawClock' | 'connected' | 'disconnected'>
  adapters?: Partial<Record<string, Dialect>>
}) {
  const notedAt = new Map<string, EpochMs>()

  /** Whether this is worth a row: not again within 10 s. */
  function isNews(deviceId: string, now: EpochMs): boolean {
    const before = notedAt.get(deviceId)
    if (before !== undefined && now >= before && now - before < notedMsMin) return false
    notedAt.delete(deviceId)
    notedAt.set(deviceId, now)
    if (notedAt.size > notedMax) notedAt.delete(notedAt.keys().next().value!)
    return true
  }

  return async (work: Work, card: GatewayCard): Promise<Work> => {
    const { message } = work
    const receivedAt = message.receivedAt.getTime()
    const output = message.said ?? hear(work, card)
    const { memory, version = 0 } = output
    if (message.said && memory) work.memory = memories.resume({ gatewayId: card.gatewayId, memory, version })
    for (const rejection of output.rejections.slice(0, sayingsMax)) reject(work, rejection)
    if (output.readings.length > sayingsMax)
      reject(work, { reason: 'batch too large', detail: `${output.readings.length} readings, at most ${sayingsMax}` })
    announce(work, card, output)

    const unclaimed = new Map<string, Understood>()
    let newest = 0
    for (const { understood, deviceId, lookup } of await lookUpAll(work, card, output.readings.slice(0, sayingsMax))) {
      const { saying, reading } = understood
      if (lookup.kind !== 'found') {
        const before = unclaimed.get(deviceId)
        // Of what one message says of it the alarm counts, also where its end comes along.
        if (!before || !isAlarming(saying.kind, before.reading)) unclaimed.set(deviceId, understood)
        continue
      }
      addReading(work, reading, lookup.device)
      if (!reading.clockWrong) newest = Math.max(newest, reading.observedAt)
    }
    for (const [deviceId, understood] of unclaimed) noteUnclaimed(work, deviceId, understood)
    if (newest > 0) presence.sawClock(card.gatewayId, newest, receivedAt)
    return work
  }

  /** What the adapter makes of a message that has just come; a message that waits in the journal takes it along. */
  function hear(work: Work, card: GatewayCard): Said {
    const { message } = work
    const output = adapt(adapters[card.dialect], message, card, memories.of(card))
    const { readings, rejections, announcements = [] } = output
    const said: Said = { readings, rejections: [...rejections], announcements }
    if (output.memory) {
      const bytes = Buffer.byteLength(JSON.stringify(output.memory))
      if (bytes <= memoryBytesMax) {
        work.memory = memories.keep(card, output.memory, message.receivedAt.getTime())
        said.memory = output.memory
        said.version = work.memory.version
      } else {
        const detail = `what to keep of it: ${bytes} bytes, at most ${memoryBytesMax}`
        said.rejections.unshift({ reason: 'wrong shape', detail })
      }
    }
    // On our own broker a gateway is there when it is connected, whatever it says.
    if (card.attached && output.presence)
      (output.presence === 'online' ? presence.connected : presence.disconnected)(card.gatewayId)
    if (output.replies)
      work.replies = output.replies.map((reply) => ({ ...reply, topic: wholeTopic(card, message, reply.topic) }))
    work.message = { ...message, said }
    return said
  }

  /**
   * Whose all of it is. An alarm whose device is known at once waits for other alarms alone: of the rest, what is not
   * answered for in time is unclaimed then.
   */
  async function lookUpAll(work: Work, card: GatewayCard, sayings: Saying[]) {
    // What another broker had kept may be of weeks ago: an alarm is to be verified, anything else comes again by itself.
    const isKept = card.attached && work.message.retain
    const asked = [...decode(work, sayings)].flatMap((understood) => {
      const { nativeId, kind } = understood.saying
      if (isKept && !isAlarmKind(kind)) return []
      if (isKept) understood.reading.cached = true
      const deviceId = nativeDeviceId(card.gatewayId, nativeId, kind)
      return [{ understood, deviceId, lookup: lookUpOwn(card.gatewayId, deviceId) }]
    })
    const isUrgent = asked.some(
      ({ understood: { saying, reading }, lookup }) =>
        !(lookup instanceof Promise) && lookup.kind === 'found' && isAlarming(saying.kind, reading),
    )
    return Promise.all(
      asked.map(async ({ lookup, ...each }) => {
        if (!(lookup instanceof Promise)) return { ...each, lookup }
        const { saying, reading } = each.understood
        const mayBeGivenUp = isUrgent && !isAlarming(saying.kind, reading)
        return {
          ...each,
          lookup: await (mayBeGivenUp ? within(besideAlarmMsMax, lookup).catch(() => unknown) : lookup),
        }
      }),
    )
  }

  function announce(work: Work, { gatewayId }: GatewayCard, output: Said) {
    const seenAt = work.message.receivedAt.getTime()
    for (const { nativeId, kind, name, model } of (output.announcements ?? []).slice(0, sayingsMax)) {
      if (nativeId === '' || nativeId.length > nativeIdCharsMax) continue
      work.announced.push({
        gatewayId,
        deviceId: nativeDeviceId(gatewayId, nativeId, kind),
        nativeId,
        kind,
        name: name.slice(0, textCharsMax),
        model: model.slice(0, textCharsMax),
        fields: undefined,
        seenAt,
      })
    }
  }

  function noteUnclaimed(work: Work, deviceId: string, { saying, reading }: Understood) {
    const { message } = work
    const { nativeId, kind, fields } = saying
    const seenAt = message.receivedAt.getTime()
    const isAlarm = isAlarming(kind, reading)
    if (isAlarm) reject(work, { reason: 'unclaimed device', detail: `${kind} ${reading.event} of ${nativeId}` })
    if (!isNews(deviceId, seenAt) && !isAlarm) return
    const row: AnnouncedRow = {
      gatewayId: message.gatewayId,
      deviceId,
      nativeId,
      kind,
      name: undefined,
      model: undefined,
      fields: shown(fields),
      seenAt,
    }
    work.announced.push(row)
  }
}

const shownFieldsMax = 20

/** Of what a device said, what a page can show: a contract's fields are all plain; what is nested may be nested without end. */
const shown = (fields: Saying['fields']): Record<string, unknown> =>
  Object.fromEntries(
    Object.entries(fields)
      .filter(([, value]) => value === null || typeof value !== 'object')
      .slice(0, shownFieldsMax)
      .map(([name, value]) => [
        name.slice(0, textCharsMax),
        typeof value === 'string' ? value.slice(0, textCharsMax) : value,
      ]),
  )

const isAlarming = (kind: ReadingKind, { event }: DecodedReading) =>
  isAlarmKind(kind) && (event === 'alarm' || event === 'pressed' || event === 'help')

/** The adapter's own bugs are for the caller, who knows what to do with a message that is not understood. */
function adapt(
  dialect: Dialect | undefined,
  message: Message,
  card: GatewayCard,
  memory: Record<string, unknown>,
): DialectOutput {
  if (!dialect) return { readings: [], rejections: [{ reason: 'topic not in dialect', detail: card.dialect }] }
  const own = `v1/${card.gatewayId}/`
  const isOwn = message.topic.startsWith(own)
  const base = isOwn ? '' : card.baseTopics.find((each) => isUnder(message.topic, each))
  if (base === undefined)
    return { readings: [], rejections: [{ reason: 'topic not in dialect', detail: 'not a topic of this gateway' }] }
  return dialect.read({
    topic: isOwn ? message.topic.slice(own.length) : message.topic,
    base,
    payload: message.payload,
    retain: message.retain,
    receivedAt: message.receivedAt.getTime(),
    timeZone: card.timeZone,
    memory,
    settings: card.dialectSettings,
  })
}

/** An adapter answers in the topics that it is given: those below `v1/{gatewayId}/` are given without that. */
const wholeTopic = ({ gatewayId }: GatewayCard, { topic }: Message, reply: string) => {
  const own = `v1/${gatewayId}/`
  return topic.startsWith(own) ? `${own}${reply}` : reply
}

const isUnder = (topic: string, base: string) =>
  topic.startsWith(base) && (topic.length === base.length || topic[base.length] === '/')

/** Held to the contract one by one: what the contract refuses is quarantined, with the device in the detail. */
function* decode(work: Work, sayings: Saying[]): Generator<Understood> {
  const receivedAt = work.message.receivedAt.getTime()
  for (const saying of sayings) {
    const { nativeId, kind, fields } = saying
    const isNamed = nativeId !== '' && nativeId.length <= nativeIdCharsMax
    const { reading, rejection } = isNamed
      ? decodeOne(kind, fields, receivedAt)
      : { rejection: { reason: 'wrong shape', detail: 'no device, or a name of over 200 characters' } }
    if (rejection) reject(work, { ...rejection, detail: `${kind} of ${nativeId.slice(0, 80)}: ${rejection.detail}` })
    if (reading) yield { saying, reading }
  }
}

function reject(work: Work, { reason, detail, part, kept = false }: Rejection) {
  const payload = part === undefined ? undefined : Buffer.from(part)
  work.quarantine.push({ ...toQuarantine(work.message, reason, detail, payload), kept })
}
