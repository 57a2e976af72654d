import { batchReadingsMax, type ReadingKind, readingTopic } from '../ingest/contract.js'
import type { SimulatedReading } from './scenarios.js'

export type ContractReading = SimulatedReading['reading']
type Entry = { topic: string; json: string }
/** One publish: a reading, or an array of them. */
export type Packet = { topic: string; payload: string; readings: number }

/** The broker's limit on a packet is 64 KB, topic and header included. */
export const packetBytesMax = 60_000

/**
 * What a gateway still has to send, first in, first out, at most `readingsMax`: when it is full the oldest goes.
 * `take` hands out the oldest window as packets, per topic in order; the window stays in the buffer until `forget`, and
 * is handed out again after `putBack`.
 */
export function createBuffer({ gatewayId, readingsMax }: { gatewayId: string; readingsMax: number }) {
  let waiting: Entry[] = []
  let head = 0
  let taken: Entry[] = []
  let dropped = 0

  const size = () => waiting.length - head + taken.length
  function compact() {
    if (head < 4_096 && head < waiting.length) return
    waiting = waiting.slice(head)
    head = 0
  }
  return {
    size,
    dropped: () => dropped,
    add(deviceId: string, kind: ReadingKind, reading: ContractReading) {
      waiting.push({ topic: readingTopic(gatewayId, deviceId, kind), json: JSON.stringify(reading) })
      while (size() > readingsMax && head < waiting.length) {
        head++
        dropped++
      }
      compact()
    },
    take(): Packet[] {
      taken = waiting.slice(head, head + batchReadingsMax)
      head += taken.length
      compact()
      return pack(taken)
    },
    forget() {
      taken = []
    },
    putBack() {
      waiting = [...taken, ...waiting.slice(head)]
      head = 0
      taken = []
    },
  }
}

/** Arrays of at most `batchReadingsMax` readings and `packetBytesMax`; a single reading travels as itself. */
function pack(entries: Entry[]): Packet[] {
  const packets: Packet[] = []
  const open = new Map<string, { bodies: string[]; bytes: number }>()
  const close = (topic: string, bodies: string[]) =>
    packets.push({
      topic,
      payload: bodies.length === 1 ? bodies[0]! : `[${bodies.join(',')}]`,
      readings: bodies.length,
    })
  for (const { topic, json } of entries) {
    const bytes = Buffer.byteLength(json) + 1
    let batch = open.get(topic)
    if (batch && (batch.bytes + bytes > packetBytesMax || batch.bodies.length >= batchReadingsMax)) {
      close(topic, batch.bodies)
      batch = undefined
    }
    if (!batch) {
      batch = { bodies: [], bytes: 2 + Buffer.byteLength(topic) }
      open.set(topic, batch)
    }
    batch.bodies.push(json)
    batch.bytes += bytes
  }
  for (const [topic, { bodies }] of open) close(topic, bodies)
  return packets
}
